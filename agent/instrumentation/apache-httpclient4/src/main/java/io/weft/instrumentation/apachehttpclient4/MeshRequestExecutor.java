package io.weft.instrumentation.apachehttpclient4;

import io.weft.dataplane.Endpoint;
import io.weft.dataplane.Exchange;
import io.weft.dataplane.Exchange.Failure;
import io.weft.dataplane.Exchange.Replay;
import io.weft.dataplane.Exchange.Step;
import io.weft.dataplane.Outbound;
import io.weft.dataplane.RequestChanges;
import io.weft.instrumentation.ExchangeEnd;
import io.weft.instrumentation.Interrupted;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.SocketTimeoutException;
import java.util.concurrent.TimeUnit;
import org.apache.http.HttpClientConnection;
import org.apache.http.HttpEntity;
import org.apache.http.HttpException;
import org.apache.http.HttpRequest;
import org.apache.http.HttpResponse;
import org.apache.http.auth.AuthState;
import org.apache.http.client.methods.HttpRequestWrapper;
import org.apache.http.client.protocol.HttpClientContext;
import org.apache.http.conn.ConnectTimeoutException;
import org.apache.http.conn.ConnectionKeepAliveStrategy;
import org.apache.http.impl.execchain.RequestAbortedException;
import org.apache.http.protocol.HttpContext;
import org.apache.http.protocol.HttpRequestExecutor;

/** Sends a request to endpoints of the mesh, with the app's own executor and as often as it takes. Thread-safe. */
final class MeshRequestExecutor extends HttpRequestExecutor {
    private static final long CANCELLATION_POLL_MS = 10;

    private final HttpRequestExecutor apps;
    private final ConnectionKeepAliveStrategy keepAlive;
    private final Outbound outbound;

    MeshRequestExecutor(HttpRequestExecutor apps, ConnectionKeepAliveStrategy keepAlive, Outbound outbound) {
        this.apps = apps;
        this.keepAlive = keepAlive;
        this.outbound = outbound;
    }

    @Override
    public HttpResponse execute(HttpRequest request, HttpClientConnection conn, HttpContext context) throws IOException, HttpException {
        MeshConnection connection = (MeshConnection) conn;
        HttpClientContext clientContext = HttpClientContext.adapt(context);
        HttpResponse response = send((HttpRequestWrapper) request, connection, clientContext);
        connection.answered(response);
        return response;
    }

    private HttpResponse send(HttpRequestWrapper request, MeshConnection connection, HttpClientContext context)
            throws IOException, HttpException {
        HttpResponse challenge = connection.challenge();
        if (challenge != null) {
            HttpClientConnection kept = connection.leased();
            if (kept != null && kept.isOpen() && isAuthenticated(context)) {
                return apps.execute(request, kept, context);
            }
            connection.release(context.getUserToken(), keepAlive.getKeepAliveDuration(challenge, context), TimeUnit.MILLISECONDS);
        }
        ClassicRequest exchange = new ClassicRequest(request, connection.route(), connection);
        if (!outbound.claims(exchange)) {
            HttpClientConnection unmeshed = connection.lease(null, context.getRequestConfig());
            connection.openAsAppSays(unmeshed, context);
            return apps.execute(request, unmeshed, context);
        }
        ExchangeEnd end = new ExchangeEnd(exchange);
        try {
            HttpResponse response = attempts(exchange, request, connection, context);
            // Not before: who aborts the request, on whatever thread, ends none that this thread goes on with.
            connection.onEnd(end);
            if (response == null) {
                end.run();
                return WireHead.of(exchange.reply(), request.getMethod());
            }
            new MessageHeaders(response).changeResponse(exchange.responseChanges());
            HttpEntity entity = response.getEntity();
            if (entity == null) {
                end.run();
            } else {
                response.setEntity(new WatchedEntity(entity, exchange, end, connection::isAborted));
            }
            return response;
        } catch (IOException | HttpException | RuntimeException | Error e) {
            end.run();
            throw e;
        }
    }

