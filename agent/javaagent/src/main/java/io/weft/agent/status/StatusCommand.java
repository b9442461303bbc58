package io.weft.agent.status;

import io.weft.admin.AdminClient;
import io.weft.admin.SocketDirectory;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Asks the JVMs of this machine that are in the mesh, all at once. For one thread, once. */
public final class StatusCommand {
    private static final Duration PATIENCE = Duration.ofSeconds(5);
    /** Who is frozen holds up nobody but himself, unless there are more of them. */
    private static final int AT_ONCE = 32;
    private static final String WHY_NO_SOCKET = "runs the agent, but has no socket: it has used no library that Weft knows, has "
            + "no control plane or an invalid setting, started less than two seconds ago, has set weft.admin.enabled "
            + "or weft.admin.dir (name that in WEFT_ADMIN_DIR), or could not make one, which its log says";
    private static final String OTHER_FILES = "runs the agent, and has files of its own, so that its socket cannot be seen from here (a container, or "
            + "PrivateTmp of systemd): ask it there, as by docker exec or kubectl exec, or, as root, by nsenter --target %1$d --mount java -jar "
            + "weft-agent.jar status";

    /** What each JVM is asked. */
    public sealed interface Question {
        /** Who asks, as in {@code status}. */
        String command();

        String page();

        /** Above what the first one says, or between two. */
        String before(boolean first);

