package io.weft.instrumentation.jettyclientbefore12;

import io.weft.dataplane.Exchange.Failure;
import io.weft.dataplane.RequestChanges;
import io.weft.instrumentation.Turn;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongConsumer;
import org.eclipse.jetty.client.HttpDestination;
import org.eclipse.jetty.client.HttpExchange;
import org.eclipse.jetty.client.HttpResponse;
import org.eclipse.jetty.client.api.ContentResponse;
import org.eclipse.jetty.client.api.Response;
import org.eclipse.jetty.client.api.Result;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.thread.Scheduler;

/**
 * One attempt of a hop; hears what becomes of its response.
 *
 * <p>Thread rule: the library tells of the response one event after the other; of the request it may tell at the same time, on another
 * thread, and of its end after the head of the response or even after its end. {@link #turn} keeps the two apart where they come to the
 * exchange.
 */
final class Attempt implements Response.Listener {
    /** Bytes of a response to be dropped that are waited for, so that its connection may be kept. */
    private static final int DRAINED = 64 << 10;

    /** For its end; no time limit runs between two attempts. */
    private static final long PATIENCE_FOR_DROPPED_MILLIS = 50;

    private enum Outcome { NONE, DROPPED, DELIVERED }

    private final Hop hop;
    private final Internals internals;
    private final AttemptRequest request;
    private final Turn turn = new Turn();

    private final List<HttpField> fields = new ArrayList<>();
    private volatile Outcome outcome = Outcome.NONE;
    private volatile boolean begun;
    private volatile boolean sent;

    /** The endpoint's. Written before the library has the attempt. */
    private HttpDestination destination;

    /** Null: plaintext, or none yet. */
    private volatile MeshConnection connection;

    /** The request has gone out, or its response is over. */
    private final AtomicBoolean oneWayIsOver = new AtomicBoolean();

    /** Of the app's listeners. Written with the head of the response. */
    private Content content;

    private int drained;

    /** Waits for the end of a response that is dropped. */
    private volatile Scheduler.Task rest;

    Attempt(Hop hop, MeshTag tag, RequestChanges changes, Internals internals) {
        this.hop = hop;
        this.internals = internals;
        request = new AttemptRequest(this, hop.app(), tag, changes, internals);
    }

    Hop hop() {
        return hop;
    }

    AttemptRequest request() {
        return request;
    }

    void send() throws Throwable {
        internals.share(hop.app(), hop.body(), request);
        request.addressed(true);
        destination = internals.resolve(hop.client(), request);
        request.addressed(false);
        if (destination.getProxy() != null) {
            throw new IllegalStateException("a proxy of the app's is in the way to an endpoint");
        }
        try {
            destination.send(new HttpExchange(destination, request, new ArrayList<>(List.of(this))));
        } catch (RuntimeException librarys) {
            // As from 10 on of a body that can be read once, where a redirect would need it again.
            if (turn.last()) {
                hop.thrown(librarys);
            }
            return;
        }
        if (hop.exchange().isTooLate()) {
            abort(ended());
        }
    }

    /** Beginning with the app's own cancellation, from any thread. */
    void abort(Throwable cause) {
        request.abort(cause);
    }

    /** What the library is told when the mesh ends the attempt; the app sees it only where the mesh has no answer of its own. */
    IOException ended() {
        return begun ? new IOException("Connection reset") : new SocketTimeoutException("Connect Timeout");
    }

    /** What the library takes for the header of a request that has none. */
    HttpField hostField() {
        return destination.getHostField();
    }

    // From the request.

    void on(MeshConnection secured) {
        connection = secured;
    }

    /** The library is about to complete the request for a connection that it has. */
    void acquired() {
        hop.acquired(this);
    }

    void begins() {
        begun = true;
        if (turn.begin()) {
            boolean inTime = hop.exchange().connected();
            turn.end();
            if (!inTime) {
                abort(ended());
            }
        }
    }

    void sends(Object bytes) {
        int length = ((ByteBuffer) bytes).remaining();
        hop.content(this, (ByteBuffer) bytes);
        hop.exchange().bytesSent(length);
    }

    void sent() {
        sent = true;
        if (turn.begin()) {
            hop.exchange().requestSent();
            turn.end();
        }
        wayIsOver();
        hop.requestSucceeded();
    }

    // From the response.

