package io.weft.agent.mesh;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;

/** The version that this build of the agent has. */
public final class AgentVersion {
    private AgentVersion() {}

    public static String get() {
        try (InputStream in = AgentVersion.class.getClassLoader().getResourceAsStream("io/weft/agent/version.properties")) {
            Properties properties = new Properties();
            properties.load(in);
            return properties.getProperty("version");
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }
}
