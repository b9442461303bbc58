package io.weft.dataplane;

import io.weft.dataplane.filter.FilterChain;
import io.weft.dataplane.format.ResponseFlag;
import io.weft.dataplane.load.LoadFormat;
import io.weft.dataplane.route.Destination;
import io.weft.dataplane.route.RouteEntry;
import io.weft.dataplane.trace.RequestTrace;

/**
 * One request that comes in, from its head to the last byte of the response. A server's adapter extends it: the read-only view of
 * the request and what the mesh decides about it are one object. The object may serve one request after the other.
 *
 * <p>An adapter drives it so:
 * <pre>
 * port.enter(exchange)
 * do switch (exchange.next()) {
 *     case WAIT    → exchange.afterDelay(…), meanwhile on no thread, and ask again
 *     case REPLY   → send exchange.reply(); the app does not see the request
 *     case CLOSE   → close the connection without an answer
 *     case PROCEED → hand the request to the app, with exchange.requestChanges() and no more body than exchange.maxRequestBytes()
 * }
 * response head of the app: exchange.onResponse(status, headers), then apply exchange.responseChanges()
 * exchange.end() once the response is complete, or its connection is gone
 * </pre>
 *
 * <p>Used by one thread at a time; whoever hands it to another thread does so with a happens-before edge.
 */
public abstract class InboundExchange extends HttpStream {

    public enum Step { PROCEED, REPLY, WAIT, CLOSE }

    /** The same object for all requests of a connection. */
    @Override
    public abstract Connection connection();

    /**
     * Whether the app can be given another path than came: not where the server has chosen the app's handler by it before. A request
     * whose normalized path is another one then goes no further, since rules would look at one path and the handler at the other.
     */
    protected boolean pathCanChange() {
        return true;
    }

    /** The connection as it was accepted, the same object for all its requests; null where the server does not tell of it. */
    protected InboundConnection accepted() {
        return null;
    }

    /** Of the path, and of the names and values of all headers. Asked only where a policy limits it. */
    protected abstract long headerBytes();

    /** Of the response's body, when it is over; 0: none, or the server does not tell. */
    protected long responseBytesWritten() {
        return 0;
    }

    // The rest is the data plane's: the layers read and write these fields.

    // What stays the same from one request to the next is not written anew: of an object that has lasted for long, each reference that is
    // written costs a barrier of the garbage collector's.

    private ServerLayers layers;
    /** On which the app listens. */
    int port;
    /** The app's own TLS is on the port: what it hides, no policy can speak of. */
    boolean ownTls;
    /** The connection has to end: the policy in force would not let it in. */
    boolean lastOfConnection;
    /** Null: no policy names the port, or no route matched. */
    RouteEntry route;
    Destination destination;
    /** A policy names the port, and so says what is to be served. */
    boolean claimed;
    /** No route is looked for: the filter chain knows none, or by a fault of the agent. */
    boolean unroutable;
    /** The answer to a request that goes no further, since its path is not valid; null: it does. */
    LocalReply malformed;
    boolean waiting;
    /** Of gRPC. */
    boolean call;
    /** In which the caller asks for a load report; null: it does not. */
    LoadFormat loadFormat;
    /** No policy has said anything of the port yet: asked again until one has, or the time for that is over. */
    boolean held;
    /** Who is on the connection gets no answer. */
    boolean closing;
    /** Of the app's response; 0: none yet. */
    int status;
    RequestChanges requestChanges = RequestChanges.NONE;
    private boolean over = true;

    final void entered(ServerLayers by, int localPort, boolean appsTls) {
        // Of one that is new all is as it is to be.
        if (layers != null) {
            reset();
        }
        if (layers != by) {
            layers = by;
        }
        port = localPort;
        ownTls = appsTls;
        over = false;
        layers.enter(this);
    }

    private void reset() {
        resetFilters();
        lastOfConnection = false;
        claimed = false;
        unroutable = false;
        malformed = null;
        waiting = false;
        held = false;
        closing = false;
        status = 0;
        sends(RequestChanges.NONE);
    }

