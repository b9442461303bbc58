package io.weft.instrumentation.apachehttpclient5;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.hc.client5.http.impl.classic.RequestFailedException;
import org.apache.hc.core5.http.EntityDetails;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.HttpRequest;
import org.apache.hc.core5.http.HttpResponse;
import org.apache.hc.core5.http.HttpStatus;
import org.apache.hc.core5.http.nio.AsyncClientExchangeHandler;
import org.apache.hc.core5.http.nio.CapacityChannel;
import org.apache.hc.core5.http.nio.DataStreamChannel;
import org.apache.hc.core5.http.nio.RequestChannel;
import org.apache.hc.core5.http.protocol.HttpContext;

/**
 * The app's exchange with a minimal client, as a hop drives it: the app's body is the attempts' to send, and of its end this hears. A connection whose request and response
 * are both over goes back to the pool, as that client does it.
 */
final class MinimalExchange implements AsyncClientExchangeHandler {
    private final AsyncClientExchangeHandler apps;
    private final HttpRequest request;
    private final EntityDetails details;
    private final MinimalRuntime connections;
    /** Halves of the exchange that are not over. */
    private final AtomicInteger open;

    MinimalExchange(AsyncClientExchangeHandler apps, HttpRequest request, EntityDetails details, MinimalRuntime connections) {
        this.apps = apps;
        this.request = request;
        this.details = details;
        this.connections = connections;
        open = new AtomicInteger(details == null ? 1 : 2);
    }

    private void half() {
        if (open.decrementAndGet() == 0) {
            connections.releaseEndpoint();
        }
    }

    @Override
    public void produceRequest(RequestChannel channel, HttpContext context) throws HttpException, IOException {
        channel.sendRequest(request, details, context);
    }

    @Override
    public int available() {
        return 0;
    }

    /** All of the body has gone out. */
    @Override
    public void produce(DataStreamChannel channel) {
        half();
    }

    @Override
    public void consumeInformation(HttpResponse response, HttpContext context) throws HttpException, IOException {
        apps.consumeInformation(response, context);
    }

    @Override
    public void consumeResponse(HttpResponse response, EntityDetails body, HttpContext context) throws HttpException, IOException {
        apps.consumeResponse(response, body, context);
        if (details != null && response.getCode() >= HttpStatus.SC_CLIENT_ERROR && open.get() == 2) {
            // What is not sent yet is not sent any more.
            half();
        }
        if (body == null) {
            half();
        }
    }

    @Override
    public void updateCapacity(CapacityChannel channel) throws IOException {
        apps.updateCapacity(channel);
    }

    @Override
    public void consume(ByteBuffer bytes) throws IOException {
        apps.consume(bytes);
    }

    @Override
    public void streamEnd(List<? extends Header> trailers) throws HttpException, IOException {
        half();
        apps.streamEnd(trailers);
    }

    @Override
    public void failed(Exception cause) {
        try {
            apps.failed(cause);
        } finally {
            connections.discardEndpoint();
        }
    }

    @Override
    public void cancel() {
        failed(new RequestFailedException("Request aborted"));
    }

    @Override
    public void releaseResources() {
        try {
            apps.releaseResources();
        } finally {
            connections.discardEndpoint();
        }
    }
}