        /** In place of what a process does not say; empty: nothing. */
        default String unanswered(long pid, Unanswered why, String problem) {
            return "";
        }
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
        public String command() {
            return "status";
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

        @Override
        public String unanswered(long pid, Unanswered why, String problem) {
            return switch (this) {
                case LINE -> StatusText.unanswered(pid, why, problem);
                case EVERYTHING -> "";
                case JSON -> StatusJson.unanswered(pid, why, problem);
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
        public String command() {
            return "explain";
        }

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

    /** What each has of the control plane, in the form that {@code weft config-dump} reads: a line of Base64. */
    public record Dump() implements Question {
        @Override
        public String command() {
            return "config-dump";
        }

        @Override
        public String page() {
            return "/config_dump?format=protobuf";
        }

        @Override
        public String before(boolean first) {
            return "";
        }
    }

    private final PrintStream out;
    private final PrintStream err;
    private final Question question;

    public StatusCommand(PrintStream out, PrintStream err, Question question) {
        this.out = out;
        this.err = err;
        this.question = question;
    }

    private void complain(String problem) {
        err.println("weft " + question.command() + ": " + problem);
    }

    /** One process, and what it answered. */
    private record Asked(SocketDirectory directory, long pid, Future<String> answer) {}

    /**
     * @param pids which to ask; empty: all that there are
     * @return exit status: 1 when one that was asked for, or all, could not be asked
     */
    public int run(SocketDirectory directory, List<Long> pids) {
        try (AdminClient client = new AdminClient(PATIENCE)) {
            return pids.isEmpty() ? all(client, List.of(directory), false) : chosen(client, directory, pids);
        }
    }

    /**
     * Of every user whose sockets may be asked, and those that run the agent and have none.
     *
     * @param usual where this user's are, which may be a folder of its own
     * @return exit status: 1 when one that has a socket, or all, could not be asked
     */
    public int everywhere(SocketDirectory usual) {
        try (AdminClient client = new AdminClient(PATIENCE)) {
            Set<SocketDirectory> directories = new LinkedHashSet<>(SocketDirectory.ofEveryUser());
            directories.add(usual);
            return all(client, List.copyOf(directories), true);
        } catch (IOException unreadable) {
            return unreadable(unreadable);
        }
    }

    private int unreadable(IOException problem) {
        complain("cannot read " + problem.getMessage());
        return 1;
    }

    private int chosen(AdminClient client, SocketDirectory directory, List<Long> pids) {
        int status = 0;
        for (long pid : pids) {
            try {
                out.print(printable(client.get(directory.socket(pid), question.page())));
            } catch (AdminClient.NobodyThere none) {
                complain(pid + " cannot be asked: there is no " + directory.socket(pid) + whyNone(pid));
                status = 1;
            } catch (IOException failed) {
                complain(pid + ": " + failed.getMessage());
                status = 1;
            }
        }
        return status;
    }

    private static String whyNone(long pid) {
        if (ProcessHandle.of(pid).isEmpty()) {
            return ", and no process of that number";
        }
        if (AgentProcesses.pids().contains(pid)) {
            return ". It " + (AgentProcesses.hasOtherFiles(pid) ? OTHER_FILES.formatted(pid) : WHY_NO_SOCKET);
        }
        // One to which the agent was attached does not show that, and another user's environment may not be read.
        return ". It may run without the agent, be no JVM, have used no library that Weft knows, have started less than two seconds ago, belong to "
                + "another user, or have set weft.admin.dir: then name that with --dir";
    }

    private int all(AdminClient client, List<SocketDirectory> directories, boolean everybody) {
        List<Asked> asked = new ArrayList<>();
        ExecutorService threads = Executors.newFixedThreadPool(AT_ONCE);
        try {
            for (SocketDirectory directory : directories) {
                try {
                    for (long pid : directory.pids()) {
                        asked.add(new Asked(directory, pid, threads.submit(() -> client.get(directory.socket(pid), question.page()))));
                    }
                } catch (IOException unreadable) {
                    complain("cannot read " + unreadable.getMessage()
                            + "; whoever it belongs to, or root, can ask the processes in it");
                }
            }
            String nobody = everybody
                    ? "no JVM on this machine that may be asked is in the mesh"
                    : "no JVM of user " + System.getProperty("user.name") + " is in the mesh (looked in " + directories.get(0).path()
                            + "); it takes -javaagent:weft-agent.jar with WEFT_CONTROL_PLANE, and two seconds from its first library on; one that has set "
                            + "weft.admin.dir is found with --dir";
            return tell(asked, everybody, nobody);
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
            return 1;
        } finally {
            threads.shutdownNow();
        }
    }

    private int tell(List<Asked> asked, boolean everybody, String nobody) throws InterruptedException {
        int told = 0;
        int failed = 0;
        Set<Long> known = new HashSet<>();
        for (Asked each : asked) {
            try {
                String answer = each.answer().get();
                out.print(question.before(told == 0) + printable(answer));
                known.add(each.pid());
                told++;
            } catch (ExecutionException unanswered) {
                if (unanswered.getCause() instanceof AdminClient.NobodyThere && hasEnded(each)) {
                    if (!everybody) {
                        forget(each);
                    }
                    continue;
                }
                known.add(each.pid());
                told += unanswered(each.pid(), Unanswered.NO_ANSWER, unanswered.getCause().getMessage(), told);
                failed++;
            }
        }
        for (long pid : everybody ? AgentProcesses.pids() : List.<Long>of()) {
            if (known.add(pid)) {
                told += unanswered(pid, Unanswered.NO_SOCKET, AgentProcesses.hasOtherFiles(pid) ? OTHER_FILES.formatted(pid) : WHY_NO_SOCKET, told);
            }
        }
        if (told == 0 && failed == 0) {
            complain(nobody);
            return 1;
        }
        return failed == 0 ? 0 : 1;
    }

    /** @return how many it told of: on stdout, where the answers of a script's or a table's kind are, else on stderr */
    private int unanswered(long pid, Unanswered why, String problem, int told) {
        String instead = question.unanswered(pid, why, problem);
        if (instead.isEmpty()) {
            complain(pid + ": " + problem);
            return 0;
        }
        out.print(question.before(told == 0) + instead);
        return 1;
    }

    /** The number of one that has ended is given again, to processes and, on Linux, to threads: whoever has it now began after the socket was made. */
    private static boolean hasEnded(Asked asked) {
        Optional<Instant> begun = ProcessHandle.of(asked.pid()).flatMap(process -> process.info().startInstant());
        if (begun.isEmpty()) {
            return ProcessHandle.of(asked.pid()).isEmpty();
        }
        try {
            return begun.get().isAfter(Files.getLastModifiedTime(asked.directory().socket(asked.pid()), LinkOption.NOFOLLOW_LINKS).toInstant());
        } catch (IOException gone) {
            return true;
        }
    }

    /** What a process that was killed has left; not in folders of others, which may lead root to anywhere. */
    private void forget(Asked asked) {
        try {
            Files.deleteIfExists(asked.directory().socket(asked.pid()));
        } catch (IOException left) {
            complain("what " + asked.pid() + " has left stays: " + left.getMessage());
        }
    }

    /** What another user's process says goes to this user's terminal. */
    private static String printable(String answer) {
        StringBuilder text = new StringBuilder(answer.length());
        answer.chars().filter(c -> c == '\n' || c == '\r' || !Character.isISOControl(c)).forEach(c -> text.append((char) c));
        return text.toString();
    }
}
