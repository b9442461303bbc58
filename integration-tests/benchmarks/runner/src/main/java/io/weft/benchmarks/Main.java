package io.weft.benchmarks;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.weft.it.harness.Jdk;
import io.weft.it.harness.Jdks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code integration-tests/benchmarks/run}. */
@Command(
        name = "run",
        description = "Measures Weft against its budgets and prints one JSON object a line.",
        mixinStandardHelpOptions = true,
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:every figure is within its budget", "1:a figure is over its budget or a benchmark failed", "2:wrong usage"})
public final class Main implements Callable<Integer> {
    private static final List<Benchmark> ALL = Stream.concat(
                    Decision.all().stream(),
                    Stream.of(new Overhead(), new Libraries(), new Share(), new Grpc(), new Tls(), new AgainstEnvoy(), new Startup(), new Memory(), new Push(), new Rollout(), new Agents(), new Swap(), new Soak(), new AgentSoak(), new Rotation()))
            .toList();

    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "NAME", description = "What to measure; default: everything, one after the other.")
    private List<String> names = List.of();

    @Option(names = "--list", description = "Say what can be measured, and stop.")
    private boolean list;

    @Option(names = "--quick", description = "Few repetitions: shows that a benchmark works, not what the figure is.")
    private boolean quick;

    @Option(names = "--requests", paramLabel = "N", description = "How many requests a soak has.")
    private Long requests;

    @Option(names = "--minutes", paramLabel = "N", description = "How long soak-agent lasts, at 70 %% of the load that it would have, instead of a number of requests: an hour, as 60.")
    private Integer minutes;

    @Option(names = "--rounds", paramLabel = "N", description = "How often two sides are compared, each time in fresh JVMs, or how many roots rotation has; fewer are sooner done, and say less.")
    private Integer rounds;

    @Option(names = "--library", paramLabel = "NAME", defaultValue = "", description = "Of which library the overhead is measured, or, where none is called that, of those whose names begin so: ${COMPLETION-CANDIDATES}.", completionCandidates = LibraryNames.class)
    private String library;

    @Option(names = "--record", paramLabel = "FOLDER", description = "Have the JVMs whose overhead is measured record what they do, by JFR, with samples of CPU time from JDK 25 on. The figures are then worth less.")
    private Path recordings;

    @Option(names = "--agents", paramLabel = "N", description = "How many agents' streams there are where a control plane is measured.")
    private Integer agents;

    @Option(names = "--jdk", paramLabel = "FEATURE", description = "As in 17; default: the newest on this machine. Start-up is always measured on 17 and the newest.")
    private Integer feature;

    @Option(names = "--report", paramLabel = "DOCS", description = "Write performance.md and its pictures into this folder; what is not measured now keeps the figures that it has there.")
    private Path report;

    @Option(names = "--from", paramLabel = "FILE", description = "Measure nothing: the report is of the lines in this file, which were printed before.")
    private Path measured;

    private static final class LibraryNames extends ArrayList<String> {
        private static final long serialVersionUID = 1;

        LibraryNames() {
            super(MeasuredLibrary.ids());
        }
    }

    private final ObjectMapper json = new ObjectMapper();

    public static void main(String[] args) {
        System.exit(new CommandLine(new Main()).setExitCodeExceptionMapper(failure -> 1).execute(args));
    }

    @Override
    public Integer call() throws Exception {
        List<Benchmark> chosen = chosen();
        if (list) {
            chosen.forEach(benchmark -> System.out.printf("%-16s %s%n", benchmark.name(), benchmark.summary()));
            return 0;
        }
        if (measured != null) {
            if (report == null) {
                throw new ParameterException(spec.commandLine(), "--from needs --report");
            }
            report(Files.readAllLines(measured));
            return 0;
        }
        Settings settings = new Settings(jdk(), quick, Optional.ofNullable(requests), Optional.ofNullable(minutes).map(Duration::ofMinutes), Optional.ofNullable(rounds), library, Optional.ofNullable(recordings), Optional.ofNullable(agents));
        if (Stream.of(MeasuredLibrary.values()).noneMatch(settings::concerns)) {
            throw new ParameterException(spec.commandLine(), "no library " + library + " on JDK " + settings.jdk().feature() + "; there are " + String.join(", ", MeasuredLibrary.ids()));
        }
        List<Figure> figures = new ArrayList<>();
        List<String> lines = new ArrayList<>();
        for (Benchmark benchmark : chosen) {
            benchmark.run(settings, figure -> {
                figures.add(figure);
                lines.add(line(figure, settings));
                System.out.println(lines.get(lines.size() - 1));
            });
        }
        if (report != null) {
            report(lines);
        }
        return figures.stream().allMatch(Figure::ok) ? 0 : 1;
    }

    /** @param lines others than figures are left out */
    private void report(List<String> lines) throws IOException {
        List<JsonNode> figures = new ArrayList<>();
        for (String line : lines) {
            if (line.startsWith("{")) {
                figures.add(json.readTree(line));
            }
        }
        if (figures.isEmpty()) {
            throw new ParameterException(spec.commandLine(), "nothing was measured");
        }
        Report.write(report, figures, LocalDate.now(), ALL.stream().map(Benchmark::name).toList());
    }

    private List<Benchmark> chosen() {
        List<String> known = ALL.stream().map(Benchmark::name).toList();
        for (String name : names) {
            if (!known.contains(name)) {
                throw new ParameterException(spec.commandLine(), "no benchmark " + name + "; there are " + String.join(", ", known));
            }
        }
        return names.isEmpty() ? ALL : ALL.stream().filter(benchmark -> names.contains(benchmark.name())).toList();
    }

    private Jdk jdk() {
        if (feature == null) {
            return Jdks.newest();
        }
        return Jdks.feature(feature)
                .orElseThrow(() -> new ParameterException(
                        spec.commandLine(), "no JDK " + feature + " on this machine; set JAVA_HOME_" + feature));
    }

    private String line(Figure figure, Settings settings) {
        Map<String, Object> detail = new LinkedHashMap<>();
        detail.put("jdk", settings.jdk().version());
        detail.put("cores", Runtime.getRuntime().availableProcessors());
        if (settings.quick()) {
            detail.put("quick", true);
        }
        detail.putAll(figure.detail());
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("name", figure.name());
        line.put("value", figure.value());
        line.put("unit", figure.unit());
        line.put("budget", figure.budget() < Double.MAX_VALUE ? figure.budget() : null);
        line.put("ok", figure.ok());
        line.put("detail", detail);
        try {
            return json.writeValueAsString(line);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}
