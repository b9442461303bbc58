package io.weft.instrumentation.armeriaclient;

import com.linecorp.armeria.client.UnprocessedRequestException;
import com.linecorp.armeria.client.WriteTimeoutException;
import com.linecorp.armeria.common.ClosedSessionException;
import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.ResponseHeaders;
import com.linecorp.armeria.common.logging.RequestLog;
import com.linecorp.armeria.common.logging.RequestLogAccess;
import com.linecorp.armeria.common.logging.RequestLogProperty;
import com.linecorp.armeria.common.stream.AbortedStreamException;
import com.linecorp.armeria.common.stream.CancelledSubscriptionException;
import com.linecorp.armeria.common.stream.NoopSubscriber;
import com.linecorp.armeria.internal.client.PooledChannel;
import io.netty.channel.Channel;
import io.netty.channel.ConnectTimeoutException;
import io.weft.dataplane.Endpoint;
import io.weft.dataplane.Exchange.Failure;
import io.weft.instrumentation.SharedConnection;
import java.net.ConnectException;
import java.net.SocketTimeoutException;

/** One attempt of a hop, from the app's pool to its outcome. For the hop's event loop. */
final class Attempt {
    /** Of a response that is not for the app, to have its connection for another request. */
    private static final int READ_TO_THE_END = 1 << 16;
    private static final long MOST_MILLIS_DROPPED = 5_000;

    private enum State { CONNECTING, SENDING, DELIVERED, DROPPED, OVER }

    private final Hop hop;
    private final Endpoint endpoint;
    private final long begunNanos = System.nanoTime();
    private State state = State.CONNECTING;
    /** Null before the library was asked. */
    private HttpResponse response;
    private RequestLogAccess log;
    /** Null before there is one. */
    private Channel channel;
    private boolean delivered;
    /** A time limit has ended the response that the app was given. */
    private boolean limited;
    /** Null before the library is done with the request. */
    private RequestLog sentOrNot;
    /** Null: in plaintext, or given back. */
    private SharedConnection lease;

    Attempt(Hop hop, Endpoint endpoint) {
        this.hop = hop;
        this.endpoint = endpoint;
    }

    Endpoint endpoint() {
        return endpoint;
    }

    void begin() {
        HttpRequest onWire = hop.onWire();
        try {
            AttemptContext context = hop.context(this, onWire);
            log = context.log();
            log.whenAvailable(RequestLogProperty.REQUEST_FIRST_BYTES_TRANSFERRED_TIME).thenAccept(told -> hop.onLoop(() -> begins(told)));
            log.whenRequestComplete().thenAccept(told -> hop.onLoop(() -> sent(log.partial())));
            log.whenAvailable(RequestLogProperty.RESPONSE_HEADERS).thenAccept(told -> hop.onLoop(() -> responds(told)));
            log.whenAvailable(RequestLogProperty.RESPONSE_END_TIME).thenAccept(told -> hop.onLoop(() -> ends(told.responseCause())));
            onWire.whenComplete().handle((nothing, cause) -> {
                hop.onLoop(() -> hop.requestEnded(this, cause));
                return null;
            });
            HttpResponse asked = hop.send(context, onWire);
            response = asked;
            asked.whenComplete().handle((nothing, cause) -> {
                if (cause != null) {
                    // The library ends its log after the response, with more to tell of it.
                    hop.soon(() -> ends(cause));
                }
                return null;
            });
            if (state == State.OVER) {
                asked.abort();
            } else if (state == State.CONNECTING && !hop.exchange.connecting()) {
                // None of the pool's was at once there.
                Throwable cause = UnprocessedRequestException.of(new ConnectTimeoutException("too late to connect"));
                fails(Failure.CONNECT, cause);
                abort(cause);
            }
        } catch (Throwable fault) {
            throw new IllegalStateException(fault);
        }
    }

    /** The library has a connection for it, and is about to send the request unless the response is over: whatever goes wrong, it must be. */
    void sends(PooledChannel pooled, HttpResponse to) {
        try {
            takes(pooled, to);
        } catch (Throwable fault) {
            try {
                hop.atFault(fault);
            } finally {
                to.abort(fault);
            }
        }
    }

    private void takes(PooledChannel pooled, HttpResponse to) {
        response = to;
        Channel open = pooled.get();
        if (state != State.CONNECTING || !hop.isCurrent(this)) {
            to.abort();
            // Without a request it would never be idle, and be kept whatever policy says.
            SharedConnection unused = SecuredChannel.of(open);
            if (unused != null && !(unused.lease(begunNanos) && unused.giveBack())) {
                open.close();
            }
            return;
        }
        if (endpoint.tls() != null) {
            SharedConnection secured = SecuredChannel.of(open);
            if (secured == null || !secured.isSecuredBy(endpoint.tls())) {
                open.close();
                drops(to, Failure.CONNECT,
                        UnprocessedRequestException.of(new ConnectException("the connection to " + endpoint + " is not secured by the mesh")));
                return;
            }
            if (!secured.lease(begunNanos)) {
                state = State.OVER;
                open.close();
                to.abort();
                hop.redial(this);
                return;
            }
            lease = secured;
        }
        channel = open;
        hop.exchange.speaksHttp2(pooled.protocol().isMultiplex());
        if (!hop.exchange.connected()) {
            giveBack();
            drops(to, Failure.RESET, UnprocessedRequestException.of(new SocketTimeoutException("too late to send")));
            return;
        }
        state = State.SENDING;
        hop.log().session(open, pooled.protocol(), log.isAvailable(RequestLogProperty.SESSION) ? log.partial().connectionTimings() : null);
        hop.onLoop(hop::connected);
    }

