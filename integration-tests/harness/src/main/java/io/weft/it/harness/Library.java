package io.weft.it.harness;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.module.ModuleDescriptor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * One version of a library with all that it needs, as the build of the drivers has copied it.
 *
 * @param name as in {@code tomcat-10.1}
 */
public record Library(String name, List<Path> jars) {
    private static final Pattern VERSION = Pattern.compile("\\d[\\d.]*");

    public Library {
        jars = List.copyOf(jars);
    }

    /**
     * The system property {@code weft.it.library} names a folder with another version, which takes its place.
     *
     * @param name of a folder below {@code integration-tests/drivers/target/libraries}
     */
    public static Library named(String name) {
        String other = System.getProperty("weft.it.library");
        Path folder = other == null ? Build.libraries().resolve(name) : Path.of(other);
        try (Stream<Path> files = Files.list(folder)) {
            return new Library(name, files.filter(file -> file.toString().endsWith(".jar")).sorted().toList());
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "no library " + folder + ": copy it in integration-tests/drivers/pom.xml, then build that module", e);
        }
    }

    /** @param name without the version, as in {@code okhttp} for the newest of {@code okhttp-3.12}, {@code okhttp-4} and {@code okhttp-5} */
    public static Library newest(String name) {
        try (Stream<Path> folders = Files.list(Build.libraries())) {
            String newest = folders.map(folder -> folder.getFileName().toString())
                    .filter(folder -> folder.startsWith(name + "-") && VERSION.matcher(folder.substring(name.length() + 1)).matches())
                    .max(Comparator.comparing(folder -> ModuleDescriptor.Version.parse(folder.substring(name.length() + 1))))
                    .orElseThrow(() -> new IllegalStateException("no version of " + name + " below " + Build.libraries() + ": build integration-tests/drivers"));
            return named(newest);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** As far as its name says it. */
    public String version() {
        return name.substring(name.lastIndexOf('-') + 1);
    }

    @Override
    public String toString() {
        return name;
    }
}
