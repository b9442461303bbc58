package io.weft.instrumentation.apachehttpclient5;

import io.weft.dataplane.ClientTls;
import io.weft.dataplane.Exchange.Failure;
import io.weft.dataplane.LocalReply;
import io.weft.dataplane.RequestChanges;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.AsyncThreads;
import io.weft.instrumentation.ExchangeEnd;
import io.weft.instrumentation.Unsent;
import java.io.IOException;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.hc.client5.http.async.AsyncExecChain;
import org.apache.hc.client5.http.async.AsyncExecRuntime;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.EntityDetails;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.http.HttpRequest;
import org.apache.hc.core5.http.HttpVersion;
import org.apache.hc.core5.http.impl.BasicEntityDetails;
import org.apache.hc.core5.http.impl.EnglishReasonPhraseCatalog;
import org.apache.hc.core5.http.message.BasicHttpRequest;
import org.apache.hc.core5.http.message.BasicHttpResponse;
import org.apache.hc.core5.http.nio.AsyncClientExchangeHandler;
import org.apache.hc.core5.http.nio.AsyncEntityProducer;
import org.apache.hc.core5.reactor.IOSession;

/**
 * The attempts at one hop, which to the library are one message exchange.
 *
 * <p>Thread rule: one attempt after the other, each in the thread that completed the one before, the first in the app's; after a pause in
 * one of the adapter's own. The app may give up at any time, on any thread.
 */
final class AsyncHop {
    static final AsyncThreads THREADS = new AsyncThreads("weft-apache-async", AsyncExecChain.class.getClassLoader());

    private final AdapterContext context;
    private final AsyncDialing dialing;
    private final AsyncExecChain.Scope scope;
    private final AsyncInternals internals;
    private final String id;

    /** The library's own, which is told of the one exchange that there is for it. */
    private final AsyncClientExchangeHandler handler;

    private final AsyncEntityProducer body;
    private final boolean http2Alone;

    private HttpRequest request;
    private EntityDetails details;

    /** The request's before the library has added those of the first connection. */
    private Header[] headers;

    private AsyncRequest exchange;

    /** Null: no policy names what the request turned out to be. */
    private volatile Runnable end;

    private volatile boolean cancelled;
    private volatile AsyncAttempt attempt;

    /** Null: nobody waits. */
    private volatile Pause pause;

    private volatile boolean answeredByMesh;

    /** What comes now, comes to whoever has asked the client to send the request and is still at it. */
    private boolean within;

    /** @param body of the app's; null: none */
    AsyncHop(
            AdapterContext context,
            AsyncInternals internals,
            AsyncDialing dialing,
            AsyncExecChain.Scope scope,
            String id,
            AsyncClientExchangeHandler handler,
            AsyncEntityProducer body) {
        this.context = context;
        this.internals = internals;
        this.dialing = dialing;
        this.scope = scope;
        this.id = id;
        this.handler = handler;
        this.body = body;
        this.http2Alone = internals.speaksHttp2Alone(scope.execRuntime);
    }

    /** The app's client speaks nothing else. */
    boolean speaksHttp2Alone() {
        return http2Alone;
    }

    /** Of a client that speaks HTTP/2 alone: whether the connection that its pool has given is secured. */
    boolean isHttp2Secured() {
        IOSession session = internals.http2Session(connections());
        return session != null && dialing.isSecured(session);
    }

    String id() {
        return id;
    }

    AsyncInternals internals() {
        return internals;
    }

    AsyncDialing dialing() {
        return dialing;
    }

    AsyncExecChain.Scope scope() {
        return scope;
    }

    AsyncExecRuntime connections() {
        return scope.execRuntime;
    }

    AsyncClientExchangeHandler handler() {
        return handler;
    }

    AsyncEntityProducer body() {
        return body;
    }

    EntityDetails details() {
        return details;
    }

    HttpRequest request() {
        return request;
    }

    /**
     * Another message than the app's own has gone out: the app sees its own, with what the library has added for the connection.
     *
     * @param known how many headers it had before
     */
    void sees(HttpRequest wire, int known) {
        Header[] sent = wire.getHeaders();
        for (int i = known; i < sent.length; i++) {
            if (!request.containsHeader(sent[i].getName())) {
                request.addHeader(sent[i]);
            }
        }
        internals.request(scope.clientContext, request);
    }

    AsyncRequest exchange() {
        return exchange;
    }

    boolean isCancelled() {
        return cancelled;
    }

    boolean isAnsweredByMesh() {
        return answeredByMesh;
    }

    /** Of the latest attempt; null: plaintext. */
    ClientTls tls() {
        AsyncAttempt latest = attempt;
        return latest == null ? null : latest.tls();
    }

