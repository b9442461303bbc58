package io.weft.agent.status;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.admin.SocketDirectory;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;
import java.util.function.ToIntFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What processes that were killed have left. */
class StatusCommandTest {
    @TempDir
    private Path folder;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    private int run() {
        return ask(command -> command.run(new SocketDirectory(folder), List.of()));
    }

    private int ask(ToIntFunction<StatusCommand> question) {
        try (PrintStream to = new PrintStream(out, true, StandardCharsets.UTF_8); PrintStream complaints = new PrintStream(err, true, StandardCharsets.UTF_8)) {
            return question.applyAsInt(new StatusCommand(to, complaints, StatusCommand.Form.LINE));
        }
    }

    /** A socket on which nobody listens. */
    private Path left(long pid) throws Exception {
        return Files.createFile(new SocketDirectory(folder).socket(pid));
    }

    @Test
    void whatIsLeftOfAProcessIsForgottenThoughItsNumberIsGivenAgain() throws Exception {
        Path ended = left(ProcessHandle.current().pid());
        Files.setLastModifiedTime(ended, FileTime.from(Instant.EPOCH));

        assertThat(run()).isEqualTo(1);
        assertThat(out.toString(StandardCharsets.UTF_8)).isEmpty();
        assertThat(err.toString(StandardCharsets.UTF_8)).contains("no JVM of user ", "--dir");
        assertThat(ended).doesNotExist();
    }

    @Test
    void aProcessThatIsThereAndDoesNotListenIsTold() throws Exception {
        Path there = left(ProcessHandle.current().pid());

        assertThat(run()).isEqualTo(1);
        assertThat(out.toString(StandardCharsets.UTF_8)).contains(ProcessHandle.current().pid() + " ", "no answer", "nobody listens on ");
        assertThat(there).exists();
    }

    @Test
    void whoIsAskedByNumberAndHasNoSocketIsToldApartFromWhoIsNotThere() {
        long here = ProcessHandle.current().pid();
        // beyond what Linux gives
        long nobody = 1L << 40;

        assertThat(ask(command -> command.run(new SocketDirectory(folder), List.of(here, nobody)))).isEqualTo(1);
        assertThat(err.toString(StandardCharsets.UTF_8).lines()).satisfiesExactly(
                there -> assertThat(there).startsWith("weft status: " + here + " cannot be asked: there is no " + folder)
                        .contains(". It may run without the agent", "no library that Weft knows"),
                none -> assertThat(none).startsWith("weft status: " + nobody + " cannot be asked: there is no " + folder)
                        .endsWith(".sock, and no process of that number"));
    }

    /** As with WEFT_ADMIN_DIR, beside the folders where those of all users are by default. */
    @Test
    void allAreAskedInAFolderOfItsOwnToo() throws Exception {
        left(ProcessHandle.current().pid());

        assertThat(ask(command -> command.everywhere(new SocketDirectory(folder)))).isEqualTo(1);
        assertThat(out.toString(StandardCharsets.UTF_8)).contains(ProcessHandle.current().pid() + " ", "nobody listens on " + folder);
    }
}
