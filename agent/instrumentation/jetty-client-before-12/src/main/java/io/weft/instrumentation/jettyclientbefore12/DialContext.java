package io.weft.instrumentation.jettyclientbefore12;

import java.util.Map;
import org.eclipse.jetty.client.HttpDestination;
import org.eclipse.jetty.util.Promise;

/**
 * What the library hands down while it connects. Its keys have other names from one version to the next.
 *
 * @param values the library's own
 */
record DialContext(Map<String, Object> values) {
    /** In the key of the connector's own promise, which is kept once there is a socket. */
    private static final String OF_THE_CONNECTOR = "onnector";

    HttpDestination destination() {
        for (Object value : values.values()) {
            if (value instanceof HttpDestination destination) {
                return destination;
            }
        }
        throw new IllegalStateException("a connection to no destination: " + values.keySet());
    }

    /** Whoever waits for the connection is told that it does not come. */
    void fail(Throwable failure) {
        values.forEach((key, value) -> {
            if (value instanceof Promise<?> promise && !key.contains(OF_THE_CONNECTOR)) {
                promise.failed(failure);
            }
        });
    }
}
