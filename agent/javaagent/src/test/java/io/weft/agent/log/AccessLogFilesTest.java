package io.weft.agent.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
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
        files.drain();
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
        files.drain();
        Files.move(file, folder.resolve("a.log.1"));
        await().untilAsserted(() -> {
            files.write(file.toString(), "two\n");
            files.drain();
            assertThat(file).exists();
        });
        assertThat(folder.resolve("a.log.1")).content().startsWith("one\n");
    }

    @Test
    void aFileThatCannotBeOpenedLosesItsLinesAndNothingElse() {
        Path good = folder.resolve("a.log");
        files.write(folder.resolve("none/a.log").toString(), "lost\n");
        files.write(good.toString(), "kept\n");
        files.drain();
        await().untilAsserted(() -> assertThat(good).hasContent("kept\n"));
        assertThat(files.lost()).isEqualTo(1);
        assertThat(faults).containsExactly("access log " + folder.resolve("none/a.log"));
    }
}
