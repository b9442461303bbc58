package io.weft.instrumentation.apachehttpclient4;

import io.weft.dataplane.Exchange.Failure;
import io.weft.dataplane.Exchange.Replay;
import io.weft.dataplane.LocalReply;
import io.weft.dataplane.RequestChanges;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.AsyncThreads;
import io.weft.instrumentation.ExchangeEnd;
import io.weft.instrumentation.Unsent;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.http.HttpException;
import org.apache.http.HttpRequest;
import org.apache.http.HttpResponse;
import org.apache.http.auth.AuthState;
import org.apache.http.client.methods.HttpRequestWrapper;
import org.apache.http.client.protocol.HttpClientContext;
import org.apache.http.conn.routing.HttpRoute;
import org.apache.http.nio.conn.NHttpClientConnectionManager;
import org.apache.http.nio.protocol.HttpAsyncClientExchangeHandler;
import org.apache.http.nio.protocol.HttpAsyncRequestProducer;

/**
 * The attempts at one hop, which to the library are one message exchange.
 *
 * <p>Thread rule: one attempt after the other, each in the thread that completed the one before, the first in the app's; after a pause in
 * one of the adapter's own. The app may give up at any time, on any thread.
 */
final class AsyncHop {
    private static final AsyncThreads THREADS =
            new AsyncThreads("weft-apache-async", HttpAsyncClientExchangeHandler.class.getClassLoader());

    private final AdapterContext context;
    private final AsyncInternals internals;

    /** The library's own, which is told of the one exchange that there is for it. */
    private final HttpAsyncClientExchangeHandler handler;

    private final AsyncRequest exchange;
    private final HttpRoute route;
    private final NHttpClientConnectionManager connections;
    private final HttpClientContext clientContext;
    private final HttpAsyncRequestProducer producer;
    private final HttpRequestWrapper request;
    private final AsyncConnection connection;
    private final Runnable end;

    /** The first attempt whose request has gone out tells the app. */
    private final AtomicBoolean toldSent = new AtomicBoolean();

    private volatile boolean cancelled;
    private volatile boolean leftAlone;
    private volatile AsyncAttempt attempt;

    /** Null: nobody waits. */
    private volatile Pause pause;

    /** What comes now, comes to whoever has asked the client to send the request and is still at it. */
    private boolean within;

    AsyncHop(
            AdapterContext context,
            AsyncInternals internals,
            HttpAsyncClientExchangeHandler handler,
            AsyncRequest exchange,
            HttpRoute route)
            throws Throwable {
        this.context = context;
        this.internals = internals;
        this.handler = handler;
        this.exchange = exchange;
        this.route = route;
        connections = internals.connections(handler);
        clientContext = internals.context(handler);
        producer = internals.producer(handler);
        request = internals.request(handler);
        connection = new AsyncConnection(this);
        end = new ExchangeEnd(exchange);
    }

    HttpAsyncClientExchangeHandler handler() {
        return handler;
    }

    AsyncRequest exchange() {
        return exchange;
    }

    /** The app's own. */
    HttpRoute route() {
        return route;
    }

    EndpointRoutes routes() {
        return internals.routes();
    }

    NHttpClientConnectionManager connections() {
        return connections;
    }

    HttpClientContext clientContext() {
        return clientContext;
    }

    /** Whether the next attempt may begin with a body that this one is in the middle of. */
    boolean mayResend() {
        return exchange.replay() == Replay.REPEATABLE;
    }

    AsyncConnection connection() {
        return connection;
    }

    boolean isCancelled() {
        return cancelled;
    }

    /** The library is to send the request by itself. */
    boolean isLeftAlone() {
        return leftAlone;
    }

    /** Null: none yet. */
    AsyncAttempt latest() {
        return attempt;
    }

    void start() {
        exchange.drivenBy(this);
        try {
            internals.give(handler, connection);
            if (internals.isClosed(handler)) {
                internals.take(handler);
                discard();
                return;
            }
            // Completes it, with credentials.
            handler.generateRequest();
        } catch (HttpException | IOException | RuntimeException appsFault) {
            over();
            handler.failed(appsFault);
            return;
        } catch (Throwable fault) {
            atFault(fault);
            return;
        }
        within = true;
        attempt();
        within = false;
    }

