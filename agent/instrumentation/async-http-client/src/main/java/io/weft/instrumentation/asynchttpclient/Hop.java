package io.weft.instrumentation.asynchttpclient;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.util.NetUtil;
import io.weft.dataplane.Endpoint;
import io.weft.dataplane.Exchange.Failure;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Unsent;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.asynchttpclient.AsyncHandler;
import org.asynchttpclient.Request;
import org.asynchttpclient.channel.ChannelPool;
import org.asynchttpclient.channel.KeepAliveStrategy;
import org.asynchttpclient.exception.RemotelyClosedException;
import org.asynchttpclient.netty.NettyResponseFuture;
import org.asynchttpclient.netty.channel.ChannelManager;
import org.asynchttpclient.netty.channel.NettyConnectListener;
import org.asynchttpclient.netty.request.NettyRequestSender;

/**
 * The attempts at one hop of a request.
 *
 * <p>Thread rule: one attempt after the other, the first in the thread that sends the request, each further one in an event loop; from the
 * moment that an attempt has its channel, in the event loop of that. Who gives up in between, on any thread, ends what is under way, and
 * nobody says another word to the exchange.
 */
final class Hop {
    final Internals internals;
    final OutgoingRequest exchange;
    final NettyResponseFuture<?> future;
    final AsyncHandler<?> handler;
    final ChannelManager channels;
    final Pools pools;

    private final AdapterContext context;
    private final NettyRequestSender sender;
    private final Request request;
    private final Partitioning partitioning;
    private final KeepAliveStrategy keepAlive;

    private volatile Underway underway;
    private volatile boolean patienceOver;
    private boolean hasTimeouts;
    /** Where the attempt under way leads; null: nowhere. */
    private volatile Endpoint endpoint;
    /** The last that the library was given; null: none. */
    private volatile EndpointKey key;
    /** The channel of the hop before, which the library has left with the request; null: none. */
    private Channel left;

    Hop(
            AdapterContext context,
            Internals internals,
            Pools pools,
            OutgoingRequest exchange,
            NettyRequestSender sender,
            Request request,
            AsyncHandler<?> handler,
            NettyResponseFuture<?> future,
            Partitioning partitioning)
            throws Throwable {
        this.context = context;
        this.internals = internals;
        this.pools = pools;
        this.exchange = exchange;
        this.sender = sender;
        this.request = request;
        this.handler = handler;
        this.future = future;
        this.partitioning = partitioning;
        this.channels = internals.channels(sender);
        this.keepAlive = internals.config(sender).getKeepAliveStrategy();
    }

    /** The library sends the next hop by itself, but not over a connection of the mesh's. */
    static void letGoOf(Internals internals, NettyRequestSender sender, NettyResponseFuture<?> future) throws Throwable {
        Partitioning partitioning = future == null ? null : internals.partitioning(future);
        if (partitioning == null) {
            return;
        }
        partitioning.is(null);
        if (future.isReuseChannel() && OnChannel.of(future.channel()) != null) {
            internals.channels(sender).closeChannel(future.channel());
            future.attachChannel(null, false);
        }
    }

    void start() throws Throwable {
        takeLeftChannel();
        internals.forgetAddresses(future);
        partitioning.is(this);
        internals.scheduleTimeouts(sender, future, InetSocketAddress.createUnresolved(request.getUri().getHost(), request.getUri().getExplicitPort()));
        hasTimeouts = true;
        attempt();
    }

    private void takeLeftChannel() {
        if (!future.isReuseChannel()) {
            return;
        }
        Channel channel = future.channel();
        future.attachChannel(null, false);
        if (OnChannel.of(channel) != null) {
            left = channel;
        } else if (channel != null) {
            partitioning.is(null);
            channels.tryToOfferChannelToPool(channel, handler, future.isKeepAlive(), future.getPartitionKey());
        }
    }

    /** The app's patience is one for all attempts. */
    boolean hasTimeouts() {
        return hasTimeouts;
    }

    private void attempt() {
        if (future.isDone()) {
            exchange.end();
            return;
        }
        try {
            switch (exchange.next()) {
                case WAIT -> pause(exchange.backoffNanos());
                case REPLY -> reply();
                case DIAL -> {
                    if (exchange.attemptCount() > 1) {
                        renew();
                    }
                    dial();
                }
            }
        } catch (Throwable fault) {
            atFault(fault);
        }
    }

    /** What was sent is gone, and so are the marks that it has left. */
    private void renew() throws Throwable {
        future.attachChannel(null, false);
        internals.givePermitBack(future);
        internals.newRequest(sender, request, handler, future);
        future.setHeadersAlreadyWrittenOnContinue(false);
        writeBodyAsEver();
        exchange.isSentAs(future.getNettyRequest().getHttpRequest());
    }

