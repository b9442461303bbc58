package io.weft.instrumentation.apachehttpclient5;

import io.weft.dataplane.ClientTls;
import io.weft.dataplane.Endpoint;
import io.weft.dataplane.Exchange;
import io.weft.dataplane.Exchange.Failure;
import io.weft.dataplane.Exchange.Replay;
import io.weft.dataplane.Exchange.Step;
import io.weft.dataplane.LocalReply;
import io.weft.dataplane.Outbound;
import io.weft.dataplane.RequestChanges;
import io.weft.instrumentation.Attached;
import io.weft.instrumentation.ExchangeEnd;
import io.weft.instrumentation.Interrupted;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodType;
import java.lang.ref.WeakReference;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.classic.ExecChain;
import org.apache.hc.client5.http.classic.ExecRuntime;
import org.apache.hc.client5.http.impl.classic.RequestFailedException;
import org.apache.hc.client5.http.protocol.HttpClientContext;
import org.apache.hc.core5.concurrent.CancellableDependency;
import org.apache.hc.core5.http.ClassicHttpRequest;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.http.impl.EnglishReasonPhraseCatalog;
import org.apache.hc.core5.http.io.HttpResponseInformationCallback;
import org.apache.hc.core5.http.io.entity.ByteArrayEntity;
import org.apache.hc.core5.http.message.BasicClassicHttpRequest;
import org.apache.hc.core5.http.message.BasicClassicHttpResponse;
import org.apache.hc.core5.util.TimeValue;

/**
 * Connections to endpoints of the mesh, for one hop. Until the request is executed it holds none, though it says that it does: the
 * library asks for a connection before the app's interceptors have had their say.
 *
 * <p>For the thread of the request; but {@link #releaseEndpoint} and {@link #discardEndpoint} may come from whoever reads the body.
 */
final class MeshRuntime implements ExecRuntime {
    private static final long CANCELLATION_POLL_MS = 10;

    /** {@code execute} with a callback for interim responses; null before 5.4. */
    private static final MethodHandle EXECUTE_INFORMED = Members.whenPresent(
            ExecRuntime.class,
            "execute",
            MethodType.methodType(
                    ClassicHttpResponse.class,
                    String.class,
                    ClassicHttpRequest.class,
                    HttpResponseInformationCallback.class,
                    HttpClientContext.class));

    private final Outbound outbound;
    private final Dialing dialing;
    private final ExecChain.Scope scope;
    private final ExecRuntime connections;
    private final ConnectLimit connectLimit;
    private final Managers managers;

    /** By the library's own runtime, which the elements above this one have: they let go of its connection, and the mesh's runtime hears nothing. */
    private final Attached<WeakReference<ClassicRequest>> delivered;

    private volatile boolean leased;
    private Object state;
    /** Null: the connection that is leased is one without mesh TLS. */
    private ClientTls tls;

    /** Null before the request is executed, and when no policy names what it turned out to be. */
    private volatile Runnable end;

    /** The response is the mesh's own: there is no connection. */
    private boolean local;

    MeshRuntime(
            Outbound outbound,
            Dialing dialing,
            ExecChain.Scope scope,
            ConnectLimit connectLimit,
            Managers managers,
            Attached<WeakReference<ClassicRequest>> delivered) {
        this.outbound = outbound;
        this.dialing = dialing;
        this.scope = scope;
        this.connections = scope.execRuntime;
        this.connectLimit = connectLimit;
        this.managers = managers;
        this.delivered = delivered;
    }

    @Override
    public void acquireEndpoint(String id, HttpRoute route, Object state, HttpClientContext context) {
        this.state = state;
        leased = true;
    }

    @Override
    public boolean isEndpointAcquired() {
        return leased || connections.isEndpointAcquired();
    }

    @Override
    public boolean isEndpointConnected() {
        return leased || connections.isEndpointConnected();
    }

    @Override
    public void connectEndpoint(HttpClientContext context) {}

    @Override
    public ClassicHttpResponse execute(String id, ClassicHttpRequest request, HttpClientContext context)
            throws IOException, HttpException {
        return execute(id, request, null, context);
    }

