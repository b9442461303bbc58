package io.weft.agent.metrics;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.weft.agent.metrics.Metric.Kind;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/** {@code opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest} in OTLP's JSON. */
final class OtlpJson {
    private static final JsonFactory JSON = new JsonFactory();
    /** {@code AGGREGATION_TEMPORALITY_CUMULATIVE}. */
    private static final int CUMULATIVE = 2;

    private final JsonGenerator json;
    private final String start;
    private final String now;

    private OtlpJson(JsonGenerator json, Instant start, Instant now) {
        this.json = json;
        this.start = nanos(start);
        this.now = nanos(now);
    }

    /**
     * @param resource attributes of this process
     * @param start since when counters count
     */
    static String of(Map<String, String> resource, List<Metric> metrics, Instant start, Instant now) {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = JSON.createGenerator(text)) {
            new OtlpJson(json, start, now).write(resource, metrics);
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        return text.toString();
    }

    private static String nanos(Instant time) {
        return Long.toString(time.getEpochSecond() * 1_000_000_000L + time.getNano());
    }

    private void write(Map<String, String> resource, List<Metric> metrics) throws IOException {
        json.writeStartObject();
        json.writeArrayFieldStart("resourceMetrics");
        json.writeStartObject();
        json.writeObjectFieldStart("resource");
        attributes(resource);
        json.writeEndObject();
        json.writeArrayFieldStart("scopeMetrics");
        json.writeStartObject();
        json.writeObjectFieldStart("scope");
        json.writeStringField("name", "io.weft");
        json.writeEndObject();
        json.writeArrayFieldStart("metrics");
        for (Metric metric : metrics) {
            metric(metric);
        }
        json.writeEndArray();
        json.writeEndObject();
        json.writeEndArray();
        json.writeEndObject();
        json.writeEndArray();
        json.writeEndObject();
    }

    private void metric(Metric metric) throws IOException {
        json.writeStartObject();
        json.writeStringField("name", metric.name());
        json.writeStringField("description", metric.help());
        json.writeStringField("unit", metric.ucum());
        json.writeObjectFieldStart(switch (metric.kind()) {
            case COUNTER -> "sum";
            case GAUGE -> "gauge";
            case HISTOGRAM -> "histogram";
        });
        if (metric.kind() != Kind.GAUGE) {
            json.writeNumberField("aggregationTemporality", CUMULATIVE);
        }
        if (metric.kind() == Kind.COUNTER) {
            json.writeBooleanField("isMonotonic", true);
        }
        json.writeArrayFieldStart("dataPoints");
        for (Metric.Point point : metric.points()) {
            json.writeStartObject();
            attributes(point.labels());
            json.writeStringField("startTimeUnixNano", start);
            json.writeStringField("timeUnixNano", now);
            if (metric.kind() == Kind.HISTOGRAM) {
                histogram(point, metric.bounds(), metric.perUcum());
            } else {
                json.writeNumberField("asDouble", point.value());
            }
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeEndObject();
        json.writeEndObject();
    }

    /** @param perUnit how many of the metric's units the one that is told has */
    private void histogram(Metric.Point point, double[] bounds, double perUnit) throws IOException {
        long count = 0;
        json.writeArrayFieldStart("bucketCounts");
        for (long bucket : point.counts()) {
            count += bucket;
            json.writeString(Long.toString(bucket));
        }
        json.writeEndArray();
        json.writeArrayFieldStart("explicitBounds");
        for (double bound : bounds) {
            json.writeNumber(bound / perUnit);
        }
        json.writeEndArray();
        json.writeStringField("count", Long.toString(count));
        json.writeNumberField("sum", point.value() / perUnit);
    }

    private void attributes(Map<String, String> attributes) throws IOException {
        json.writeArrayFieldStart("attributes");
        for (Map.Entry<String, String> attribute : attributes.entrySet()) {
            json.writeStartObject();
            json.writeStringField("key", attribute.getKey());
            json.writeObjectFieldStart("value");
            if (Metric.isNumber(attribute.getKey())) {
                json.writeStringField("intValue", attribute.getValue());
            } else {
                json.writeStringField("stringValue", attribute.getValue());
            }
            json.writeEndObject();
            json.writeEndObject();
        }
        json.writeEndArray();
    }
}
