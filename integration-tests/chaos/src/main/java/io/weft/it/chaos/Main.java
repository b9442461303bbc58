package io.weft.it.chaos;

import io.weft.it.chaos.Shop.Mesh;
import io.weft.it.harness.Jdk;
import io.weft.it.harness.Jdks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.opentest4j.TestAbortedException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code integration-tests/bin/chaos}. */
@Command(
        name = "chaos",
        description = {
            "Breaks things around unmodified programs in the mesh while they send requests, and counts those that fail and those that go where"
                    + " no policy sends them.",
            "",
            "Each fault has a control plane, a client and instances of its own, all on loopback. Progress goes to standard error, a line for each fault"
                    + " to standard output."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false,
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:every promise was kept", "1:a promise was broken, or chaos itself failed", "2:wrong usage"})
public final class Main implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "FAULT", description = "What to break; default: everything, one after the other.")
    private List<String> names = List.of();

    @Option(names = "--list", description = "Say what can be broken, and stop.")
    private boolean list;

    @Option(names = "--seconds", paramLabel = "N", description = "How long something stays broken; default: ${DEFAULT-VALUE}.")
    private int seconds = 5;

    @Option(names = "--times", paramLabel = "N", description = "How often each is done; default: ${DEFAULT-VALUE}.")
    private int times = 1;

    @Option(names = "--jdk", paramLabel = "FEATURE", description = "That the programs run on, as in 17; default: the newest on this machine.")
    private Integer feature;

    @Option(names = "--envoys", description = {
        "Have stock Envoys in the place of the agents: one beside the client, one before each instance, with the same control plane and policies.",
        "What only concerns agents is left out, and no promise is held against them."
    })
    private boolean envoys;

    @Option(names = "--report", paramLabel = "FILE", description = "Write what was measured into the table of this page, docs/reliability.md.")
    private Path report;

    public static void main(String[] args) {
        // Programs that are ended leave threads of the harness behind.
        System.exit(new CommandLine(new Main()).setExitCodeExceptionMapper(failure -> 1).execute(args));
    }

    @Override
    public Integer call() throws IOException {
        List<Fault> faults = chosen();
        if (list) {
            faults.forEach(fault -> System.out.printf("%-28s %s: %s%n", fault.name(), fault.what(), fault.promise().words()));
            return 0;
        }
        Jdk jdk = jdk();
        Report measured = new Report();
        boolean kept = true;
        for (Fault fault : faults) {
            for (int i = 0; i < times; i++) {
                kept &= envoys ? isMeasured(fault, jdk, measured) : isKept(fault, jdk, measured);
            }
        }
        if (report != null) {
            Files.writeString(report, measured.into(Files.readString(report)));
        }
        return kept ? 0 : 1;
    }

    private boolean isKept(Fault fault, Jdk jdk, Report measured) {
        System.err.println(fault.name() + " …");
        try {
            Count count = fault.run(Mesh.AGENTS, jdk, Duration.ofSeconds(seconds));
            Optional<String> broken = fault.promise().brokenBy(count);
            System.out.printf("%-28s %s%s%n", fault.name(), Report.words(count), broken.map(how -> "; BROKEN: " + how).orElse(""));
            measured.add(fault, count);
            return broken.isEmpty();
        } catch (TestAbortedException impossible) {
            System.out.printf("%-28s skipped: %s%n", fault.name(), impossible.getMessage());
            return true;
        } catch (Exception | AssertionError failed) {
            System.out.printf("%-28s BROKEN: %s%n", fault.name(), failed);
            failed.printStackTrace();
            return false;
        }
    }

    private boolean isMeasured(Fault fault, Jdk jdk, Report measured) {
        System.err.println(fault.name() + ", Envoys …");
        try {
            Count count = fault.run(Mesh.ENVOYS, jdk, Duration.ofSeconds(seconds));
            System.out.printf("%-28s Envoys: %s%n", fault.name(), Report.words(count));
            measured.addOfEnvoys(fault, count);
            return true;
        } catch (TestAbortedException impossible) {
            System.out.printf("%-28s skipped: %s%n", fault.name(), impossible.getMessage());
            return true;
        } catch (Exception | AssertionError failed) {
            System.out.printf("%-28s not measured: %s%n", fault.name(), failed);
            failed.printStackTrace();
            return false;
        }
    }

    private List<Fault> chosen() {
        try {
            if (names.isEmpty()) {
                return Faults.all().stream().filter(fault -> !envoys || !fault.agents()).toList();
            }
            List<Fault> chosen = names.stream().map(Faults::named).toList();
            for (Fault fault : chosen) {
                if (envoys && fault.agents()) {
                    throw new IllegalArgumentException(fault.name() + " concerns agents only; leave --envoys or it out");
                }
            }
            return chosen;
        } catch (IllegalArgumentException unknown) {
            throw new ParameterException(spec.commandLine(), unknown.getMessage());
        }
    }

    private Jdk jdk() {
        if (feature == null) {
            return Jdks.newest();
        }
        return Jdks.feature(feature)
                .orElseThrow(() -> new ParameterException(
                        spec.commandLine(), "no JDK " + feature + " on this machine; set JAVA_HOME_" + feature));
    }
}
