package io.weft.instrumentation.apachehttpclient5;

import io.weft.instrumentation.AdapterContext;
import java.io.IOException;
import java.net.ConnectException;
import java.nio.ByteBuffer;
import java.util.List;
import org.apache.hc.core5.http.EntityDetails;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.http.HttpRequest;
import org.apache.hc.core5.http.HttpResponse;
import org.apache.hc.core5.http.nio.AsyncClientExchangeHandler;
import org.apache.hc.core5.http.nio.CapacityChannel;
import org.apache.hc.core5.http.nio.DataStreamChannel;
import org.apache.hc.core5.http.nio.RequestChannel;
import org.apache.hc.core5.http.protocol.HttpContext;

/** The app's exchange with a minimal client, in front of whose request it is asked what policy says. */
final class MinimalHandler implements AsyncClientExchangeHandler {
    private final AdapterContext context;
    private final MinimalClients clients;
    private final AsyncClientExchangeHandler apps;
    /** Null: it was not asked for yet. */
    private HttpRequest request;
    private EntityDetails details;
    private Exception failure;

    MinimalHandler(AdapterContext context, MinimalClients clients, AsyncClientExchangeHandler apps) {
        this.context = context;
        this.clients = clients;
        this.apps = apps;
    }

    AsyncClientExchangeHandler apps() {
        return apps;
    }

    /** Asks the app for its request, whose exchange is not to be asked again. @return false: it gave none, and the library is to hear of that */
    boolean produce(HttpContext http) {
        try {
            apps.produceRequest((request, details, sent) -> {
                this.request = request;
                this.details = details;
            }, http);
        } catch (HttpException | IOException | RuntimeException appsFault) {
            failure = appsFault;
        }
        return request != null;
    }

    HttpRequest request() {
        return request;
    }

    EntityDetails details() {
        return details;
    }

    @Override
    public void produceRequest(RequestChannel channel, HttpContext http) throws HttpException, IOException {
        if (request == null && failure == null) {
            produce(http);
        }
        if (failure instanceof HttpException told) {
            throw told;
        }
        if (failure instanceof IOException told) {
            throw told;
        }
        if (failure instanceof RuntimeException told) {
            throw told;
        }
        if (request == null) {
            return;
        }
        ConnectException refusal = refusal(request);
        if (refusal != null) {
            throw refusal;
        }
        channel.sendRequest(request, details, http);
    }

    private ConnectException refusal(HttpRequest request) {
        if (request.getScheme() == null || request.getAuthority() == null) {
            // nor does the library know where to send it
            return null;
        }
        try {
            return clients.refusal(request, new HttpHost(request.getScheme(), request.getAuthority()));
        } catch (Throwable fault) {
            context.warn("apache-httpclient5: nobody asked what policy says of a minimal client's request: " + fault);
            return null;
        }
    }

    @Override
    public void consumeResponse(HttpResponse response, EntityDetails details, HttpContext http) throws HttpException, IOException {
        apps.consumeResponse(response, details, http);
    }

    @Override
    public void consumeInformation(HttpResponse response, HttpContext http) throws HttpException, IOException {
        apps.consumeInformation(response, http);
    }

    @Override
    public void cancel() {
        apps.cancel();
    }

    @Override
    public int available() {
        return apps.available();
    }

    @Override
    public void produce(DataStreamChannel channel) throws IOException {
        apps.produce(channel);
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
        apps.streamEnd(trailers);
    }

    @Override
    public void failed(Exception cause) {
        apps.failed(cause);
    }

    @Override
    public void releaseResources() {
        apps.releaseResources();
    }
}
