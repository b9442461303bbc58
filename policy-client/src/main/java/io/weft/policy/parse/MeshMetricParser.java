package io.weft.policy.parse;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.weft.policy.model.MetricsPush;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What kuma-cp makes of a {@code MeshMetric} for the process beside Envoy: to which sockets it sends metrics, and how often. What
 * is scraped for Prometheus has a listener of its own. An agent publishes all that it counts, and nothing of the app's.
 */
final class MeshMetricParser {
    private static final JsonFactory JSON = new JsonFactory();
    private static final Duration USUAL = Duration.ofMinutes(1);
    /** What is sent is made anew each time. */
    private static final Duration SHORTEST = Duration.ofMillis(100);
    /** As Go writes durations, as in {@code 1m0s}. */
    private static final Pattern DURATION = Pattern.compile("(?:\\d+(?:\\.\\d+)?(?:ns|us|µs|ms|s|m|h))+");
    private static final Pattern PART = Pattern.compile("(\\d+(?:\\.\\d+)?)(ns|us|µs|ms|s|m|h)");

    private final Field field;
    private final JsonParser json;
    private final Map<String, Duration> sockets = new HashMap<>();
    private final Map<String, String> labels = new HashMap<>();

    private MeshMetricParser(Field field, JsonParser json) {
        this.field = field;
        this.json = json;
    }

    static List<MetricsPush.Said> parse(Field field, String text) {
        try (JsonParser json = JSON.createParser(text)) {
            MeshMetricParser parser = new MeshMetricParser(field, json);
            json.nextToken();
            parser.object("observability", () -> parser.object("metrics", parser::metrics));
            List<MetricsPush.Said> pushes = new ArrayList<>();
            parser.sockets.forEach((socket, interval) -> pushes.add(new MetricsPush.Said(socket, interval, parser.labels)));
            return pushes;
        } catch (IOException e) {
            throw field.refuse("is not the JSON of /meshmetric: " + e.getMessage());
        }
    }

    @FunctionalInterface
    private interface Reading {
        void read() throws IOException;
    }

    /** At an object: reads its one field, and passes over the others. */
    private void object(String name, Reading reading) throws IOException {
        begin(JsonToken.START_OBJECT, "an object");
        while (json.nextToken() != JsonToken.END_OBJECT) {
            boolean wanted = json.currentName().equals(name);
            json.nextToken();
            if (wanted) {
                reading.read();
            } else {
                json.skipChildren();
            }
        }
    }

    private void begin(JsonToken token, String what) {
        if (json.currentToken() != token) {
            throw field.refuse("must hold " + what);
        }
    }

    private void metrics() throws IOException {
        begin(JsonToken.START_OBJECT, "an object");
        while (json.nextToken() != JsonToken.END_OBJECT) {
            String name = json.currentName();
            JsonToken value = json.nextToken();
            if (name.equals("backends") && value == JsonToken.START_ARRAY) {
                while (json.nextToken() != JsonToken.END_ARRAY) {
                    backend();
                }
            } else if (name.equals("extraLabels") && value == JsonToken.START_OBJECT) {
                while (json.nextToken() != JsonToken.END_OBJECT) {
                    String label = json.currentName();
                    json.nextToken();
                    labels.put(label, json.getText());
                }
            } else {
                report(name, value);
                json.skipChildren();
            }
        }
    }

    /** What asks for less, or for more, than an agent has. */
    private void report(String name, JsonToken value) {
        boolean nothing = value == JsonToken.VALUE_NULL || name.equals("sidecar") && value != JsonToken.START_OBJECT;
        if (!nothing && (name.equals("applications") || name.equals("sidecar"))) {
            field.report("observability.metrics." + name);
        }
    }

    private void backend() throws IOException {
        begin(JsonToken.START_OBJECT, "backends that are objects");
        String type = "";
        String socket = "";
        Duration interval = USUAL;
        while (json.nextToken() != JsonToken.END_OBJECT) {
            String name = json.currentName();
            JsonToken value = json.nextToken();
            if (name.equals("type") && value == JsonToken.VALUE_STRING) {
                type = json.getText();
            } else if (name.equals("openTelemetry") && value == JsonToken.START_OBJECT) {
                while (json.nextToken() != JsonToken.END_OBJECT) {
                    String of = json.currentName();
                    json.nextToken();
                    if (of.equals("endpoint")) {
                        socket = json.getText();
                    } else if (of.equals("refreshInterval")) {
                        interval = duration(json.getText());
                    } else {
                        json.skipChildren();
                    }
                }
            } else {
                json.skipChildren();
            }
        }
        if (type.equals("OpenTelemetry")) {
            if (socket.isEmpty()) {
                throw field.refuse("backends: one of OpenTelemetry has no endpoint");
            }
            sockets.put(socket, interval);
        } else if (!type.equals("Prometheus")) {
            field.report("a backend of type '" + type + "'");
        }
    }

    private Duration duration(String text) {
        if (!DURATION.matcher(text).matches()) {
            throw field.refuse("refreshInterval: '" + text + "' is no duration, such as 1m0s");
        }
        BigDecimal nanos = BigDecimal.ZERO;
        for (Matcher part = PART.matcher(text); part.find();) {
            nanos = nanos.add(new BigDecimal(part.group(1)).multiply(BigDecimal.valueOf(switch (part.group(2)) {
                case "ns" -> 1L;
                case "us", "µs" -> 1_000L;
                case "ms" -> 1_000_000L;
                case "s" -> 1_000_000_000L;
                case "m" -> 60_000_000_000L;
                default -> 3_600_000_000_000L;
            })));
        }
        boolean usable = nanos.signum() > 0 && nanos.compareTo(BigDecimal.valueOf(Long.MAX_VALUE)) < 0;
        if (!usable) {
            throw field.refuse("refreshInterval: must be above zero, is '" + text + "'");
        }
        Duration interval = Duration.ofNanos(nanos.setScale(0, RoundingMode.CEILING).longValue());
        if (interval.compareTo(SHORTEST) < 0) {
            field.report("refreshInterval: " + text + " is less than " + SHORTEST.toMillis() + "ms, which it is taken for");
            return SHORTEST;
        }
        return interval;
    }
}
