package io.weft.controlplane.page;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.weft.controlplane.page.SimulatedMesh.Shop;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The page in a real Chromium. Needs Node.js, Chromium and the npm package {@code playwright-core}, the folder of which is named by the
 * system property {@code weft.playwright}: {@code .ci/run} brings all three.
 */
class PageInBrowserTest {

    private static final long PATIENCE_SECONDS = 240;

    @TempDir
    private Path folder;

    @Test
    void anOperatorSeesWhatIsWrongAndMovesRequests() throws Exception {
        String playwright = System.getProperty("weft.playwright", "");
        Path chromium = Stream.of("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
                .map(Path::of).filter(Files::isExecutable).findFirst().orElse(Path.of("none"));
        assumeTrue(!playwright.isEmpty() && Files.isDirectory(Path.of(playwright).resolve("playwright-core")),
                "no playwright-core: weft.playwright names no folder of npm packages that has it");
        assumeTrue(Files.isExecutable(chromium), "no Chromium");
        assumeTrue(hasNode(), "no Node.js");

        Path policies = Files.createDirectory(folder.resolve("policies"));
        Path pictures = Files.createDirectories(Path.of("target", "pictures")).toAbsolutePath();
        Path script = folder.resolve("browser.mjs");
        try (InputStream source = PageInBrowserTest.class.getResourceAsStream("browser.mjs")) {
            Files.copy(source, script, StandardCopyOption.REPLACE_EXISTING);
        }
        ScheduledExecutorService reports = Executors.newSingleThreadScheduledExecutor();
        try (Shop shop = new Shop(new SimulatedMesh(policies))) {
            reports.scheduleAtFixedRate(shop::report, 0, 1, TimeUnit.SECONDS);
            ProcessBuilder node = new ProcessBuilder(
                    "node", script.toString(), "http://127.0.0.1:" + shop.mesh.page.port() + "/", shop.mesh.token(), policies.toString(),
                    pictures.toString());
            node.environment().put("PLAYWRIGHT", Path.of(playwright).toAbsolutePath().toString());
            node.environment().put("CHROMIUM", chromium.toString());
            Path output = folder.resolve("output");
            Process process = node.redirectErrorStream(true).redirectOutput(output.toFile()).start();
            boolean ended = process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS);
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
            assertThat(ended && process.exitValue() == 0).as(() -> read(output)).isTrue();
        } finally {
            reports.shutdownNow();
        }
    }

    private static boolean hasNode() throws InterruptedException {
        try {
            return new ProcessBuilder("node", "--version").redirectErrorStream(true).start().waitFor() == 0;
        } catch (IOException absent) {
            return false;
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file, StandardCharsets.UTF_8);
        } catch (IOException e) {
            return e.toString();
        }
    }
}
