package io.weft.instrumentation.jettyclientbefore12;

import io.weft.dataplane.Exchange;
import io.weft.dataplane.Exchange.Failure;
import io.weft.dataplane.LocalReply;
import io.weft.dataplane.ResponseChanges;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.ExchangeEnd;
import io.weft.instrumentation.Handler;
import io.weft.instrumentation.Unsent;
import java.io.IOException;
import java.net.ConnectException;
import java.net.CookieManager;
import java.net.CookiePolicy;
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
import java.util.function.LongConsumer;
import org.eclipse.jetty.client.HttpClient;
import org.eclipse.jetty.client.HttpDestination;
import org.eclipse.jetty.client.HttpExchange;
import org.eclipse.jetty.client.HttpRequest;
import org.eclipse.jetty.client.HttpResponse;
import org.eclipse.jetty.client.ProtocolHandler;
import org.eclipse.jetty.client.RequestNotifier;
import org.eclipse.jetty.client.ResponseNotifier;
import org.eclipse.jetty.client.api.Response;
import org.eclipse.jetty.client.api.Result;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpVersion;
import org.eclipse.jetty.util.Callback;

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

    /** The app's; null: none. Until its request goes out, when the library has one for it. */
    private final Object body;

    /** Whose call of the library's this is part of; null: it has returned. Means something to that thread only. */
    private Thread starting;

    /** To be thrown to it; null: nothing. */
    private RuntimeException thrown;

    private final AtomicReference<Throwable> aborted = new AtomicReference<>();

    /** The latest one. */
    private volatile Attempt attempt;

    /** Null: nobody waits. */
    private volatile Pause pause;

    /** The mesh gives the response by itself. */
    private volatile boolean replying;

    private volatile boolean complete;
    private volatile boolean responseOver;
    // Each event of the request is told once, by whichever attempt comes so far first.
    private boolean queued;
    private boolean begun;
    private boolean atHeaders;
    private volatile boolean requestSucceeded;

    /** The first that got a connection; before it does, the library adds nothing to what it sends. Null: none has so far. */
    private volatile Attempt connected;

    /** The one whose body the app's listeners see. Null: none has got so far. */
    private volatile Attempt committed;

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
        this.body = internals.content(apps.getRequest());
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
    Object body() {
        return body;
    }

    HttpResponse response() {
        return apps.getResponse();
    }

    /** Those of the whole conversation, and of the library's own handler where one has taken the response. */
    List<Response.ResponseListener> listeners() {
        return apps.getConversation().getResponseListeners();
    }

    /** Tells them of the response. */
    ResponseNotifier say() {
        return destination.getResponseNotifier();
    }

    /** Tells the app's other listeners of its request. */
    RequestNotifier tell() {
        return destination.getRequestNotifier();
    }

    Exchange exchange() {
        return exchange;
    }

    /** @return what the library is told in place of sending */
    Object start() {
        exchange.drivenBy(this);
        apps.getConversation().setAttribute(ATTRIBUTE, this);
        starting = Thread.currentThread();
        attempt();
        starting = null;
        return thrown == null ? null : new Handler.Thrown(thrown);
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

    private void dial() throws Throwable {
        EndpointKey key = destinations.key(exchange.endpoint());
        key.connectsWithin(exchange.connectTimeoutNanos());
        Attempt next = new Attempt(this, new MeshTag(key, app().getTag()), exchange.requestChanges(), internals);
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
            tell().notifyQueued(app());
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

    /** @param now that of the attempt that goes out */
    void begins(AttemptRequest now) {
        internals.connection(now, app());
        begins();
    }

    private void begins() {
        if (!begun) {
            begun = true;
            nameHost();
            internals.completeBody(app());
            tell().notifyBegin(app());
        }
    }

    /** In the request of an app that names none the library has put the endpoint's, of the attempt that had a connection first. */
    private void nameHost() {
        if (connected == null) {
            return;
        }
        for (HttpField field : Internals.fields(app())) {
            if (field == connected.hostField()) {
                internals.put(app().getHeaders(), destination.getHostField());
                return;
            }
        }
    }

    void headers() {
        if (!atHeaders) {
            atHeaders = true;
            tell().notifyHeaders(app());
        }
    }

    void commits(Attempt now) {
        if (committed == null) {
            committed = now;
            tell().notifyCommit(app());
        }
    }

    void content(Attempt now, ByteBuffer content) {
        if (committed == now) {
            tell().notifyContent(app(), content);
        }
    }

    void requestSucceeded() {
        if (!requestSucceeded) {
            requestSucceeded = true;
            apps.requestComplete(null);
            tell().notifySuccess(app());
        }
    }

    boolean isAborted() {
        return aborted.get() != null;
    }

    /** The library has thrown it to whoever has it send the attempt. */
    void thrown(RuntimeException librarys) {
        exchange.onFailure(Failure.CANCELLED);
        over();
        if (starting == Thread.currentThread()) {
            thrown = librarys;
        } else {
            fail(librarys, librarys);
        }
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
        long patience = internals.patienceNanos(app());
        // Not the client's scheduler, which forgets what it has when the client is stopped.
        CompletableFuture.delayedExecutor(Math.min(patience, nanos), TimeUnit.NANOSECONDS, this::elsewhere)
                .execute(patience <= nanos ? next::outlived : next::over);
        Throwable given = aborted.get();
        if (given != null) {
            next.giveUp(given);
        }
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
        failBody(cause);
        Pause waiting = pause;
        if (waiting != null) {
            waiting.giveUp(cause);
        }
        Attempt now = attempt;
        if (now != null) {
            now.abort(cause);
        }
        if (replying) {
            fail(null, cause);
        }
        return true;
    }

    // To the app's exchange, as the library tells it of what it receives.

    /** @param handled whether the library's own handlers may take the response, as those for redirects */
    void head(List<HttpField> received, boolean handled) {
        HttpResponse response = response();
        ProtocolHandler handler = handled ? client().getProtocolHandlers().find(app(), response) : null;
        apps.getConversation().updateResponseListeners(handler == null ? null : handler.getResponseListener());
        List<Response.ResponseListener> listeners = listeners();
        say().notifyBegin(listeners, response);
        for (HttpField field : changed(received)) {
            if (say().notifyHeader(listeners, response, field)) {
                internals.addTo(response, field);
                store(field);
            }
        }
        say().notifyHeaders(listeners, response);
    }

    private Iterable<HttpField> changed(List<HttpField> received) {
        ResponseChanges changes = exchange.responseChanges();
        if (changes.isEmpty()) {
            return received;
        }
        JettyHeaders edited = new JettyHeaders(internals.none(), internals);
        received.forEach(field -> internals.add(edited.fields(), field));
        edited.changeResponse(changes);
        return Internals.iterable(edited.fields());
    }

    private void store(HttpField field) {
        if (field.getHeader() == HttpHeader.SET_COOKIE || field.getHeader() == HttpHeader.SET_COOKIE2) {
            URI uri = app().getURI();
            if (uri != null && field.getValue() != null) {
                store(uri, field);
            }
        }
    }

    /** As the client does. */
    private void store(URI uri, HttpField field) {
        try {
            new CookieManager(client().getCookieStore(), CookiePolicy.ACCEPT_ALL)
                    .put(uri, Map.of(field.getHeader().asString(), List.of(field.getValue())));
        } catch (IOException notACookie) {
            // The client, too, goes on without.
            return;
        }
    }

    boolean responseComplete(Throwable failure) {
        responseOver = true;
        return apps.responseComplete(failure);
    }

    /** After the end of the response. */
    void complete(Throwable requestFailure) {
        complete = true;
        failBody(requestFailure);
        if (apps.requestComplete(requestFailure) && requestFailure != null && !requestSucceeded) {
            tell().notifyFailure(app(), requestFailure);
        }
        apps.terminateRequest();
        Result result = apps.terminateResponse();
        if (result != null) {
            say().notifyComplete(listeners(), result);
        }
    }

    /** @param failure null: none */
    private void failBody(Throwable failure) {
        if (failure != null && !requestSucceeded) {
            internals.fail(body, failure);
        }
    }

    private void fail(Throwable requestFailure, Throwable responseFailure) {
        failBody(requestFailure);
        if (apps.responseComplete(responseFailure)) {
            if (requestFailure != null && !requestSucceeded && apps.requestComplete(requestFailure)) {
                tell().notifyFailure(app(), requestFailure);
            }
            say().notifyFailure(listeners(), response(), responseFailure);
        }
        complete(requestFailure);
    }

    private void reply(LocalReply reply) {
        over();
        queued();
        begins();
        headers();
        if (committed == null) {
            tell().notifyCommit(app());
        }
        requestSucceeded();
        response().version(HttpVersion.HTTP_1_1).status(reply.status()).reason(reply.reason());
        boolean bodiless = app().getMethod().equals("HEAD") || reply.status() == 204 || reply.status() == 304;
        List<HttpField> fields = new ArrayList<>();
        for (Map.Entry<String, String> header : reply.headers()) {
            fields.add(new HttpField(header.getKey(), header.getValue()));
        }
        if (reply.status() != 204 && reply.header("content-length") == null) {
            fields.add(new HttpField(HttpHeader.CONTENT_LENGTH, Integer.toString(reply.body().length)));
        }
        replying = true;
        head(fields, true);
        Content content = new Content(this);
        if (bodiless || reply.body().length == 0 || !content.isWanted()) {
            replied();
            return;
        }
        AtomicBoolean asked = new AtomicBoolean();
        LongConsumer demand = pieces -> {
            if (asked.compareAndSet(false, true)) {
                content.comes(ignored -> {}, ByteBuffer.wrap(reply.body()), Callback.from(this::replied, this::failReply));
            }
        };
        content.begins(demand);
    }

    private void failReply(Throwable appsFailure) {
        fail(null, appsFailure);
    }

    private void replied() {
        if (apps.responseComplete(null)) {
            say().notifySuccess(listeners(), response());
            complete(null);
        }
    }
}
