package io.weft.it.harness;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * One version of a library with all that it needs, as the build of the drivers has copied it.
 *
 * @param name as in {@code tomcat-10.1}
 */
public record Library(String name, List<Path> jars) {
    public Library {
        jars = List.copyOf(jars);
    }

    /** @param name of a folder below {@code integration-tests/drivers/target/libraries} */
    public static Library named(String name) {
        Path folder = Build.libraries().resolve(name);
        try (Stream<Path> files = Files.list(folder)) {
            return new Library(name, files.filter(file -> file.toString().endsWith(".jar")).sorted().toList());
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "no library " + folder + ": copy it in integration-tests/drivers/pom.xml, then build that module", e);
        }
    }

    @Override
    public String toString() {
        return name;
    }
}
