package io.weft.instrumentation.tomcat;

import io.weft.dataplane.Inbound;
import io.weft.dataplane.InboundConnection;
import io.weft.dataplane.InboundConnection.Fate;
import io.weft.instrumentation.Handler;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.AsynchronousSocketChannel;
import org.apache.tomcat.util.net.Nio2Endpoint;

/**
 * Connections of Tomcat's NIO2 connector. Mesh TLS is not spoken there, so one that policy wants secured gets nowhere. What gets in
 * is not watched any longer: when policy changes, each of its requests is asked about anew.
 */
final class Nio2Accepting {
    private final Inbound inbound;
    private final Internals internals;

    Nio2Accepting(Inbound inbound, Internals internals) {
        this.inbound = inbound;
        this.internals = internals;
    }

    /** In the place of {@code Nio2Endpoint.setSocketOptions}. */
    Object accept(Nio2Endpoint endpoint, AsynchronousSocketChannel socket) {
        try {
            return admits(endpoint, socket) ? Handler.PROCEED : internals.refused(endpoint, socket);
        } catch (Throwable fault) {
            // Without the agent's word Tomcat would go on: what policy may not admit must not get in because of that.
            return new Handler.Thrown(new IllegalStateException("the connection cannot be decided about", fault));
        }
    }

    private boolean admits(Nio2Endpoint endpoint, AsynchronousSocketChannel socket) {
        try {
            if (!(socket.getLocalAddress() instanceof InetSocketAddress local)
                    || !(socket.getRemoteAddress() instanceof InetSocketAddress remote)) {
                return true;
            }
            InboundConnection accepted = inbound.accepted(local, remote, endpoint.isSSLEnabled(), () -> { });
            return accepted != null && passes(accepted);
        } catch (IOException gone) {
            return false;
        }
    }

    private static boolean passes(InboundConnection accepted) {
        try {
            // What is held up is let in: then each of its requests is.
            return !accepted.inspects() || accepted.held(() -> { }) || accepted.decide(null) == Fate.PASS;
        } finally {
            accepted.closed();
        }
    }
}
