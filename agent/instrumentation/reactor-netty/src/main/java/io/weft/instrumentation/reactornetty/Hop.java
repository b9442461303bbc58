package io.weft.instrumentation.reactornetty;

import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.resolver.AddressResolverGroup;
import io.weft.dataplane.Endpoint;
import io.weft.dataplane.Exchange.Failure;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Handler;
import io.weft.instrumentation.Unsent;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiFunction;
import org.reactivestreams.Publisher;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Mono;
import reactor.netty.Connection;
import reactor.netty.ConnectionObserver;
import reactor.netty.NettyOutbound;
import reactor.netty.http.client.HttpClientConfig;
import reactor.netty.http.client.HttpClientRequest;
import reactor.netty.resources.ConnectionProvider;

/**
 * The attempts at one hop, which the library takes for a connection that it may dispose of.
 *
 * <p>Thread rule: one attempt after the other, each in the event loop of the one before, the first in the thread that subscribes. Who
 * gives up in between, on any thread, ends what is under way, and nobody says another word to the exchange.
 */
final class Hop implements Connection, Subscription {
    final Internals internals;
    final OutgoingRequest exchange;
    /** The library's own for this request. */
    final Object handler;

    /** Where the app's request would go. */
    private final InetSocketAddress apps;

    final HttpClientConfig config;
    final ConnectionObserver observer;
    private final AdapterContext context;
    private final Pools pools;
    private final ConnectionProvider provider;
    private final AddressResolverGroup<?> resolver;

    private CoreSubscriber<? super Connection> library;
    private volatile Underway underway;
    private volatile boolean cancelled;
    /** Of an attempt that may be made again. */
    private Sent sent;

    Hop(
            AdapterContext context,
            Internals internals,
            Pools pools,
            OutgoingRequest exchange,
            Object handler,
            ConnectionProvider provider,
            InetSocketAddress apps,
            HttpClientConfig config,
            ConnectionObserver observer,
            AddressResolverGroup<?> resolver) {
        this.context = context;
        this.internals = internals;
        this.pools = pools;
        this.exchange = exchange;
        this.handler = handler;
        this.provider = provider;
        this.apps = apps;
        this.config = config;
        this.observer = observer;
        this.resolver = resolver;
    }

    /** On the thread that subscribes. */
    void start(CoreSubscriber<? super Connection> library) {
        this.library = library;
        library.onSubscribe(this);
        // It may be disposed of from now on, and not only once there is a connection.
        library.onNext(this);
        if (!cancelled) {
            attempt();
        }
    }

    private void attempt() {
        try {
            switch (exchange.next()) {
                case WAIT -> pause(exchange.backoffNanos());
                case REPLY -> reply();
                case DIAL -> dial();
            }
        } catch (Throwable fault) {
            atFault(fault);
        }
    }

    private void dial() throws Throwable {
        Endpoint endpoint = exchange.endpoint();
        int connectMillis = (int) Math.max(1, Math.min(Integer.MAX_VALUE, TimeUnit.NANOSECONDS.toMillis(exchange.connectTimeoutNanos())));
        HttpClientConfig towards =
                internals.towards(config, pools.pipeline(config.doOnChannelInit(), endpoint, connectMillis), connectMillis);
        Attempt attempt = new Attempt(this, endpoint);
        if (begins(attempt)) {
            provider.acquire(towards, attempt, ReactorNettyAdapter.at(poolAddress(endpoint)), resolver).subscribe(attempt);
        }
    }

    /**
     * The library keys its pools by the name, too: what was secured in another way, or not at all, is never found. Without TLS it has
     * none, as if the app's URL were of an address.
     */
    private InetSocketAddress poolAddress(Endpoint endpoint) throws UnknownHostException {
        InetSocketAddress address = endpoint.address();
        byte[] ip = address.getAddress().getAddress();
        InetAddress named = endpoint.tls() == null ? InetAddress.getByAddress(ip) : InetAddress.getByAddress(endpoint.tls().id(), ip);
        return new PoolAddress(named, address.getPort(), apps);
    }

    private void reply() throws Throwable {
        over();
        Reply reply = new Reply(this, exchange.reply());
        if (begins(reply)) {
            reply.start(loop());
        }
    }

    /** @return false: the app has given up */
    private boolean begins(Underway next) {
        underway = next;
        if (cancelled) {
            next.cancel();
            return false;
        }
        return true;
    }

    private EventLoop loop() {
        Channel channel = channel();
        return channel != null ? channel.eventLoop() : config.loopResources().onClient(config.isPreferNative()).next();
    }

    private void pause(long nanos) {
        Pause pause = new Pause();
        EventLoop loop = loop();
        if (begins(pause)) {
            loop.schedule(pause, nanos, TimeUnit.NANOSECONDS);
        }
    }

