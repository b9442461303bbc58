package io.weft.dataplane.trace;

import io.weft.dataplane.HttpStream;
import io.weft.dataplane.trace.Span.Kind;

/** What was decided about the trace of one request. Immutable. */
public final class RequestTrace {
    final Tracer tracer;
    final TraceContext context;
    final SpanAttributes attributes;
    private final boolean appsOwn;

    RequestTrace(Tracer tracer, TraceContext context, SpanAttributes attributes, boolean appsOwn) {
        this.tracer = tracer;
        this.context = context;
        this.attributes = attributes;
        this.appsOwn = appsOwn;
    }

    /** The app's own tracer tells of the request as a whole, and so of its first attempt. */
    public boolean isAppsOwn() {
        return appsOwn;
    }

    /** For the attempt that begins now. */
    public OpenSpan client(HttpStream request) {
        return new OpenSpan(this, Kind.CLIENT, request.head());
    }

    /** For the request that has come in just now. */
    public OpenSpan server(HttpStream request) {
        return new OpenSpan(this, Kind.SERVER, request.head());
    }
}
