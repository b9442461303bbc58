package io.weft.agent.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AccessLogFilesTest {
    private static final Path DESCRIPTORS = Path.of("/proc/self/fd");

    private final List<String> faults = Collections.synchronizedList(new ArrayList<>());
    private final AccessLogFiles files = new AccessLogFiles((where, fault) -> faults.add(where));

    @TempDir
    Path folder;

    @Test
    void linesAreAppendedInOrder() throws Exception {
        Path file = folder.resolve("a.log");
        Files.writeString(file, "before\n");
        files.write(file.toString(), "one\n");
        files.write(file.toString(), "two\n");
        files.close();
        assertThat(file).hasContent("before\none\ntwo\n");
    }

    @Test
    void aLineIsWrittenWithoutBeingAskedFor() {
        Path file = folder.resolve("a.log");
        files.write(file.toString(), "one\n");
        await().untilAsserted(() -> assertThat(file).hasContent("one\n"));
    }

    @Test
    void aFileThatWasMovedAwayIsBegunAnew() throws Exception {
        Path file = folder.resolve("a.log");
        files.write(file.toString(), "one\n");
        await().untilAsserted(() -> assertThat(file).hasContent("one\n"));
        Files.move(file, folder.resolve("a.log.1"));
        await().untilAsserted(() -> {
            files.write(file.toString(), "two\n");
            assertThat(file).exists();
        });
        assertThat(folder.resolve("a.log.1")).content().startsWith("one\n");
    }

    /** What is written to it later is of a request that began before. */
    @Test
    void aFileThatPolicyNamesNoMoreIsClosed() throws Exception {
        assumeTrue(Files.isDirectory(DESCRIPTORS), "needs Linux's /proc");
        Path gone = folder.resolve("gone.log");
        Path kept = folder.resolve("kept.log");
        files.keep(Set.of(gone.toString(), kept.toString()));
        files.write(gone.toString(), "one\n");
        files.write(kept.toString(), "one\n");
        await().untilAsserted(() -> assertThat(kept).hasContent("one\n"));
        assertThat(opened()).contains(gone.toRealPath(), kept.toRealPath());

        files.keep(Set.of(kept.toString()));
        await().until(() -> !opened().contains(gone.toRealPath()));
        files.write(gone.toString(), "two\n");
        await().untilAsserted(() -> assertThat(gone).hasContent("one\ntwo\n"));
        await().until(() -> !opened().contains(gone.toRealPath()));
        assertThat(opened()).contains(kept.toRealPath());
        assertThat(faults).isEmpty();
    }

    /** The files that this process has open. */
    private static List<Path> opened() throws IOException {
        List<Path> opened = new ArrayList<>();
        try (DirectoryStream<Path> all = Files.newDirectoryStream(DESCRIPTORS)) {
            for (Path descriptor : all) {
                try {
                    opened.add(Files.readSymbolicLink(descriptor));
                } catch (NoSuchFileException closedMeanwhile) {
                    continue;
                }
            }
        }
        return opened;
    }

    @Test
    void aFileThatCannotBeOpenedLosesItsLinesAndNothingElse() {
        Path good = folder.resolve("a.log");
        files.write(folder.resolve("none/a.log").toString(), "lost\n");
        files.write(good.toString(), "kept\n");
        await().untilAsserted(() -> assertThat(good).hasContent("kept\n"));
        assertThat(files.lost()).isEqualTo(1);
        assertThat(faults).containsExactly("access log " + folder.resolve("none/a.log"));
    }

    @Test
    void aReaderThatIsStuckHoldsUpNoEndOfTheProcess() throws Exception {
        Path pipe = folder.resolve("pipe");
        assumeTrue(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor() == 0, "needs mkfifo");
        files.write(pipe.toString(), "nobody reads it\n");
        await().until(() -> Thread.getAllStackTraces().entrySet().stream().anyMatch(thread ->
                thread.getKey().getName().equals("weft-access-log") && Arrays.toString(thread.getValue()).contains("FileOutputStream.open")));

        assertTimeoutPreemptively(Duration.ofSeconds(10), files::close);
    }

    @Test
    void whatIsWrittenLastIsThereWhenTheProcessEnds() {
        Path file = folder.resolve("a.log");
        for (int i = 0; i < 1000; i++) {
            files.write(file.toString(), i + "\n");
        }
        files.close();
        assertThat(file).content().endsWith("999\n").hasLineCount(1000);
    }
}
