package io.weft.dataplane;

import io.weft.dataplane.filter.FilterChain;
import io.weft.dataplane.filter.HttpFilter;
import io.weft.dataplane.filter.HttpFilter.Decision;
import io.weft.dataplane.format.ResponseFlag;
import io.weft.dataplane.format.StreamInfo;
import io.weft.dataplane.metrics.RequestMetrics;
import io.weft.dataplane.trace.OpenSpan;
import io.weft.dataplane.trace.RequestTrace;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * One request and its response on their way through the HTTP filters, whichever way they go: what {@link Exchange} and
 * {@link InboundExchange} have in common. The request as it came is this object itself; as the filters left it, it is {@link #head}.
 *
 * <p>Used by one thread at a time. Costs nothing where no filter acts.
 */
public abstract class HttpStream extends RequestMetrics.Measured implements RequestHead, Caller, StreamInfo {
    private static final Object[] NO_STATES = {};

    private FilterChain filters = FilterChain.NONE;
    /** The filter whose turn it is. */
    private int current;
    private boolean delayed;
    /** How many filters have seen the request. */
    private int seen;
    private Object[] states = NO_STATES;
    private EditedHead edited;
    private HeaderOverlay responseOverlay;
    private Headers responseHead;
    private int responseStatus;
    private boolean local;
    private boolean replyIsBare;
    /** Null: none. */
    private ReplyEdit replyEdit;
    /** Null: nothing was put there. */
    private FilterState filterState;
    /** By filter; null: nothing was put there. */
    private Map<String, Map<String, Object>> metadata;
    private long maxRequestBytes;
    private long responseBytesPerSecond;

    /** Null: it is not traced. */
    RequestTrace trace;
    /** What it says of that in {@code traceparent}; null: nothing but what it has said before. */
    String traceRefusal;
    /** Of the attempt under way, or of the request that came in; null: there is none. */
    OpenSpan span;

    /** Null: none is named. */
    String overrideHost;
    boolean overrideStrict;

    ClientIp clientIp = ClientIp.DEFAULT;
    LocalReply reply;
    long delayNanos;
    ResponseChanges responseChanges = ResponseChanges.NONE;
    int responseFlags;
    String responseCodeDetails;
    /** Of gRPC; -1: none is known. */
    int grpcStatus = -1;

    // What a filter may know.

    @Override
    public final RequestHead head() {
        return edited == null ? this : edited;
    }

    /** One within this process when the request is the app's own. */
    @Override
    public Connection connection() {
        return Connection.OWN;
    }

    @Override
    public final IpAddress clientIp() {
        return clientIp.of(this, connection());
    }

    /** How long the request's body is; -1 when that is not known. */
    public long bodyLength() {
        // What is no length is the server's to refuse.
        return ContentLength.of(head().header("content-length"));
    }

    /** The route's cluster; null when no route matched or it has none. */
    @Override
    public abstract String upstreamCluster();

    /** Whether it is a call of gRPC. To be told at no cost worth mentioning: every request is asked. */
    protected boolean isCall() {
        return false;
    }

    // What formats may ask for beside it.

    @Override
    public final String responseCodeDetails() {
        return responseCodeDetails;
    }

    @Override
    public final int responseFlags() {
        return responseFlags;
    }

    @Override
    public final String localReplyBody() {
        return reply == null ? null : new String(reply.body(), StandardCharsets.UTF_8);
    }

    @Override
    public InetSocketAddress downstreamRemote() {
        if (connection().isOwn()) {
            return null;
        }
        IpAddress client = clientIp();
        return client == connection().remoteIp() ? connection().remote() : client.withoutPort();
    }

    @Override
    public InetSocketAddress downstreamDirectRemote() {
        return connection().isOwn() ? downstreamRemote() : connection().remote();
    }

    @Override
    public InetSocketAddress downstreamLocal() {
        return connection().isOwn() ? null : connection().local();
    }

    @Override
    public final String peerUriSans() {
        return connection().texts().uriSans;
    }

    /** Null: no filter has put anything there. */
    public final FilterState filterState() {
        return filterState;
    }

    @Override
    public final String filterState(String key) {
        FilterState.StateObject object = filterState == null ? null : filterState.get(key);
        return object == null ? null : object.value();
    }

    @Override
    public final Map<String, Object> metadata(String filter) {
        return metadata == null ? null : metadata.get(filter);
    }

    /** Of the endpoint that the response comes from, {@code ip:port} as Envoy writes it; null when none was chosen. */
    public String upstreamAddress() {
        return null;
    }

    /** What the filter whose turn it is kept; null: nothing. */
    public final Object kept() {
        return current < states.length ? states[current] : null;
    }

    public final int status() {
        return responseStatus;
    }

    /** The response is the mesh's own, not the upstream's or the app's. */
    public final boolean isLocalReply() {
        return local;
    }

    /** The response's headers as the route and the filters before have left them. */
    public final Headers responseHead() {
        return responseOverlay == null && responseChanges.isEmpty() ? responseHead : responseHeaders();
    }

    /** The request as it went on from here, with all changes. */
    public abstract RequestHead sentHead();

    // What a filter may do.

    /** Says why the response is not the upstream's or the app's. */
    public final void flag(ResponseFlag flag, String details) {
        responseFlags |= flag.bit();
        responseCodeDetails = details;
    }

    /** Says what was done to the request, which gets its answer all the same. */
    public final void flag(ResponseFlag flag) {
        responseFlags |= flag.bit();
    }

    /** Says why the answer is the mesh's own, where that has no flag. */
    public final void explain(String details) {
        responseCodeDetails = details;
    }

    /** Says how a call of gRPC ended: from its trailers, which no layer sees otherwise. Before its end. */
    public final void endsWith(int status) {
        grpcStatus = status;
    }

    /** Remembers something for the filter's later phases. */
    public final void keep(Object state) {
        if (states.length == 0) {
            states = new Object[filters.length()];
        }
        states[current] = state;
    }

    public final Decision reply(LocalReply answer) {
        reply = answer;
        return Decision.REPLY;
    }

    /** What a filter changes of its own reply, after the route and before all filters. */
    @FunctionalInterface
    public interface ReplyEdit {
        void edit(HttpStream stream);
    }

    public final Decision reply(LocalReply answer, ReplyEdit edit) {
        replyEdit = edit;
        return reply(answer);
    }

    /** As {@link #reply}, but as it is: without what the route adds to responses, and for gRPC, too. */
    public final Decision replyBare(LocalReply answer) {
        replyIsBare = true;
        return reply(answer);
    }

    /** @param nanos above zero */
    public final Decision delay(long nanos) {
        delayNanos = nanos;
        return Decision.DELAY;
    }

    /** To change the request for the filters that follow and for whoever gets it. */
    public final HeaderOverlay requestHeaders() {
        if (edited == null) {
            edited = new EditedHead(this);
        }
        return edited.headers;
    }

    /**
     * To change what the request asks for.
     *
     * @param target path and query
     */
    public final void requestPath(String target) {
        requestHeaders();
        edited.path = target;
    }

    /** To change the response. Only in the response's phase. */
    public final HeaderOverlay responseHeaders() {
        if (responseOverlay == null) {
            responseOverlay = new HeaderOverlay(responseHead);
            responseOverlay.apply(responseChanges);
        }
        return responseOverlay;
    }

    /** For filters that follow, hash policies and formats. */
    public final void putState(String key, FilterState.StateObject object) {
        if (filterState == null) {
            filterState = new FilterState();
        }
        filterState.put(key, object);
    }

    /** For filters that follow; see {@link Caller#metadata}. */
    public final void putMetadata(String filter, String key, Object value) {
        if (metadata == null) {
            metadata = new HashMap<>(2);
        }
        metadata.computeIfAbsent(filter, name -> new HashMap<>(2)).put(key, value);
    }

    /** Of several limits the smallest counts. */
    public void limitRequestBody(long bytes) {
        maxRequestBytes = maxRequestBytes == 0 ? bytes : Math.min(maxRequestBytes, bytes);
    }

    /** Makes the request part of a trace. */
    public void traceBy(RequestTrace decided) {
        trace = decided;
    }

    /**
     * Has the request say that nobody is to trace it.
     *
     * @param traceparent by which it does
     */
    public final void traceByNobody(String traceparent) {
        traceRefusal = traceparent;
    }

    /**
     * Names the endpoint that the request is to go to.
     *
     * @param address {@code ip:port}
     * @param strict nowhere else
     */
    public final void overrideHost(String address, boolean strict) {
        overrideHost = address;
        overrideStrict = strict;
    }

    /** Slows the response's body down, where the server does that. */
    public final void limitResponseRate(long bytesPerSecond) {
        responseBytesPerSecond =
                responseBytesPerSecond == 0 ? bytesPerSecond : Math.min(responseBytesPerSecond, bytesPerSecond);
    }

    // The rest is for the layers.

    final void passThrough(FilterChain chain) {
        if (filters != chain) {
            filters = chain;
        }
    }

    /** Most bytes that the request's body may have; 0: any. */
    public final long maxRequestBytes() {
        return maxRequestBytes;
    }

    /** How fast the response's body may go; 0: as fast as it can. */
    public final long responseBytesPerSecond() {
        return responseBytesPerSecond;
    }

    /** From where it stopped to wait, or else from the first filter. A filter's own fault never ends in the app. */
    final Decision filterRequest() {
        while (current < filters.length()) {
            Decision decision;
            try {
                HttpFilter filter = filters.filter(current);
                seen = current + 1;
                decision = delayed ? filter.afterDelay(this) : filter.onRequest(this);
            } catch (RuntimeException | Error fault) {
                decision = afterFault(fault);
            }
            delayed = decision == Decision.DELAY;
            if (decision != Decision.CONTINUE) {
                return decision;
            }
            current++;
        }
        return Decision.CONTINUE;
    }

    private Decision afterFault(Throwable fault) {
        filters.fault(current, fault);
        return filters.filter(current).onFault(this);
    }

    /** What is sent is the request as it came with these changes on top of what the filters changed. */
    final RequestChanges withFilters(RequestChanges changes) {
        if (edited == null) {
            return changes;
        }
        edited.headers.apply(changes);
        String path = changes.path() == null ? edited.path : changes.path();
        return edited.headers.requestChanges(path, changes.authority());
    }

    /** Leaves what the route and the filters change in {@link #responseChanges}. */
    final void filterResponse(int status, Headers headers) {
        if (filters.length() == 0) {
            return;
        }
        runResponse(status, headers);
        if (responseOverlay != null) {
            responseChanges = responseOverlay.responseChanges();
        }
        responseHead = null;
    }

    /** What the route adds to the reply. */
    final ResponseChanges replyChanges() {
        return replyIsBare ? ResponseChanges.NONE : routeResponseChanges(reply);
    }

    abstract ResponseChanges routeResponseChanges(Headers response);

    /** Leaves the mesh's own reply with all changes in {@link #reply}. */
    final void filterReply() {
        if (isGrpc() && !replyIsBare) {
            reply = method().equals("HEAD") ? reply.forGrpc().withoutGrpcMessage() : reply.forGrpc();
        }
        if (filters.length() == 0 && responseChanges.isEmpty()) {
            return;
        }
        local = true;
        runResponse(reply.status(), reply);
        reply = responseHeaders().applyTo(reply);
        responseChanges = ResponseChanges.NONE;
        responseHead = null;
    }

    private void runResponse(int status, Headers headers) {
        responseStatus = status;
        responseHead = headers;
        if (local && replyEdit != null) {
            replyEdit.edit(this);
        }
        for (current = filters.length() - 1; current >= 0; current--) {
            try {
                filters.filter(current).onResponse(this);
            } catch (RuntimeException | Error fault) {
                filters.fault(current, fault);
            }
        }
    }

    final void endFilters() {
        for (current = seen - 1; current >= 0; current--) {
            try {
                filters.filter(current).onEnd(this);
            } catch (RuntimeException | Error fault) {
                filters.fault(current, fault);
            }
        }
        seen = 0;
        current = filters.length();
    }

    /** As new, for the next request, whose filters are yet to be found. */
    final void resetFilters() {
        current = 0;
        delayed = false;
        seen = 0;
        if (states != NO_STATES) {
            states = NO_STATES;
        }
        edited = null;
        responseOverlay = null;
        responseHead = null;
        responseStatus = 0;
        local = false;
        replyIsBare = false;
        replyEdit = null;
        filterState = null;
        metadata = null;
        maxRequestBytes = 0;
        overrideHost = null;
        overrideStrict = false;
        responseBytesPerSecond = 0;
        reply = null;
        delayNanos = 0;
        responseFlags = 0;
        responseCodeDetails = null;
        grpcStatus = -1;
        if (responseChanges != ResponseChanges.NONE) {
            responseChanges = ResponseChanges.NONE;
        }
        trace = null;
        traceRefusal = null;
        span = null;
    }

    private static final class EditedHead implements RequestHead {
        private final RequestHead original;
        private final HeaderOverlay headers;
        /** Null: unchanged. */
        private String path;

        EditedHead(RequestHead original) {
            this.original = original;
            headers = new HeaderOverlay(original);
        }

        @Override
        public String method() {
            return original.method();
        }

        @Override
        public String scheme() {
            return original.scheme();
        }

        @Override
        public String authority() {
            return original.authority();
        }

        @Override
        public String path() {
            return path == null ? original.path() : path;
        }

        @Override
        public String header(String name) {
            return headers.header(name);
        }

        @Override
        public List<String> values(String name) {
            return headers.values(name);
        }
    }
}
