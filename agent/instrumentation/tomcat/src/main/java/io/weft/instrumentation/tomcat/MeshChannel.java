package io.weft.instrumentation.tomcat;

import org.apache.tomcat.util.net.NioChannel;
import org.apache.tomcat.util.net.NioEndpoint;
import org.apache.tomcat.util.net.SocketBufferHandler;

/**
 * A connection of a connector without TLS whose bytes the mesh secures, as a {@code SecureNioChannel}, since Tomcat's poller sends files past
 * any other channel, straight to the socket; nothing of its TLS is used, and the app learns of none. Its constructor is not the same in all
 * versions, so that each kind of them has a class of its own, and {@link MeshBytes} is what these have in common.
 */
interface MeshChannel {
    /** Its bytes are encrypted on the wire. */
    boolean isSecured();

    @FunctionalInterface
    interface Maker {
        /** @return a {@link MeshChannel} */
        NioChannel make(SocketBufferHandler buffers, NioEndpoint endpoint, MeshBytes bytes);
    }
}