    /** Overrides a default method from 5.4 on. */
    public ClassicHttpResponse execute(
            String id, ClassicHttpRequest request, HttpResponseInformationCallback interim, HttpClientContext context)
            throws IOException, HttpException {
        leased = false;
        // after a challenge the connection of the request before is still leased
        connections.releaseEndpoint();
        ClassicRequest exchange = new ClassicRequest(request, scope, connections);
        if (!outbound.claims(exchange)) {
            connections.acquireEndpoint(id, scope.route, state, context);
            connections.connectEndpoint(context);
            return send(id, request, interim, context);
        }
        ExchangeEnd end = new ExchangeEnd(exchange);
        this.end = end;
        try {
            ClassicHttpResponse response = attempts(exchange, id, request, interim, context);
            if (local) {
                end.run();
                return response;
            }
            new MessageHeaders(response).changeResponse(exchange.responseChanges());
            if (response.getEntity() == null) {
                end.run();
            } else {
                response.setEntity(new WatchedEntity(response.getEntity(), exchange, end, connections::isExecutionAborted));
                exchange.delivers(end);
                delivered.put(connections, new WeakReference<>(exchange));
            }
            return response;
        } catch (IOException | HttpException | RuntimeException | Error e) {
            end.run();
            throw e;
        }
    }

    private ClassicHttpResponse attempts(
            ClassicRequest exchange, String id, ClassicHttpRequest request, HttpResponseInformationCallback interim, HttpClientContext context)
            throws IOException, HttpException {
        while (next(exchange) == Step.DIAL) {
            exchange.begins();
            ClassicHttpRequest wire = wire(request, exchange);
            Endpoint endpoint = exchange.endpoint();
            acquire(id, endpoint, context);
            ClassicHttpResponse response;
            boolean connected = false;
            try {
                if (!connections.isEndpointConnected()) {
                    connect(endpoint, exchange, context);
                }
                connected = true;
                if (!exchange.connected()) {
                    throw new SocketTimeoutException("too late to send");
                }
                response = send(exchange, id, wire, interim, context);
            } catch (IOException | HttpException | RuntimeException e) {
                connections.discardEndpoint();
                if (!exchange.onFailure(classify(exchange, e, connected)) || connections.isExecutionAborted()) {
                    throw e;
                }
                pause(exchange.backoffNanos());
                continue;
            }
            if (!exchange.onResponse(response.getCode(), name -> MessageHeaders.joined(response, name))
                    || connections.isExecutionAborted()) {
                return response;
            }
            // with the connection: how much body follows is not known
            connections.discardEndpoint();
            pause(exchange.backoffNanos());
        }
        local = true;
        return response(exchange.reply(), request);
    }

    private void acquire(String id, Endpoint endpoint, HttpClientContext context) throws IOException {
        tls = endpoint.tls();
        HttpRoute route = EndpointRoute.to(endpoint, scope.route);
        Object pooled = EndpointRoute.state(tls, state);
        connections.acquireEndpoint(id, route, pooled, context);
        while (tls != null && dialing.isOutdated()) {
            connections.discardEndpoint();
            connections.acquireEndpoint(id, route, pooled, context);
        }
    }

    /** A filter may hold the request up before its first attempt. */
    private Step next(Exchange exchange) throws IOException {
        Step step = exchange.next();
        while (step == Step.WAIT) {
            pause(exchange.backoffNanos());
            step = exchange.next();
        }
        return step;
    }

    private void connect(Endpoint endpoint, Exchange exchange, HttpClientContext context) throws IOException {
        EndpointRoute.limit(managers.of(connections), EndpointRoute.to(endpoint, scope.route), scope.route);
        boolean asPolicySays = false;
        connectLimit.begin(exchange.connectTimeoutNanos());
        dialing.begin(endpoint, exchange.connectTimeoutNanos());
        try {
            connections.connectEndpoint(context);
        } finally {
            asPolicySays = dialing.end();
            connectLimit.end();
        }
        if (!asPolicySays) {
            throw new ConnectException("mesh TLS to " + endpoint + " is not in place");
        }
    }

    private ClassicHttpResponse send(
            Exchange exchange, String id, ClassicHttpRequest request, HttpResponseInformationCallback interim, HttpClientContext context)
            throws IOException, HttpException {
        if (tls == null) {
            return send(id, request, interim, context);
        }
        // The library connects once more by itself if it finds the connection closed.
        dialing.beginSending(exchange.endpoint(), exchange.connectTimeoutNanos());
        try {
            return send(id, request, interim, context);
        } finally {
            dialing.endSending();
        }
    }

