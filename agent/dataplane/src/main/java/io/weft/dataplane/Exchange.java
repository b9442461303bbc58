package io.weft.dataplane;

/**
 * One request that the app sends, from the first decision to the last byte of the response. A library's adapter extends it:
 * the read-only view of the request and what the mesh decides about it are one object.
 *
 * <p>An adapter drives it so:
 * <pre>
 * if (!outbound.claims(exchange)) → leave the request alone
 * do switch (exchange.next()) {
 *     case REPLY → give the app exchange.reply() as the response
 *     case DIAL  → send to exchange.endpoint() with exchange.requestChanges()
 *                  response head: exchange.onResponse(status, header) says deliver or try again
 *                  failure:       exchange.onFailure(failure) says rethrow or try again
 * } while (try again, after exchange.backoffNanos())
 * exchange.end() once the response's body is over, failed or given up
 * </pre>
 *
 * <p>Used by one thread at a time; whoever hands it to another thread does so with a happens-before edge.
 */
public abstract class Exchange {

    /** Whether the body can be sent again. */
    public enum Replay { NO_BODY, REPEATABLE, ONE_SHOT }

    /** What to do for the next attempt. */
    public enum Step { DIAL, REPLY }

    /** How an attempt failed, as far as retrying tells failures apart. */
    public enum Failure {
        /** No connection: nothing of the request was sent. */
        CONNECT,
        /** The connection ended before the response head; {@link #REFUSED} when the peer said that it did nothing. */
        RESET,
        /** HTTP/2 REFUSED_STREAM, or GOAWAY with a lower stream id. */
        REFUSED,
        /** No response head in time. */
        TIMEOUT,
        /** Cancelled or interrupted by the app: never retried, never held against the endpoint. */
        CANCELLED
    }

    /** In upper case. */
    public abstract String method();

    /** {@code http} or {@code https}. */
    public abstract String scheme();

    /** {@code host[:port]} as the app means it: its Host header, or else the URL's authority without user info. */
    public abstract String authority();

    /** Path and query, beginning with a slash. */
    public abstract String path();

    /**
     * A request header as the app set it.
     *
     * @param name lower case
     * @return null when absent; several values joined by a comma
     */
    public abstract String header(String name);

    public abstract Replay replay();

    // H2 (data plane) owns everything below: state fields are package-private, layers read and write them.

    public final Step next() { throw new UnsupportedOperationException("data plane"); }

    /** Where to connect, after {@link Step#DIAL}. */
    public final Endpoint endpoint() { throw new UnsupportedOperationException("data plane"); }

    /** What to send instead of the app's own request, after {@link Step#DIAL}; {@link RequestChanges#NONE} mostly. */
    public final RequestChanges requestChanges() { throw new UnsupportedOperationException("data plane"); }

    /** The answer that the mesh gives itself, after {@link Step#REPLY}. */
    public final LocalReply reply() { throw new UnsupportedOperationException("data plane"); }

    /** Header changes for the response that the app is given; never null. */
    public final io.weft.policy.model.HeaderChanges[] responseChanges() { throw new UnsupportedOperationException("data plane"); }

    /** @return true: discard this response and call {@link #next} after {@link #backoffNanos} */
    public final boolean onResponse(int status, ResponseHeaders headers) { throw new UnsupportedOperationException("data plane"); }

    /** @return true: call {@link #next} after {@link #backoffNanos}; false: the app gets the library's own exception */
    public final boolean onFailure(Failure failure) { throw new UnsupportedOperationException("data plane"); }

    public final long backoffNanos() { throw new UnsupportedOperationException("data plane"); }

    /** The response's body is over, or nobody will read it. Safe to call more than once and from any state. */
    public final void end() { throw new UnsupportedOperationException("data plane"); }
}
