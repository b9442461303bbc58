package io.weft.it.harness;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * The JDKs that every integration test runs on: 17, the floor, and the newest one found. Looked for are the JDK that runs the
 * build, {@code JAVA_HOME}, every {@code JAVA_HOME_*} and the folders below {@code /usr/lib/jvm}; the system property
 * {@code weft.it.jdks} narrows them to features, as in {@code 17,21}.
 */
public final class Jdks {
    private static final int FLOOR = 17;
    private static final int BETWEEN = 21;

    private Jdks() {}

    public static List<Jdk> matrix() {
        return Matrix.JDKS;
    }

    /** For libraries that come with the JDK: also the release with long-term support between those of the matrix, if it is here. */
    public static List<Jdk> everyRelease() {
        boolean chosen = !System.getProperty("weft.it.jdks", "").isEmpty();
        Stream<Jdk> between = chosen ? Stream.empty() : feature(BETWEEN).stream();
        return Stream.concat(matrix().stream(), between).distinct().sorted(Comparator.comparingInt(Jdk::feature)).toList();
    }

    /** One of that feature version, if there is one. */
    public static Optional<Jdk> feature(int feature) {
        return found().filter(jdk -> jdk.feature() == feature).findFirst();
    }

    /** With a compiler: a mere runtime is used by who asks for its feature. */
    public static Jdk newest() {
        return found().filter(Jdk::canCompile).max(Comparator.comparingInt(Jdk::feature)).orElseThrow();
    }

    private static Stream<Jdk> found() {
        List<Path> homes = new ArrayList<>();
        homes.add(Path.of(System.getProperty("java.home")));
        for (Map.Entry<String, String> variable : System.getenv().entrySet()) {
            if (variable.getKey().equals("JAVA_HOME") || variable.getKey().startsWith("JAVA_HOME_")) {
                homes.add(Path.of(variable.getValue()));
            }
        }
        Path packaged = Path.of("/usr/lib/jvm");
        if (Files.isDirectory(packaged)) {
            try (Stream<Path> folders = Files.list(packaged)) {
                folders.sorted().forEach(homes::add);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return homes.stream().map(Jdk::at).flatMap(Optional::stream).filter(jdk -> jdk.feature() >= FLOOR).distinct();
    }

    private static final class Matrix {
        static final List<Jdk> JDKS = chosen();

        private static List<Jdk> chosen() {
            String wanted = System.getProperty("weft.it.jdks", "");
            List<Jdk> jdks = wanted.isEmpty() ? floorAndNewest() : Stream.of(wanted.split(",")).map(Matrix::wanted).toList();
            System.out.println("Integration tests run on "
                    + String.join(" and ", jdks.stream().map(jdk -> jdk + " (" + jdk.home() + ")").toList()));
            return jdks;
        }

        private static List<Jdk> floorAndNewest() {
            Jdk newest = newest();
            return feature(FLOOR).filter(Predicate.not(newest::equals)).map(floor -> List.of(floor, newest)).orElse(List.of(newest));
        }

        private static Jdk wanted(String feature) {
            return feature(Integer.parseInt(feature.strip()))
                    .orElseThrow(() -> new IllegalStateException(
                            "weft.it.jdks names JDK " + feature + ", which is not on this machine; set JAVA_HOME_" + feature));
        }
    }
}
