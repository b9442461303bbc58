package io.weft.instrumentation.apachehttpclient5;

import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.async.AsyncExecRuntime;
import org.apache.hc.client5.http.config.RequestConfig;
import org.apache.hc.client5.http.nio.AsyncClientConnectionManager;
import org.apache.hc.client5.http.nio.AsyncConnectionEndpoint;
import org.apache.hc.client5.http.protocol.HttpClientContext;
import org.apache.hc.core5.concurrent.Cancellable;
import org.apache.hc.core5.concurrent.FutureCallback;
import org.apache.hc.core5.http.nio.AsyncClientExchangeHandler;
import org.apache.hc.core5.http.nio.AsyncPushConsumer;
import org.apache.hc.core5.http.nio.HandlerFactory;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.reactor.ConnectionInitiator;
import org.apache.hc.core5.util.TimeValue;
import org.apache.hc.core5.util.Timeout;

/** A minimal client's connections, one at a time, as what has an execution chain has them. Its states are those of one exchange after the other. */
final class MinimalRuntime implements AsyncExecRuntime {
    private final AsyncClientConnectionManager manager;
    private final ConnectionInitiator initiator;
    /** By which the library knows what is to be spoken. */
    private final Object attachment;
    private final HandlerFactory<AsyncPushConsumer> push;
    /** Null: it has none. */
    private final AtomicReference<AsyncConnectionEndpoint> leased = new AtomicReference<>();
    private volatile Object state;

    MinimalRuntime(
            AsyncClientConnectionManager manager, ConnectionInitiator initiator, Object attachment, HandlerFactory<AsyncPushConsumer> push) {
        this.manager = manager;
        this.initiator = initiator;
        this.attachment = attachment;
        this.push = push;
    }

    @Override
    public boolean isEndpointAcquired() {
        return leased.get() != null;
    }

    @Override
    public Cancellable acquireEndpoint(
            String id, HttpRoute route, Object wanted, HttpClientContext context, FutureCallback<AsyncExecRuntime> callback) {
        state = wanted;
        Timeout limit = context.getRequestConfig().getConnectionRequestTimeout();
        return cancelling(manager.lease(id, route, wanted, limit, new Step(callback) {
            @Override
            public void completed(AsyncConnectionEndpoint endpoint) {
                leased.set(endpoint);
                super.completed(endpoint);
            }
        }));
    }

    @Override
    public boolean isEndpointConnected() {
        AsyncConnectionEndpoint endpoint = leased.get();
        return endpoint != null && endpoint.isConnected();
    }

    @Override
    public Cancellable connectEndpoint(HttpClientContext context, FutureCallback<AsyncExecRuntime> callback) {
        Timeout limit = context.getRequestConfig().getConnectTimeout();
        return cancelling(manager.connect(endpoint(), initiator, limit, attachment, context, new Step(callback)));
    }

    @Override
    public Cancellable execute(String id, AsyncClientExchangeHandler handler, HttpClientContext context) {
        AsyncConnectionEndpoint endpoint = endpoint();
        RequestConfig config = context.getRequestConfig();
        if (config.getResponseTimeout() != null) {
            endpoint.setSocketTimeout(config.getResponseTimeout());
        }
        endpoint.execute(id, handler, push, context);
        return () -> {
            handler.cancel();
            return true;
        };
    }

    private AsyncConnectionEndpoint endpoint() {
        AsyncConnectionEndpoint endpoint = leased.get();
        if (endpoint == null) {
            throw new IllegalStateException("Endpoint not acquired / already released");
        }
        return endpoint;
    }

    private static Cancellable cancelling(Future<?> future) {
        return () -> future.cancel(true);
    }

    /** Towards a connection. */
    private class Step implements FutureCallback<AsyncConnectionEndpoint> {
        private final FutureCallback<AsyncExecRuntime> callback;

        Step(FutureCallback<AsyncExecRuntime> callback) {
            this.callback = callback;
        }

        @Override
        public void completed(AsyncConnectionEndpoint endpoint) {
            callback.completed(MinimalRuntime.this);
        }

        @Override
        public void failed(Exception cause) {
            callback.failed(cause);
        }

        @Override
        public void cancelled() {
            callback.cancelled();
        }
    }

    /** The pool looks by itself whether the connection is still there. */
    @Override
    public void releaseEndpoint() {
        AsyncConnectionEndpoint endpoint = leased.getAndSet(null);
        if (endpoint != null) {
            manager.release(endpoint, state, TimeValue.NEG_ONE_MILLISECOND);
        }
    }

    @Override
    public void discardEndpoint() {
        AsyncConnectionEndpoint endpoint = leased.getAndSet(null);
        if (endpoint != null) {
            try {
                endpoint.close(CloseMode.IMMEDIATE);
            } finally {
                manager.release(endpoint, null, TimeValue.ZERO_MILLISECONDS);
            }
        }
    }

    /** Overrides a method from 5.4 on. */
    @Override
    public void disconnectEndpoint() {
        discardEndpoint();
    }

    @Override
    public boolean validateConnection() {
        return isEndpointConnected();
    }

    // Of whoever goes by a proxy, or keeps connections by a response: a minimal client does neither.

    @Override
    public void upgradeTls(HttpClientContext context) {
        throw new UnsupportedOperationException("a minimal client knows no proxy");
    }

    @Override
    public void markConnectionReusable(Object newState, TimeValue validity) {}

    @Override
    public void markConnectionNonReusable() {}

    @Override
    public AsyncExecRuntime fork() {
        return new MinimalRuntime(manager, initiator, attachment, push);
    }
}