    /**
     * Its way is known.
     *
     * @param found null: it takes no route
     * @param chosen null: it goes nowhere
     */
    final void takes(RouteEntry found, Destination chosen, FilterChain chain) {
        if (route != found) {
            route = found;
        }
        if (destination != chosen) {
            destination = chosen;
        }
        passThrough(chain);
    }

    final void isSeenAs(ClientIp policy) {
        if (clientIp != policy) {
            clientIp = policy;
        }
    }

    final void sends(RequestChanges changes) {
        if (requestChanges != changes) {
            requestChanges = changes;
        }
    }

    /** Decides what becomes of the request. */
    public final Step next() {
        waiting = false;
        if (layers.request(this)) {
            return Step.PROCEED;
        }
        return waiting ? Step.WAIT : closing ? Step.CLOSE : Step.REPLY;
    }

    /**
     * Has the request taken up again when the wait is over, after {@link Step#WAIT}.
     *
     * @param resume on the timers' thread: it must not block, but have another thread call {@link #next}
     */
    public final void afterDelay(Runnable resume) {
        layers.timers().schedule(delayNanos, resume);
    }

    /** The response should end its connection: the instance is about to go, or the connection has to. */
    public final boolean draining() {
        return lastOfConnection || layers.draining();
    }

    /**
     * The caller should be told to use another connection for what comes next, where this one carries several requests at once (HTTP/2's
     * GOAWAY): later than by the end of a connection that carries one, for the reason in {@link InboundPorts#tellCallers}.
     */
    public final boolean goesAway() {
        return lastOfConnection || layers.callersTold();
    }

    /** The answer that the mesh gives itself, after {@link Step#REPLY}, with all changes to its headers. */
    public final LocalReply reply() {
        return reply;
    }

    /** What the app is to be given instead of what the caller sent; {@link RequestChanges#NONE} mostly. */
    public final RequestChanges requestChanges() {
        return requestChanges;
    }

    /**
     * Whether a policy names the port, or the caller asks for a load report. If not, the request is the app's alone, and the adapter
     * may spare its views of it.
     */
    public final boolean claimed() {
        return claimed || loadFormat != null;
    }

    /** The app has decided about its response's head. Once for a request that was handed to it. */
    public final void onResponse(int status, ResponseHeaders headers) {
        if (!over) {
            this.status = status;
            layers.response(this, status, headers);
        }
    }

    /** What changes in the response that the app gives, after {@link #onResponse}; {@link ResponseChanges#NONE} mostly. */
    public final ResponseChanges responseChanges() {
        return responseChanges;
    }

    /** The response is complete, or its connection is gone. Safe to call more than once, by one thread at a time. */
    public final void end() {
        if (!over) {
            over = true;
            if (claimed && !closing && responseCode() == 0) {
                flag(ResponseFlag.DC, "downstream_remote_disconnect");
            }
            layers.end(this);
        }
    }

    @Override
    protected final boolean isCall() {
        return call;
    }

    @Override
    public final String upstreamCluster() {
        return destination == null ? null : destination.clusterName(this);
    }

    /** Its span begins with that, since what the filters do is part of it. */
    @Override
    public final void traceBy(RequestTrace decided) {
        super.traceBy(decided);
        span = decided.server(this);
    }

    @Override
    public final RequestHead sentHead() {
        return SentRequest.of(this, requestChanges);
    }

    @Override
    public String protocol() {
        return "HTTP/1.1";
    }

    @Override
    public final String routeName() {
        return route == null ? null : route.name();
    }

    @Override
    public final int responseCode() {
        return status != 0 ? status : reply == null ? 0 : reply.status();
    }

    @Override
    final ResponseChanges routeResponseChanges(Headers response) {
        return destination == null
                ? ResponseChanges.NONE
                : destination.responseChanges(sentHead(), response, this);
    }
}
