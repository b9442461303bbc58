package io.weft.policy.model;

import io.weft.policy.model.RouteMatch.Fraction;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * {@code envoy.config.accesslog.v3.AccessLog} to a file or a standard stream.
 *
 * @param path of the file; {@code /dev/stdout} and {@code /dev/stderr} are the process's own streams
 */
public record AccessLog(String path, Line line, Filter filter) {
    public static final String STDOUT = "/dev/stdout";
    public static final String STDERR = "/dev/stderr";

    /** Of all of them; mostly none. */
    public static Set<String> paths(PolicySnapshot snapshot) {
        Set<String> paths = new HashSet<>();
        for (Listener listener : snapshot.listeners().values()) {
            for (FilterChain chain : listener.allFilterChains()) {
                for (NamedFilter filter : chain.http().filters()) {
                    if (filter.filter() instanceof HttpFilter.AccessLogs logs) {
                        logs.logs().forEach(log -> paths.add(log.path()));
                    }
                }
            }
        }
        return paths;
    }

    /** What is written of a request. */
    public sealed interface Line {}

    /** @param omitEmpty what is not known is left out; otherwise a dash is in its place */
    public record TextLine(Format format, boolean omitEmpty) implements Line {}

    /** @param omitEmpty fields with nothing in them are left out; otherwise they are null */
    public record JsonLine(JsonObject fields, boolean omitEmpty) implements Line {}

    public sealed interface JsonValue {}

    public record JsonObject(SortedMap<String, JsonValue> fields) implements JsonValue {
        public JsonObject {
            fields = new TreeMap<>(fields);
        }
    }

    public record JsonArray(List<JsonValue> values) implements JsonValue {
        public JsonArray {
            values = List.copyOf(values);
        }
    }

    public record JsonFormat(Format format) implements JsonValue {}

    /** A number, boolean or null as JSON writes it. */
    public record JsonLiteral(String text) implements JsonValue {}

    /** {@code envoy.config.accesslog.v3.AccessLogFilter}: which requests are written. */
    public sealed interface Filter {}

    /** The same for every request. */
    public record Always(boolean written) implements Filter {
        public static final Always WRITTEN = new Always(true);
    }

    public enum Comparison { EQUAL, GREATER_OR_EQUAL, LESS_OR_EQUAL }

    /** Without a response the status is 0. */
    public record ByStatus(Comparison comparison, long value) implements Filter {}

    /** In milliseconds. */
    public record ByDuration(Comparison comparison, long value) implements Filter {}

    /** @param independent of the request's id; otherwise requests of one trace are written together */
    public record Sampled(Fraction fraction, boolean independent) implements Filter {}

    /** A request for which a trace was asked. */
    public record Traceable() implements Filter {}

    public record ByHeader(HeaderMatch header) implements Filter {}

    /** @param flags Envoy's short names; empty: any */
    public record ByFlags(Set<String> flags) implements Filter {
        public ByFlags {
            flags = Set.copyOf(flags);
        }
    }

    public record ByGrpcStatus(Set<Integer> statuses, boolean exclude) implements Filter {
        public ByGrpcStatus {
            statuses = Set.copyOf(statuses);
        }
    }

    public record AllOf(List<Filter> filters) implements Filter {
        public AllOf {
            filters = List.copyOf(filters);
        }
    }

    public record AnyOf(List<Filter> filters) implements Filter {
        public AnyOf {
            filters = List.copyOf(filters);
        }
    }
}
