package io.weft.instrumentation.jettyclient;

import io.weft.dataplane.Exchange;
import io.weft.dataplane.Exchange.Failure;
import io.weft.dataplane.LocalReply;
import io.weft.dataplane.ResponseChanges;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.ExchangeEnd;
import io.weft.instrumentation.Unsent;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.eclipse.jetty.client.HttpClient;
import org.eclipse.jetty.client.ProtocolHandler;
import org.eclipse.jetty.client.Request;
import org.eclipse.jetty.client.Result;
import org.eclipse.jetty.client.transport.HttpDestination;
import org.eclipse.jetty.client.transport.HttpExchange;
import org.eclipse.jetty.client.transport.HttpRequest;
import org.eclipse.jetty.client.transport.HttpResponse;
import org.eclipse.jetty.client.transport.ResponseListeners;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpVersion;
import org.eclipse.jetty.util.NanoTime;

/**
 * The attempts at one hop, in place of the app's exchange, which no connection ever sees.
 *
 * <p>Thread rule: one attempt after the other, each in the thread that completed the one before, the first in the app's; after a pause in
 * the client's executor. The app may give up at any time, on any thread.
 */
final class Hop {
    private static final String ATTRIBUTE = "io.weft.hop";
    private static final Object LEFT_ALONE = new Object();

    private final AdapterContext context;
    private final Internals internals;
    private final Destinations destinations;
    private final HttpDestination destination;
    private final HttpExchange apps;
    private final OutgoingRequest exchange;
    private final Runnable end;

    /** The app's; null: none. The request may have one of the library's once it goes out. */
    private final Request.Content body;

    private final AtomicReference<Throwable> aborted = new AtomicReference<>();

    /** The latest one. */
    private volatile Attempt attempt;

    /** Null: nobody waits. */
    private volatile Pause pause;

    /** Null: the mesh gives no response by itself. */
    private volatile LocalContent reply;

    private volatile boolean complete;
    private volatile boolean responseOver;
    // Each event of the request is told once, by whichever attempt comes so far first.
    private boolean queued;
    private boolean begun;
    private boolean atHeaders;
    private volatile boolean requestSucceeded;

    /** The first that got a connection; before it does, the library adds nothing to what it sends. Null: none has so far. */
    private Attempt connected;

    /** The one whose body the app's listeners see. Null: none has got so far. */
    private Attempt committed;

    Hop(
            AdapterContext context,
            Internals internals,
            Destinations destinations,
            HttpDestination destination,
            HttpExchange apps,
            OutgoingRequest exchange) {
        this.context = context;
        this.internals = internals;
        this.destinations = destinations;
        this.destination = destination;
        this.apps = apps;
        this.exchange = exchange;
        this.end = new ExchangeEnd(exchange);
        this.body = apps.getRequest().getBody();
    }

    /** Null: none has it. */
    static Hop of(HttpExchange apps) {
        return apps.getConversation().getAttribute(ATTRIBUTE) instanceof Hop hop && hop.apps == apps ? hop : null;
    }

    static boolean isLeftAlone(HttpExchange apps) {
        return apps.getConversation().getAttribute(ATTRIBUTE) == LEFT_ALONE;
    }

    HttpClient client() {
        return destination.getHttpClient();
    }

    HttpRequest app() {
        return apps.getRequest();
    }

    /** Null: none. */
    Request.Content body() {
        return body;
    }

    HttpResponse response() {
        return apps.getResponse();
    }

    /** Those of the whole conversation, and of the library's own handler where one has taken the response. */
    ResponseListeners listeners() {
        return apps.getConversation().getResponseListeners();
    }

    Exchange exchange() {
        return exchange;
    }

    void start() {
        exchange.drivenBy(this);
        apps.getConversation().setAttribute(ATTRIBUTE, this);
        attempt();
    }

    private void attempt() {
        try {
            Throwable given = app().getAbortCause();
            if (given != null) {
                giveUp(given);
                return;
            }
            switch (exchange.next()) {
                case WAIT -> pause(exchange.backoffNanos());
                case REPLY -> reply(exchange.reply());
                case DIAL -> dial();
            }
        } catch (Throwable fault) {
            atFault(fault);
        }
    }

    private void dial() {
        if (attempt != null && attempt.hasTouchedBody() && !body.rewind()) {
            throw new IllegalStateException("a body cannot be sent again");
        }
        EndpointKey key = destinations.key(exchange.endpoint());
        key.connectsWithin(exchange.connectTimeoutNanos());
        Attempt next = new Attempt(this, key.tag(app().getTag()), exchange.requestChanges());
        attempt = next;
        next.send();
        Throwable given = aborted.get();
        if (given != null) {
            next.abort(given);
        }
    }

