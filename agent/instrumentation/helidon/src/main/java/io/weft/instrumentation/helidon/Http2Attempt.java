package io.weft.instrumentation.helidon;

import io.helidon.http.ClientRequestHeaders;
import io.helidon.http.http2.Http2Headers;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Handler;
import io.weft.instrumentation.IdleSockets;
import io.weft.instrumentation.MeshSocket;
import io.weft.instrumentation.SharedConnection;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.net.SocketException;
import java.util.concurrent.atomic.AtomicReference;

/** One over HTTP/2, with a stream of its own. */
final class Http2Attempt extends Attempt {
    private final Http2CallChains chains;
    private final IdleSockets idle;
    private final long sinceNanos = System.nanoTime();

    /** Of which it has a share; null: none, or no more. */
    private final AtomicReference<MeshSocket> shared = new AtomicReference<>();
    /** By which it connects; null: it has connected by none. */
    private volatile Socket connecting;
    /** Null: there is none yet. */
    private volatile Object stream;

    Http2Attempt(
            AdapterContext context, Connections connections, Http2CallChains chains, IdleSockets idle, Object chain, OutgoingRequest exchange) {
        super(context, connections, chain, exchange);
        this.chains = chains;
        this.idle = idle;
    }

    @Override
    MeshSocket socket() {
        return MeshSocket.http2To(exchange().endpoint(), exchange().connectTimeoutNanos());
    }

    @Override
    void connectsBy(MeshSocket socket) {
        connecting = socket;
    }

    @Override
    boolean takes(MeshSocket kept) {
        if (!kept.leadsTo(exchange().endpoint())) {
            return false;
        }
        idle.remove(kept);
        if (kept.isClosed()) {
            return false;
        }
        if (!kept.shared().lease(sinceNanos)) {
            close(kept);
            return false;
        }
        over();
        shared.set(kept);
        return true;
    }

    /** The request is about to be written. @return its headers as they are to be on the wire */
    Object begin(Object over, ClientRequestHeaders headers) throws Throwable {
        connected();
        stream = over;
        Socket socket = chains.socketOfStream(over);
        if (socket instanceof MeshSocket mesh && mesh != shared.get() && !takes(mesh)) {
            return new Handler.Thrown(new UncheckedIOException(new SocketException("policy has taken the connection away meanwhile")));
        }
        return begin(socket, headers);
    }

    Http2Headers changed(Http2Headers head) {
        String path = exchange().requestChanges().path();
        return path == null ? head : head.path(path);
    }

    @Override
    void breakOff() {
        Object used = stream;
        if (used != null) {
            chains.breakOff(used);
            return;
        }
        Socket socket = connecting;
        if (socket != null) {
            close(socket);
        }
    }

    @Override
    void drop() {
        Object used = stream;
        if (used != null) {
            chains.cancel(used);
        }
        over();
    }

    @Override
    void over() {
        MeshSocket given = shared.getAndSet(null);
        if (given == null) {
            return;
        }
        SharedConnection connection = given.shared();
        if (!connection.giveBack()) {
            close(given);
        } else if (connection.isIdle()) {
            idle.add(given, () -> {
                if (connection.isIdle()) {
                    close(given);
                }
            });
        }
    }
}
