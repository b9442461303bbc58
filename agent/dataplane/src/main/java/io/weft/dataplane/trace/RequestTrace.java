package io.weft.dataplane.trace;

import io.weft.dataplane.HttpStream;
import io.weft.dataplane.trace.Span.Kind;
import io.weft.dataplane.trace.TraceContext.Sampled;

/** What was decided about the trace of one request. Immutable. */
public final class RequestTrace {
    public static final String TRACEPARENT = TraceContext.TRACEPARENT;

    final Tracer tracer;
    final TraceContext context;
    final SpanAttributes attributes;
    private final boolean appsOwn;
    private final long startNanos;
    private final long startEpochNanos;

    RequestTrace(Tracer tracer, TraceContext context, SpanAttributes attributes, boolean appsOwn) {
        this.tracer = tracer;
        this.context = context;
        this.attributes = attributes;
        this.appsOwn = appsOwn;
        startNanos = tracer.nanoTime();
        startEpochNanos = tracer.epochNanos();
    }

    /** Whether its spans are kept. */
    public boolean isSampled() {
        return context.sampled() == Sampled.YES;
    }

    /** The app's own tracer tells of the request as a whole, and so of its first attempt. */
    public boolean isAppsOwn() {
        return appsOwn;
    }

    /** For the attempt that begins now. */
    public OpenSpan client(HttpStream request) {
        return new OpenSpan(this, Kind.CLIENT, request.head(), tracer.nanoTime(), tracer.epochNanos());
    }

    /** For a request that was answered before there was an attempt. */
    public OpenSpan answered(HttpStream request) {
        return new OpenSpan(this, Kind.CLIENT, request.head(), startNanos, startEpochNanos);
    }

    /** For the request that has come in just now. */
    public OpenSpan server(HttpStream request) {
        return new OpenSpan(this, Kind.SERVER, request.head(), startNanos, startEpochNanos);
    }
}
