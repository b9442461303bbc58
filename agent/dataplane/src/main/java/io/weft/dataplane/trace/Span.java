package io.weft.dataplane.trace;

import java.util.Map;

/**
 * One span that is over, as OpenTelemetry has it. Immutable.
 *
 * @param traceId 32 hexadecimal digits
 * @param spanId 16 of them
 * @param parentId null: it is the first of its trace
 * @param startNanos since the epoch
 * @param attributes values are text or {@link Long}
 */
public record Span(
        String traceId, String spanId, String parentId, Kind kind, String name, long startNanos, long endNanos,
        Map<String, Object> attributes, boolean failed) {

    /** Whose side of the request it tells of. */
    public enum Kind { CLIENT, SERVER }
}
