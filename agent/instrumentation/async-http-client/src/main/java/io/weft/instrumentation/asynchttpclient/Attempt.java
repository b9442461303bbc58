package io.weft.instrumentation.asynchttpclient;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ConnectTimeoutException;
import io.netty.channel.EventLoop;
import io.netty.handler.codec.http.HttpResponse;
import io.weft.dataplane.Endpoint;
import io.weft.dataplane.Exchange.Failure;
import java.net.InetSocketAddress;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.asynchttpclient.netty.DiscardEvent;
import org.asynchttpclient.netty.channel.Channels;
import org.asynchttpclient.netty.channel.NettyConnectListener;
import org.asynchttpclient.netty.timeout.TimeoutsHolder;

/**
 * One attempt of a hop, from the app's pool to its outcome.
 *
 * <p>Thread rule: whoever moves it on from {@link State#CONNECTING} goes first, on any thread; from {@link State#SENDING} on it is for
 * the event loop of its channel.
 */
final class Attempt implements Underway {
    private enum State { CONNECTING, SENDING, DELIVERED, DROPPED, OVER }

    private final Hop hop;
    private final Endpoint endpoint;
    private final AtomicReference<State> state = new AtomicReference<>(State.CONNECTING);
    /** Null before it is known. */
    private volatile Channel channel;
    /** A time limit of the mesh's has ended it. */
    private volatile boolean limited;
    /** The last part of the request; null: there is more to come. */
    private ChannelFuture written;
    /** The connection of a dropped response may be used again. */
    private boolean reusable;

    Attempt(Hop hop, Endpoint endpoint) {
        this.hop = hop;
        this.endpoint = endpoint;
    }

    Hop hop() {
        return hop;
    }

    // To its channel.

    /** One that was of the pool. From any thread. */
    void uses(Channel open) {
        EventLoop loop = open.eventLoop();
        if (loop.inEventLoop()) {
            beginOver(open);
        } else {
            loop.execute(() -> beginOver(open));
        }
    }

    private void beginOver(Channel open) {
        try {
            if (!open.isActive()) {
                if (state.compareAndSet(State.CONNECTING, State.OVER)) {
                    hop.redial();
                }
                return;
            }
            channel = open;
            if (!state.compareAndSet(State.CONNECTING, State.SENDING)) {
                hop.channels.closeChannel(open);
                return;
            }
            OnChannel.of(open).begin(this);
            TimeoutsHolder timeouts = hop.future.getTimeoutsHolder();
            if (timeouts != null && open.remoteAddress() instanceof InetSocketAddress remote) {
                timeouts.setResolvedRemoteAddress(remote);
            }
            hop.sendOver(open);
        } catch (Throwable fault) {
            atFault(fault);
        }
    }

    private void atFault(Throwable fault) {
        state.set(State.OVER);
        Channel used = channel;
        if (used != null) {
            hop.channels.closeChannel(used);
        }
        hop.atFault(fault);
    }

    @Override
    public void connect(Bootstrap apps, NettyConnectListener<?> listener) {
        InetSocketAddress address = hop.address();
        try {
            hop.handler.onTcpConnectAttempt(address);
        } catch (Exception appsOwn) {
            crashed();
            listener.onFailure(null, appsOwn);
            return;
        }
        int connectMillis = (int) Math.max(1, Math.min(Integer.MAX_VALUE, TimeUnit.NANOSECONDS.toMillis(hop.exchange.connectTimeoutNanos())));
        hop.pools.keeps(hop.channels.getChannelPool(), endpoint);
        InetSocketAddress local = hop.localAddress() == null ? null : new InetSocketAddress(hop.localAddress(), 0);
        ChannelFuture connecting;
        try {
            connecting = EndpointInitializer.bootstrap(apps, endpoint, connectMillis).connect(address, local);
        } catch (RejectedExecutionException closed) {
            // The app's client is.
            notConnected(null, address, closed, listener);
            return;
        }
        channel = connecting.channel();
        if (limited || state.get() != State.CONNECTING) {
            // Too late for whoever would have closed it.
            channel.close();
        }
        connecting.addListener(done -> {
            try {
                if (done.isSuccess()) {
                    connected(connecting.channel(), address, listener);
                } else {
                    notConnected(connecting.channel(), address, done.cause(), listener);
                }
            } catch (Throwable fault) {
                atFault(fault);
            }
        });
    }

    /** A callback of the app's has, which ends the request. */
    private void crashed() {
        state.set(State.OVER);
        hop.exchange.onFailure(Failure.CANCELLED);
        hop.exchange.end();
    }

