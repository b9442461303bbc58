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

    Nio2Accepting(Inbound inbound) {
        this.inbound = inbound;
    }

    /** In the place of {@code Nio2Endpoint.setSocketOptions}, after which the connection is Tomcat's; false has it closed. */
    Object accept(Nio2Endpoint endpoint, AsynchronousSocketChannel socket) {
        try {
            if (!(socket.getLocalAddress() instanceof InetSocketAddress local)
                    || !(socket.getRemoteAddress() instanceof InetSocketAddress remote)) {
                return Handler.PROCEED;
            }
            InboundConnection accepted = inbound.accepted(local, remote, endpoint.isSSLEnabled(), () -> { });
            return accepted == null || !admits(accepted) ? (Object) false : Handler.PROCEED;
        } catch (IOException gone) {
            return false;
        } catch (Throwable fault) {
            // Without the agent's word Tomcat would go on: what policy may not admit must not get in because of that.
            return new Handler.Thrown(new IllegalStateException("the connection cannot be decided about", fault));
        }
    }

    private static boolean admits(InboundConnection accepted) {
        try {
            return !accepted.inspects() || accepted.decide(null) == Fate.PASS;
        } finally {
            accepted.closed();
        }
    }
}