    // From the attempts.

    void queued() {
        if (!queued) {
            queued = true;
            app().notifyQueued();
        }
    }

    void acquired(Attempt now) {
        if (connected == null) {
            connected = now;
        }
    }

    /** Whether what the library adds before it sends is to be the app's request's, as without the mesh. */
    boolean isFirstConnected(Attempt now) {
        return connected == now;
    }

    void begins(Attempt now) {
        try {
            internals.connection(now.request(), app());
        } catch (Throwable fault) {
            context.warn("the app's request does not know its connection: " + fault);
        }
        begun();
    }

    private void begun() {
        if (!begun) {
            begun = true;
            nameHost();
            app().notifyBegin();
        }
    }

    /** In the request of an app that names none the library has put the endpoint's, of the attempt that had a connection first. */
    private void nameHost() {
        if (connected != null && app().getHeaders().getField(HttpHeader.HOST) == connected.hostField()) {
            app().headers(headers -> headers.put(destination.getHostField()));
        }
    }

    void headers() {
        if (!atHeaders) {
            atHeaders = true;
            app().notifyHeaders();
        }
    }

    void commits(Attempt now) {
        if (committed == null) {
            committed = now;
            app().notifyCommit();
        }
    }

    void content(Attempt now, ByteBuffer content) {
        if (committed == now) {
            app().notifyContent(content);
        }
    }

    void requestSucceeded() {
        if (!requestSucceeded) {
            requestSucceeded = true;
            apps.requestComplete(null);
            app().notifySuccess();
        }
    }

    boolean hasRequestSucceeded() {
        return requestSucceeded;
    }