    private void connected(Channel open, InetSocketAddress address, NettyConnectListener<?> listener) {
        if (!state.compareAndSet(State.CONNECTING, State.SENDING)) {
            open.close();
            return;
        }
        try {
            hop.handler.onTcpConnectSuccess(address, open);
        } catch (Exception appsOwn) {
            crashed();
            listener.onFailure(open, appsOwn);
            return;
        }
        OnChannel.of(open).begin(this);
        listener.onSuccess(open, address);
    }

    private void notConnected(Channel closed, InetSocketAddress address, Throwable cause, NettyConnectListener<?> listener) {
        Throwable failure = limited ? new ConnectTimeoutException("connection timed out: " + address) : cause;
        try {
            hop.handler.onTcpConnectFailure(address, failure);
        } catch (Exception appsOwn) {
            crashed();
            listener.onFailure(closed, appsOwn);
            return;
        }
        if (state.compareAndSet(State.CONNECTING, State.OVER)) {
            hop.failed(Failure.CONNECT, () -> listener.onFailure(closed, failure));
        }
    }

    // From the channel's handler, in its event loop.

    boolean isUnanswered() {
        return state.get() == State.SENDING;
    }

    boolean isDropped() {
        return state.get() == State.DROPPED;
    }

    /** @return false: it is too late, nothing is to be sent */
    boolean begins() {
        return hop.exchange.connected();
    }

    /** @param end of the request: its last part is about to be written */
    void ends(ChannelFuture end) {
        written = end;
        if (hop.exchange.awaitsEndOfRequest()) {
            end.addListener(result -> {
                if (result.isSuccess() && state.get() != State.DROPPED && state.get() != State.OVER) {
                    hop.exchange.requestSent();
                }
            });
        }
    }

    /** @param tell what lets the library know, unless the mesh tries again */
    void broke(Runnable tell) {
        if (!state.compareAndSet(State.SENDING, State.OVER)) {
            tell.run();
            return;
        }
        if (isDiscarded()) {
            hop.failed(hop.failureOfPatience(), tell);
            return;
        }
        Object before = Channels.getAttribute(channel);
        // Whatever else comes from that channel is nobody's business.
        Channels.setDiscard(channel);
        hop.failed(Failure.RESET, () -> {
            Channels.setAttribute(channel, before);
            tell.run();
        });
    }

    /** By the library, for the app. */
    private boolean isDiscarded() {
        return Channels.getAttribute(channel) == DiscardEvent.DISCARD;
    }

    /** @return true: the response is to be dropped */
    boolean responds(HttpResponse response) {
        if (state.get() != State.SENDING) {
            return false;
        }
        boolean again = hop.exchange.onResponse(response.status().code(), NettyHeaders.view(response.headers())) && !hop.future.isDone();
        state.set(again ? State.DROPPED : State.DELIVERED);
        if (again) {
            reusable = written != null && written.isSuccess() && hop.keepsAlive(channel, response);
        } else {
            new NettyHeaders(response.headers()).changeResponse(hop.exchange.responseChanges());
        }
        return again;
    }

    /** Whether it is worth waiting for the end of the dropped response. */
    boolean isReusable() {
        return reusable;
    }

    /** The dropped response is over, or its connection is. */
    void dropped() {
        if (state.compareAndSet(State.DROPPED, State.OVER)) {
            hop.again();
        }
    }

    /** All of the response has come. */
    void completed() {
        if (state.compareAndSet(State.DELIVERED, State.OVER)) {
            hop.exchange.end();
        }
    }

    /** The delivered response will have no end. */
    void gone() {
        if (state.compareAndSet(State.DELIVERED, State.OVER)) {
            boolean byTheApp = hop.future.isDone() || isDiscarded();
            hop.exchange.onFailure(byTheApp ? Failure.CANCELLED : Failure.RESET);
            hop.exchange.end();
            if (limited) {
                hop.noRetry();
            }
        }
    }

    // From anywhere.

    @Override
    public void gaveUp(Failure failure) {
        if (state.compareAndSet(State.CONNECTING, State.OVER)) {
            hop.exchange.onFailure(failure);
            hop.exchange.end();
            Channel connecting = channel;
            if (connecting != null) {
                connecting.close();
            }
        }
    }

    @Override
    public void abort() {
        limited = true;
        Channel used = channel;
        if (used == null) {
            return;
        }
        // TLS would wait for what is yet to be written.
        ChannelHandlerContext tls = used.pipeline().context(EndpointInitializer.TLS);
        if (tls == null) {
            used.close();
        } else {
            tls.close();
        }
    }
}