    /** As the library has it when a request begins. */
    void writeBodyAsEver() {
        future.setDontWriteBodyBecauseExpectContinue(
                HttpHeaderValues.CONTINUE.contentEqualsIgnoreCase(request.getHeaders().get(HttpHeaderNames.EXPECT)));
    }

    private void dial() throws Throwable {
        Endpoint to = exchange.endpoint();
        endpoint = to;
        Attempt attempt = new Attempt(this, to);
        if (!begins(attempt)) {
            return;
        }
        Channel open = open(to);
        if (open != null) {
            attempt.uses(open);
            return;
        }
        Channel inTheWay = elsewhere();
        if (inTheWay == null) {
            internals.sendWithNewChannel(sender, request, future, handler);
            return;
        }
        channels.closeChannel(inTheWay);
        // What it holds of the app's limit it gives back with its end, before this.
        inTheWay.closeFuture().addListener(closed -> connectInstead());
    }

    private void connectInstead() {
        if (future.isDone()) {
            return;
        }
        try {
            internals.sendWithNewChannel(sender, request, future, handler);
        } catch (Throwable fault) {
            atFault(fault);
        }
    }

    /**
     * An idle connection to another endpoint of the host's, where the app has as many connections as it wants to have: for the library,
     * which knows one address of the host, it would be the one to be used. Null: there is room, or no such connection.
     */
    private Channel elsewhere() throws Throwable {
        int most = internals.config(sender).getMaxConnections();
        if (most <= 0 || channels.getClientStats().getTotalConnectionCount() < most) {
            return null;
        }
        EndpointKey own = (EndpointKey) future.getPartitionKey();
        List<EndpointKey> others = new ArrayList<>();
        ChannelPool pool = channels.getChannelPool();
        // Closes none.
        pool.flushPartitions(key -> {
            if (key instanceof EndpointKey other && other.isBeside(own)) {
                others.add(other);
            }
            return false;
        });
        for (EndpointKey other : others) {
            Channel idle = pool.poll(other);
            if (idle != null) {
                return idle;
            }
        }
        return null;
    }

    /** Whether it is a connection that is asked for, and not the mesh's own answer. */
    boolean connects() {
        return endpoint != null;
    }

    /** A connection that is kept, and is the caller's now. Null: there is none. */
    private Channel open(Endpoint to) {
        try {
            handler.onConnectionPoolAttempt();
        } catch (Exception appsOwn) {
            context.warn("async-http-client: a handler's onConnectionPoolAttempt has failed: " + appsOwn);
        }
        if (left != null) {
            Channel channel = left;
            left = null;
            if (OnChannel.of(channel).leadsTo(to)) {
                if (isGood(channel, to)) {
                    return channel;
                }
                channels.closeChannel(channel);
            } else {
                giveBack(channel);
            }
        }
        ChannelPool pool = channels.getChannelPool();
        Object key = future.getPartitionKey();
        for (Channel channel = pool.poll(key); channel != null; channel = pool.poll(key)) {
            if (isGood(channel, to)) {
                return channel;
            }
            channels.closeChannel(channel);
        }
        return null;
    }

    private static boolean isGood(Channel channel, Endpoint to) {
        OnChannel onChannel = OnChannel.of(channel);
        return channel.isActive() && onChannel != null && onChannel.leadsTo(to) && onChannel.lease();
    }

    /** That of a response which the library knows nothing of. In its event loop, with the attempt under way that it was of. */
    void offer(Channel channel) {
        channels.tryToOfferChannelToPool(channel, handler, true, future.getPartitionKey());
    }

    /** As the app sees it. */
    boolean keepsAlive(Channel channel, HttpResponse response) {
        return keepAlive.keepAlive(
                (InetSocketAddress) channel.remoteAddress(), future.getTargetRequest(), future.getNettyRequest().getHttpRequest(), response);
    }

    /** To the pool, under the key of the endpoint that it leads to. */
    private void giveBack(Channel channel) {
        Endpoint current = endpoint;
        endpoint = OnChannel.of(channel).endpoint();
        offer(channel);
        endpoint = current;
    }

    /** In the event loop of a channel that was of the pool. */
    void sendOver(Channel channel) throws Throwable {
        internals.sendWithOpenChannel(sender, future, handler, channel);
    }

    private void reply() throws Throwable {
        exchange.end();
        endpoint = null;
        future.attachChannel(null, false);
        internals.givePermitBack(future);
        internals.newRequest(sender, request, handler, future);
        future.setHeadersAlreadyWrittenOnContinue(false);
        // Nobody wants the body, which may be gone.
        future.setDontWriteBodyBecauseExpectContinue(true);
        if (begins(new Reply(this, exchange.reply()))) {
            internals.sendWithNewChannel(sender, request, future, handler);
        }
    }

