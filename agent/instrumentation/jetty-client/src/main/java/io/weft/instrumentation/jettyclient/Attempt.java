package io.weft.instrumentation.jettyclient;

import io.weft.dataplane.Exchange.Failure;
import io.weft.dataplane.RequestChanges;
import io.weft.instrumentation.Turn;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.channels.AsynchronousCloseException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.eclipse.jetty.client.ContentResponse;
import org.eclipse.jetty.client.Request;
import org.eclipse.jetty.client.Response;
import org.eclipse.jetty.client.Result;
import org.eclipse.jetty.client.transport.HttpDestination;
import org.eclipse.jetty.client.transport.HttpExchange;
import org.eclipse.jetty.client.transport.HttpResponse;
import org.eclipse.jetty.client.transport.ResponseListeners;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.Content;
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
    private final AttemptBody body;
    private final AttemptRequest request;
    private final Turn turn = new Turn();

    private final List<HttpField> fields = new ArrayList<>();
    /** Of the events of the response. */
    private Outcome outcome = Outcome.NONE;
    private volatile boolean begun;
    private volatile boolean sent;

    /** The endpoint's. Written before the library has the attempt. */
    private HttpDestination destination;

    /** Null: plaintext, or none yet. */
    private volatile MeshConnection connection;

    /** The request has gone out, or its response is over. */
    private final AtomicBoolean oneWayIsOver = new AtomicBoolean();

    /** The library reads the response's content in another form than it came in. */
    private boolean decoded;

    private int drained;

    /** Waits for the end of a response that is dropped. */
    private volatile Scheduler.Task rest;

    Attempt(Hop hop, MeshTag tag, RequestChanges changes) {
        this.hop = hop;
        Request.Content apps = hop.body();
        body = apps == null ? null : new AttemptBody(apps);
        request = new AttemptRequest(this, hop.app(), tag, changes, body);
    }

    Hop hop() {
        return hop;
    }

    AttemptRequest request() {
        return request;
    }

    boolean hasTouchedBody() {
        return body != null && body.isTouched();
    }

    void send() {
        destination = (HttpDestination) hop.client().resolveDestination(request);
        if (destination.getProxy() != null) {
            throw new IllegalStateException("a proxy of the app's is in the way to an endpoint");
        }
        destination.send(new HttpExchange(destination, request, new ResponseListeners(this)));
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

    /** It has a connection, and goes out when this returns. */
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

    void bytesSent(int bytes) {
        hop.exchange().bytesSent(bytes);
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

    @Override
    public void onBegin(Response response) {}

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
        HttpResponse theirs = hop.response();
        theirs.version(response.getVersion()).status(response.getStatus()).reason(response.getReason());
        // What answers an expectation without an interim response the library keeps from its own handlers, too.
        hop.head(fields, !(response instanceof ContentResponse), () -> decode(response, theirs));
    }

    private void decode(Response response, HttpResponse theirs) {
        for (HttpField field : fields) {
            HttpHeader header = field.getHeader();
            if ((header == HttpHeader.CONTENT_ENCODING || header == HttpHeader.CONTENT_LENGTH)
                    && !response.getHeaders().contains(header)) {
                decoded = true;
                theirs.headers(headers -> headers.remove(header));
            }
        }
    }

    @Override
    public void onContentSource(Response response, Content.Source source) {
        if (outcome == Outcome.DELIVERED) {
            hop.listeners().notifyContentSource(hop.response(), new WatchedContent(source, hop.exchange()));
        } else {
            drain(response, source);
        }
    }

    private void drain(Response response, Content.Source source) {
        for (Content.Chunk chunk = source.read(); ; chunk = source.read()) {
            if (chunk == null) {
                source.demand(() -> drain(response, source));
                return;
            }
            boolean last = chunk.isLast();
            drained += chunk.remaining();
            chunk.release();
            if (last) {
                return;
            }
            if (drained > DRAINED) {
                leave(response);
                return;
            }
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
        if (decoded) {
            for (HttpHeader header : List.of(HttpHeader.CONTENT_LENGTH, HttpHeader.TRANSFER_ENCODING)) {
                theirs.headers(headers -> headers.remove(header));
                HttpField known = response.getHeaders().getField(header);
                if (known != null) {
                    theirs.addHeader(known);
                }
            }
        }
        if (response.getTrailers() != null) {
            response.getTrailers().forEach(theirs::trailer);
        }
        turn.last();
        hop.over();
        hop.listeners().notifySuccess(theirs);
    }

    @Override
    public void onFailure(Response response, Throwable failure) {
        giveBack();
        if (outcome == Outcome.DELIVERED && hop.responseComplete(failure)) {
            turn.last();
            // The first is what a stream fails with that the app has closed.
            hop.exchange().onFailure(failure instanceof AsynchronousCloseException ? Failure.CANCELLED : classify(failure));
            hop.over();
            hop.listeners().notifyFailure(hop.response(), failure);
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
        if (leased != null) {
            connection = null;
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
                turn.last();
                hop.failed(classify(result.getFailure()), result);
            }
        }
    }

    private Failure classify(Throwable failure) {
        if (hop.isAborted() || body != null && body.isBroken()) {
            return Failure.CANCELLED;
        }
        if (!begun) {
            return failure instanceof IOException ? Failure.CONNECT
                    : failure instanceof TimeoutException ? Failure.TIMEOUT : Failure.CANCELLED;
        }
        if (failure instanceof TimeoutException) {
            return Failure.TIMEOUT;
        }
        return Failure.RESET;
    }
}
