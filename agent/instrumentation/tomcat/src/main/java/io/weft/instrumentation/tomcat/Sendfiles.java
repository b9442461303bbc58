package io.weft.instrumentation.tomcat;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.tomcat.util.net.SendfileState;
import org.apache.tomcat.util.net.SocketWrapperBase;

/**
 * Requests whose body Tomcat's poller sends from a file, long after the servlet has returned and the request has been
 * recycled. Each is held until the file is out or its connection gone. Thread-safe.
 */
final class Sendfiles {
    private final Map<SocketWrapperBase<?>, IncomingRequest> sending = new ConcurrentHashMap<>(4);

    void started(SocketWrapperBase<?> connection, IncomingRequest request) {
        IncomingRequest previous = sending.put(connection, request);
        if (previous != null) {
            previous.over();
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
        IncomingRequest request = sending.remove(connection);
        if (request != null) {
            request.over();
        }
    }
}
