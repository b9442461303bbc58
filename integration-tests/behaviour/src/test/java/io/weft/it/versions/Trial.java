package io.weft.it.versions;

import java.io.File;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * How one version is judged: its jars and all that they need are resolved by Maven, as for an app that depends on nothing else, and its suite runs with them
 * in the place of those that the build has copied.
 *
 * @param folder for what each version leaves, its log above all
 * @param jdks as in {@code 17,25}; empty: those that CI has for it
 */
record Trial(String state, Path folder, String jdks) {
    private static final int LONGEST_NOTE = 300;
    private static final Duration LONGEST = Duration.ofMinutes(15);
    /** Maven's local repository is not made for two that write into it. */
    private static final Object RESOLVING = new Object();
    private static final File NOTHING = new File("/dev/null");

    Verdict of(Candidate candidate) throws IOException, InterruptedException {
        if (!candidate.skipped().isEmpty()) {
            return verdict(candidate, Verdict.Outcome.SKIPPED, "", 0, candidate.skipped(), "");
        }
        long start = System.nanoTime();
        Path work = folder.resolve(candidate.name());
        delete(work);
        Path jars = Files.createDirectories(work.resolve("jars"));
        Path log = work.resolve("log.txt");
        if (!resolve(candidate, work, jars, log)) {
            return verdict(candidate, Verdict.Outcome.FAILED, "", seconds(start), "Maven does not find what it needs", log.toString());
        }
        Path file = work.resolve("verdict.properties");
        boolean ended = ends(suite(candidate, jars, file), log, LONGEST);
        Properties came = new Properties();
        if (Files.exists(file)) {
            try (Reader reader = Files.newBufferedReader(file)) {
                came.load(reader);
            }
        }
        String ranOn = came.getProperty(Judge.JDKS, "");
        if (came.containsKey(Judge.NOT_HERE)) {
            return verdict(candidate, Verdict.Outcome.SKIPPED, "", seconds(start), "no JDK of this machine runs it", log.toString());
        }
        if (!ended || came.isEmpty() || came.containsKey(Judge.FAILURE)) {
            String why = !ended ? "did not end within " + LONGEST.toMinutes() + " minutes" : came.getProperty(Judge.FAILURE, "the suite's JVM has ended early");
            return verdict(candidate, Verdict.Outcome.FAILED, ranOn, seconds(start), why, log.toString());
        }
        delete(jars);
        String note = came.containsKey(Judge.FLAKE) ? "only the second time: " + came.getProperty(Judge.FLAKE) : came.getProperty(Judge.TESTS) + " tests";
        return verdict(candidate, Verdict.Outcome.PASSED, ranOn, seconds(start), note, log.toString());
    }

    private static long seconds(long start) {
        return TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - start);
    }

    private Verdict verdict(Candidate candidate, Verdict.Outcome outcome, String ranOn, long seconds, String note, String log) {
        String line = note.replaceAll("\\s+", " ");
        return new Verdict(
                state, LocalDate.now(ZoneOffset.UTC).toString(), candidate.suite().title, candidate.as(), candidate.library(), candidate.version(), ranOn, outcome, seconds,
                line.substring(0, Math.min(LONGEST_NOTE, line.length())), log);
    }

    private static boolean resolve(Candidate candidate, Path work, Path jars, Path log) throws IOException, InterruptedException {
        Path pom = work.resolve("pom.xml");
        Files.writeString(pom, """
                <project>
                  <modelVersion>4.0.0</modelVersion>
                  <groupId>com.example</groupId><artifactId>app</artifactId><version>1</version><packaging>pom</packaging>
                  <dependencies>
                %s
                  </dependencies>
                </project>
                """.formatted(candidate.artifacts().stream().map(artifact -> dependency(artifact, candidate.version())).collect(Collectors.joining("\n"))));
        synchronized (RESOLVING) {
            ProcessBuilder maven = new ProcessBuilder(
                    "mvn", "-B", "-ntp", "-q", "-f", pom.toString(), "dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory=" + jars);
            return ends(maven, log, LONGEST) && !isEmpty(jars);
        }
    }

    private static String dependency(String artifact, String version) {
        String[] parts = artifact.split(":");
        return "    <dependency><groupId>%s</groupId><artifactId>%s</artifactId><version>%s</version></dependency>".formatted(parts[0], parts[1], version);
    }

    private ProcessBuilder suite(Candidate candidate, Path jars, Path file) {
        Map<String, String> properties = new TreeMap<>();
        for (String name : System.getProperties().stringPropertyNames()) {
            if (name.startsWith("weft.")) {
                properties.put(name, System.getProperty(name));
            }
        }
        properties.put("weft.it." + candidate.suite().title, candidate.as());
        properties.put("weft.it.library", jars.toString());
        if (!jdks.isEmpty()) {
            properties.put("weft.it.jdks", jdks);
        }
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
        properties.forEach((name, value) -> command.add("-D" + name + "=" + value));
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Judge.class.getName(), file.toString()));
        command.addAll(candidate.suite().tests);
        return new ProcessBuilder(command);
    }

    /** @return it ended by itself and said that all was well */
    private static boolean ends(ProcessBuilder command, Path log, Duration patience) throws IOException, InterruptedException {
        Process process = command.redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile())).redirectInput(NOTHING).start();
        try {
            return process.waitFor(patience.toSeconds(), TimeUnit.SECONDS) && process.exitValue() == 0;
        } finally {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
    }

    private static boolean isEmpty(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.findAny().isEmpty();
        }
    }

    private static void delete(Path folder) throws IOException {
        if (Files.exists(folder)) {
            try (Stream<Path> files = Files.walk(folder)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            }
        }
    }
}
