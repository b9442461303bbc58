package io.weft.dataplane.trace;

import io.weft.dataplane.RequestChanges;
import io.weft.dataplane.RequestHead;
import io.weft.dataplane.trace.Span.Kind;
import java.net.InetSocketAddress;
import java.util.LinkedHashMap;
import java.util.Map;

/** A span under way. One that is not sampled is only told of. For one thread at a time. */
public final class OpenSpan {
    private final RequestTrace trace;
    private final Kind kind;
    private final String id;
    private final String name;
    private final long startNanos;
    private final long startEpochNanos;
    /** Null: it is not sampled. */
    private final Map<String, Object> attributes;

    OpenSpan(RequestTrace trace, Kind kind, RequestHead head, long startNanos, long startEpochNanos) {
        this.trace = trace;
        this.kind = kind;
        id = TraceContext.hex(trace.tracer.id());
        boolean sampled = trace.isSampled();
        attributes = sampled ? new LinkedHashMap<>() : null;
        // What is said of the request is read now: at the end its head may be gone.
        name = sampled ? trace.attributes.ofRequest(kind, head, attributes) : null;
        this.startNanos = startNanos;
        this.startEpochNanos = startEpochNanos;
    }

    /** Has whoever gets the request hear of this span. */
    public RequestChanges tell(RequestChanges changes) {
        return trace.context.tell(changes, id);
    }

    /** If not, {@link #tell} is all there is to do. */
    public boolean isSampled() {
        return attributes != null;
    }

    /** @param value null and what is empty are left out */
    public OpenSpan with(String attribute, String value) {
        SpanAttributes.put(attributes, attribute, value);
        return this;
    }

    public OpenSpan with(String attribute, long value) {
        attributes.put(attribute, value);
        return this;
    }

    /**
     * @param prefix of the attributes' names, as in {@code network.peer}
     * @param address null: there is none
     */
    public OpenSpan with(String prefix, InetSocketAddress address) {
        return address == null || address.getAddress() == null
                ? this
                : with(prefix + ".address", address.getAddress().getHostAddress()).with(prefix + ".port", address.getPort());
    }

    /**
     * @param status 0: there was no response
     * @param grpcStatus -1: none is known
     * @param error null: none but what the status says
     */
    public void end(int status, int grpcStatus, String error) {
        boolean refused = status >= (kind == Kind.CLIENT ? 400 : 500);
        boolean failed = refused || status == 0 || grpcStatus > 0 || error != null;
        if (status != 0) {
            with("http.response.status_code", status);
        }
        if (grpcStatus >= 0) {
            with("rpc.grpc.status_code", grpcStatus);
        }
        if (failed) {
            with("error.type", error != null ? error : refused ? Integer.toString(status) : "_OTHER");
        }
        long lasted = trace.tracer.nanoTime() - startNanos;
        trace.tracer.ended(new Span(trace.context.traceId(), id, trace.context.spanId(), kind, name, startEpochNanos, startEpochNanos + lasted,
                attributes, failed), trace.attributes.tracing());
    }
}
