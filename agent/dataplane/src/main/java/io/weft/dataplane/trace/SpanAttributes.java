package io.weft.dataplane.trace;

import io.weft.dataplane.RequestHead;
import io.weft.dataplane.trace.Span.Kind;
import io.weft.policy.model.Tracing;
import io.weft.policy.model.Tracing.Literal;
import io.weft.policy.model.Tracing.OfEnvironment;
import io.weft.policy.model.Tracing.OfHeader;
import io.weft.policy.model.Tracing.Tag;
import java.util.Map;
import java.util.Set;

/**
 * What a span says of a request: by OpenTelemetry's semantic conventions, 1.37, for HTTP and RPC, the request's id under Envoy's name, and
 * what policy adds. Immutable.
 */
final class SpanAttributes {
    private static final int LONGEST = 1_024;
    private static final Set<String> METHODS =
            Set.of("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH");

    private final Tracing tracing;
    private final Map<String, String> environment;

    SpanAttributes(Tracing tracing, Map<String, String> environment) {
        this.tracing = tracing;
        this.environment = environment;
    }

    Tracing tracing() {
        return tracing;
    }

    /** @return the span's name */
    String ofRequest(Kind kind, RequestHead head, Map<String, Object> attributes) {
        boolean known = METHODS.contains(head.method());
        put(attributes, "http.request.method", known ? head.method() : "_OTHER");
        put(attributes, "http.request.method_original", known ? null : head.method());
        authority(head.authority(), attributes);
        String path = cut(head.path(), tracing.maxPathLength());
        int query = path.indexOf('?');
        switch (kind) {
            case CLIENT -> put(attributes, "url.full", head.scheme() + "://" + head.authority() + path);
            case SERVER -> {
                put(attributes, "url.scheme", head.scheme());
                put(attributes, "url.path", query < 0 ? path : path.substring(0, query));
                put(attributes, "url.query", query < 0 ? null : path.substring(query + 1));
                put(attributes, "user_agent.original", head.header("user-agent"));
            }
        }
        put(attributes, "guid:x-request-id", head.header("x-request-id"));
        for (Tag tag : tracing.tags()) {
            put(attributes, tag.name(), value(tag, head));
        }
        return head.isGrpc() ? call(head.path(), attributes) : known ? head.method() : "HTTP";
    }

    private static void authority(String authority, Map<String, Object> attributes) {
        if (authority == null) {
            return;
        }
        int colon = authority.lastIndexOf(':');
        boolean port = colon > authority.lastIndexOf(']') && isPort(authority, colon + 1);
        put(attributes, "server.address", port ? authority.substring(0, colon) : authority);
        if (port) {
            attributes.put("server.port", Long.parseLong(authority, colon + 1, authority.length(), 10));
        }
    }

    private static boolean isPort(String text, int from) {
        int digits = from;
        while (digits < text.length() && text.charAt(digits) >= '0' && text.charAt(digits) <= '9') {
            digits++;
        }
        return digits == text.length() && digits > from && digits - from <= 5;
    }

    private String value(Tag tag, RequestHead head) {
        if (tag instanceof Literal literal) {
            return literal.value();
        }
        if (tag instanceof OfEnvironment variable) {
            return environment.getOrDefault(variable.variable(), variable.otherwise());
        }
        OfHeader header = (OfHeader) tag;
        String value = head.firstValue(header.header());
        return value == null ? header.otherwise() : value;
    }

    /** @return {@code service/method}: a service has few of them */
    private static String call(String path, Map<String, Object> attributes) {
        String call = path.startsWith("/") ? path.substring(1) : path;
        int slash = call.lastIndexOf('/');
        put(attributes, "rpc.system", "grpc");
        put(attributes, "rpc.service", slash < 0 ? null : call.substring(0, slash));
        put(attributes, "rpc.method", call.substring(slash + 1));
        return cut(call, LONGEST);
    }

    /** @param value null and what is empty are left out */
    static void put(Map<String, Object> attributes, String name, String value) {
        if (value != null && !value.isEmpty()) {
            attributes.put(name, cut(value, LONGEST));
        }
    }

    private static String cut(String text, int length) {
        return text.length() <= length ? text : text.substring(0, length);
    }
}
