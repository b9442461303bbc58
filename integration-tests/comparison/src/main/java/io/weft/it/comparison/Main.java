package io.weft.it.comparison;

import io.weft.it.envoy.EnvoyBinary;
import io.weft.it.harness.Jdk;
import io.weft.it.harness.Jdks;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code integration-tests/bin/compare-with-envoy}. */
@Command(
        name = "compare-with-envoy",
        description = {
            "Gives the same policies and the same requests to a stock Envoy and to a JVM with the agent, and compares what they do.",
            "",
            "Configurations and requests are made up at random from the seed. For each case both sides get the same xDS bytes over ADS, send the"
                    + " same requests, and their requests arrive at the same upstreams, which record them and fail by script. Compared are route and cluster"
                    + " chosen, status, headers and bodies that arrive on either end, redirects, direct responses, the attempts and where they went; what"
                    + " is left to chance is compared by how often each outcome occurs. A case that fails is made small and printed with its configuration,"
                    + " its request and both results. What a proxy adds by its nature is left out, and differences that must stay are allowed as"
                    + " docs/differences-from-envoy.md lists them.",
            "",
            "Progress goes to standard error. The last line of standard output is cases=N differences=M."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false,
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:no differences", "1:differences, or the comparison itself failed", "2:wrong usage", "3:there is no Envoy"},
        footerHeading = "%nExamples:%n",
        footer = {"  compare-with-envoy --cases 20000", "  compare-with-envoy --area retry --cases 500 --seed 7", "  compare-with-envoy --area routing --cases 1 --seed 4711"})
public final class Main implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(names = "--cases", paramLabel = "N", description = "How many cases; default: ${DEFAULT-VALUE}.")
    private int cases = 1000;

    @Option(names = "--seed", paramLabel = "S", description = "Of the first case, the next ones have S+1, S+2, …; default: a fresh one, which is printed.")
    private Long seed;

    @Option(names = "--area", paramLabel = "NAME", description = "Only cases of this area; may be given several times; --list says which there are.")
    private List<String> names = List.of();

    @Option(names = "--list", description = "Say which areas there are, and stop.")
    private boolean list;

    @Option(names = "--no-shrink", description = "Print failing cases as they were drawn.")
    private boolean asDrawn;

    @Option(names = "--jdk", paramLabel = "FEATURE", description = "That the agent runs on, as in 17; default: the newest on this machine.")
    private Integer feature;

    public static void main(String[] args) {
        System.exit(new CommandLine(new Main()).setExitCodeExceptionMapper(failure -> 1).execute(args));
    }

    @Override
    public Integer call() {
        if (cases < 1) {
            throw new ParameterException(spec.commandLine(), "--cases must be at least 1, is " + cases);
        }
        EnvoyBinary binary = EnvoyBinary.find();
        if (!list && !binary.isPresent()) {
            System.err.println("no Envoy: " + binary.reason());
            return 3;
        }
        if (list) {
            Areas.all(null, null).forEach(area -> System.out.printf("%-10s %s%n", area.name(), area.summary()));
            return 0;
        }
        long first = seed == null ? System.currentTimeMillis() % 1_000_000_000 : seed;
        System.out.println("seed=" + first);
        try (Comparison comparison = new Comparison(binary, jdk())) {
            Areas areas = chosen(comparison);
            Run.Result result = new Run(comparison, areas, !asDrawn, System.err::println).run(first, cases);
            result.told().forEach(failed -> System.out.println(Report.of(failed)));
            if (result.refusedByBoth() > 0) {
                System.out.println("refused by both: " + result.refusedByBoth());
            }
            System.out.println("cases=" + result.cases() + " differences=" + result.differences());
            return result.differences() == 0 ? 0 : 1;
        }
    }

    private Areas chosen(Comparison comparison) {
        List<Area> all = Areas.all(comparison.clusters(), comparison.accessLogs());
        for (String name : names) {
            if (all.stream().noneMatch(area -> area.name().equals(name))) {
                throw new ParameterException(spec.commandLine(), "no area " + name + "; there are "
                        + String.join(", ", all.stream().map(Area::name).toList()));
            }
        }
        return new Areas(names.isEmpty() ? all : all.stream().filter(area -> names.contains(area.name())).toList());
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
