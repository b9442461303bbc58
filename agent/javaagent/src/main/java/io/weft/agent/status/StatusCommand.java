package io.weft.agent.status;

import io.weft.admin.AdminClient;
import io.weft.admin.SocketDirectory;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** Asks the JVMs of this user that are in the mesh. For one thread, once. */
public final class StatusCommand {
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    /** What each JVM is asked. */
    public sealed interface Question {
        String page();

        /** Above what the first one says, or between two. */
        String before(boolean first);
    }

    /** How much of each JVM is shown. */
    public enum Form implements Question {
        LINE("/status-line.txt"),
        EVERYTHING("/status.txt"),
        /** Everything, in one line. */
        JSON("/status");

        private final String page;

        Form(String page) {
            this.page = page;
        }

        @Override
        public String page() {
            return page;
        }

        @Override
        public String before(boolean first) {
            return switch (this) {
                case LINE -> first ? StatusText.heading() : "";
                case EVERYTHING -> first ? "" : System.lineSeparator();
                case JSON -> "";
            };
        }
    }

    /**
     * Where a request would go.
     *
     * @param headers as {@code name: value}
     */
    public record Explain(String method, String url, List<String> headers, boolean json) implements Question {
        @Override
        public String page() {
            StringBuilder page = new StringBuilder("/explain?method=").append(encoded(method)).append("&url=").append(encoded(url));
            for (String header : headers) {
                page.append("&header=").append(encoded(header));
            }
            return page.append(json ? "&format=json" : "").toString();
        }

        private static String encoded(String text) {
            return URLEncoder.encode(text, StandardCharsets.UTF_8);
        }

        @Override
        public String before(boolean first) {
            return first || json ? "" : System.lineSeparator();
        }
    }

    private final PrintStream out;
    private final PrintStream err;

    public StatusCommand(PrintStream out, PrintStream err) {
        this.out = out;
        this.err = err;
    }

    /**
     * @param pids which to ask; empty: all that there are
     * @return exit status: 1 when one that was asked for, or all, could not be asked
     */
    public int run(SocketDirectory directory, List<Long> pids, Question question) {
        try (AdminClient client = new AdminClient(PATIENCE)) {
            return pids.isEmpty() ? everybody(client, directory, question) : chosen(client, directory, pids, question);
        } catch (IOException unreadable) {
            err.println("weft status: cannot read " + directory.path() + ": " + unreadable.getMessage());
            return 1;
        }
    }

    private int chosen(AdminClient client, SocketDirectory directory, List<Long> pids, Question question) {
        int status = 0;
        for (long pid : pids) {
            try {
                out.print(client.get(directory.socket(pid), question.page()));
            } catch (AdminClient.NobodyThere none) {
                err.println("weft status: " + pid + " cannot be asked: there is no " + directory.socket(pid)
                        + ". It may run without the agent or without a library in use, have started less than two seconds ago, belong to "
                        + "another user, or have set weft.admin.dir: then name that with --dir.");
                status = 1;
            } catch (IOException failed) {
                err.println("weft status: " + pid + ": " + failed.getMessage());
                status = 1;
            }
        }
        return status;
    }

    private int everybody(AdminClient client, SocketDirectory directory, Question question) throws IOException {
        int asked = 0;
        int failed = 0;
        for (long pid : directory.pids()) {
            try {
                String answer = client.get(directory.socket(pid), question.page());
                out.print(question.before(asked == 0) + answer);
                asked++;
            } catch (AdminClient.NobodyThere dead) {
                forget(directory.socket(pid), pid);
            } catch (IOException unanswered) {
                err.println("weft status: " + pid + ": " + unanswered.getMessage());
                failed++;
            }
        }
        if (asked == 0 && failed == 0) {
            err.println("weft status: no JVM of user " + System.getProperty("user.name") + " is in the mesh (looked in " + directory.path() + ")");
            return 1;
        }
        return failed == 0 ? 0 : 1;
    }

    /** What a process that was killed has left. */
    private static void forget(Path socket, long pid) throws IOException {
        if (ProcessHandle.of(pid).isEmpty()) {
            Files.deleteIfExists(socket);
        }
    }
}
