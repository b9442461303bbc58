package io.weft.instrumentation;

import io.weft.dataplane.Outbound;
import java.net.ConnectException;

/**
 * Calls to destinations outside of the mesh. An adapter asks about every request that it leaves to its library, whether that is HTTP
 * in plaintext or not, and where the answer is an exception lets the app have that.
 */
public final class Outside {
    private Outside() {}

    /**
     * @param tls whether the app speaks TLS to it
     * @param port negative: that of the scheme
     * @return null: it may be called
     */
    public static ConnectException refusal(Outbound outbound, boolean tls, String host, int port) {
        try {
            return host == null || !outbound.refuses(tls, host, port) ? null : new ConnectException(
                    host + " is outside of the mesh, and policy does not let this process call it (MeshPassthrough)");
        } catch (RuntimeException | Error fault) {
            // Where nothing guards what is outside, there is nothing that could fail.
            return Unsent.because(fault);
        }
    }
}
