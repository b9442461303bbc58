package io.weft.instrumentation.reactornetty;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ConnectTimeoutException;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.timeout.TimeoutException;
import io.weft.dataplane.Endpoint;
import io.weft.dataplane.Exchange.Failure;
import java.io.IOException;
import java.net.ConnectException;
import java.util.concurrent.atomic.AtomicReference;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.netty.Connection;
import reactor.netty.ConnectionObserver;
import reactor.netty.http.client.HttpClientRequest;
import reactor.netty.http.client.HttpClientState;
import reactor.util.context.Context;

/**
 * One attempt of a hop, from the library's pool to its outcome; what the library tells its observer comes by here.
 *
 * <p>Thread rule: whoever moves it on from {@link State#CONNECTING} goes first, on any thread; from {@link State#SENDING} on it is for
 * the event loop of its channel.
 */
final class Attempt implements ConnectionObserver, CoreSubscriber<Connection>, Underway {
    private enum State { CONNECTING, SENDING, DELIVERED, DROPPED, OVER }

    private final Hop hop;
    private final Endpoint endpoint;
    private final AtomicReference<State> state = new AtomicReference<>(State.CONNECTING);
    private volatile Subscription acquiring;
    /** The library's operations. Null before it has its connection. */
    private volatile Connection operations;
    /** The connection broke off before there was a response. */
    private boolean incomplete;
    private volatile boolean brokeOff;
    /** Of what has come in place of a response; null: nothing has. Of the channel's thread. */
    private Throwable unreadable;

    Attempt(Hop hop, Endpoint endpoint) {
        this.hop = hop;
        this.endpoint = endpoint;
    }

    @Override
    public Context currentContext() {
        return hop.observer.currentContext();
    }

    @Override
    public Channel channel() {
        Connection connection = operations;
        return connection == null ? null : connection.channel();
    }

    // From the library's provider.

    @Override
    public void onSubscribe(Subscription subscription) {
        acquiring = subscription;
        subscription.request(Long.MAX_VALUE);
    }

    /** {@link #onStateChange} says what there is to know of it. */
    @Override
    public void onNext(Connection connection) {}

    @Override
    public void onError(Throwable failure) {
        if (state.compareAndSet(State.CONNECTING, State.OVER)) {
            // No place in the pool: the endpoint was not asked.
            hop.failed(failure instanceof IOException ? Failure.CONNECT : Failure.CANCELLED, failure, null);
        }
    }

    @Override
    public void onComplete() {}

    // From the connection.

    @Override
    public void onStateChange(Connection connection, ConnectionObserver.State now) {
        if (now == ConnectionObserver.State.CONFIGURED && connection instanceof HttpClientRequest) {
            configured(connection);
            return;
        }
        if (now == HttpClientState.RESPONSE_INCOMPLETE && state.get() == State.SENDING) {
            // To the app only if it is the last attempt.
            incomplete = true;
            return;
        }
        // Not where it is the app that ends it.
        brokeOff |= now == HttpClientState.RESPONSE_INCOMPLETE;
        if (isVisible() || now == ConnectionObserver.State.DISCONNECTING || now == ConnectionObserver.State.RELEASED) {
            hop.observer.onStateChange(connection, now);
        }
    }

    /** Whether what becomes of its request is what the app sees. */
    private boolean isVisible() {
        State now = state.get();
        return now != State.DROPPED && now != State.OVER;
    }

    private void configured(Connection connection) {
        OnChannel onChannel = HopHandler.of(connection) instanceof OnChannel handler ? handler : null;
        if (onChannel == null || !onChannel.leadsTo(endpoint)) {
            connection.channel().close();
            onError(new ConnectException("a connection of another pool was to be used for " + endpoint));
            return;
        }
        if (!onChannel.lease()) {
            // Policy has taken it away meanwhile; the pool finds out that it is closed.
            if (state.compareAndSet(State.CONNECTING, State.OVER)) {
                connection.channel().close();
                hop.redial();
            }
            return;
        }
        operations = connection;
        if (!state.compareAndSet(State.CONNECTING, State.SENDING)) {
            connection.dispose();
            return;
        }
        onChannel.begin(this);
        hop.observer.onStateChange(connection, ConnectionObserver.State.CONFIGURED);
    }