    boolean isAborted() {
        return aborted.get() != null;
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

    void failed(Failure failure, Result result) {
        if (exchange.onFailure(failure) && !isAborted()) {
            again();
            return;
        }
        over();
        fail(result.getRequestFailure(), result.getFailure());
    }

    /** Nothing more is to be said to the exchange. */
    void over() {
        end.run();
    }

    private void pause(long nanos) {
        Pause next = new Pause();
        pause = next;
        long patience = patienceNanos();
        // Not the client's scheduler, which forgets what it has when the client is stopped.
        CompletableFuture.delayedExecutor(Math.min(patience, nanos), TimeUnit.NANOSECONDS, this::elsewhere)
                .execute(patience <= nanos ? next::outlived : next::over);
        Throwable given = aborted.get();
        if (given != null) {
            next.giveUp(given);
        }
    }

    /** Of the app's with this request, from now on; the library keeps the time of what it sends, and a pause is none of that. */
    private long patienceNanos() {
        long end = app().getTimeoutNanoTime();
        return end == Long.MAX_VALUE ? Long.MAX_VALUE : Math.max(0, NanoTime.until(end));
    }

    /** Between two attempts. */
    private final class Pause extends AtomicBoolean {
        void over() {
            if (!compareAndSet(false, true)) {
                return;
            }
            pause = null;
            if (client().isRunning()) {
                attempt();
            } else {
                Hop.this.giveUp(new RejectedExecutionException(client() + " is stopped"));
            }
        }

        /** By the app's patience. What follows is what the library does when the time of a request is over. */
        void outlived() {
            if (!get()) {
                app().abort(new TimeoutException("Total timeout " + app().getTimeout() + " ms elapsed"));
            }
        }

        void giveUp(Throwable cause) {
            if (compareAndSet(false, true)) {
                Hop.this.giveUp(cause);
            }
        }
    }

    private void elsewhere(Runnable task) {
        try {
            client().getExecutor().execute(task);
        } catch (RejectedExecutionException stopped) {
            task.run();
        }
    }

    private void giveUp(Throwable cause) {
        exchange.onFailure(Failure.CANCELLED);
        over();
        fail(cause, cause);
    }

    private void atFault(Throwable fault) {
        boolean openly = exchange.mayFailOpen() && attempt == null;
        over();
        context.warn("a request could not be sent by the mesh: " + fault);
        if (openly) {
            apps.getConversation().setAttribute(ATTRIBUTE, LEFT_ALONE);
            destination.send(apps);
            return;
        }
        ConnectException failure = Unsent.because(fault);
        fail(failure, failure);
    }

    /** By the mesh's time limits, on the timer thread, which must not run what waits for the attempt. */
    void endAttempt() {
        Attempt now = attempt;
        if (now != null) {
            elsewhere(() -> now.abort(now.ended()));
        }
    }

    /** By the app. @return whether there was something to give up */
    boolean abort(Throwable cause) {
        if (complete || responseOver && requestSucceeded || !aborted.compareAndSet(null, cause)) {
            return false;
        }
        Pause waiting = pause;
        if (waiting != null) {
            waiting.giveUp(cause);
        }
        Attempt now = attempt;
        if (now != null) {
            now.abort(cause);
        }
        LocalContent own = reply;
        if (own != null) {
            own.fail(cause);
            fail(null, cause);
        }
        return true;
    }

    // To the app's exchange, as the library tells it of what it receives.

    /**
     * @param handled whether the library's own handlers may take the response, as those for redirects
     * @param then done between the headers one by one and all of them
     */
    void head(List<HttpField> received, boolean handled, Runnable then) {
        HttpResponse response = response();
        ProtocolHandler handler = handled ? client().getProtocolHandlers().find(app(), response) : null;
        apps.getConversation().updateResponseListeners(handler == null ? null : handler.getResponseListener());
        ResponseListeners listeners = listeners();
        listeners.notifyBegin(response);
        for (HttpField field : changed(received)) {
            if (listeners.notifyHeader(response, field)) {
                response.addHeader(field);
                store(field);
            }
        }
        then.run();
        listeners.notifyHeaders(response);
    }

    private Iterable<HttpField> changed(List<HttpField> received) {
        ResponseChanges changes = exchange.responseChanges();
        if (changes.isEmpty()) {
            return received;
        }
        HttpFields.Mutable edited = HttpFields.build();
        received.forEach(edited::add);
        new JettyHeaders(edited).changeResponse(changes);
        return edited;
    }

    private void store(HttpField field) {
        if (field.getHeader() == HttpHeader.SET_COOKIE || field.getHeader() == HttpHeader.SET_COOKIE2) {
            URI uri = app().getURI();
            if (uri != null) {
                client().putCookie(uri, field);
            }
        }
    }

    boolean responseComplete(Throwable failure) {
        responseOver = true;
        return apps.responseComplete(failure);
    }

    /** After the end of the response. */
    void complete(Throwable requestFailure) {
        complete = true;
        if (requestFailure != null) {
            failBody(requestFailure);
        }
        if (apps.requestComplete(requestFailure) && requestFailure != null && !requestSucceeded) {
            app().notifyFailure(requestFailure);
        }
        apps.terminateRequest();
        Result result = apps.terminateResponse();
        if (result != null) {
            listeners().notifyComplete(result);
        }
    }

    /** Whoever provides it may be waiting for a reader. */
    private void failBody(Throwable failure) {
        if (body != null) {
            body.fail(failure);
        }
    }

    private void fail(Throwable requestFailure, Throwable responseFailure) {
        if (apps.responseComplete(responseFailure)) {
            if (requestFailure != null && !requestSucceeded && apps.requestComplete(requestFailure)) {
                app().notifyFailure(requestFailure);
            }
            listeners().notifyFailure(response(), responseFailure);
        }
        complete(requestFailure);
    }

    private void reply(LocalReply reply) {
        over();
        queued();
        begun();
        headers();
        if (committed == null) {
            app().notifyCommit();
        }
        if (!requestSucceeded) {
            failBody(new IOException("the mesh has answered the request"));
            requestSucceeded();
        }
        response().version(HttpVersion.HTTP_1_1).status(reply.status()).reason(reply.reason());
        boolean bodiless = app().getMethod().equals("HEAD") || reply.status() == 204 || reply.status() == 304;
        List<HttpField> fields = new ArrayList<>();
        for (Map.Entry<String, String> header : reply.headers()) {
            fields.add(new HttpField(header.getKey(), header.getValue()));
        }
        if (reply.status() != 204 && reply.header("content-length") == null) {
            fields.add(new HttpField(HttpHeader.CONTENT_LENGTH, Integer.toString(reply.body().length)));
        }
        LocalContent content = new LocalContent(bodiless ? new byte[0] : reply.body(), client().getExecutor(), this::replied);
        this.reply = content;
        head(fields, true, () -> {});
        listeners().notifyContentSource(response(), content);
        content.given();
    }

    private void replied() {
        if (responseComplete(null)) {
            listeners().notifySuccess(response());
            complete(null);
        }
    }
}
