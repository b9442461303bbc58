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
import java.util.stream.StreamSupport;

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
     * @param docs gets {@code performance.md} and a folder {@code performance}; figures that are there are kept, but for those of the benchmarks,
     *     and of the libraries, that have new ones
     * @param measured as printed; lines of a name that comes again are several figures of it
     * @param all benchmarks that there are, in their order
     */
    static void write(Path docs, List<JsonNode> measured, LocalDate day, List<String> all) throws IOException {
        Path figures = Files.createDirectories(docs.resolve("performance")).resolve("figures.jsonl");
        List<ObjectNode> lines = new ArrayList<>();
        Set<String> anew = measured.stream().map(line -> part(line, all)).collect(Collectors.toSet());
        if (Files.exists(figures)) {
            for (String line : Files.readAllLines(figures)) {
                ObjectNode known = (ObjectNode) JSON.readTree(line);
                if (!anew.contains(part(known, all))) {
                    lines.add(known);
                }
            }
        }
        for (JsonNode line : measured) {
            ObjectNode dated = line.deepCopy();
            lines.add(dated.put("day", day.toString()).put("machine", machine(line)));
        }
        lines.sort(Comparator.comparingInt(line -> all.indexOf(benchmark(line, all))));
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
        Optional<BarChart> libraries = libraries();
        if (libraries.isPresent()) {
            Files.writeString(pictures.resolve("libraries.svg"), libraries.get().svg());
        }
        Optional<LineCharts> soak = soak();
        if (soak.isPresent()) {
            Files.writeString(pictures.resolve("soak-agent.svg"), soak.get().svg());
        }
        page.append(READING).append(table()).append(notMet()).append(notMeasured());
        boolean together = lines.stream().map(Report::place).distinct().count() == 1;
        for (String name : lines.stream().map(this::benchmark).distinct().toList()) {
            page.append("\n## ").append(name).append("\n\n```sh\nintegration-tests/benchmarks/run ").append(name).append("\n```\n\n");
            List<ObjectNode> own = lines.stream().filter(line -> benchmark(line).equals(name)).toList();
            if (!together) {
                page.append(place(own.get(0))).append(".\n\n");
            }
            if (own.stream().allMatch(Report::isShare)) {
                page.append(tableOfShares(own));
            } else if (own.stream().allMatch(Report::isOfLibrary)) {
                page.append("![What the agent adds to the CPU of a request, in percent](performance/libraries.svg)\n\n").append(tableOfLibraries(own));
            } else {
                if (own.stream().anyMatch(Report::isOfSoak)) {
                    page.append("![Heap, threads, descriptors and slowest requests over the time of the soak](performance/soak-agent.svg)\n\n");
                }
                own.forEach(line -> page.append(details(line)));
            }
        }
        Files.writeString(docs.resolve("performance.md"), page);
    }

    /** By which name it is run: the longest that its own is, or begins with. */
    private static String benchmark(JsonNode line, List<String> all) {
        String name = line.get("name").asText();
        return all.stream()
                .filter(known -> name.equals(known) || name.startsWith(known + "-") || name.startsWith(known + "."))
                .max(Comparator.comparingInt(String::length)).orElse(name);
    }

    private String benchmark(JsonNode line) {
        return benchmark(line, all);
    }

    /** What is measured at once, and so replaces what was measured of it before. */
    private static String part(JsonNode line, List<String> all) {
        return benchmark(line, all) + ' ' + line.at("/detail/library").asText() + ' ' + line.at("/detail/side").asText();
    }

    private static boolean isOfLibrary(JsonNode line) {
        return line.at("/detail").has("library");
    }

    private static boolean isShare(JsonNode line) {
        return isOfLibrary(line) && line.at("/detail").has("agentPercentOfClient");
    }

    private static boolean isRatioOfLibrary(JsonNode line) {
        return isOfLibrary(line) && !isShare(line);
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
                .filter(line -> line.get("budget").asDouble() > 0 && !isOfLibrary(line))
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

    private Optional<LineCharts> soak() {
        Optional<ObjectNode> last = lines.stream().filter(Report::isOfSoak).reduce((earlier, later) -> later);
        return last.map(line -> {
            List<String> clients = line.get("detail").properties().stream().filter(detail -> detail.getValue().has("heapBytes")).map(Map.Entry::getKey).toList();
            return new LineCharts(
                    "Over %d minutes, %,d requests".formatted(line.at("/detail/seconds").asInt() / 60, line.at("/detail/requests").asLong()),
                    clients,
                    List.of(
                            overTime(line, clients, "heapBytes", 1 << 20, "live heap, MiB"),
                            overTime(line, clients, "threads", 1, "threads"),
                            overTime(line, clients, "descriptors", 1, "descriptors"),
                            overTime(line, clients, "slowestOf250Ms", 1, "slowest of 250, ms")));
        });
    }

    private static boolean isOfSoak(JsonNode line) {
        return line.get("detail").properties().stream().anyMatch(detail -> detail.getValue().has("heapBytes"));
    }

    private static LineCharts.Chart overTime(JsonNode line, List<String> clients, String what, double unit, String quantity) {
        return new LineCharts.Chart(quantity, clients.stream()
                .map(client -> StreamSupport.stream(line.get("detail").get(client).get(what).spliterator(), false)
                        .map(value -> value.asDouble() / unit).toList())
                .toList());
    }

    private Optional<BarChart> libraries() {
        List<Bar> bars = lines.stream().filter(Report::isRatioOfLibrary)
                .map(line -> new Bar(
                        titleAndSide(line), Math.max(0, percent(line, "/value")),
                        String.format(Locale.ROOT, "%.1f %% (%.1f to %.1f)", percent(line, "/value"), percent(line, "/detail/least"), percent(line, "/detail/most")),
                        line.get("ok").asBoolean() ? Kind.GOOD : Kind.BAD))
                .toList();
        return bars.isEmpty() ? Optional.empty() : Optional.of(new BarChart("What the agent adds to the CPU of a request, in percent (budget: the dashed line)", bars, 3));
    }

    /** Of a ratio, what is above 1. */
    private static double percent(JsonNode line, String ratio) {
        return (line.at(ratio).asDouble() - 1) * 100;
    }

    private static String titleAndSide(JsonNode line) {
        String side = line.at("/detail/side").asText();
        return line.at("/detail/library").asText() + (side.equals("both") ? "" : ", " + side);
    }

    private static String tableOfLibraries(List<ObjectNode> own) {
        StringBuilder table = new StringBuilder("""
                CPU of client and server together at 4,000 requests a second, with the agent in both over with it in neither: the median of the rounds, and the least and the most
                of them. Of them alone, the client's and the server's. *Flat out* is the same as fast as two threads can. Rounds differ by several per cents, so few of them say
                little of three per cent. What the compilers use is not counted. Beside a library there is always the same program at the other end, that does as little as it can. `--library NAME` measures one of them.

                | library | is the | ratio | rounds: least to most | client alone | server alone | flat out | µs without | p50 | p99 | JDK |
                |---|---|---|---|---|---|---|---|---|---|---|
                """);
        for (JsonNode line : own) {
            JsonNode detail = line.get("detail");
            table.append("| %s | %s | %s%s | %s: %s to %s | %s | %s | %s | %s | %s | %s | %s |%n".formatted(
                    detail.get("library").asText(), detail.get("side").asText(), number(line.get("value").asDouble()), line.get("ok").asBoolean() ? "" : ", **not met**",
                    detail.get("rounds"), detail.get("least"), detail.get("most"), detail.get("clientRatio"), detail.get("serverRatio"), detail.get("flatOutRatio"),
                    detail.get("cpuMicrosPerRequestOff"), detail.get("p50Ratio"), detail.get("p99Ratio"), detail.get("jdk").asText()));
        }
        return table.append('\n').toString();
    }

    private String table() {
        StringBuilder table = new StringBuilder("| figure | measured | budget | |\n|---|---|---|---|\n");
        for (JsonNode line : lines) {
            JsonNode budget = line.get("budget");
            if (isOfLibrary(line)) {
                continue;
            }
            table.append("| ").append(label(line)).append(" | ").append(figure(line)).append(" | ")
                    .append(budget.isNull() ? "none" : number(budget.asDouble())).append(" | ").append(line.get("ok").asBoolean() ? "met" : "**not met**").append(" |\n");
        }
        appendLibraries(table, "libraries", lines.stream().filter(Report::isRatioOfLibrary).toList());
        appendLibraries(table, "share", lines.stream().filter(Report::isShare).toList());
        return table.toString();
    }

    private static void appendLibraries(StringBuilder table, String name, List<ObjectNode> libraries) {
        if (!libraries.isEmpty()) {
            long met = libraries.stream().filter(line -> line.get("ok").asBoolean()).count();
            table.append("| [").append(name).append("](#").append(name).append(") | ").append(met).append(" of ").append(libraries.size()).append(" are within it | ")
                    .append(number(libraries.get(0).get("budget").asDouble())).append(" | ").append(met == libraries.size() ? "met" : "**not met**").append(" |\n");
        }
    }

    private static String tableOfShares(List<ObjectNode> own) {
        StringBuilder table = new StringBuilder("""
                Of the CPU time of client and server together, the agent in both, as fast as two threads can: the percent that is the agent's own code and what that calls of the JDK, by a sample of
                the stack each millisecond of CPU, once both are warm. It is less than all that the agent costs (its garbage and what compilers make of its callers are not in it), but thousands of
                samples of one JVM tell it within half a per cent, where ratios of two JVMs need twenty rounds for a whole one, and a machine that does something else does little harm. Beside a
                library there is always the same program at the other end, that does as little as it can.

                | library | is the | together | client's | server's | samples | JDK |
                |---|---|---|---|---|---|---|
                """);
        for (JsonNode line : own) {
            JsonNode detail = line.get("detail");
            table.append("| %s | %s | %s%s | %s | %s | %s | %s |%n".formatted(
                    detail.get("library").asText(), detail.get("side").asText(), number(line.get("value").asDouble()), line.get("ok").asBoolean() ? "" : ", **not met**",
                    detail.get("agentPercentOfClient"), detail.get("agentPercentOfServer"), detail.get("samples"), detail.get("jdk").asText()));
        }
        return table.append('\n').toString();
    }

    private String notMet() {
        List<String> missed = lines.stream().filter(line -> !line.get("ok").asBoolean()).map(Report::label).toList();
        String quick = lines.stream().anyMatch(line -> line.at("/detail/quick").asBoolean())
                ? "\n**Some of these were measured with `--quick`: they show that a benchmark works, not what the figure is.**\n" : "";
        return missed.isEmpty() ? "\nEvery budget is met.\n" + quick : "\nNot met: " + String.join("; ", missed) + ".\n" + quick + whatIsLeft();
    }

    private String whatIsLeft() {
        return lines.stream().filter(line -> line.get("name").asText().equals("overhead") && !line.get("ok").asBoolean()).findFirst()
                .map(line -> String.format(Locale.ROOT, """

                What is left: an app that does nothing else pays %.1f µs of CPU for a request, in client and server together. By JFR's samples it is \
                spread thinly: no single place has more than an eighth of the agent's own (its share is [below](#share)), which chooses a route and an endpoint, \
                watches the time and counts; the rest is its garbage, and what compilers do not inline any more. An app that works for a millisecond on \
                each request sees less than a hundredth.
                """, (line.get("value").asDouble() - 1) * line.at("/detail/cpuMicrosPerRequestOff").asDouble()))
                .orElse("");
    }

    private String notMeasured() {
        List<String> missing = new ArrayList<>(all);
        lines.forEach(line -> missing.remove(benchmark(line)));
        List<String> ratios = lines.stream().filter(Report::isRatioOfLibrary).map(Report::titleAndSide).toList();
        if (!ratios.isEmpty()) {
            lines.stream().filter(Report::isShare).map(Report::titleAndSide).filter(library -> !ratios.contains(library))
                    .forEach(library -> missing.add(library + " (libraries)"));
        }
        return missing.isEmpty() ? "" : "\nNot measured: " + String.join(", ", missing) + ".\n";
    }

    private static String details(JsonNode line) {
        StringBuilder details = new StringBuilder("**").append(label(line)).append("**: ").append(figure(line)).append("\n\n| | |\n|---|---|\n");
        for (Map.Entry<String, JsonNode> detail : line.get("detail").properties()) {
            if (detail.getValue().isObject()) {
                detail.getValue().properties().forEach(part -> append(details, detail.getKey() + ", " + part.getKey(), part.getValue()));
            } else {
                append(details, detail.getKey(), detail.getValue());
            }
        }
        return details.append('\n').toString();
    }

    /** What has a value for each moment is for the picture. */
    private static void append(StringBuilder details, String name, JsonNode value) {
        if (!value.path(0).isNumber()) {
            details.append("| ").append(name).append(" | ").append(value.asText()).append(" |\n");
        }
    }

    private static String label(JsonNode line) {
        if (isOfLibrary(line)) {
            return titleAndSide(line) + (isShare(line) ? " (share)" : "");
        }
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
