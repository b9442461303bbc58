package io.weft.instrumentation.helidon;

import io.helidon.common.buffers.DataReader;
import io.helidon.common.buffers.DataWriter;
import io.helidon.common.socket.HelidonSocket;
import io.helidon.http.Status;
import io.helidon.http.WritableHeaders;
import io.helidon.webclient.api.ClientConnection;
import io.helidon.webclient.api.WebClientServiceResponse;
import io.helidon.webclient.spi.WebClientService;
import io.weft.dataplane.LocalReply;
import java.io.ByteArrayInputStream;
import java.time.Duration;
import java.util.Map;

/** A response that the mesh gives by itself, over no connection. */
final class LocalAnswer implements ClientConnection {
    private LocalAnswer() {}

    static WebClientServiceResponse to(OutgoingRequest request, CallChains chains, WebClientService.Chain chain) throws Throwable {
        LocalReply reply = request.reply();
        boolean empty = reply.status() == 204 || reply.status() == 304;
        WritableHeaders<?> headers = WritableHeaders.create();
        HeaderView view = new HeaderView(headers);
        for (Map.Entry<String, String> header : reply.headers()) {
            view.add(header.getKey(), header.getValue());
        }
        if (!empty && !view.contains("content-length")) {
            view.set("content-length", Integer.toString(reply.body().length));
        }
        LocalAnswer connection = new LocalAnswer();
        chains.answeredOver(chain, connection, request.request());
        WebClientServiceResponse.Builder response = WebClientServiceResponse.builder()
                .connection(connection)
                .headers(chains.headers(chain, headers))
                .status(reply.reason().isEmpty() ? Status.create(reply.status()) : Status.create(reply.status(), reply.reason()))
                .whenComplete(chains.whenComplete(chain))
                .serviceRequest(request.request());
        if (!empty && reply.body().length > 0 && !request.method().equals("HEAD")) {
            response.inputStream(new ByteArrayInputStream(reply.body()));
        }
        return response.build();
    }

    @Override
    public DataReader reader() {
        return new DataReader(() -> null);
    }

    @Override
    public DataWriter writer() {
        throw new IllegalStateException("the mesh has answered by itself");
    }

    @Override
    public String channelId() {
        return "mesh";
    }

    @Override
    public HelidonSocket helidonSocket() {
        throw new IllegalStateException("the mesh has answered by itself");
    }

    @Override
    public void readTimeout(Duration timeout) {}

    @Override
    public void releaseResource() {}

    @Override
    public void closeResource() {}
}
