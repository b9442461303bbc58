package io.weft.benchmarks;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.weft.benchmarks.BarChart.Bar;
import io.weft.benchmarks.BarChart.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** {@code docs/performance.md} and its pictures, of the lines that {@link Main} prints. */
final class Report {
    private static final String INTRODUCTION = """
            # Performance

            Written by `integration-tests/benchmarks/run [NAME …] --report docs`, which measures on the machine that it runs on, or of lines that it printed before (`--from FILE`);
            what is not measured again keeps the figures that it has, by [figures.jsonl](performance/figures.jsonl). Nothing here is edited by hand.
            To repeat it: the command under each heading on a machine that does nothing else, or without a name for all of them, some hours. Whatever is compared is measured in the same run, side by side. A budget is a promise of the design: a figure above it is a defect.

            """;
    private static final String READING = """
            Ratios of CPU, latency and start-up are medians over rounds, each of which measures both sides one after the other. Decisions are measured by JMH, with allocation by its
            GC profiler.
            `integration-tests/benchmarks/run --list` says what each benchmark does.

            """;

    private static final ObjectMapper JSON = new ObjectMapper();

    private final List<ObjectNode> lines;
    private final List<String> all;

    private Report(List<ObjectNode> lines, List<String> all) {
        this.lines = List.copyOf(lines);
        this.all = List.copyOf(all);
    }

    /**
     * @param docs gets {@code performance.md} and a folder {@code performance}; figures that are there are kept, but for those of the benchmarks
     *     that have new ones
     * @param measured as printed; lines of a name that comes again are several figures of it
     * @param all benchmarks that there are, in their order
     */
    static void write(Path docs, List<JsonNode> measured, LocalDate day, List<String> all) throws IOException {
        Path figures = Files.createDirectories(docs.resolve("performance")).resolve("figures.jsonl");
        List<ObjectNode> lines = new ArrayList<>();
        Set<String> anew = measured.stream().map(Report::benchmark).collect(Collectors.toSet());
        if (Files.exists(figures)) {
            for (String line : Files.readAllLines(figures)) {
                ObjectNode known = (ObjectNode) JSON.readTree(line);
                if (!anew.contains(benchmark(known))) {
                    lines.add(known);
                }
            }
        }
        for (JsonNode line : measured) {
            ObjectNode dated = line.deepCopy();
            lines.add(dated.put("day", day.toString()).put("machine", machine(line)));
        }
        lines.sort(Comparator.comparingInt(line -> all.indexOf(benchmark(line))));
        StringBuilder store = new StringBuilder();
        for (ObjectNode line : lines) {
            store.append(JSON.writeValueAsString(line)).append('\n');
        }
        Files.writeString(figures, store);
        new Report(lines, all).write(docs);
    }

    private void write(Path docs) throws IOException {
        Path pictures = docs.resolve("performance");
        Files.writeString(pictures.resolve("budgets.svg"), budgets().svg());
        StringBuilder page = new StringBuilder(INTRODUCTION).append(places()).append("\n![Each figure as a share of its budget](performance/budgets.svg)\n\n");
        Optional<BarChart> startup = startup();
        if (startup.isPresent()) {
            Files.writeString(pictures.resolve("startup.svg"), startup.get().svg());
            page.append("![Start-up](performance/startup.svg)\n\n");
        }
        page.append(READING).append(table()).append(notMet()).append(notMeasured());
        boolean together = lines.stream().map(Report::place).distinct().count() == 1;
        for (String name : lines.stream().map(Report::benchmark).distinct().toList()) {
            page.append("\n## ").append(name).append("\n\n```sh\nintegration-tests/benchmarks/run ").append(name).append("\n```\n\n");
            List<ObjectNode> own = lines.stream().filter(line -> benchmark(line).equals(name)).toList();
            if (!together) {
                page.append(place(own.get(0))).append(".\n\n");
            }
            own.forEach(line -> page.append(details(line)));
        }
        Files.writeString(docs.resolve("performance.md"), page);
    }

    /** By which name it is run. */
    private static String benchmark(JsonNode line) {
        return line.get("name").asText().replaceAll("\\.bytes|-memory|-handshakes|-unchanged|-cpu|-heap", "");
    }

    /** When and where, for all that were measured so; the JDKs are those of all figures. */
    private String places() {
        String jdks = lines.stream().map(line -> line.at("/detail/jdk").asText()).distinct().sorted().reduce((one, other) -> one + " and " + other).orElse("?");
        return lines.stream().map(Report::place).distinct().map(place -> place + ", JDK " + jdks + ".\n").collect(Collectors.joining("\n"));
    }

    private static String place(JsonNode line) {
        return line.get("day").asText() + ", " + line.get("machine").asText();
    }

