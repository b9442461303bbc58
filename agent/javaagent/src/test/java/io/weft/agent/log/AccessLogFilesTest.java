package io.weft.agent.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AccessLogFilesTest {
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
