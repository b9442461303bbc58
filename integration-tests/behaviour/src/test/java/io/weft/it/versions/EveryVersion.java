package io.weft.it.versions;

import io.weft.it.harness.Build;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code integration-tests/bin/every-version}. */
@Command(
        name = "every-version",
        description = {
            "Has the suites judge every supported library in the versions of integration-tests/bin/versions.txt: those between the oldest and the newest,"
                    + " which CI runs.",
            "",
            "A version that was judged for this commit is not judged again, so that a run that was stopped goes on where it was. Progress goes to standard error,"
                    + " a table to standard output; the same, with tabs, is in target/every-version/verdicts.tsv, the logs are beside it."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {"", "Before the options, --built leaves the build out: what is there is judged."},
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:no version failed", "1:a version failed, or every-version itself did", "2:wrong usage"})
public final class EveryVersion implements Callable<Integer> {
    private final Path home = Build.present("weft.it.every-version", "integration-tests/behaviour");

    @Spec
    private CommandSpec spec;

    @Parameters(
            paramLabel = "WHICH",
            description = {
                "client, server or grpc; the beginning of what versions are judged as, as in VERTX; or NAME=VERSION,VERSION for versions that the table has not,"
                        + " as in OK_HTTP_4=4.8.1,4.7.2. Default: all of the table."
            })
    private List<String> wanted = List.of();

    @Option(names = "--list", description = "Say what would be judged, and what has come of it so far, and stop.")
    private boolean list;

    @Option(names = "--again", description = "Judge what was judged for this commit once more.")
    private boolean again;

    @Option(names = "--failed", description = "Judge what has failed for this commit once more.")
    private boolean failed;

    @Option(names = "--jobs", paramLabel = "N", description = "How many at once; default: ${DEFAULT-VALUE}, as in CI.")
    private int jobs = 2;

    @Option(names = "--jdks", paramLabel = "FEATURES", description = "As in 17,25; default: the JDK that CI has for the version.")
    private String jdks = "";

    @Option(names = "--write-docs", description = "Write what is known of each version into docs/libraries.md; what it says of versions that were not judged here stays.")
    private boolean writeDocs;

    public static void main(String[] args) {
        System.exit(new CommandLine(new EveryVersion()).setExitCodeExceptionMapper(failure -> 1).execute(args));
    }

    @Override
    public Integer call() throws IOException, InterruptedException, ExecutionException {
        Candidates table = Candidates.in(Path.of(System.getProperty("weft.it.versions")));
        List<Candidate> chosen = chosen(table);
        String state = Files.readString(home.resolve("state")).strip();
        Verdicts verdicts = new Verdicts(home.resolve("verdicts.tsv"));
        if (!list) {
            judge(chosen, verdicts, state);
        }
        System.out.print(Report.of(chosen, verdicts, state));
        if (writeDocs) {
            Report.publish(table.all(), verdicts);
        }
        return chosen.stream().map(candidate -> verdicts.of(candidate, state)).flatMap(Optional::stream)
                .anyMatch(verdict -> verdict.outcome() == Verdict.Outcome.FAILED) ? 1 : 0;
    }

    private List<Candidate> chosen(Candidates table) {
        try {
            return table.matching(wanted);
        } catch (IllegalArgumentException nothing) {
            throw new ParameterException(spec.commandLine(), nothing.getMessage());
        }
    }

    private boolean isToBeJudged(Optional<Verdict> verdict) {
        return again || verdict.map(last -> failed && last.outcome() == Verdict.Outcome.FAILED).orElse(true);
    }

    private void judge(List<Candidate> chosen, Verdicts verdicts, String state) throws InterruptedException, ExecutionException {
        List<Candidate> open = chosen.stream().filter(candidate -> isToBeJudged(verdicts.of(candidate, state))).toList();
        System.err.printf("%d versions, %d of them judged before%n", chosen.size(), chosen.size() - open.size());
        Trial trial = new Trial(state, home, jdks);
        long start = System.nanoTime();
        AtomicInteger over = new AtomicInteger();
        ExecutorService workers = Executors.newFixedThreadPool(jobs);
        // Whoever is stopped leaves nothing behind.
        Runtime.getRuntime().addShutdownHook(new Thread(() -> ProcessHandle.current().descendants().forEach(ProcessHandle::destroyForcibly)));
        try {
            List<Future<?>> running = open.stream().<Future<?>>map(candidate -> workers.submit(() -> {
                Verdict verdict = trial.of(candidate);
                verdicts.add(verdict);
                say(candidate, verdict, Duration.ofNanos(System.nanoTime() - start), over.incrementAndGet(), open.size());
                return null;
            })).toList();
            for (Future<?> one : running) {
                one.get();
            }
        } finally {
            workers.shutdownNow();
        }
    }

    private static void say(Candidate candidate, Verdict verdict, Duration elapsed, int over, int all) {
        long left = elapsed.toSeconds() * (all - over) / over;
        System.err.printf("%s  %d of %d  %s: %s%s after %d s%s%n",
                clock(elapsed.toSeconds()), over, all, candidate, verdict.outcome(), verdict.jdks().isEmpty() ? "" : " on JDK " + verdict.jdks(), verdict.seconds(),
                over == all ? "" : ", about " + clock(left) + " to go");
        if (verdict.outcome() != Verdict.Outcome.PASSED || verdict.note().startsWith("only")) {
            System.err.println("    " + verdict.note() + (verdict.log().isEmpty() ? "" : "\n    " + verdict.log()));
        }
    }

    private static String clock(long seconds) {
        return "%d:%02d:%02d".formatted(seconds / 3600, seconds / 60 % 60, seconds % 60);
    }
}
