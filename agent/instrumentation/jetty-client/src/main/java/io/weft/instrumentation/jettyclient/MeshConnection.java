package io.weft.instrumentation.jettyclient;

import io.weft.dataplane.ClientTls;
import io.weft.instrumentation.ConnectionLease;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import javax.net.ssl.SSLEngine;
import org.eclipse.jetty.client.HttpClient;
import org.eclipse.jetty.io.AbstractConnection;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.io.ssl.SslConnection;

/** Mesh TLS on one socket. Thread-safe as far as it is not the library's. */
final class MeshConnection extends SslConnection {
    private final Executor executor;
    private final ConnectionLease lease = new ConnectionLease();

    MeshConnection(HttpClient client, EndPoint socket, SSLEngine engine) {
        super(client.getByteBufferPool(), client.getExecutor(), socket, engine);
        executor = client.getExecutor();
    }

    /** Null: the connection has no mesh TLS. */
    static MeshConnection below(AbstractConnection connection) {
        return connection.getEndPoint() instanceof SslEndPoint decrypted && decrypted.getSslConnection() instanceof MeshConnection secured
                ? secured
                : null;
    }

    /** The handshake is done; the pool is about to have it. */
    void opened(ClientTls tls) {
        lease.opened(tls, this, MeshConnection::closeSoon);
    }

    /** The pool has it, and whoever has waited for it. */
    void handedOver() {
        if (!lease.handedOver()) {
            closeSoon();
        }
    }

    /** @return false: it is to be closed */
    boolean lease() {
        return lease.begin();
    }

    /** The response of a request that has it is over, before the pool hears of that. */
    void giveBack() {
        if (!lease.end()) {
            closeSoon();
        }
    }

    /** By the library's own connection above, so that its pool knows. */
    void closeSoon() {
        try {
            executor.execute(this::closeAbove);
        } catch (RejectedExecutionException stopped) {
            closeAbove();
        }
    }

    private void closeAbove() {
        Connection above = getSslEndPoint().getConnection();
        if (above != null) {
            above.close();
        }
    }
}
