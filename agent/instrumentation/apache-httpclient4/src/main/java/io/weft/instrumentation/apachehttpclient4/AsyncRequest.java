package io.weft.instrumentation.apachehttpclient4;

import org.apache.http.HttpEntity;
import org.apache.http.client.methods.HttpRequestWrapper;
import org.apache.http.conn.routing.HttpRoute;
import org.apache.http.nio.entity.NFileEntity;
import org.apache.http.nio.protocol.BasicAsyncRequestProducer;
import org.apache.http.nio.protocol.HttpAsyncRequestProducer;

/** One for which no thread waits. Its body comes from the app's producer, and from its entity only where the two are the same. */
final class AsyncRequest extends OutgoingRequest {
    private final HttpRequestWrapper request;
    private final HttpAsyncRequestProducer producer;

    /** Written before the exchange is asked for the first time. */
    private AsyncHop hop;

    AsyncRequest(HttpRequestWrapper request, HttpAsyncRequestProducer producer, HttpRoute route) {
        super(request, route);
        this.request = request;
        this.producer = producer;
    }

    void drivenBy(AsyncHop hop) {
        this.hop = hop;
    }

    @Override
    protected void abort() {
        hop.endAttempt();
    }

    @Override
    public Replay replay() {
        if (entity(request) == null) {
            return Replay.NO_BODY;
        }
        return producer.isRepeatable() ? Replay.REPEATABLE : Replay.ONE_SHOT;
    }

    @Override
    protected boolean isInMemory(HttpEntity body) {
        return producer instanceof BasicAsyncRequestProducer
                && body != null
                && body.isRepeatable()
                && !(body instanceof NFileEntity)
                && super.isInMemory(body);
    }
}
