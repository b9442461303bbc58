package io.weft.dataplane.trace;

import io.weft.dataplane.HttpStream;
import io.weft.dataplane.filter.HttpFilter;
import io.weft.policy.model.Tracing;
import java.util.Map;

/** Tracing as a connection manager has it, as the filter before all others: on the server what they answer is in the trace, too. */
public final class TraceRequests extends HttpFilter {
    private final Tracer tracer;
    private final Tracing.Sampling sampling;
    private final SpanAttributes attributes;

    /** @param environment of this process */
    public TraceRequests(Tracing tracing, Tracer tracer, Map<String, String> environment) {
        this.tracer = tracer;
        sampling = tracing.sampling();
        attributes = new SpanAttributes(tracing, environment);
    }

    @Override
    public Decision onRequest(HttpStream stream) {
        tracer.decide(stream, sampling, attributes);
        return Decision.CONTINUE;
    }
}
