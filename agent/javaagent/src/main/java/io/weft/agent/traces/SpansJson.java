package io.weft.agent.traces;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.weft.dataplane.trace.Span;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;

/** {@code opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest} in OTLP's JSON. */
final class SpansJson {
    private static final JsonFactory JSON = new JsonFactory();
    /** {@code STATUS_CODE_ERROR}. */
    private static final int ERROR = 2;

    private final JsonGenerator json;

    private SpansJson(JsonGenerator json) {
        this.json = json;
    }

    /** @param resource attributes of this process */
    static String of(Map<String, String> resource, List<Span> spans) {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = JSON.createGenerator(text)) {
            new SpansJson(json).write(resource, spans);
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        return text.toString();
    }

    private void write(Map<String, String> resource, List<Span> spans) throws IOException {
        json.writeStartObject();
        json.writeArrayFieldStart("resourceSpans");
        json.writeStartObject();
        json.writeObjectFieldStart("resource");
        attributes(resource);
        json.writeEndObject();
        json.writeArrayFieldStart("scopeSpans");
        json.writeStartObject();
        json.writeObjectFieldStart("scope");
        json.writeStringField("name", "io.weft");
        json.writeEndObject();
        json.writeArrayFieldStart("spans");
        for (Span span : spans) {
            span(span);
        }
        json.writeEndArray();
        json.writeEndObject();
        json.writeEndArray();
        json.writeEndObject();
        json.writeEndArray();
        json.writeEndObject();
    }

    private void span(Span span) throws IOException {
        json.writeStartObject();
        json.writeStringField("traceId", span.traceId());
        json.writeStringField("spanId", span.spanId());
        if (span.parentId() != null) {
            json.writeStringField("parentSpanId", span.parentId());
        }
        json.writeStringField("name", span.name());
        json.writeNumberField("kind", switch (span.kind()) {
            case SERVER -> 2;
            case CLIENT -> 3;
        });
        json.writeStringField("startTimeUnixNano", Long.toString(span.startNanos()));
        json.writeStringField("endTimeUnixNano", Long.toString(span.endNanos()));
        attributes(span.attributes());
        json.writeObjectFieldStart("status");
        if (span.failed()) {
            json.writeNumberField("code", ERROR);
        }
        json.writeEndObject();
        json.writeEndObject();
    }

    private void attributes(Map<String, ?> attributes) throws IOException {
        json.writeArrayFieldStart("attributes");
        for (Map.Entry<String, ?> attribute : attributes.entrySet()) {
            json.writeStartObject();
            json.writeStringField("key", attribute.getKey());
            json.writeObjectFieldStart("value");
            json.writeStringField(attribute.getValue() instanceof Long ? "intValue" : "stringValue", attribute.getValue().toString());
            json.writeEndObject();
            json.writeEndObject();
        }
        json.writeEndArray();
    }
}
