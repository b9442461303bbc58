package io.weft.instrumentation.vertx;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ConnectTimeoutException;
import io.vertx.core.AsyncResult;
import io.vertx.core.MultiMap;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.StreamResetException;
import io.vertx.core.http.impl.HttpResponseHead;
import io.weft.dataplane.Endpoint;
import io.weft.dataplane.Exchange.Failure;
import io.weft.instrumentation.SharedConnection;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.channels.ClosedChannelException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReferenceFieldUpdater;

/**
 * One attempt at a request, on a stream that the library has for it. What the stream tells comes by here, on the request's context; the
 * state is guarded by the {@link Hop}.
 */
final class Attempt {
    private static final AtomicReferenceFieldUpdater<Attempt, State> STATE =
            AtomicReferenceFieldUpdater.newUpdater(Attempt.class, State.class, "state");

    private enum State { CONNECTING, SENDING, DELIVERED, DROPPED, CANCELLED, OVER }

    /** Of HTTP/2: the peer has done nothing. */
    private static final long REFUSED_STREAM = 7;

    /** A response that is dropped may have so much for its connection to be kept. */
    private static final long MOST_DROPPED = 64 << 10;

    /** And take so long: no time limit runs between two attempts, and until then it has a place in the pool, or one of the connection's streams. */
    private static final long MOST_MILLIS_DROPPED = 50;

    /** So many connections in a row may have been taken away: a pool hands out what closes until it is told. */
    private static final int MOST_REDIALS = 50;

    private final Hop hop;
    /** Null: the mesh has nothing to do with it. */
    private final Endpoint endpoint;
    /** Of the clock, where it matters. */
    private final long waitsSince;
    /** How many connections were taken away before this one. */
    private final int redials;
    /** Written with the hop held, whose lock has the barrier of a volatile write. */
    private volatile State state;
    /** The library's own; null: it has no connection. Written before the state says that it sends. */
    private Object stream;
    private Channel channel;
    /** Null: not secured by the mesh. */
    private SharedConnection connection;
    private boolean requestEnded;
    /** Or no more of it comes. */
    private boolean responseEnded;
    private long dropped;

    Attempt(Hop hop, Endpoint endpoint) {
        this(hop, endpoint, 0);
    }

    private Attempt(Hop hop, Endpoint endpoint, int redials) {
        this.hop = hop;
        this.endpoint = endpoint;
        this.redials = redials;
        waitsSince = endpoint == null || endpoint.tls() == null ? 0 : System.nanoTime();
        becomes(State.CONNECTING);
    }

    private void becomes(State next) {
        STATE.lazySet(this, next);
    }

    Endpoint endpoint() {
        return endpoint;
    }

    /** The same over another connection, which policy does not count as one more. */
    Attempt overAnother() {
        return new Attempt(hop, endpoint, redials + 1);
    }

    /** Longer each time: another event loop has to hear that a connection is closed. */
    long redialNanos() {
        return TimeUnit.MILLISECONDS.toNanos(redials - 1);
    }

    // With the hop held.

    /** @return false: the app has given up */
    boolean sends(Object on) {
        if (state != State.CONNECTING) {
            return false;
        }
        stream = on;
        becomes(State.SENDING);
        return true;
    }

    void responded(boolean again) {
        becomes(again ? State.DROPPED : State.DELIVERED);
    }

    /** @return false: it has had its outcome */
    boolean gaveUp() {
        boolean live = state == State.CONNECTING || state == State.SENDING;
        if (live) {
            becomes(State.OVER);
        }
        return live;
    }

    /** @return the library's stream, which is to be told; null: none */
    Object cancelled() {
        switch (state) {
            case SENDING -> becomes(State.CANCELLED);
            case CONNECTING -> becomes(State.OVER);
            default -> { }
        }
        return state == State.CANCELLED || state == State.DELIVERED ? stream : null;
    }

    // From anywhere.

    boolean isConnecting() {
        return state == State.CONNECTING;
    }

    boolean isSending() {
        return state == State.SENDING;
    }

    boolean isDelivered() {
        return state == State.DELIVERED;
    }

    boolean isOn(Object to) {
        State now = state;
        return (now == State.SENDING || now == State.DELIVERED) && stream == to;
    }

    // From the library's pool.

    void opened(AsyncResult<HttpClientRequest> result) {
        hop.onContext(() -> {
            try {
                if (result.succeeded()) {
                    take(result.result());
                } else if (isTakenAway(result.cause())) {
                    redial(result.cause());
                } else {
                    hop.failed(this, classifyConnect(result.cause()), result.cause());
                }
            } catch (Throwable fault) {
                hop.atFault(fault);
            }
        });
    }

    /** A connection of the pool's that policy has closed meanwhile. It is not said which one that was, but with these no other is to be kept. */
    private boolean isTakenAway(Throwable cause) {
        return endpoint != null && endpoint.tls() != null && !endpoint.tls().connections().areGood()
                && hop.internals.tellsOfAClosedConnection(cause);
    }

    /** Nothing was sent. */
    private void redial(Throwable cause) {
        if (redials < MOST_REDIALS) {
            hop.redial(this);
        } else {
            hop.failed(this, Failure.CONNECT, cause);
        }
    }

    private Failure classifyConnect(Throwable cause) {
        // A connection of the pool's that its server has closed meanwhile: nothing was sent over it.
        boolean connect = cause instanceof IOException || cause instanceof TimeoutException || hop.internals.tellsOfAClosedConnection(cause);
        // No place in the pool: the endpoint was not asked.
        return connect ? Failure.CONNECT : Failure.CANCELLED;
    }

