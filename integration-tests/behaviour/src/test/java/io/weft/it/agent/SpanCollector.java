package io.weft.it.agent;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Predicate;
import org.awaitility.Awaitility;

/** Takes spans as an OpenTelemetry collector does: OTLP over HTTP with JSON, read strictly. What else is sent to it, it takes and forgets. */
final class SpanCollector implements AutoCloseable {

    /**
     * @param parent null: none
     * @param kind as in OTLP: 2 of a server, 3 of a client
     * @param attributes numbers as text
     */
    record Span(
            String service, String trace, String id, String parent, int kind, String name, long startNanos, long endNanos,
            Map<String, String> attributes, boolean failed) {}

    private final ObjectMapper json = new ObjectMapper();
    private final List<Span> spans = new CopyOnWriteArrayList<>();
    private final HttpServer server;

    private SpanCollector(HttpServer server) {
        this.server = server;
    }

    static SpanCollector start() {
        try {
            SpanCollector collector = new SpanCollector(HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0));
            collector.server.createContext("/v1/traces", collector::take);
            collector.server.createContext("/v1/metrics", exchange -> answer(exchange, 200));
            collector.server.start();
            return collector;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    URI endpoint() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    /** So far, in the order in which they came. */
    List<Span> spans() {
        return List.copyOf(spans);
    }

    /** Waits until there are so many of them. */
    List<Span> await(int count, Predicate<Span> wanted) {
        return Awaitility.await().until(() -> spans.stream().filter(wanted).toList(), found -> found.size() >= count);
    }

    private void take(HttpExchange exchange) throws IOException {
        try {
            JsonNode request = json.readTree(exchange.getRequestBody());
            for (JsonNode resource : request.required("resourceSpans")) {
                String service = attributes(resource.required("resource").required("attributes")).get("service.name");
                for (JsonNode scope : resource.required("scopeSpans")) {
                    scope.required("spans").forEach(span -> spans.add(span(service, span)));
                }
            }
            answer(exchange, 200);
        } catch (IllegalArgumentException malformed) {
            answer(exchange, 400);
        }
    }

    private static void answer(HttpExchange exchange, int status) throws IOException {
        exchange.getRequestBody().readAllBytes();
        exchange.sendResponseHeaders(status, -1);
        exchange.close();
    }

    private static Span span(String service, JsonNode span) {
        JsonNode parent = span.get("parentSpanId");
        return new Span(
                service,
                hex(span.required("traceId"), 32),
                hex(span.required("spanId"), 16),
                parent == null ? null : hex(parent, 16),
                span.required("kind").intValue(),
                span.required("name").textValue(),
                Long.parseLong(span.required("startTimeUnixNano").textValue()),
                Long.parseLong(span.required("endTimeUnixNano").textValue()),
                attributes(span.required("attributes")),
                span.required("status").path("code").intValue() == 2);
    }

    private static String hex(JsonNode text, int digits) {
        if (!text.textValue().matches("[0-9a-f]{" + digits + "}") || text.textValue().matches("0+")) {
            throw new IllegalArgumentException("not an id: " + text);
        }
        return text.textValue();
    }

    private static Map<String, String> attributes(JsonNode attributes) {
        Map<String, String> read = new HashMap<>();
        for (JsonNode attribute : attributes) {
            JsonNode value = attribute.required("value");
            JsonNode number = value.get("intValue");
            read.put(attribute.required("key").textValue(),
                    number == null ? value.required("stringValue").textValue() : Long.toString(Long.parseLong(number.textValue())));
        }
        return read;
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