    private ClassicHttpResponse send(
            String id, ClassicHttpRequest request, HttpResponseInformationCallback interim, HttpClientContext context)
            throws IOException, HttpException {
        if (interim == null) {
            return connections.execute(id, request, context);
        }
        try {
            return (ClassicHttpResponse) EXECUTE_INFORMED.invokeExact(connections, id, request, interim, context);
        } catch (IOException | HttpException | RuntimeException | Error e) {
            throw e;
        } catch (Throwable undeclared) {
            throw new AssertionError(undeclared);
        }
    }

    private static ClassicHttpRequest wire(ClassicHttpRequest request, Exchange exchange) {
        RequestChanges changes = exchange.requestChanges();
        boolean oneShot = exchange.replay() == Replay.ONE_SHOT;
        if (changes.equals(RequestChanges.NONE) && !oneShot) {
            return request;
        }
        BasicClassicHttpRequest wire = WireHead.of(
                new BasicClassicHttpRequest(request.getMethod(), (HttpHost) null, WireHead.path(request, changes)),
                request,
                request.getHeaders(),
                changes);
        wire.setEntity(oneShot ? new SentEntity(request.getEntity(), exchange) : request.getEntity());
        return wire;
    }

    private static ClassicHttpResponse response(LocalReply reply, ClassicHttpRequest request) {
        BasicClassicHttpResponse response =
                WireHead.of(new BasicClassicHttpResponse(reply.status(), EnglishReasonPhraseCatalog.INSTANCE, Locale.ROOT), reply);
        if (WireHead.hasBody(reply, request.getMethod())) {
            ContentType type = ContentType.parseLenient(MessageHeaders.joined(response, "content-type"));
            response.setEntity(new ByteArrayEntity(reply.body(), type));
        }
        return response;
    }

    private Failure classify(ClassicRequest exchange, Exception failure, boolean connected) {
        if (exchange.isEnded() && !connections.isExecutionAborted()) {
            // the library may well say that there is no connection any more
            return Failure.RESET;
        }
        if (connections.isExecutionAborted() || Interrupted.hasClosed(failure) || !(failure instanceof IOException || failure instanceof HttpException)) {
            return Failure.CANCELLED;
        }
        if (failure instanceof ConnectException
                || failure instanceof NoRouteToHostException
                || failure instanceof UnknownHostException) {
            return Failure.CONNECT;
        }
        if (failure instanceof SocketTimeoutException) {
            return connected ? Failure.TIMEOUT : Failure.CONNECT;
        }
        return failure instanceof InterruptedIOException ? Failure.CANCELLED : Failure.RESET;
    }

    private void pause(long nanos) throws IOException {
        long end = System.nanoTime() + nanos;
        try {
            for (long left = nanos; left > 0 && !connections.isExecutionAborted(); left = end - System.nanoTime()) {
                TimeUnit.NANOSECONDS.sleep(Math.min(left, TimeUnit.MILLISECONDS.toNanos(CANCELLATION_POLL_MS)));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException();
        }
        if (connections.isExecutionAborted()) {
            // Without that, some versions say it by an exception that is not one of I/O.
            throw new RequestFailedException("Request aborted");
        }
    }

    private void end() {
        leased = false;
        Runnable end = this.end;
        if (end != null) {
            end.run();
        }
    }

    @Override
    public void releaseEndpoint() {
        connections.releaseEndpoint();
        end();
    }

    @Override
    public void discardEndpoint() {
        connections.discardEndpoint();
        end();
    }

    @Override
    public void disconnectEndpoint() throws IOException {
        connections.disconnectEndpoint();
    }

    @Override
    public void upgradeTls(HttpClientContext context) throws IOException {
        connections.upgradeTls(context);
    }

    @Override
    public boolean isExecutionAborted() {
        return connections.isExecutionAborted();
    }

    @Override
    public boolean isConnectionReusable() {
        return !local && connections.isConnectionReusable();
    }

    @Override
    public void markConnectionReusable(Object state, TimeValue validity) {
        if (tls != null && tls.connections().retired()) {
            connections.markConnectionNonReusable();
        } else if (!local) {
            connections.markConnectionReusable(EndpointRoute.state(tls, state), validity);
        }
    }

    @Override
    public void markConnectionNonReusable() {
        connections.markConnectionNonReusable();
    }

    @Override
    public ExecRuntime fork(CancellableDependency dependency) {
        return connections.fork(dependency);
    }
}
