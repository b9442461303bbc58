package io.weft.dataplane.load;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Map.Entry;
import java.util.StringJoiner;

/** One report, ready in each of its forms. Immutable. */
final class Load {
    private static final String PAUSES = "gc_pause_share";
    private static final String THREADS = "request_threads";
    private static final int FIXED64 = 1;
    private static final int BYTES = 2;
    private static final int NAMED_METRICS = 8;
    private static final Map<String, Integer> FIELDS = Map.of(
            "cpu_utilization", 1, "mem_utilization", 2, "rps_fractional", 6, "eps", 7, "application_utilization", 9);

    private final String text;
    private final String json;
    private final String binary;

    /**
     * @param cpu share of the processors, 0 to 1
     * @param memory share of the heap, 0 to 1
     * @param application what the instance is used to; 1: there is no room any more
     * @param pauses share of the time, 0 to 1
     * @param threads share of the request threads that are busy, 0 to 1
     */
    record Figures(
            double cpu, double memory, double application, double requestsPerSecond, double errorsPerSecond, double pauses, double threads) {}

    Load(Figures figures) {
        Map<String, String> metrics = new LinkedHashMap<>();
        put(metrics, "cpu_utilization", figures.cpu);
        put(metrics, "mem_utilization", figures.memory);
        put(metrics, "application_utilization", figures.application);
        put(metrics, "rps_fractional", figures.requestsPerSecond);
        put(metrics, "eps", figures.errorsPerSecond);
        Map<String, String> named = new LinkedHashMap<>();
        put(named, PAUSES, figures.pauses);
        put(named, THREADS, figures.threads);
        text = LoadFormat.TEXT + " " + text(metrics, named);
        json = LoadFormat.JSON + " " + json(metrics, named);
        binary = LoadFormat.BIN + " " + Base64.getEncoder().encodeToString(message(metrics, named));
    }

    private static void put(Map<String, String> metrics, String name, double value) {
        // Four digits are more than such figures are worth, and all three forms say the same.
        metrics.put(name, Double.toString(Math.round(value * 10_000) / 10_000.0));
    }

    String in(LoadFormat format) {
        return switch (format) {
            case TEXT -> text;
            case JSON -> json;
            case BIN -> binary;
        };
    }

    private static String text(Map<String, String> metrics, Map<String, String> named) {
        StringJoiner text = new StringJoiner(",");
        metrics.forEach((name, value) -> text.add(name + "=" + value));
        named.forEach((name, value) -> text.add("named_metrics." + name + "=" + value));
        return text.toString();
    }

    private static String json(Map<String, String> metrics, Map<String, String> named) {
        StringJoiner inner = new StringJoiner(",", "{", "}");
        named.forEach((name, value) -> inner.add("\"" + name + "\":" + value));
        StringJoiner outer = new StringJoiner(",", "{", "}");
        metrics.forEach((name, value) -> outer.add("\"" + name + "\":" + value));
        return outer.add("\"named_metrics\":" + inner).toString();
    }

    /** All names are shorter than 128 bytes, so that each length is one byte. */
    private static byte[] message(Map<String, String> metrics, Map<String, String> named) {
        ByteArrayOutputStream message = new ByteArrayOutputStream();
        for (Entry<String, String> metric : metrics.entrySet()) {
            message.write(FIELDS.get(metric.getKey()) << 3 | FIXED64);
            message.writeBytes(bytes(metric.getValue()));
        }
        for (Entry<String, String> metric : named.entrySet()) {
            byte[] name = metric.getKey().getBytes(StandardCharsets.US_ASCII);
            message.write(NAMED_METRICS << 3 | BYTES);
            message.write(2 + name.length + 1 + Double.BYTES);
            message.write(1 << 3 | BYTES);
            message.write(name.length);
            message.writeBytes(name);
            message.write(2 << 3 | FIXED64);
            message.writeBytes(bytes(metric.getValue()));
        }
        return message.toByteArray();
    }

    private static byte[] bytes(String number) {
        return ByteBuffer.allocate(Double.BYTES).order(ByteOrder.LITTLE_ENDIAN).putDouble(Double.parseDouble(number)).array();
    }
}