    private void attempt() {
        try {
            if (cancelled) {
                over();
                return;
            }
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
        if (attempt != null && attempt.hasTouchedBody()) {
            if (!producer.isRepeatable()) {
                throw new IllegalStateException("a body cannot be sent again");
            }
            internals.reset(producer);
        }
        begin(new AsyncAttempt(this, exchange.endpoint(), wire(exchange.requestChanges())));
    }

    private void begin(AsyncAttempt next) {
        attempt = next;
        next.start();
        if (cancelled) {
            next.giveUp();
        }
    }

    private HttpRequest wire(RequestChanges changes) {
        return changes.equals(RequestChanges.NONE) ? request : WireHead.of(request, changes, OutgoingRequest.entity(request));
    }

    /** There is something to do next. */
    void again() {
        long nanos = exchange.backoffNanos();
        if (nanos > 0) {
            pause(nanos);
        } else {
            attempt();
        }
    }

    /** An attempt has come to nothing, and has no connection any more. */
    void failed(Failure failure, Exception cause) {
        if (exchange.onFailure(failure) && !cancelled) {
            again();
            return;
        }
        over();
        handler.failed(cause);
    }

    /** Nothing more is to be said to the exchange. */
    void over() {
        end.run();
    }

    private void pause(long nanos) {
        Pause next = new Pause();
        pause = next;
        CompletableFuture.delayedExecutor(nanos, TimeUnit.NANOSECONDS, THREADS).execute(next::over);
        if (cancelled) {
            next.giveUp();
        }
    }

    /** Between two attempts. */
    private final class Pause extends AtomicBoolean {
        void over() {
            if (compareAndSet(false, true)) {
                pause = null;
                attempt();
            }
        }

        void giveUp() {
            if (compareAndSet(false, true)) {
                AsyncHop.this.over();
            }
        }
    }

    /** By the mesh's time limits, on the timer thread, which must not run what waits for the attempt. */
    void endAttempt() {
        AsyncAttempt underWay = attempt;
        if (underWay != null) {
            THREADS.execute(underWay::end);
        }
    }

    private void atFault(Throwable fault) {
        boolean openly = exchange.mayFailOpen() && attempt == null && !cancelled;
        over();
        context.warn("apache-httpclient4: a request could not be sent by the mesh: " + fault);
        if (!openly) {
            handler.failed(Unsent.because(fault));
            return;
        }
        leftAlone = true;
        ask();
    }

    private void ask() {
        try {
            internals.requestConnection(handler);
        } catch (RuntimeException | Error librarys) {
            throw librarys;
        } catch (Throwable fault) {
            throw new IllegalStateException(fault);
        }
    }

    // By the library.

    void tellSent() {
        if (toldSent.compareAndSet(false, true)) {
            handler.requestCompleted();
        }
    }

    /** Its exchange has done with the connection. */
    void release(Long validMillis) {
        AsyncAttempt last = attempt;
        if (last != null) {
            last.release(validMillis);
        }
        over();
    }

    /** It is given up, or over. From any thread. */
    void discard() {
        cancelled = true;
        Pause waiting = pause;
        if (waiting != null) {
            waiting.giveUp();
        }
        AsyncAttempt underWay = attempt;
        if (underWay != null) {
            underWay.giveUp();
        }
    }

    /** Another request of the same conversation is to go over the connection that is kept. */
    void goesOn() {
        AsyncAttempt last = attempt;
        if (isAuthenticated() && last != null && last.connection() != null) {
            begin(last.next());
            return;
        }
        try {
            release(internals.validMillis(handler));
        } catch (RuntimeException | Error librarys) {
            throw librarys;
        } catch (Throwable fault) {
            throw new IllegalStateException(fault);
        }
        ask();
    }

    /** NTLM and the like authenticate a connection: the next leg of the dialogue goes over the same one. */
    private boolean isAuthenticated() {
        AuthState state = clientContext.getTargetAuthState();
        return state != null && state.getAuthScheme() != null && state.getAuthScheme().isConnectionBased();
    }

    // The mesh's own answer.

    private void reply() {
        LocalReply reply = exchange.reply();
        over();
        if (within) {
            // The app has no future yet, and might wait for it with what it does with the response.
            THREADS.execute(() -> answer(reply));
        } else {
            answer(reply);
        }
    }

    private void answer(LocalReply reply) {
        HttpResponse response = WireHead.of(reply, request.getMethod());
        try {
            if (OutgoingRequest.entity(request) == null) {
                tellSent();
            }
            handler.responseReceived(response);
            if (response.getEntity() == null) {
                handler.responseCompleted();
            } else {
                new LocalBody(handler, this::isCancelled, THREADS, reply.body()).give();
            }
        } catch (HttpException | IOException | RuntimeException appsFault) {
            handler.failed(appsFault);
        }
    }
}
