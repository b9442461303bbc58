package io.weft.instrumentation.armeriaclient;

import com.linecorp.armeria.client.ClientRequestContext;
import com.linecorp.armeria.client.HttpClient;
import com.linecorp.armeria.client.UnprocessedRequestException;
import com.linecorp.armeria.common.AggregatedHttpRequest;
import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpMethod;
import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpResponseWriter;
import com.linecorp.armeria.common.RequestHeaders;
import com.linecorp.armeria.common.RequestHeadersBuilder;
import com.linecorp.armeria.common.ResponseCompleteException;
import com.linecorp.armeria.common.ResponseHeaders;
import com.linecorp.armeria.common.ResponseHeadersBuilder;
import com.linecorp.armeria.common.logging.RequestLog;
import com.linecorp.armeria.common.logging.RequestLogBuilder;
import com.linecorp.armeria.common.stream.CancelledSubscriptionException;
import com.linecorp.armeria.common.stream.NoopSubscriber;
import com.linecorp.armeria.common.stream.StreamMessage;
import com.linecorp.armeria.internal.client.ClientRequestContextExtension;
import com.linecorp.armeria.internal.common.CancellationScheduler;
import com.linecorp.armeria.internal.common.CancellationScheduler.CancellationTask;
import io.netty.channel.EventLoop;
import io.weft.dataplane.Exchange.Failure;
import io.weft.dataplane.LocalReply;
import io.weft.dataplane.RequestChanges;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Unsent;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * One request, from the end of the app's decorators to the end of its response.
 *
 * <p>Thread rule: it is for the event loop of the app's context, as the library's own part of a request is. {@link #abort} and what the
 * app does with its context, its request and its response may come from any thread, and goes there.
 */
final class Hop implements CancellationTask {
    /** What goes wrong in it is the agent's fault. */
    @FunctionalInterface
    interface Task {
        void run() throws Throwable;
    }

    private static final AggregatedHttpRequest NO_BODY = AggregatedHttpRequest.of(HttpMethod.GET, "/");

    final OutgoingRequest exchange;
    private final AdapterContext adapter;
    private final Internals internals;
    private final SecuredChannels secured;
    private final HttpClient delegate;
    private final ClientRequestContext app;
    private final HttpRequest request;
    private final EventLoop loop;
    /** Null: the app's context is none of the library's own. */
    private final CancellationScheduler patience;
    private final CompletableFuture<HttpResponse> answer = new CompletableFuture<>();

    /** Of which those of further attempts are derived: deriving from the app's own has effects on it. Null before the first. */
    private ClientRequestContext base;
    private Attempt attempt;
    /** The app's request is being read. */
    private boolean bodyBegun;
    /** The library has had enough of it. */
    private boolean bodyEnded;
    /** The app's request has failed by itself. */
    private boolean bodyBroken;
    /** The app has its response. */
    private boolean delivered;
    /** Null before the app is given it. */
    private WatchedResponse watched;
    /** Nothing more is to be done. */
    private volatile boolean over;

    Hop(
            AdapterContext adapter,
            Internals internals,
            SecuredChannels secured,
            HttpClient delegate,
            ClientRequestContext app,
            HttpRequest request,
            OutgoingRequest exchange) {
        this.adapter = adapter;
        this.internals = internals;
        this.secured = secured;
        this.delegate = delegate;
        this.app = app;
        this.request = request;
        this.exchange = exchange;
        this.loop = app.eventLoop().withoutContext();
        ClientRequestContextExtension extension = app.as(ClientRequestContextExtension.class);
        this.patience = extension == null ? null : extension.responseCancellationScheduler();
    }

    /** @return what the app is given */
    HttpResponse start() throws Throwable {
        HttpResponse response = HttpResponse.from(answer, loop);
        if (patience != null) {
            internals.schedulers().begin(patience, this);
        }
        response.whenComplete().handle((nothing, cause) -> {
            if (cause != null && !over) {
                onLoop(() -> answerEnded(cause));
            }
            return null;
        });
        onLoop(this::begin);
        return response;
    }

    private void begin() {
        if (exchange.streams()) {
            request.whenComplete().handle((nothing, cause) -> {
                if (cause != null && !over) {
                    onLoop(() -> requestFailed(cause));
                }
                return null;
            });
            advance();
            return;
        }
        if (exchange.isEmpty()) {
            // There is nothing to gather, which takes its time. The library, too, takes it at its word.
            request.subscribe(NoopSubscriber.get(), loop);
            if (!request.whenComplete().isCompletedExceptionally()) {
                exchange.is(NO_BODY);
                advance();
                return;
            }
        }
        request.aggregate(loop).handle((whole, cause) -> {
            onLoop(() -> aggregated(whole, cause));
            return null;
        });
    }

    private void aggregated(AggregatedHttpRequest whole, Throwable cause) {
        if (cause == null) {
            exchange.is(whole);
            advance();
        } else {
            gaveUp(cause);
        }
    }

    /** The app's own stream, which the library would have found out by itself. */
    private void requestFailed(Throwable cause) {
        if (bodyEnded) {
            return;
        }
        bodyBroken = true;
        if (!bodyBegun) {
            gaveUp(cause);
        }
    }

    void onLoop(Task task) {
        if (loop.inEventLoop()) {
            guarded(task);
        } else {
            loop.execute(() -> guarded(task));
        }
    }

    /** After what the event loop is at now. */
    void soon(Task task) {
        loop.execute(() -> guarded(task));
    }

    void later(Task task, long millis) {
        loop.schedule(() -> guarded(task), millis, TimeUnit.MILLISECONDS);
    }

    private void guarded(Task task) {
        try {
            task.run();
        } catch (Throwable fault) {
            atFault(fault);
        }
    }

    private void advance() {
        if (over) {
            return;
        }
        switch (exchange.next()) {
            case WAIT -> again();
            case REPLY -> reply(exchange.reply());
            case DIAL -> dial();
        }
    }

    private void again() {
        long nanos = exchange.backoffNanos();
        if (nanos > 0) {
            loop.schedule(() -> guarded(this::advance), nanos, TimeUnit.NANOSECONDS);
        } else {
            loop.execute(() -> guarded(this::advance));
        }
    }

    private void dial() {
        attempt = new Attempt(this, exchange.endpoint());
        attempt.begin();
    }

    /** The attempt was given a connection that is good for none, which is not the endpoint's fault. */
    void redial(Attempt of) {
        if (attempt == of && !over) {
            loop.execute(() -> guarded(this::dial));
        }
    }

    // For attempts.

    HttpRequest onWire() {
        RequestHeaders headers = exchange.headers();
        RequestChanges changes = exchange.requestChanges();
        if (!changes.equals(RequestChanges.NONE)) {
            RequestHeadersBuilder changed = headers.toBuilder();
            new ArmeriaHeaders(changed).change(changes);
            if (changes.authority() != null) {
                changed.authority(changes.authority());
            }
            if (changes.path() != null) {
                changed.path(changes.path());
            }
            headers = changed.build();
        }
        AggregatedHttpRequest whole = exchange.whole();
        if (whole == null) {
            return HttpRequest.of(headers, new StreamedBody(this, request, loop));
        }
        // With the headers as they are: the library would set the length, and at another place.
        if (whole.content().isEmpty()) {
            return HttpRequest.of(headers, whole.trailers().isEmpty() ? StreamMessage.of() : StreamMessage.of(whole.trailers()));
        }
        return whole.trailers().isEmpty()
                ? HttpRequest.of(headers, StreamMessage.of(whole.content()))
                : HttpRequest.of(headers, StreamMessage.of(whole.content(), whole.trailers()));
    }

    AttemptContext context(Attempt of, HttpRequest onWire) throws Throwable {
        ClientRequestContext from = base == null ? app : base;
        ClientRequestContext derived = from.newDerivedContext(app.id(), onWire, app.rpcRequest(), app.endpoint());
        derived.clearResponseTimeout();
        if (base == null) {
            base = derived;
            internals.schedulers().derived(app);
        }
        return new AttemptContext(derived, app, of,
                secured.towards(of.endpoint(), app.sessionProtocol().isExplicitHttp2() || exchange.isGrpc(), internals.factory(delegate)));
    }

    HttpResponse send(AttemptContext context, HttpRequest onWire) throws Exception {
        internals.goDirectly(true);
        try {
            return delegate.execute(context, onWire);
        } finally {
            internals.goDirectly(false);
        }
    }

    /** Is told of the times that the attempt's log has: to read the clocks again costs some, and would be late. */
    RequestLogBuilder log() {
        return app.logBuilder();
    }

    boolean isCurrent(Attempt asked) {
        return attempt == asked && !over;
    }

    boolean isBodyBroken() {
        return bodyBroken;
    }

    void bodyBegins() {
        bodyBegun = true;
    }

    /** What becomes of the app's request when the library has enough of an attempt's. */
    void requestEnded(Attempt by, Throwable cause) {
        if (cause != null && exchange.streams() && (bodyBegun || delivered) && attempt == by) {
            bodyEnded = true;
            request.abort(cause);
        }
    }

    void connected() throws Throwable {
        if (patience != null) {
            internals.schedulers().connected(app, patience);
        }
    }

    void patienceBegins() throws Throwable {
        if (patience != null && !over) {
            internals.schedulers().start(app, patience, this);
        }
    }

    void failed(Failure failure, Throwable cause) {
        if (exchange.onFailure(failure)) {
            again();
        } else {
            exchange.end();
            over(cause);
        }
    }

    /** The response is not for the app. */
    void retry() {
        again();
    }

    /** @param told of the attempt: its headers are there as they came */
    void deliver(HttpResponse response, RequestLog told) {
        ResponseHeaders headers = told.responseHeaders();
        ResponseHeaders changed = headers;
        if (!exchange.responseChanges().isEmpty()) {
            ResponseHeadersBuilder builder = headers.toBuilder();
            new ArmeriaHeaders(builder).changeResponse(exchange.responseChanges());
            changed = builder.build();
        }
        delivered = true;
        log().startResponse(told.responseStartTimeNanos(), told.responseStartTimeMicros());
        Long firstBytes = told.responseFirstBytesTransferredTimeNanos();
        if (firstBytes != null) {
            log().responseFirstBytesTransferred(firstBytes);
        }
        log().responseHeaders(changed);
        watched = new WatchedResponse(response, exchange);
        DeliveredResponse given = new DeliveredResponse(watched, changed);
        watched.given(() -> {
            if (!answer.complete(given)) {
                response.abort();
            }
        });
    }

    /** A time limit ends the delivered response. */
    void breakOff() {
        watched.breakOff();
    }

    /** The delivered response has come to its end, at that time. */
    void completed(long nanos) throws Throwable {
        exchange.end();
        ended();
        log().endResponse(nanos);
    }

    /** The delivered response has broken off. */
    void broke(Failure failure, Throwable cause) throws Throwable {
        exchange.onFailure(failure);
        exchange.end();
        ended();
        if (cause instanceof CancelledSubscriptionException) {
            log().endResponse();
        } else {
            log().endResponse(cause);
        }
    }

    private void ended() throws Throwable {
        over = true;
        if (patience != null) {
            internals.schedulers().stop(patience);
        }
    }

    // The end.

    private void over(Throwable cause) {
        try {
            ended();
        } catch (Throwable fault) {
            adapter.warn("armeria-client: a request's timer is left to itself: " + fault);
        }
        request.abort(cause);
        log().endRequest(cause);
        log().endResponse(cause);
        answer.completeExceptionally(cause);
    }

    private void reply(LocalReply reply) {
        exchange.end();
        try {
            ended();
        } catch (Throwable fault) {
            adapter.warn("armeria-client: a request's timer is left to itself: " + fault);
        }
        ResponseHeadersBuilder builder = ResponseHeaders.builder(reply.status());
        boolean empty = reply.status() == 204 || reply.status() == 304;
        ArmeriaHeaders headers = new ArmeriaHeaders(builder);
        for (Map.Entry<String, String> header : reply.headers()) {
            headers.add(header.getKey(), header.getValue());
        }
        if (!empty && !headers.contains("content-length")) {
            headers.set("content-length", Integer.toString(reply.body().length));
        }
        ResponseHeaders head = builder.build();
        if (exchange.streams()) {
            request.abort(ResponseCompleteException.get());
        }
        RequestLogBuilder log = log();
        log.requestHeaders(exchange.headers());
        log.endRequest();
        log.startResponse();
        log.responseHeaders(head);
        HttpResponseWriter response = HttpResponse.streaming();
        response.write(head);
        if (!empty && reply.body().length > 0 && !exchange.method().equals("HEAD")) {
            response.write(HttpData.wrap(reply.body()));
            log.responseLength(reply.body().length);
        }
        response.close();
        log.endResponse();
        answer.complete(response);
    }

    // By the app, and by time limits.

    @Override
    public boolean canSchedule() {
        return !over;
    }

    /** The app's patience is over, or it has cancelled the request in its context. */
    @Override
    public void run(Throwable cause) {
        onLoop(() -> gaveUp(cause));
    }

    /** Of a response that breaks off the app is told before the attempt is, which knows better. */
    private void answerEnded(Throwable cause) {
        if (!delivered || isPatience(cause) || Attempt.isByTheApp(cause)) {
            gaveUp(cause);
        } else {
            loop.execute(() -> guarded(() -> gaveUp(cause)));
        }
    }

    private static boolean isPatience(Throwable cause) {
        return cause instanceof TimeoutException || cause instanceof com.linecorp.armeria.common.TimeoutException;
    }

    private void gaveUp(Throwable cause) {
        if (over) {
            return;
        }
        boolean isPatience = isPatience(cause);
        if (delivered) {
            attempt.giveUp(isPatience ? Failure.TIMEOUT : Failure.CANCELLED, cause);
            return;
        }
        exchange.onFailure(isPatience ? Failure.TIMEOUT : Failure.CANCELLED);
        exchange.end();
        over(cause);
        if (attempt != null) {
            attempt.discard(cause);
        }
    }

    /** From the timer thread. */
    void abort() {
        loop.execute(() -> guarded(() -> {
            if (attempt != null && !over) {
                attempt.limited();
            }
        }));
    }

    void atFault(Throwable fault) {
        adapter.warn("armeria-client: a request could not be sent by the mesh: " + fault);
        if (over) {
            return;
        }
        boolean openly = exchange.mayFailOpen() && !bodyBegun && exchange.attemptCount() <= 1 && (attempt == null || attempt.isUnsent());
        exchange.end();
        Attempt failed = attempt;
        if (!openly || exchange.whole() == null && !exchange.streams()) {
            Throwable cause = UnprocessedRequestException.of(Unsent.because(fault));
            over(cause);
            if (failed != null) {
                failed.discard(cause);
            }
            return;
        }
        over = true;
        if (failed != null) {
            failed.discard(fault);
        }
        try {
            answer.complete(delegate.execute(new MeshContext(app), openly()));
        } catch (Throwable again) {
            over(UnprocessedRequestException.of(again));
        }
    }

    /** The app's request as the library is to send it by itself. */
    private HttpRequest openly() {
        AggregatedHttpRequest whole = exchange.whole();
        if (whole == null) {
            return request;
        }
        HttpRequest again = HttpRequest.of(request.headers(), whole.content(), whole.trailers());
        app.updateRequest(again);
        return again;
    }
}
