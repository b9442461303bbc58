package io.weft.instrumentation.helidon;

import io.helidon.common.buffers.BufferData;
import io.helidon.http.ClientRequestHeaders;
import io.helidon.webclient.api.ClientConnection;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.MeshSocket;
import java.net.Socket;

/** One over HTTP/1.1, with a connection of its own. */
final class Http1Attempt extends Attempt {
    private final Connections connections;

    /** That the cache has handed out; null: none. */
    private MeshSocket taken;
    /** Null: there is none yet. */
    private ClientConnection connection;
    /** To or over which it is made; null: there is none yet. */
    private volatile Socket socket;

    Http1Attempt(AdapterContext context, Connections connections, Object chain, OutgoingRequest exchange) {
        super(context, connections, chain, exchange);
        this.connections = connections;
    }

    @Override
    MeshSocket socket() {
        return MeshSocket.to(exchange().endpoint(), exchange().connectTimeoutNanos());
    }

    @Override
    void connectsBy(MeshSocket connecting) {
        socket = connecting;
    }

    @Override
    boolean takes(MeshSocket kept) {
        if (!kept.leadsTo(exchange().endpoint())) {
            close(kept);
            return false;
        }
        kept.leased();
        taken = kept;
        return !kept.isClosed();
    }

    /** The request is about to be written. @return its headers as they are to be on the wire */
    Object begin(ClientConnection over, ClientRequestHeaders headers) throws Throwable {
        connected();
        connection = over;
        socket = connections.socket(over);
        if (socket instanceof MeshSocket mesh && mesh != taken) {
            mesh.leased();
        }
        return begin(socket, headers);
    }

    /** @return the request's first line as it is to be on the wire */
    BufferData prologue(BufferData apps) {
        String path = exchange().requestChanges().path();
        if (path == null) {
            return apps;
        }
        BufferData changed = BufferData.growing(path.length() + 128);
        changed.writeAscii(exchange().method() + ' ' + path + " HTTP/1.1\r\n");
        return changed;
    }

    @Override
    void breakOff() {
        Socket used = socket;
        if (used != null) {
            close(used);
        }
    }

    @Override
    void drop() {
        if (connection != null) {
            connection.closeResource();
        } else if (taken != null) {
            close(taken);
        }
    }

    /** Its connection goes back to the library's cache, which is seen there. */
    @Override
    void over() {}
}
