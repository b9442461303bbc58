package io.weft.dataplane.trace;

/** Where spans go. Thread-safe, never blocks and never throws: a span that cannot be kept is lost and counted. */
@FunctionalInterface
public interface SpanSink {
    void add(Span span);
}
