package io.weft.it.harness;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Properties;

/**
 * A JDK on this machine, or a runtime with its tools for running JVMs.
 *
 * @param feature as in 17
 * @param version as in 17.0.15
 */
public record Jdk(Path home, int feature, String version) {

    /** Empty when the folder holds nothing that runs Java and has {@code jcmd}. */
    static Optional<Jdk> at(Path home) {
        Path release = home.resolve("release");
        if (!Files.isExecutable(home.resolve("bin/java")) || !Files.isExecutable(home.resolve("bin/jcmd")) || !Files.isReadable(release)) {
            return Optional.empty();
        }
        Properties properties = new Properties();
        try (var in = Files.newInputStream(release)) {
            properties.load(in);
            String version = properties.getProperty("JAVA_VERSION", "").replace("\"", "");
            return version.isEmpty()
                    ? Optional.empty()
                    : Optional.of(new Jdk(home.toRealPath(), Runtime.Version.parse(version).feature(), version));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    boolean canCompile() {
        return Files.isExecutable(tool("javac"));
    }

    public Path java() {
        return home.resolve("bin/java");
    }

    public Path tool(String name) {
        return home.resolve("bin").resolve(name);
    }

    @Override
    public String toString() {
        return "JDK " + version;
    }
}