    /** Whether the library keeps it, and a cookie with it: only what the app is given brings any. */
    @Override
    public boolean onHeader(Response response, HttpField field) {
        fields.add(field);
        return field.getHeader() != HttpHeader.SET_COOKIE && field.getHeader() != HttpHeader.SET_COOKIE2;
    }

    @Override
    public void onHeaders(Response response) {
        if (!turn.begin()) {
            return;
        }
        try {
            boolean again = hop.exchange().onResponse(response.getStatus(), name -> JettyHeaders.joined(fields, name)) && !hop.isAborted();
            outcome = again ? Outcome.DROPPED : Outcome.DELIVERED;
        } finally {
            // Not the last one: the time for the response may begin yet.
            turn.end();
        }
        if (outcome == Outcome.DROPPED) {
            rest = hop.client().getScheduler().schedule(() -> hop.client().getExecutor().execute(() -> leave(response)), PATIENCE_FOR_DROPPED_MILLIS, TimeUnit.MILLISECONDS);
            return;
        }
        hop.response().version(response.getVersion()).status(response.getStatus()).reason(response.getReason());
        // What answers an expectation without an interim response the library keeps from its own handlers, too.
        hop.head(fields, !(response instanceof ContentResponse));
        content = new Content(hop);
    }

    @Override
    public void onBeforeContent(Response response, LongConsumer demand) {
        if (outcome == Outcome.DELIVERED) {
            content.begins(demand);
        } else {
            demand.accept(1);
        }
    }

    @Override
    public void onContent(Response response, LongConsumer demand, ByteBuffer bytes, Callback callback) {
        hop.exchange().bytesReceived(bytes.remaining());
        if (outcome == Outcome.DELIVERED) {
            content.comes(demand, bytes, callback);
            return;
        }
        drained += bytes.remaining();
        callback.succeeded();
        if (drained > DRAINED) {
            leave(response);
        } else {
            demand.accept(1);
        }
    }

    private static void leave(Response response) {
        response.abort(new IOException("the mesh has no use for the rest of the response"));
    }

    @Override
    public void onSuccess(Response response) {
        wayIsOver();
        if (outcome == Outcome.DROPPED && !sent) {
            // The rest of the request would go nowhere.
            request.abort(new IOException("the mesh has no use for the response"));
        }
        if (outcome != Outcome.DELIVERED || !hop.responseComplete(null)) {
            return;
        }
        HttpResponse theirs = hop.response();
        for (HttpField trailer : Internals.trailers(response)) {
            theirs.trailer(trailer);
        }
        turn.last();
        hop.over();
        hop.say().notifySuccess(hop.listeners(), theirs);
    }

    @Override
    public void onFailure(Response response, Throwable failure) {
        giveBack();
        if (outcome == Outcome.DELIVERED && hop.responseComplete(failure)) {
            turn.last();
            // The first is what a stream fails with that the app has closed.
            hop.exchange().onFailure(failure instanceof AsynchronousCloseException ? Failure.CANCELLED : classify(failure));
            hop.over();
            hop.say().notifyFailure(hop.listeners(), hop.response(), failure);
        }
    }

    /** A response may be over before its request: what closes the connection between the two fails the request. */
    private void wayIsOver() {
        if (!oneWayIsOver.compareAndSet(false, true)) {
            giveBack();
        }
    }

    private void giveBack() {
        MeshConnection leased = connection;
        connection = null;
        if (leased != null) {
            leased.giveBack();
        }
    }

    /** The library has done with the attempt, and its connection may be the next one's. */
    @Override
    public void onComplete(Result result) {
        switch (outcome) {
            case DROPPED -> {
                Scheduler.Task waiting = rest;
                if (waiting != null) {
                    waiting.cancel();
                }
                turn.last();
                hop.again();
            }
            case DELIVERED -> hop.complete(result.getRequestFailure());
            case NONE -> {
                if (turn.last()) {
                    hop.failed(classify(result.getFailure()), result);
                }
            }
        }
    }

    private Failure classify(Throwable failure) {
        if (hop.isAborted()) {
            return Failure.CANCELLED;
        }
        if (!begun) {
            return failure instanceof IOException ? Failure.CONNECT
                    : failure instanceof TimeoutException ? Failure.TIMEOUT : Failure.CANCELLED;
        }
        if (failure instanceof TimeoutException) {
            return Failure.TIMEOUT;
        }
        if (!sent && !(failure instanceof IOException)) {
            // thrown by the app, as by its body
            return Failure.CANCELLED;
        }
        return Failure.RESET;
    }
}
