package io.weft.agent.otlp;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;

/** OTLP's JSON, as far as this agent writes it, as protocol buffers: by OTLP's own rules the two say the same. */
final class Protobuf {
    private static final JsonFactory JSON = new JsonFactory();
    private static final int VARINT = 0;
    private static final int EIGHT_BYTES = 1;
    private static final int LENGTH = 2;

    private enum Type { TEXT, HEX, FIXED64, VARINT, DOUBLE, MESSAGE }

    private record Known(int number, Type type, Message message) {}

    /** Fields by the names that they have in JSON. */
    private static final class Message {
        private final Map<String, Known> fields = new HashMap<>();

        Message with(String name, int number, Type type) {
            fields.put(name, new Known(number, type, null));
            return this;
        }

        Message with(String name, int number, Message message) {
            fields.put(name, new Known(number, Type.MESSAGE, message));
            return this;
        }
    }

    private static final Message ATTRIBUTE = new Message().with("key", 1, Type.TEXT).with("value", 2,
            new Message().with("stringValue", 1, Type.TEXT).with("intValue", 3, Type.VARINT));
    private static final Message RESOURCE = new Message().with("attributes", 1, ATTRIBUTE);
    private static final Message SCOPE = new Message().with("name", 1, Type.TEXT);

    private static final Message SPAN = new Message()
            .with("traceId", 1, Type.HEX).with("spanId", 2, Type.HEX).with("parentSpanId", 4, Type.HEX).with("name", 5, Type.TEXT)
            .with("kind", 6, Type.VARINT).with("startTimeUnixNano", 7, Type.FIXED64).with("endTimeUnixNano", 8, Type.FIXED64)
            .with("attributes", 9, ATTRIBUTE).with("status", 15, new Message().with("code", 3, Type.VARINT));

    private static final Message NUMBER = new Message()
            .with("startTimeUnixNano", 2, Type.FIXED64).with("timeUnixNano", 3, Type.FIXED64).with("asDouble", 4, Type.DOUBLE)
            .with("attributes", 7, ATTRIBUTE);
    private static final Message HISTOGRAM = new Message()
            .with("startTimeUnixNano", 2, Type.FIXED64).with("timeUnixNano", 3, Type.FIXED64).with("count", 4, Type.FIXED64)
            .with("sum", 5, Type.DOUBLE).with("bucketCounts", 6, Type.FIXED64).with("explicitBounds", 7, Type.DOUBLE)
            .with("attributes", 9, ATTRIBUTE);
    private static final Message METRIC = new Message()
            .with("name", 1, Type.TEXT).with("description", 2, Type.TEXT).with("unit", 3, Type.TEXT)
            .with("gauge", 5, new Message().with("dataPoints", 1, NUMBER))
            .with("sum", 7, new Message().with("dataPoints", 1, NUMBER).with("aggregationTemporality", 2, Type.VARINT)
                    .with("isMonotonic", 3, Type.VARINT))
            .with("histogram", 9, new Message().with("dataPoints", 1, HISTOGRAM).with("aggregationTemporality", 2, Type.VARINT));

    private static final Message TRACES = request("resourceSpans", "scopeSpans", "spans", SPAN);
    private static final Message METRICS = request("resourceMetrics", "scopeMetrics", "metrics", METRIC);

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    private Protobuf() {}

    private static Message request(String resources, String scopes, String what, Message each) {
        Message scope = new Message().with("scope", 1, SCOPE).with(what, 2, each);
        return new Message().with(resources, 1, new Message().with("resource", 1, RESOURCE).with(scopes, 2, scope));
    }

    static byte[] of(Signal signal, String json) {
        try (JsonParser parser = JSON.createParser(json)) {
            parser.nextToken();
            return message(parser, signal == Signal.TRACES ? TRACES : METRICS);
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
    }

    /** At the beginning of an object; ends at its end. */
    private static byte[] message(JsonParser json, Message message) throws IOException {
        Protobuf written = new Protobuf();
        while (json.nextToken() != JsonToken.END_OBJECT) {
            Known known = message.fields.get(json.currentName());
            if (known == null) {
                throw new IllegalStateException("no field of OTLP: " + json.currentName());
            }
            if (json.nextToken() == JsonToken.START_ARRAY) {
                while (json.nextToken() != JsonToken.END_ARRAY) {
                    written.field(json, known);
                }
            } else {
                written.field(json, known);
            }
        }
        return written.out.toByteArray();
    }

    private void field(JsonParser json, Known known) throws IOException {
        switch (known.type()) {
            case TEXT -> bytes(known.number(), json.getText().getBytes(StandardCharsets.UTF_8));
            case HEX -> bytes(known.number(), HexFormat.of().parseHex(json.getText()));
            case MESSAGE -> bytes(known.number(), message(json, known.message()));
            case VARINT -> {
                tag(known.number(), VARINT);
                varint(json.currentToken() == JsonToken.VALUE_TRUE ? 1 : Long.parseLong(json.getText()));
            }
            case FIXED64 -> eightBytes(known.number(), Long.parseUnsignedLong(json.getText()));
            case DOUBLE -> eightBytes(known.number(), Double.doubleToRawLongBits(Double.parseDouble(json.getText())));
            default -> throw new AssertionError(known);
        }
    }

    private void bytes(int number, byte[] bytes) {
        tag(number, LENGTH);
        varint(bytes.length);
        out.writeBytes(bytes);
    }

    private void eightBytes(int number, long value) {
        tag(number, EIGHT_BYTES);
        for (int shift = 0; shift < Long.SIZE; shift += Byte.SIZE) {
            out.write((int) (value >>> shift));
        }
    }

    private void tag(int number, int wireType) {
        varint((long) number << 3 | wireType);
    }

    private void varint(long value) {
        long left = value;
        while ((left & ~0x7fL) != 0) {
            out.write((int) (left & 0x7f | 0x80));
            left >>>= 7;
        }
        out.write((int) left);
    }
}
