package io.weft.agent.start;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;

/** The version that this build of the agent has. */
final class AgentVersion {
    private AgentVersion() {}

    static String get() {
        try (InputStream in = AgentVersion.class.getClassLoader().getResourceAsStream("io/weft/agent/version.properties")) {
            Properties properties = new Properties();
            properties.load(in);
            return properties.getProperty("version");
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }
}
