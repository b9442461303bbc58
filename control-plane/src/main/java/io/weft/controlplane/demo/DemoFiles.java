package io.weft.controlplane.demo;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Where the demo finds its jars and keeps what it writes.
 *
 * @param home the checkout
 * @param work holds policies, logs and caches of this run
 */
record DemoFiles(Path home, Path work) {

    /** @throws IOException when a folder can't be made */
    static DemoFiles in(Path home) throws IOException {
        Path parent = Files.createDirectories(home.resolve("target").resolve("demo"));
        DemoFiles files = new DemoFiles(home, nextRun(parent));
        Files.createDirectories(files.policies());
        Files.createDirectories(files.logs());
        Files.createDirectories(files.cache());
        return files;
    }

    /** A name of its own for each run, short enough to be typed. */
    private static Path nextRun(Path parent) throws IOException {
        for (int number = 1;; number++) {
            try {
                return Files.createDirectory(parent.resolve("run-" + number));
            } catch (FileAlreadyExistsException another) {
                continue;
            }
        }
    }

    Path policies() {
        return work.resolve("policies");
    }

    Path logs() {
        return work.resolve("logs");
    }

    Path cache() {
        return work.resolve("cache");
    }

    Path state() {
        return work.resolve("state");
    }

    Path tokens() {
        return work.resolve("tokens");
    }

    Path agent() {
        return present(home.resolve("agent/javaagent/target/weft-agent.jar"));
    }

    /** A small heap: six JVMs share one machine. */
    List<String> java(String app) {
        Path jar = present(home.resolve("integration-tests/apps").resolve(app).resolve("target").resolve(app + ".jar"));
        return List.of(javaCommand(), "-Xmx192m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-jar", jar.toString());
    }

    List<String> controlPlane(String listen, String page) {
        Path jar = present(home.resolve("control-plane/target/weft-control-plane.jar"));
        return List.of(
                javaCommand(), "-Xmx192m", "-XX:+UseSerialGC", "-jar", jar.toString(),
                "control-plane", "--policies", policies().toString(), "--listen", listen, "--page", page,
                "--state-dir", state().toString());
    }

    private static String javaCommand() {
        return ProcessHandle.current().info().command().orElse(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    }

    private static Path present(Path jar) {
        if (!Files.isRegularFile(jar)) {
            throw new IllegalStateException(jar + " is not there. Start the demo as ./weft demo: it builds what is missing.");
        }
        return jar;
    }
}