    /** Nothing of the request has left, not even its headers. */
    boolean isUnsent() {
        return channel == null;
    }

    private void drops(HttpResponse unsent, Failure failure, Throwable cause) {
        state = State.OVER;
        unsent.abort(cause);
        hop.failed(failure, cause);
    }

    private void begins(RequestLog told) {
        if (state == State.SENDING && told.requestFirstBytesTransferredTimeNanos() != null) {
            hop.log().requestHeaders(hop.exchange.headers());
            hop.log().requestFirstBytesTransferred(told.requestFirstBytesTransferredTimeNanos());
        }
    }

    /** All of the request is sent, or no more of it will be. */
    private void sent(RequestLog told) throws Throwable {
        sentOrNot = told;
        if (told.requestCause() == null && (state == State.SENDING || state == State.DELIVERED)) {
            hop.exchange.requestSent();
            hop.patienceBegins();
        }
        if (delivered || told.requestCause() == null && state == State.SENDING) {
            logSent();
        }
    }

    private void logSent() {
        hop.log().requestHeaders(hop.exchange.headers());
        hop.log().requestLength(sentOrNot.requestLength());
        hop.log().requestTrailers(sentOrNot.requestTrailers());
        if (sentOrNot.requestCause() == null) {
            hop.log().endRequest(sentOrNot.requestEndTimeNanos());
        } else {
            hop.log().endRequest(sentOrNot.requestCause(), sentOrNot.requestEndTimeNanos());
        }
    }

    private void responds(RequestLog told) throws Throwable {
        ResponseHeaders headers = told.responseHeaders();
        if (state != State.SENDING || headers.status().equals(HttpStatus.UNKNOWN)) {
            return;
        }
        hop.patienceBegins();
        if (hop.exchange.onResponse(headers.status().code(), ArmeriaHeaders.view(headers))) {
            drop(headers);
            hop.retry();
        } else {
            state = State.DELIVERED;
            delivered = true;
            hop.deliver(response, told);
            if (sentOrNot != null) {
                logSent();
            }
        }
    }

    /** A response that is not for the app. */
    private void drop(ResponseHeaders headers) {
        long length = headers.contentLength();
        if (length >= 0 && length <= READ_TO_THE_END && !hop.exchange.streams()) {
            state = State.DROPPED;
            response.subscribe(NoopSubscriber.get());
            hop.later(() -> discard(AbortedStreamException.get()), MOST_MILLIS_DROPPED);
        } else {
            state = State.OVER;
            response.abort();
            giveBack();
        }
    }

    /** @param cause null: all of the response has come */
    private void ends(Throwable cause) throws Throwable {
        State was = state;
        if (was == State.OVER) {
            return;
        }
        state = State.OVER;
        giveBack();
        switch (was) {
            case DELIVERED -> delivered(cause);
            case DROPPED -> { }
            default -> hop.failed(failure(was, cause), cause == null ? ClosedSessionException.get() : cause);
        }
    }

    private void delivered(Throwable cause) throws Throwable {
        RequestLog told = log.partial();
        hop.log().responseLength(told.responseLength());
        if (cause == null) {
            hop.log().responseTrailers(told.responseTrailers());
            hop.completed(told.responseEndTimeNanos());
        } else if (limited) {
            hop.broke(Failure.RESET, ClosedSessionException.get());
        } else {
            hop.broke(isByTheApp(cause) ? Failure.CANCELLED : Failure.RESET, cause);
        }
    }

    static boolean isByTheApp(Throwable cause) {
        return cause instanceof CancelledSubscriptionException || cause instanceof AbortedStreamException;
    }

    private Failure failure(State was, Throwable cause) {
        if (hop.isBodyBroken()) {
            return Failure.CANCELLED;
        }
        if (was == State.CONNECTING) {
            return Failure.CONNECT;
        }
        if (cause instanceof UnprocessedRequestException) {
            return Failure.REFUSED;
        }
        return cause instanceof WriteTimeoutException ? Failure.TIMEOUT : Failure.RESET;
    }

    private void fails(Failure failure, Throwable cause) {
        state = State.OVER;
        giveBack();
        hop.failed(failure, cause);
    }

    /** A time limit is over. */
    void limited() {
        switch (state) {
            case CONNECTING -> {
                Throwable cause = UnprocessedRequestException.of(new ConnectTimeoutException("connection timed out: " + endpoint));
                fails(Failure.CONNECT, cause);
                abort(cause);
            }
            case SENDING -> {
                fails(Failure.RESET, ClosedSessionException.get());
                // And not what it failed with: of what is closed the library, from 1.32.1 on, resets no stream of HTTP/2.
                abort(AbortedStreamException.get());
            }
            case DELIVERED -> {
                limited = true;
                hop.breakOff();
            }
            default -> { }
        }
    }

    /** The app has had enough of a response that it was given. */
    void giveUp(Failure failure, Throwable cause) {
        if (state == State.DELIVERED) {
            state = State.OVER;
            giveBack();
            hop.onLoop(() -> hop.broke(failure, cause));
            abort(cause);
        }
    }

    /** Nobody waits for it any more. */
    void discard(Throwable cause) {
        if (state != State.OVER) {
            state = State.OVER;
            giveBack();
            abort(cause);
        }
    }

    private void abort(Throwable cause) {
        if (response != null) {
            response.abort(cause);
        }
    }

    private void giveBack() {
        SharedConnection used = lease;
        lease = null;
        if (used != null && !used.giveBack()) {
            channel.close();
        }
    }
}