    /** @param own the library's request, of which nothing but its stream is used */
    private void take(HttpClientRequest own) throws Throwable {
        Internals internals = hop.internals;
        Object on = internals.stream(own);
        Object real = internals.connection(on);
        channel = internals.channelContext(real).channel();
        if (state != State.CONNECTING) {
            giveBack(own);
            // Without a request it would never be idle, and be kept whatever policy says.
            SharedConnection unused = SecuredChannel.of(channel);
            if (unused != null && !(unused.lease(waitsSince) && unused.giveBack())) {
                channel.close();
            }
            return;
        }
        if (endpoint != null && endpoint.tls() != null) {
            SharedConnection secured = SecuredChannel.of(channel);
            if (secured == null || !secured.isSecuredBy(endpoint.tls())) {
                giveBack(own);
                channel.close();
                throw new IllegalStateException("a connection to " + endpoint + " is not secured");
            }
            if (!secured.lease(waitsSince)) {
                // Policy has taken it away meanwhile.
                giveBack(own);
                channel.close();
                redial(new ClosedChannelException());
                return;
            }
            connection = secured;
        }
        if (!hop.sends(this, on)) {
            giveBack(own);
            lets();
            hop.failed(this, Failure.RESET, new SocketTimeoutException("too late to send"));
            return;
        }
        internals.listen(on, this);
        hop.stream.flowsTo(on, real, hop.onWire(on));
    }

    /** To the pool, unused. */
    private void giveBack(HttpClientRequest own) throws Throwable {
        own.exceptionHandler(nobodys -> { });
        hop.internals.giveBack(own);
    }

    /** The connection has no request any more. */
    private void lets() {
        SharedConnection given = connection;
        connection = null;
        if (given != null && !given.giveBack()) {
            channel.close();
        }
    }

    /** It has failed by a fault, and nobody else ends what the library has of it. On the request's context. */
    void discard() {
        if (stream != null) {
            drop();
            lets();
        }
    }

    // From its stream.

    void head(HttpResponseHead response) {
        hop.responds(this, response);
    }

    void data(Object chunk) {
        switch (state) {
            case DELIVERED -> {
                OutgoingRequest asked = hop.exchange();
                if (asked != null) {
                    asked.bytesReceived(((Buffer) chunk).length());
                }
                hop.stream.data(chunk);
            }
            case DROPPED -> {
                dropped += ((Buffer) chunk).length();
                if (dropped > MOST_DROPPED) {
                    dropUnlessEnded();
                }
            }
            default -> { }
        }
    }

    /** It goes to nobody. On the request's context. */
    void endsSoon() {
        channel.eventLoop().schedule(() -> hop.onContext(this::dropUnlessEnded), MOST_MILLIS_DROPPED, TimeUnit.MILLISECONDS);
    }

    private void dropUnlessEnded() {
        if (!responseEnded) {
            // Once: where it is over already, the connection may have other streams by then.
            responseEnded = true;
            drop();
        }
    }

    private void drop() {
        try {
            ends();
        } catch (Throwable fault) {
            channel.close();
        }
    }

    void end(MultiMap trailers) {
        responseEnded = true;
        if (state == State.DELIVERED) {
            hop.completed();
        }
        ended();
        if (state == State.DELIVERED) {
            hop.stream.end(trailers);
        }
    }

    void requestEnded() {
        hop.onContext(() -> {
            requestEnded = true;
            ended();
        });
    }

    private void ended() {
        if (responseEnded && requestEnded) {
            lets();
        }
    }

    void exception(Throwable cause) {
        responseEnded = true;
        lets();
        switch (state) {
            case SENDING -> hop.failed(this, classify(cause), cause);
            case DELIVERED -> {
                hop.broke(cause);
                hop.stream.exception(cause);
            }
            case CANCELLED -> {
                hop.stream.over(cause);
                hop.stream.exception(cause);
            }
            default -> { }
        }
    }

    void reset(Long code) {
        responseEnded = true;
        lets();
        switch (state) {
            case SENDING -> hop.failed(this, code == REFUSED_STREAM ? Failure.REFUSED : Failure.RESET, new StreamResetException(code));
            case DELIVERED -> {
                hop.broke(new StreamResetException(code));
                hop.stream.reset(code);
            }
            case CANCELLED -> {
                hop.stream.over(new StreamResetException(code));
                hop.stream.reset(code);
            }
            default -> { }
        }
    }

    private static Failure classify(Throwable cause) {
        if (cause instanceof StreamResetException reset && reset.getCode() == REFUSED_STREAM) {
            return Failure.REFUSED;
        }
        return cause instanceof TimeoutException ? Failure.TIMEOUT : Failure.RESET;
    }

    /** A time limit is over. On the event loop of the request's context. */
    void abort() throws Throwable {
        switch (state) {
            case CONNECTING -> hop.onContext(() ->
                    hop.failed(this, Failure.CONNECT, new ConnectTimeoutException("connection timed out: " + endpoint)));
            case SENDING, DELIVERED -> ends();
            default -> { }
        }
    }

    private void ends() throws Throwable {
        if (hop.internals.isHttp2(stream)) {
            hop.internals.reset(stream, new TimeoutException("the time for the request is over"));
            return;
        }
        // TLS would wait for what is yet to be written.
        ChannelHandlerContext tls = channel.pipeline().context(SecuredChannels.TLS);
        if (tls == null) {
            channel.close();
        } else {
            tls.close();
        }
    }
}
