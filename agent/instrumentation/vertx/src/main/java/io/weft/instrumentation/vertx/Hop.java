package io.weft.instrumentation.vertx;

import io.netty.channel.EventLoop;
import io.vertx.core.AsyncResult;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.http.RequestOptions;
import io.vertx.core.http.impl.HttpRequestHead;
import io.vertx.core.http.impl.HttpResponseHead;
import io.weft.dataplane.Exchange.Failure;
import io.weft.dataplane.Exchange.Step;
import io.weft.dataplane.RequestChanges;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Unsent;
import java.net.SocketTimeoutException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReferenceFieldUpdater;

/**
 * One request of the app's, from the moment that it is given to the app.
 *
 * <p>Thread rule: attempts are made, and outcomes told, on the request's context; the app may give up on any thread. Whoever speaks to the
 * exchange holds this, and calls neither the library nor the app meanwhile.
 */
final class Hop {
    // What is written by these needs no barrier of its own: the locks that each request takes have enough of them.
    private static final AtomicReferenceFieldUpdater<Hop, OutgoingRequest> EXCHANGE =
            AtomicReferenceFieldUpdater.newUpdater(Hop.class, OutgoingRequest.class, "exchange");
    private static final AtomicReferenceFieldUpdater<Hop, Attempt> ATTEMPT =
            AtomicReferenceFieldUpdater.newUpdater(Hop.class, Attempt.class, "attempt");

    final Internals internals;
    final MeshStream stream;
    private final AdapterContext adapter;
    private final SecuredChannels secured;
    private final ConnectLimits limits;
    private final Object client;
    private final RequestOptions app;
    private final Target target;
    private final Context context;
    private final EventLoop loop;
    private HttpClientRequest request;

    /** Null: the app has sent nothing yet. */
    private HttpRequestHead head;
    /** Null: the mesh has nothing to do with it. */
    private volatile OutgoingRequest exchange;
    private volatile Attempt attempt;
    private volatile Reply reply;
    private boolean cancelled;

    Hop(
            AdapterContext adapter,
            Internals internals,
            SecuredChannels secured,
            ConnectLimits limits,
            Object client,
            RequestOptions app,
            Target target,
            Context context) throws Throwable {
        this.adapter = adapter;
        this.internals = internals;
        this.secured = secured;
        this.limits = limits;
        this.client = client;
        this.app = app;
        this.target = target;
        this.context = context;
        this.loop = internals.eventLoop(context);
        this.stream = new MeshStream(internals, this, context, target);
    }

    /** What the app is given. */
    HttpClientRequest request() throws Throwable {
        request = internals.request(client, app, target, stream);
        return request;
    }

    HttpVersion version() throws Throwable {
        return internals.version(client, app);
    }

    OutgoingRequest exchange() {
        return exchange;
    }

    /**
     * The app sends it.
     *
     * @param body what there is of it
     * @param whole nothing follows
     * @param connect it wants the connection for itself
     */
    void begin(HttpRequestHead sent, Object body, boolean whole, boolean connect) throws Throwable {
        head = sent;
        OutgoingRequest asked = new OutgoingRequest(sent.method.name(), internals.authority(sent), sent.uri, sent.headers, body, whole);
        asked.drivenBy(this, version() == HttpVersion.HTTP_2);
        try {
            if (!connect && adapter.outbound().claims(asked)) {
                EXCHANGE.lazySet(this, asked);
            }
        } catch (Throwable fault) {
            EXCHANGE.lazySet(this, asked);
            onContext(() -> atFault(fault));
            return;
        }
        onContext(this::advance);
    }

    void onContext(Runnable task) {
        if (Vertx.currentContext() == context) {
            task.run();
        } else {
            context.runOnContext(now -> task.run());
        }
    }

    private void advance() {
        try {
            Step step = Step.DIAL;
            Attempt next = null;
            synchronized (this) {
                if (cancelled) {
                    return;
                }
                if (exchange != null) {
                    step = exchange.next();
                }
                if (step == Step.DIAL) {
                    next = newAttempt();
                }
            }
            switch (step) {
                case WAIT -> again();
                case REPLY -> answer();
                case DIAL -> dial(next);
            }
        } catch (Throwable fault) {
            atFault(fault);
        }
    }

    private void again() {
        later(exchange.backoffNanos(), this::advance);
    }

    private void later(long nanos, Runnable task) {
        if (nanos > 0) {
            loop.schedule(() -> context.runOnContext(now -> task.run()), nanos, TimeUnit.NANOSECONDS);
        } else {
            context.runOnContext(now -> task.run());
        }
    }

    private void answer() throws Throwable {
        OutgoingRequest asked = exchange;
        Reply made = new Reply(internals, stream, context, asked.method(), asked.reply());
        synchronized (this) {
            asked.end();
            reply = made;
        }
        stream.answered();
        made.begin();
    }

    Reply reply() {
        return reply;
    }

    boolean isReply() {
        return reply != null;
    }

    /** With this held. */
    private Attempt newAttempt() {
        Attempt next = new Attempt(this, exchange == null ? null : exchange.endpoint());
        ATTEMPT.lazySet(this, next);
        return next;
    }

    private void dial(Attempt next) throws Throwable {
        OutgoingRequest asked = exchange;
        if (asked != null) {
            limits.set(next.endpoint(), asked.connectTimeoutNanos());
        }
        RequestOptions there = asked == null ? app : internals.towards(client, app, target, next.endpoint(), secured);
        Future<HttpClientRequest> opening;
        try {
            opening = internals.open(client, there, context);
        } catch (IllegalStateException closed) {
            // The app has closed its client.
            failed(next, Failure.CANCELLED, closed);
            return;
        }
        opening.onComplete(next::opened);
        // Mostly one of the pool's was there at once.
        if (asked != null && next.isConnecting() && asked.isTooLate()) {
            failed(next, Failure.RESET, new SocketTimeoutException("too late to connect"));
        }
    }

