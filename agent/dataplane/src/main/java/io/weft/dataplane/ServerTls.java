package io.weft.dataplane;

import io.weft.dataplane.Connection.Peer;
import java.time.Instant;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLPeerUnverifiedException;

/** How connections that the app accepts are secured. Thread-safe. */
public interface ServerTls {

    /**
     * For one connection: in server mode, with versions and cipher suites as policy says. Its handshake fails when the client is not
     * whom policy admits. Not renegotiated.
     *
     * @param http2 the app's server speaks HTTP/2 over it, so ALPN may choose that
     */
    SSLEngine engine(boolean http2);

    /**
     * Who is at the other end of an engine of this object, after its handshake.
     *
     * @throws SSLPeerUnverifiedException its names cannot be read
     */
    Peer peer(SSLEngine engine) throws SSLPeerUnverifiedException;

    /** Whether the certificate that is shown is valid. */
    boolean isValid(Instant now);

    /** When it is no longer. */
    Instant expires();

    /**
     * Whether a client would be let in still by what it has shown.
     *
     * @param before the object that has let it in
     */
    boolean stillAdmits(Peer peer, ServerTls before);
}
