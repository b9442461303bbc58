package io.weft.instrumentation.tomcat;

import io.weft.dataplane.Inbound;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.tomcat.util.net.SendfileState;
import org.apache.tomcat.util.net.SocketWrapperBase;

/**
 * Requests whose body Tomcat's poller sends from a file, long after the servlet has returned and the request has been
 * recycled. Each holds the port of its request until the file is out or its connection gone. Thread-safe.
 */
final class Sendfiles {
    private final Map<SocketWrapperBase<?>, Inbound.Port> sending = new ConcurrentHashMap<>(4);

    void started(SocketWrapperBase<?> connection, Inbound.Port port) {
        Inbound.Port previous = sending.put(connection, port);
        if (previous != null) {
            previous.requestEnded();
        }
    }

    void tried(SocketWrapperBase<?> connection, SendfileState state) {
        if (state != SendfileState.PENDING) {
            ended(connection);
        }
    }

    void ended(SocketWrapperBase<?> connection) {
        if (sending.isEmpty()) {
            return;
        }
        Inbound.Port port = sending.remove(connection);
        if (port != null) {
            port.requestEnded();
        }
    }
}