    /**
     * The attempt was given a connection that is good for none, which is not the endpoint's fault. Not at once: the pool may have that
     * connection still, and hears that it is closed from an event loop, which may be this one.
     */
    void redial(Attempt of) {
        Attempt next;
        synchronized (this) {
            if (attempt != of || !of.gaveUp()) {
                return;
            }
            next = of.overAnother();
            ATTEMPT.lazySet(this, next);
        }
        later(next.redialNanos(), () -> redialed(next));
    }

    private void redialed(Attempt next) {
        if (!next.isConnecting()) {
            return;
        }
        try {
            dial(next);
        } catch (Throwable fault) {
            atFault(fault);
        }
    }

    /** @return false: it is too late, nothing is to be sent */
    synchronized boolean sends(Attempt by, Object on) {
        return by.sends(on) && (exchange == null || exchange.connected());
    }

    /** As it goes out. */
    HttpRequestHead onWire(Object on) throws Throwable {
        return internals.onWire(head, exchange == null ? RequestChanges.NONE : exchange.requestChanges(), on);
    }

    /** What the library says of one write. */
    void written(Write write, Object to, AsyncResult<Void> result) {
        Attempt now = attempt;
        OutgoingRequest asked = exchange;
        if (result.failed()) {
            // That of a request that may be sent once more is told with its outcome.
            if (asked == null || !asked.isComplete() || now.isDelivered()) {
                write.tell(result);
            } else if (now.isOn(to)) {
                write.keep(result);
            }
            return;
        }
        if (now.isOn(to)) {
            if (asked != null) {
                asked.bytesSent();
            }
            if (write.last) {
                if (asked != null && asked.awaitsEndOfRequest()) {
                    synchronized (this) {
                        if (now.isOn(to)) {
                            asked.requestSent();
                        }
                    }
                }
                now.requestEnded();
            }
        }
        write.tell(result);
    }

    void responds(Attempt of, HttpResponseHead response) {
        OutgoingRequest asked = exchange;
        boolean again;
        synchronized (this) {
            if (!of.isSending()) {
                return;
            }
            again = asked != null && asked.onResponse(response.statusCode, VertxHeaders.view(response.headers)) && !cancelled;
            of.responded(again);
        }
        if (again) {
            stream.flowsNowhere();
            of.endsSoon();
            again();
            return;
        }
        stream.keepsNothing();
        if (asked != null) {
            new VertxHeaders(response.headers).changeResponse(asked.responseChanges());
        }
        stream.head(response);
    }

    /** All of the response has come. */
    synchronized void completed() {
        if (exchange != null) {
            exchange.end();
        }
    }

    /** The response breaks off. */
    void broke(Throwable cause) {
        synchronized (this) {
            if (exchange != null) {
                exchange.onFailure(cancelled ? Failure.CANCELLED : Failure.RESET);
                exchange.end();
            }
        }
    }

    /** Before there was a response. */
    void failed(Attempt of, Failure failure, Throwable cause) {
        boolean again = false;
        synchronized (this) {
            if (attempt != of || !of.gaveUp()) {
                return;
            }
            if (exchange != null) {
                again = exchange.onFailure(cancelled ? Failure.CANCELLED : failure) && !cancelled;
                if (!again) {
                    exchange.end();
                }
            }
        }
        stream.flowsNowhere();
        if (again) {
            again();
        } else {
            over(cause);
        }
    }

    private void over(Throwable cause) {
        stream.over(cause);
        stream.exception(cause);
        try {
            internals.closed(request);
        } catch (Throwable fault) {
            adapter.warn("vertx: a request's timer is left to itself: " + fault);
        }
    }

    void atFault(Throwable fault) {
        Attempt now = attempt;
        boolean live;
        boolean told;
        boolean openly;
        synchronized (this) {
            live = now != null && now.gaveUp();
            told = cancelled || now != null && now.isDelivered();
            OutgoingRequest asked = told ? null : exchange;
            openly = asked != null && !stream.hasBegun() && asked.mayFailOpen() && asked.attemptCount() <= 1;
            if (asked != null) {
                asked.end();
                if (openly) {
                    exchange = null;
                }
            }
        }
        if (!told) {
            stream.flowsNowhere();
        }
        if (live) {
            now.discard();
        }
        if (told) {
            adapter.warn("vertx: " + fault);
            return;
        }
        adapter.warn("vertx: a request could not be sent by the mesh: " + fault);
        if (openly) {
            advance();
        } else {
            over(Unsent.because(fault));
        }
    }

    /**
     * The app has enough.
     *
     * @return the library's own stream, which is to be told; null: there is none
     */
    Object cancel(Throwable cause) throws Throwable {
        Failure why = internals.isTimedOut(request) ? Failure.TIMEOUT : Failure.CANCELLED;
        Object told;
        boolean first;
        synchronized (this) {
            first = !cancelled;
            cancelled = true;
            Attempt now = attempt;
            told = now == null ? null : now.cancelled();
            if (first && exchange != null) {
                exchange.onFailure(why);
                exchange.end();
            }
        }
        if (first && told == null) {
            stream.over(cause);
            if (reply == null) {
                onContext(() -> stream.exception(cause));
            }
        }
        return told;
    }

    /** On the timer thread. */
    void abort() {
        loop.execute(() -> {
            Attempt now = attempt;
            try {
                if (now != null) {
                    now.abort();
                }
            } catch (Throwable fault) {
                adapter.warn("vertx: a time limit ends nothing: " + fault);
            }
        });
    }
}
