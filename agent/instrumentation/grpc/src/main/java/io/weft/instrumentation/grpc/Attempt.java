package io.weft.instrumentation.grpc;

import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.internal.ClientStream;
import io.grpc.internal.ClientStreamListener;
import io.grpc.internal.ConnectionClientTransport;

/** One attempt at a stream: what comes of it is for the stream's turns, in the order in which it came. */
final class Attempt implements ClientStreamListener {
    static final Status CONNECT_TIMEOUT = Status.UNAVAILABLE.withDescription("connection timed out");

    private final MeshStream owner;
    private final EndpointTransport endpoint;

    /** In turns. Null: it has no connection yet. */
    private ClientStream stream;

    Attempt(MeshStream owner, EndpointTransport endpoint) {
        this.owner = owner;
        this.endpoint = endpoint;
    }

    ClientStream stream() {
        return stream;
    }

    void began(ClientStream stream) {
        this.stream = stream;
    }

    /** It gets a connection, or is told that there is none. */
    void await(long connectNanos) {
        endpoint.await(this, connectNanos);
    }

    /** It does not wait for one any longer. */
    void leave(boolean late) {
        endpoint.leave(this, late);
    }

    void connected(ConnectionClientTransport transport) {
        owner.turns().execute(() -> owner.connected(this, transport));
    }

    void unreachable(Status status) {
        owner.turns().execute(() -> owner.unreachable(this, status));
    }

    @Override
    public void headersRead(Metadata headers) {
        owner.hear(() -> owner.headersRead(this, headers));
    }

    @Override
    public void messagesAvailable(MessageProducer producer) {
        owner.hear(() -> owner.messagesAvailable(this, producer));
    }

    @Override
    public void onReady() {
        owner.hear(() -> owner.ready(this));
    }

    @Override
    public void closed(Status status, RpcProgress progress, Metadata trailers) {
        owner.hear(() -> owner.closed(this, status, progress, trailers));
    }
}
