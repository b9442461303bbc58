package io.weft.instrumentation.apachehttpclient5;

import io.weft.dataplane.ClientTls;
import io.weft.dataplane.Endpoint;
import io.weft.instrumentation.Handler;
import java.io.IOException;
import java.net.Socket;
import java.util.Collections;
import java.util.Set;
import java.util.WeakHashMap;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;

/**
 * The endpoint to which this thread is connecting. The library gives a connection its socket on the thread that asked for it: once
 * before it is connected, in versions before 5.4, and once after; there mesh TLS comes in.
 */
final class Dialing {
    private final ThreadLocal<Endpoint> current = new ThreadLocal<>();
    /** Of the mesh: the app sees no TLS. */
    private final Set<SSLSession> sessions = Collections.synchronizedSet(Collections.newSetFromMap(new WeakHashMap<>()));

    /** To be ended by the same thread. */
    void begin(Endpoint endpoint) {
        current.set(endpoint);
    }

    void end() {
        current.remove();
    }

    /** @return the socket that the connection is to use */
    Object secure(Socket socket) {
        Endpoint endpoint = current.get();
        ClientTls tls = endpoint == null ? null : endpoint.tls();
        if (tls == null || !socket.isConnected()) {
            return socket;
        }
        try {
            SSLSocket secured = tls.layer(socket, endpoint.address());
            sessions.add(secured.getSession());
            return secured;
        } catch (IOException | RuntimeException e) {
            return new Handler.Thrown(e);
        }
    }

    /** @return null for a session of the mesh */
    Object visible(SSLSession session) {
        return session == null || sessions.contains(session) ? null : session;
    }
}