    /** Whatever is at fault here, the library must not connect by itself. */
    void connect(Bootstrap apps, NettyConnectListener<?> listener) {
        try {
            underway.connect(apps, listener);
        } catch (Throwable fault) {
            atFault(fault);
        }
    }

    /** @return false: somebody has given up */
    private boolean begins(Underway next) {
        underway = next;
        if (future.isDone()) {
            next.gaveUp(failureOfPatience());
            return false;
        }
        return true;
    }

    Failure failureOfPatience() {
        return patienceOver ? Failure.TIMEOUT : Failure.CANCELLED;
    }

    private EventLoop loop() {
        return channels.getEventLoopGroup().next();
    }

    private void pause(long nanos) {
        Pause pause = new Pause();
        if (!begins(pause)) {
            return;
        }
        try {
            // A client that is closed drops what its event loops have scheduled.
            loop().schedule(pause, nanos, TimeUnit.NANOSECONDS).addListener(scheduled -> {
                if (scheduled.isCancelled()) {
                    pause.closed();
                }
            });
        } catch (RejectedExecutionException closed) {
            pause.closed();
        }
    }

    /** Nobody else is at it any more: after {@link #exchange} has said that there is something to do next. */
    void again() {
        pause(exchange.backoffNanos());
    }

    /** Between two attempts. */
    private final class Pause extends AtomicBoolean implements Underway, Runnable {
        @Override
        public void run() {
            if (compareAndSet(false, true)) {
                attempt();
            }
        }

        @Override
        public void gaveUp(Failure failure) {
            if (compareAndSet(false, true)) {
                exchange.onFailure(failure);
                exchange.end();
            }
        }

        /** The app's client is, of whose requests the library says no more than this. */
        private void closed() {
            gaveUp(Failure.CANCELLED);
            future.abort(RemotelyClosedException.INSTANCE);
        }
    }

    /** The channel is of no use, which is not the endpoint's fault. */
    void redial() {
        try {
            dial();
        } catch (Throwable fault) {
            atFault(fault);
        }
    }

    /** @param tell what lets the library know, and with it the app */
    void failed(Failure failure, Runnable tell) {
        boolean done = future.isDone() || sender.isClosed();
        if (exchange.onFailure(done ? failureOfPatience() : failure) && !done) {
            again();
            return;
        }
        boolean first = exchange.attemptCount() <= 1;
        exchange.end();
        if (!first) {
            noRetry();
        }
        tell.run();
    }

    /** The mesh has tried as often as policy allows, or has ended it: the library does not try again by itself. */
    void noRetry() {
        try {
            internals.noRetry(future);
        } catch (Throwable fault) {
            context.warn("async-http-client: the library may try once more: " + fault);
        }
    }

    void atFault(Throwable fault) {
        boolean openly = exchange.mayFailOpen() && exchange.attemptCount() <= 1 && !future.isDone();
        exchange.end();
        Underway at = underway;
        if (at != null) {
            at.gaveUp(Failure.CANCELLED);
        }
        context.warn("async-http-client: a request could not be sent by the mesh: " + fault);
        if (openly) {
            partitioning.leave();
            sender.sendNextRequest(request, cast(future));
        } else {
            future.abort(Unsent.because(fault));
        }
    }

    @SuppressWarnings("unchecked")
    private static NettyResponseFuture<Object> cast(NettyResponseFuture<?> future) {
        return (NettyResponseFuture<Object>) future;
    }

    /** In place of the library's key. */
    Object key(Object apps) {
        Endpoint to = endpoint;
        if (to == null || apps instanceof EndpointKey) {
            return apps;
        }
        EndpointKey last = key;
        if (last == null || !last.isFor(apps, to)) {
            last = new EndpointKey(apps, to);
            key = last;
        }
        return last;
    }

    /** To be called so by the library: as by the name in the app's URL. */
    InetSocketAddress address() {
        Endpoint to = endpoint;
        String host = request.getUri().getHost();
        if (to == null) {
            return InetSocketAddress.createUnresolved(host, request.getUri().getExplicitPort());
        }
        byte[] ip = to.address().getAddress().getAddress();
        boolean isName = host.indexOf(':') < 0 && !NetUtil.isValidIpV4Address(host);
        try {
            InetAddress named = isName ? InetAddress.getByAddress(host, ip) : InetAddress.getByAddress(ip);
            return new InetSocketAddress(named, to.address().getPort());
        } catch (UnknownHostException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    InetAddress localAddress() {
        return request.getLocalAddress();
    }

    /** The library is about to close the channel. */
    void aborting(boolean forPatience) {
        patienceOver |= forPatience;
    }

    void gaveUp(Failure failure) {
        patienceOver |= failure == Failure.TIMEOUT;
        Underway now = underway;
        if (now != null) {
            now.gaveUp(failure);
        }
    }

    void abort() {
        Underway now = underway;
        if (now != null) {
            now.abort();
        }
    }
}
