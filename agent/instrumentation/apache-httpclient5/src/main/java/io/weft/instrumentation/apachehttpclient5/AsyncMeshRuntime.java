package io.weft.instrumentation.apachehttpclient5;

import io.weft.dataplane.ClientTls;
import io.weft.instrumentation.AdapterContext;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.async.AsyncExecChain;
import org.apache.hc.client5.http.async.AsyncExecRuntime;
import org.apache.hc.client5.http.protocol.HttpClientContext;
import org.apache.hc.core5.concurrent.Cancellable;
import org.apache.hc.core5.concurrent.FutureCallback;
import org.apache.hc.core5.http.nio.AsyncClientExchangeHandler;
import org.apache.hc.core5.http.nio.AsyncEntityProducer;
import org.apache.hc.core5.util.TimeValue;

/**
 * Connections to endpoints of the mesh, for one hop. Until the request is executed it holds none, though it says that it does: the
 * library asks for a connection before the app's interceptors have had their say.
 *
 * <p>What the library cancels while it waits for any of these is the hop, whatever that is at.
 */
final class AsyncMeshRuntime implements AsyncExecRuntime, Cancellable {
    private final AdapterContext context;
    private final AsyncInternals internals;
    private final AsyncDialing dialing;
    private final AsyncExecChain.Scope scope;

    /** The library's own. */
    private final AsyncExecRuntime connections;

    private volatile boolean leased;

    /** Null: the request has none. */
    private AsyncEntityProducer body;

    /** Null before the request is executed. */
    private volatile AsyncHop hop;

    AsyncMeshRuntime(AdapterContext context, AsyncInternals internals, AsyncDialing dialing, AsyncExecChain.Scope scope) {
        this.context = context;
        this.internals = internals;
        this.dialing = dialing;
        this.scope = scope;
        this.connections = scope.execRuntime;
    }

    /** @return what the library is to send in its place: the attempts send the body itself */
    AsyncEntityProducer sends(AsyncEntityProducer body) {
        this.body = body;
        return body == null ? null : new SentBody(body);
    }

    @Override
    public Cancellable acquireEndpoint(
            String id, HttpRoute route, Object state, HttpClientContext context, FutureCallback<AsyncExecRuntime> callback) {
        leased = true;
        callback.completed(this);
        return this;
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
    public Cancellable connectEndpoint(HttpClientContext context, FutureCallback<AsyncExecRuntime> callback) {
        callback.completed(this);
        return this;
    }

    @Override
    public Cancellable execute(String id, AsyncClientExchangeHandler handler, HttpClientContext clientContext) {
        leased = false;
        // after a challenge the connection of the request before is still leased
        connections.releaseEndpoint();
        AsyncHop next = new AsyncHop(context, internals, dialing, scope, id, handler, body);
        hop = next;
        next.start();
        return this;
    }

    @Override
    public boolean cancel() {
        AsyncHop underWay = hop;
        return underWay != null && underWay.cancel();
    }

    @Override
    public void releaseEndpoint() {
        leased = false;
        connections.releaseEndpoint();
    }

    @Override
    public void discardEndpoint() {
        leased = false;
        connections.discardEndpoint();
    }

    /** Overrides a method from 5.4 on. */
    @Override
    public void disconnectEndpoint() {
        internals.disconnect(connections);
    }

    @Override
    public void upgradeTls(HttpClientContext context) {
        connections.upgradeTls(context);
    }

    /** Overrides a default method from 5.2 on. */
    @Override
    public void upgradeTls(HttpClientContext context, FutureCallback<AsyncExecRuntime> callback) {
        internals.upgrade(connections, context, callback);
    }

    @Override
    public boolean validateConnection() {
        return connections.validateConnection();
    }

    @Override
    public void markConnectionReusable(Object state, TimeValue validity) {
        AsyncHop over = hop;
        if (over.isAnsweredByMesh()) {
            return;
        }
        ClientTls tls = over.tls();
        if (tls != null && tls.connections().retired()) {
            connections.markConnectionNonReusable();
        } else {
            connections.markConnectionReusable(EndpointRoute.state(tls, state), validity);
        }
    }

    @Override
    public void markConnectionNonReusable() {
        connections.markConnectionNonReusable();
    }

    @Override
    public AsyncExecRuntime fork() {
        return connections.fork();
    }
}