    void start() {
        if (http2Alone) {
            // as the library does once it has a connection, by which it tells what headers there are
            scope.clientContext.setProtocolVersion(HttpVersion.HTTP_2);
        }
        try {
            handler.produceRequest(
                    (request, details, context) -> {
                        this.request = request;
                        this.details = details;
                    },
                    scope.clientContext);
        } catch (HttpException | IOException | RuntimeException appsFault) {
            handler.failed(appsFault);
            return;
        }
        try {
            headers = request.getHeaders();
            exchange = new AsyncRequest(request, body, scope.route, internals);
            if (!context.outbound().claims(exchange)) {
                sendWithoutMesh();
                return;
            }
            exchange.drivenBy(this);
            end = new ExchangeEnd(exchange);
        } catch (Throwable fault) {
            atFault(fault);
            return;
        }
        within = true;
        attempt();
        within = false;
    }

    private void sendWithoutMesh() {
        AsyncAttempt only = new AsyncAttempt(this, null, request);
        attempt = only;
        only.start();
        if (cancelled) {
            only.giveUp();
        }
    }

    private void attempt() {
        try {
            if (cancelled) {
                giveUp();
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

    private void dial() {
        if (attempt != null && attempt.hasTouchedBody()) {
            if (!body.isRepeatable()) {
                throw new IllegalStateException("a body cannot be sent again");
            }
            // from the beginning again
            body.releaseResources();
        }
        AsyncAttempt next = new AsyncAttempt(this, exchange.endpoint(), wire(exchange.requestChanges()));
        attempt = next;
        next.start();
        if (cancelled) {
            next.giveUp();
        }
    }

    private HttpRequest wire(RequestChanges changes) {
        if (attempt == null && changes.equals(RequestChanges.NONE)) {
            return request;
        }
        return WireHead.of(
                new BasicHttpRequest(request.getMethod(), (HttpHost) null, WireHead.path(request, changes)), request, headers, changes);
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
        if (end != null && exchange.onFailure(failure) && !cancelled) {
            again();
            return;
        }
        over();
        if (cancelled) {
            handler.cancel();
        } else {
            handler.failed(cause);
        }
    }

    /** Nothing more is to be said to the exchange. */
    void over() {
        Runnable ends = end;
        if (ends != null) {
            ends.run();
        }
    }

    private void giveUp() {
        over();
        handler.cancel();
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
                AsyncHop.this.giveUp();
            }
        }
    }

    /** By the app, through the library. @return whether there was something to cancel */
    boolean cancel() {
        if (cancelled) {
            return false;
        }
        cancelled = true;
        Pause waiting = pause;
        if (waiting != null) {
            waiting.giveUp();
        }
        AsyncAttempt underWay = attempt;
        if (underWay != null) {
            underWay.giveUp();
        }
        return true;
    }

    /** By the mesh's time limits, on the timer thread, which must not run what waits for the attempt. */
    void endAttempt() {
        AsyncAttempt underWay = attempt;
        if (underWay != null) {
            THREADS.execute(underWay::end);
        }
    }

    private void atFault(Throwable fault) {
        boolean openly = exchange != null && exchange.mayFailOpen() && attempt == null && !cancelled;
        over();
        end = null;
        context.warn("apache-httpclient5: a request could not be sent by the mesh: " + fault);
        if (openly) {
            sendWithoutMesh();
        } else {
            handler.failed(Unsent.because(fault));
        }
    }

    private void reply() {
        LocalReply reply = exchange.reply();
        over();
        answeredByMesh = true;
        if (within) {
            // The app has no future yet, and might wait for it with what it does with the response.
            THREADS.execute(() -> answer(reply));
        } else {
            answer(reply);
        }
    }

    private void answer(LocalReply reply) {
        BasicHttpResponse response =
                WireHead.of(new BasicHttpResponse(reply.status(), EnglishReasonPhraseCatalog.INSTANCE, Locale.ROOT), reply);
        scope.clientContext.setProtocolVersion(http2Alone ? HttpVersion.HTTP_2 : HttpVersion.HTTP_1_1);
        boolean hasBody = WireHead.hasBody(reply, request.getMethod());
        EntityDetails described = hasBody
                ? new BasicEntityDetails(reply.body().length, ContentType.parseLenient(MessageHeaders.joined(response, "content-type")))
                : null;
        try {
            tellSent();
            handler.consumeResponse(response, described, scope.clientContext);
            if (hasBody) {
                new LocalBody(handler, reply.body()).start();
            } else {
                handler.releaseResources();
            }
        } catch (HttpException | IOException | RuntimeException appsFault) {
            handler.failed(appsFault);
            handler.releaseResources();
        }
    }

    /** The library has counted on the end of the body. */
    void tellSent() throws IOException {
        if (body != null) {
            handler.produce(Nowhere.INSTANCE);
        }
    }
}
