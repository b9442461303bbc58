package io.weft.benchmarks;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Testbed;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * Time and memory of one decision of the data plane, by JMH. Where a benchmark has parameters, the value is the worst one's. Of
 * the bytes, those of the exchange object are taken off: it is the adapter's. Of the time nothing is taken off, since what is in the
 * object is the data plane's; the detail says how much of it is the object.
 *
 * @param benchmarks a class with the methods {@code decision} and {@code exchangeAlone}; others have a method {@code pick}, which is
 *     told in the detail, to compare with
 * @param nanosBudget for one decision
 */
record Decision(String name, List<String> benchmarks, String summary, double nanosBudget) implements Benchmark {
    private static final double BYTES_BUDGET = 0;
    private static final String BYTES = "gc.alloc.rate.norm";

    static List<Benchmark> all() {
        return List.of(
                new Decision("hotpath", List.of("HotPath", "GrpcHotPath"),
                        "match, pick, admit, record: time and bytes of a decision; 1,000 virtual hosts, 1,000 endpoints", 200),
                new Decision("hotpath-retry", List.of("HotPathRetry"), "the same for a request that is sent a second time", 400),
                new Decision("hotpath-ringhash", List.of("HotPathRingHash", "GrpcRingHash"), "the same with an endpoint by the hash of a header", 200),
                new Decision("hotpath-rbac", List.of("HotPathRbac", "GrpcRbac"), "a request that comes in, let in by the last of 20 policies", 200));
    }

    @Override
    public void run(Settings settings, Consumer<Figure> figures) throws Exception {
        try (Testbed testbed = new Testbed()) {
            Path json = testbed.temporaryFolder().resolve("jmh.json");
            List<String> arguments = new ArrayList<>(List.of(
                    "io.weft.benchmarks.decision.(" + String.join("|", benchmarks) + ")\\.",
                    "-prof", "gc", "-rf", "json", "-rff", json.toString(), "-foe", "true"));
            if (settings.quick()) {
                arguments.addAll(List.of("-f", "1", "-wi", "1", "-i", "1", "-w", "500ms", "-r", "500ms"));
            }
            JvmProcess jmh = testbed.jvm("jmh", settings.jdk())
                    .environment("GRPC_EXPERIMENTAL_RING_HASH_SET_REQUEST_HASH_KEY", "true")
                    .module(Settings.decisions())
                    .main("org.openjdk.jmh.Main", arguments.toArray(String[]::new));
            if (jmh.awaitExit(Duration.ofMinutes(5)) != 0) {
                throw new IllegalStateException(jmh.report());
            }
            report(new ObjectMapper().readTree(json.toFile()), figures);
        }
    }

    private void report(JsonNode results, Consumer<Figure> figures) throws IOException {
        double nanos = 0;
        double bytes = 0;
        Map<String, Object> nanosDetail = new LinkedHashMap<>();
        Map<String, Object> bytesDetail = new LinkedHashMap<>();
        for (JsonNode result : results) {
            if (result.path("benchmark").asText().endsWith(".decision")) {
                String variant = variant(result);
                double score = result.path("primaryMetric").path("score").asDouble();
                double added = bytes(result) - bytes(exchangeAlone(results, variant));
                nanos = Math.max(nanos, score);
                bytes = Math.max(bytes, added);
                nanosDetail.put(variant, Distribution.round(score, 1));
                nanosDetail.put(variant + " ±99.9%", Distribution.round(result.path("primaryMetric").path("scoreError").asDouble(), 1));
                JsonNode alone = exchangeAlone(results, variant);
                nanosDetail.put(variant + ", of which exchangeObject", Distribution.round(alone.path("primaryMetric").path("score").asDouble(), 1));
                bytesDetail.put(variant, Distribution.round(added, 2));
                bytesDetail.put("exchangeObject", Distribution.round(bytes(exchangeAlone(results, variant)), 2));
            }
        }
        for (JsonNode result : results) {
            String[] method = result.path("benchmark").asText().split("\\.");
            if (method[method.length - 1].equals("pick")) {
                String other = method[method.length - 2] + parameters(result).stream().map(value -> " " + value).collect(Collectors.joining());
                nanosDetail.put(other, Distribution.round(result.path("primaryMetric").path("score").asDouble(), 1));
                bytesDetail.put(other, Distribution.round(bytes(result), 2));
            }
        }
        if (nanosDetail.isEmpty()) {
            throw new IOException("JMH reported no decision: " + results);
        }
        figures.accept(new Figure(name, Distribution.round(nanos, 1), "ns/op", nanosBudget, nanosDetail));
        // The profiler's own noise is far below a byte.
        figures.accept(new Figure(name + ".bytes", Distribution.round(Math.max(0, bytes), 1), "B/op", BYTES_BUDGET, bytesDetail));
    }

    /** The values of the benchmark's parameters. */
    private static List<String> parameters(JsonNode result) {
        List<String> values = new ArrayList<>();
        result.path("params").forEach(value -> values.add(value.asText()));
        return values;
    }

    private static String variant(JsonNode result) {
        List<String> values = parameters(result);
        return values.isEmpty() ? "decision" : String.join(" ", values);
    }

    private static JsonNode exchangeAlone(JsonNode results, String variant) throws IOException {
        for (JsonNode result : results) {
            if (result.path("benchmark").asText().endsWith(".exchangeAlone") && variant(result).equals(variant)) {
                return result;
            }
        }
        throw new IOException("JMH reported no exchangeAlone for " + variant);
    }

    private static double bytes(JsonNode result) throws IOException {
        for (Map.Entry<String, JsonNode> metric : result.path("secondaryMetrics").properties()) {
            if (metric.getKey().endsWith(BYTES)) {
                return metric.getValue().path("score").asDouble();
            }
        }
        throw new IOException("no " + BYTES + " in " + result);
    }
}
