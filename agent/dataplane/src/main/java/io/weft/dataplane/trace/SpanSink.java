package io.weft.dataplane.trace;

import io.weft.policy.model.Tracing;

/** Where spans go. Thread-safe, never blocks and never throws: a span that cannot be kept is lost and counted. */
@FunctionalInterface
public interface SpanSink {
    /** @param tracing as policy has it where the request was traced */
    void add(Span span, Tracing tracing);
}