    private static String machine(JsonNode line) throws IOException {
        return "%s, %s, %d cores, %s".formatted(
                System.getProperty("os.name") + " " + System.getProperty("os.version").replaceAll("-.*", ""), processor(),
                line.at("/detail/cores").asInt(), memory());
    }

    private static String processor() throws IOException {
        return fact("/proc/cpuinfo", "model name").orElse(System.getProperty("os.arch"));
    }

    private static String memory() throws IOException {
        return fact("/proc/meminfo", "MemTotal").map(text -> Long.parseLong(text.replaceAll("\\D", "")) / (1 << 20) + " GiB").orElse("memory unknown");
    }

    private static Optional<String> fact(String file, String name) throws IOException {
        Path path = Path.of(file);
        if (!Files.isReadable(path)) {
            return Optional.empty();
        }
        try (Stream<String> facts = Files.lines(path)) {
            return facts.filter(fact -> fact.startsWith(name)).findFirst().map(fact -> fact.substring(fact.indexOf(':') + 1).strip());
        }
    }

    private BarChart budgets() {
        List<Bar> bars = lines.stream()
                .filter(line -> line.get("budget").asDouble() > 0)
                .map(line -> new Bar(
                        label(line),
                        line.get("value").asDouble() / line.get("budget").asDouble(),
                        figure(line) + " of " + number(line.get("budget").asDouble()),
                        line.get("ok").asBoolean() ? Kind.GOOD : Kind.BAD))
                .toList();
        return new BarChart("Each figure as a share of its budget (the dashed line)", bars, 1);
    }

    private Optional<BarChart> startup() {
        List<Bar> bars = new ArrayList<>();
        for (JsonNode line : lines) {
            JsonNode detail = line.get("detail");
            if (detail.has("openTelemetryAddsMs")) {
                String app = detail.get("app").asText() + ", JDK " + detail.get("jdk").asText().replaceAll("\\..*", "");
                bars.add(new Bar(app, detail.get("noneMs").asDouble(), detail.get("noneMs").asInt() + " ms without an agent", Kind.PLAIN));
                bars.add(new Bar("Weft adds", detail.get("weftAddsMs").asDouble(), detail.get("weftAddsMs").asInt() + " ms", Kind.GOOD));
                bars.add(new Bar("OpenTelemetry adds", detail.get("openTelemetryAddsMs").asDouble(), detail.get("openTelemetryAddsMs").asInt() + " ms", Kind.PLAIN));
            }
        }
        return bars.isEmpty() ? Optional.empty() : Optional.of(new BarChart("Start-up", bars, 0));
    }

    private String table() {
        StringBuilder table = new StringBuilder("| figure | measured | budget | |\n|---|---|---|---|\n");
        for (JsonNode line : lines) {
            JsonNode budget = line.get("budget");
            table.append("| ").append(label(line)).append(" | ").append(figure(line)).append(" | ")
                    .append(budget.isNull() ? "none" : number(budget.asDouble())).append(" | ").append(line.get("ok").asBoolean() ? "met" : "**not met**").append(" |\n");
        }
        return table.toString();
    }

    private String notMet() {
        List<String> missed = lines.stream().filter(line -> !line.get("ok").asBoolean()).map(Report::label).toList();
        String quick = lines.stream().anyMatch(line -> line.at("/detail/quick").asBoolean())
                ? "\n**Some of these were measured with `--quick`: they show that a benchmark works, not what the figure is.**\n" : "";
        return missed.isEmpty() ? "\nEvery budget is met.\n" + quick : "\nNot met: " + String.join("; ", missed) + ".\n" + quick;
    }

    private String notMeasured() {
        List<String> missing = new ArrayList<>(all);
        lines.forEach(line -> missing.remove(benchmark(line)));
        return missing.isEmpty() ? "" : "\nNot measured: " + String.join(", ", missing) + ".\n";
    }

    private static String details(JsonNode line) {
        StringBuilder details = new StringBuilder("**").append(label(line)).append("**: ").append(figure(line)).append("\n\n| | |\n|---|---|\n");
        for (Map.Entry<String, JsonNode> detail : line.get("detail").properties()) {
            details.append("| ").append(detail.getKey()).append(" | ").append(detail.getValue().isValueNode() ? detail.getValue().asText() : detail.getValue()).append(" |\n");
        }
        return details.append('\n').toString();
    }

    private static String label(JsonNode line) {
        JsonNode app = line.at("/detail/app");
        return line.get("name").asText() + (app.isMissingNode() ? "" : ", " + app.asText() + ", JDK " + line.at("/detail/jdk").asText().replaceAll("\\..*", ""));
    }

    private static String figure(JsonNode line) {
        return number(line.get("value").asDouble()) + " " + line.get("unit").asText();
    }

    private static String number(double value) {
        return value == Math.rint(value) ? Long.toString((long) value) : String.format(Locale.ROOT, "%s", value);
    }
}
