package io.weft.instrumentation.jetty;

import org.eclipse.jetty.server.ServerConnector;

/** What the app has a connector speak. */
final class Protocols {
    private Protocols() {}

    /** TLS of its own. */
    static boolean hasTls(ServerConnector connector) {
        return has(connector, "ssl");
    }

    /** With prior knowledge. */
    static boolean hasHttp2(ServerConnector connector) {
        return has(connector, "h2c");
    }

    static boolean hasHttp(ServerConnector connector) {
        return has(connector, "http/1.1") || hasHttp2(connector) || has(connector, "h2");
    }

    private static boolean has(ServerConnector connector, String protocol) {
        for (String one : connector.getProtocols()) {
            if (one.equalsIgnoreCase(protocol)) {
                return true;
            }
        }
        return false;
    }
}
