package io.weft.it.harness;

import io.weft.driver.ClientDriver;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Where the build has put what the tests run. The paths come from the build file as system properties. */
public final class Build {
    private Build() {}

    /** The real {@code weft-agent.jar}. */
    public static Path agent() {
        return present("weft.it.agent", "agent/javaagent");
    }

    /** The real {@code weft-control-plane.jar}. */
    public static Path controlPlane() {
        return present("weft.it.control-plane", "control-plane");
    }

    /** @param name as in {@code orders-v1} */
    public static Path app(String name) {
        return present("weft.it.apps", "integration-tests/apps").resolve(name).resolve("target").resolve(name + ".jar");
    }

    static Path libraries() {
        return present("weft.it.libraries", "integration-tests/drivers");
    }

    /** Folder or jar of the drivers' classes. */
    static Path drivers() {
        try {
            return Path.of(ClientDriver.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    public static Path present(String property, String module) {
        String value = System.getProperty(property);
        if (value == null || !Files.exists(Path.of(value))) {
            throw new IllegalStateException("system property " + property + " is " + value + ", which is not there: build " + module + " first");
        }
        return Path.of(value).toAbsolutePath().normalize();
    }
}