    /** NTLM and the like authenticate a connection: the next leg of the dialogue goes over the same one. */
    private static boolean isAuthenticated(HttpClientContext context) {
        AuthState state = context.getTargetAuthState();
        return state != null && state.getAuthScheme() != null && state.getAuthScheme().isConnectionBased();
    }

    /** @return null: the mesh answers by itself */
    private HttpResponse attempts(
            ClassicRequest exchange, HttpRequestWrapper request, MeshConnection connection, HttpClientContext context)
            throws IOException, HttpException {
        while (next(exchange, connection) == Step.DIAL) {
            exchange.begins();
            HttpRequest wire = wire(request, exchange);
            Endpoint endpoint = exchange.endpoint();
            HttpClientConnection leased = connection.lease(endpoint, context.getRequestConfig());
            HttpResponse response;
            boolean connected = false;
            try {
                connection.open(leased, endpoint, millis(exchange.connectTimeoutNanos()), context);
                connected = true;
                if (!exchange.connected()) {
                    throw new SocketTimeoutException("too late to send");
                }
                response = apps.execute(wire, leased, context);
            } catch (IOException | HttpException | RuntimeException e) {
                connection.discard();
                if (!exchange.onFailure(classify(exchange, connection, e, connected)) || connection.isAborted()) {
                    throw e;
                }
                pause(exchange.backoffNanos(), connection);
                continue;
            }
            if (!exchange.onResponse(response.getStatusLine().getStatusCode(), name -> MessageHeaders.joined(response, name))
                    || connection.isAborted()) {
                return response;
            }
            // with the connection: how much body follows is not known
            connection.discard();
            pause(exchange.backoffNanos(), connection);
        }
        return null;
    }

    /** A filter may hold the request up before its first attempt. */
    private static Step next(Exchange exchange, MeshConnection connection) throws IOException {
        Step step = exchange.next();
        while (step == Step.WAIT) {
            pause(exchange.backoffNanos(), connection);
            step = exchange.next();
        }
        return step;
    }

    private static int millis(long nanos) {
        return (int) Math.min(Integer.MAX_VALUE, Math.max(1, TimeUnit.NANOSECONDS.toMillis(nanos)));
    }

    private static HttpRequest wire(HttpRequestWrapper request, Exchange exchange) {
        RequestChanges changes = exchange.requestChanges();
        boolean oneShot = exchange.replay() == Replay.ONE_SHOT;
        if (changes.equals(RequestChanges.NONE) && !oneShot) {
            return request;
        }
        HttpEntity body = OutgoingRequest.entity(request);
        return WireHead.of(request, changes, oneShot ? new SentEntity(body, exchange) : body);
    }

    private static Failure classify(ClassicRequest exchange, MeshConnection connection, Exception failure, boolean connected) {
        if (exchange.isEnded() && !connection.isAborted()) {
            // the library may well say that there is no connection any more
            return Failure.RESET;
        }
        if (connection.isAborted() || Interrupted.hasClosed(failure) || !(failure instanceof IOException || failure instanceof HttpException)) {
            return Failure.CANCELLED;
        }
        boolean interrupted = failure instanceof InterruptedIOException
                && !(failure instanceof SocketTimeoutException || failure instanceof ConnectTimeoutException);
        if (interrupted) {
            return Failure.CANCELLED;
        }
        if (!connected) {
            return Failure.CONNECT;
        }
        return failure instanceof SocketTimeoutException ? Failure.TIMEOUT : Failure.RESET;
    }

    private static void pause(long nanos, MeshConnection connection) throws IOException {
        long end = System.nanoTime() + nanos;
        try {
            for (long left = nanos; left > 0 && !connection.isAborted(); left = end - System.nanoTime()) {
                TimeUnit.NANOSECONDS.sleep(Math.min(left, TimeUnit.MILLISECONDS.toNanos(CANCELLATION_POLL_MS)));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException();
        }
        if (connection.isAborted()) {
            throw new RequestAbortedException("Request aborted");
        }
    }
}
