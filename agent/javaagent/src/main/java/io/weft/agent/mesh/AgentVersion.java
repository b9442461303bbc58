package io.weft.agent.mesh;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;

/** The version that this build of the agent has. */
public final class AgentVersion {
    /** Once: the jar may be replaced while the process runs. */
    private static final String VERSION = read();

    private AgentVersion() {}

    public static String get() {
        return VERSION;
    }

    private static String read() {
        try (InputStream in = AgentVersion.class.getClassLoader().getResourceAsStream("io/weft/agent/version.properties")) {
            Properties properties = new Properties();
            properties.load(in);
            return properties.getProperty("version");
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }
}
