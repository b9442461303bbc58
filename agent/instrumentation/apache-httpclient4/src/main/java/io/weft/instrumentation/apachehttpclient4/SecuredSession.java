package io.weft.instrumentation.apachehttpclient4;

import io.weft.dataplane.ClientConnection;
import io.weft.dataplane.ClientTls;
import io.weft.dataplane.Endpoint;
import io.weft.instrumentation.EngineContext;
import java.lang.ref.WeakReference;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSession;
import org.apache.http.nio.reactor.EventMask;
import org.apache.http.nio.reactor.IOSession;
import org.apache.http.nio.reactor.ssl.SSLIOSession;
import org.apache.http.nio.reactor.ssl.SSLMode;
import org.apache.http.nio.reactor.ssl.SSLSetupHandler;

/**
 * Mesh TLS on a connection of the library's: it looks like one in plaintext. Nothing but the handshake goes over it until that is done.
 * Thread-safe as the library's own.
 */
final class SecuredSession extends SSLIOSession {
    private final ClientTls tls;
    private final Handshake handshake;

    /** Null before the handshake is done. */
    private volatile ClientConnection pooled;

    /** The library's own says when it is done, perhaps more than once. */
    private static final class Handshake implements SSLSetupHandler {
        private volatile boolean done;

        /** To be told; null before it begins. */
        private SecuredSession session;

        @Override
        public void initalize(SSLEngine engine) {}

        @Override
        public void verify(IOSession below, SSLSession negotiated) {
            if (!done) {
                done = true;
                session.secured();
            }
        }
    }

    private SecuredSession(IOSession below, Endpoint endpoint, Handshake handshake) {
        super(below, SSLMode.CLIENT, null, new EngineContext(endpoint.tls().engine(endpoint.address())), handshake);
        tls = endpoint.tls();
        this.handshake = handshake;
        handshake.session = this;
    }

    static SecuredSession over(IOSession below, Endpoint endpoint) {
        SecuredSession session = new SecuredSession(below, endpoint, new Handshake());
        // The reactor looks for it there.
        below.setAttribute(SESSION_KEY, session);
        return session;
    }

    private void secured() {
        WeakReference<SecuredSession> open = new WeakReference<>(this);
        pooled = tls.connections().opened(() -> {
            SecuredSession still = open.get();
            if (still != null) {
                still.close();
            }
        });
        // Whoever has waited for it has something to send.
        setEvent(EventMask.WRITE);
    }

    boolean isSecuredBy(ClientTls wanted) {
        return handshake.done && tls == wanted && !isClosed();
    }

    /** A pool has given it to a request. @return false: policy has taken it away meanwhile, so that it is to be discarded */
    boolean lease() {
        ClientConnection known = pooled;
        return known != null && known.lease();
    }

    /** Before a pool gets it back. @return false: it is to be discarded instead */
    boolean giveBack() {
        ClientConnection known = pooled;
        return known != null && known.giveBack();
    }

    /** The app sees no TLS. */
    @Override
    public SSLSession getSSLSession() {
        return null;
    }
}