    @Override
    public void onUncaughtException(Connection connection, Throwable failure) {
        if (hop.internals.isDropped(failure)) {
            dropped();
        } else if (state.compareAndSet(State.SENDING, State.OVER)) {
            hop.failed(classify(failure), failure, this);
        } else if (state.get() == State.DELIVERED) {
            hop.observer.onUncaughtException(connection, failure);
        } else if (state.get() == State.CONNECTING) {
            onError(failure);
        }
    }

    /** What has come is no response. Before the library says so. */
    void cannotRead(Throwable why) {
        unreadable = why;
    }

    private Failure classify(Throwable failure) {
        if (failure instanceof TimeoutException) {
            return Failure.TIMEOUT;
        }
        String kind = failure.getClass().getName();
        boolean ofTheConnection = failure == unreadable || failure instanceof IOException || kind.startsWith("reactor.netty.") || kind.startsWith("io.netty.");
        // What is not was thrown by the app, as by its body.
        return ofTheConnection ? Failure.RESET : Failure.CANCELLED;
    }

    /** No other attempt follows. */
    void tell(Throwable failure) {
        state.set(State.DELIVERED);
        if (incomplete) {
            hop.observer.onStateChange(operations, HttpClientState.RESPONSE_INCOMPLETE);
        }
        hop.observer.onUncaughtException(operations, failure);
    }

    // From the channel's handler, in its event loop.

    Hop hop() {
        return hop;
    }

    /** @return false: it is too late, nothing is to be sent */
    boolean sends(Sent request) {
        hop.sends(request);
        return hop.exchange.connected();
    }

    /** All of the request. */
    void sent() {
        if (isVisible()) {
            hop.exchange.requestSent();
        }
    }

    void tooLate(Throwable failure) {
        if (state.compareAndSet(State.SENDING, State.OVER)) {
            hop.failed(Failure.RESET, failure, this);
        }
    }

    /** @return true: the response is to be dropped */
    boolean responds(HttpResponse response) {
        if (state.get() != State.SENDING) {
            return false;
        }
        boolean again = hop.exchange.onResponse(response.status().code(), NettyHeaders.view(response.headers())) && !hop.isCancelled();
        state.set(again ? State.DROPPED : State.DELIVERED);
        if (!again) {
            hop.forget();
            new NettyHeaders(response.headers()).changeResponse(hop.exchange.responseChanges());
        }
        return again;
    }

    boolean isDropped() {
        return state.get() == State.DROPPED;
    }

    /** All of the response has come. */
    void completed() {
        if (state.get() == State.DELIVERED) {
            hop.over();
        }
    }

    /** The library has heard of it, and has said so if it makes a difference. */
    void gone() {
        switch (state.get()) {
            case SENDING -> {
                // The app has given up.
                state.set(State.OVER);
                hop.exchange.onFailure(Failure.CANCELLED);
                hop.over();
            }
            case DELIVERED -> {
                hop.exchange.onFailure(brokeOff ? Failure.RESET : Failure.CANCELLED);
                hop.over();
            }
            case DROPPED -> dropped();
            default -> { }
        }
    }

    private void dropped() {
        if (state.compareAndSet(State.DROPPED, State.OVER)) {
            hop.again();
        }
    }

    // From anywhere.

    @Override
    public void cancel() {
        if (state.compareAndSet(State.CONNECTING, State.OVER)) {
            hop.exchange.onFailure(Failure.CANCELLED);
            hop.over();
            Subscription connecting = acquiring;
            if (connecting != null) {
                connecting.cancel();
            }
            return;
        }
        Connection connection = operations;
        if (connection != null) {
            connection.dispose();
        }
    }

    @Override
    public void abort() {
        Channel channel = channel();
        if (channel != null) {
            // TLS would wait for what is yet to be written.
            ChannelHandlerContext tls = channel.pipeline().context(MeshPipeline.TLS);
            if (tls == null) {
                channel.close();
            } else {
                tls.close();
            }
        } else if (state.get() == State.CONNECTING) {
            hop.elsewhere(() -> {
                if (state.compareAndSet(State.CONNECTING, State.OVER)) {
                    Subscription connecting = acquiring;
                    if (connecting != null) {
                        connecting.cancel();
                    }
                    hop.failed(Failure.CONNECT, new ConnectTimeoutException("connection timed out: " + endpoint), null);
                }
            });
        }
    }
}