    /** Nobody else is at it any more: after {@link #exchange} has said that there is something to do next. */
    void again() {
        long nanos = exchange.backoffNanos();
        if (nanos > 0) {
            pause(nanos);
            return;
        }
        Pause turn = new Pause();
        EventLoop loop = loop();
        if (begins(turn)) {
            // The library is not done with the connection of the last attempt, which may be the next one's.
            loop.execute(turn);
        }
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
        public void cancel() {
            if (compareAndSet(false, true)) {
                exchange.onFailure(Failure.CANCELLED);
                over();
            }
        }
    }

    /** Off the timer thread. */
    void elsewhere(Runnable task) {
        loop().execute(task);
    }

    /** The attempt could not get a connection that is good for it, which is not the endpoint's fault. */
    void redial() {
        loop().execute(() -> {
            try {
                dial();
            } catch (Throwable fault) {
                atFault(fault);
            }
        });
    }

    /** @param attempt null: it had no connection */
    void failed(Failure failure, Throwable cause, Attempt attempt) {
        if (exchange.onFailure(cancelled ? Failure.CANCELLED : failure) && !cancelled) {
            again();
            return;
        }
        boolean first = exchange.attemptCount() <= 1;
        over();
        if (cancelled) {
            return;
        }
        if (!first) {
            noRetry();
        }
        if (attempt == null) {
            library.onError(cause);
        } else {
            attempt.tell(cause);
        }
    }

    /** The mesh has tried as often as policy allows. */
    private void noRetry() {
        try {
            internals.noRetry(handler);
        } catch (Throwable fault) {
            context.warn("reactor-netty: the library may try once more: " + fault);
        }
    }

    /** Before a part of the request goes out. */
    void sends(Sent request) {
        if (sent != request) {
            forget();
            sent = request;
        }
        exchange.sends(request);
    }

    /** The request is not made again. */
    void forget() {
        if (sent != null) {
            sent.release();
            sent = null;
        }
    }

    void over() {
        exchange.end();
        forget();
    }

    private void atFault(Throwable fault) {
        boolean openly = exchange.mayFailOpen() && exchange.attemptCount() <= 1 && !cancelled;
        over();
        context.warn("reactor-netty: a request could not be sent by the mesh: " + fault);
        try {
            if (openly && internals.address(internals.target(handler)) instanceof InetSocketAddress address) {
                Unmeshed unmeshed = new Unmeshed(library, observer.currentContext());
                if (begins(unmeshed)) {
                    provider.acquire(config, observer, ReactorNettyAdapter.at(address), resolver).subscribe(unmeshed);
                }
                return;
            }
        } catch (Throwable further) {
            fault.addSuppressed(further);
        }
        library.onError(Unsent.because(fault));
    }

    /**
     * In place of {@code requestWithBody}: the app's callback is asked once, and what it has sent is sent again.
     *
     * @return a publisher, or {@link Handler#PROCEED}
     */
    Object request(Object asked, Object operations) throws Throwable {
        Sent request = sent;
        if (asked != handler || request == null || request.body() == null) {
            return Handler.PROCEED;
        }
        BiFunction<HttpClientRequest, NettyOutbound, Publisher<Void>> replay = (head, out) -> {
            head.requestHeaders().clear().add(request.headers());
            if (request.inParts()) {
                return out.then();
            }
            return request.body().isReadable()
                    ? out.send(Mono.fromSupplier(request.body()::retainedDuplicate))
                    : withoutBody(operations);
        };
        return internals.request(handler, config, operations, replay);
    }

    /** As if the app had no callback. */
    Object requestWithoutBody(Object asked, Object operations) throws Throwable {
        if (asked != handler) {
            return Handler.PROCEED;
        }
        BiFunction<HttpClientRequest, NettyOutbound, Publisher<Void>> nothing = (head, out) -> withoutBody(operations);
        return internals.request(handler, config, operations, nothing);
    }

    private Publisher<Void> withoutBody(Object operations) {
        try {
            return internals.sendWithoutBody(operations);
        } catch (Throwable fault) {
            return Mono.error(fault);
        }
    }

    void abort() {
        Underway now = underway;
        if (now != null) {
            now.abort();
        }
    }

    @Override
    public void dispose() {
        cancelled = true;
        Underway now = underway;
        if (now != null) {
            now.cancel();
        }
    }

    boolean isCancelled() {
        return cancelled;
    }

    @Override
    public Channel channel() {
        Underway now = underway;
        return now == null ? null : now.channel();
    }

    @Override
    public boolean isDisposed() {
        return cancelled;
    }

    @Override
    public void request(long connections) {}

    @Override
    public void cancel() {
        dispose();
    }
}
