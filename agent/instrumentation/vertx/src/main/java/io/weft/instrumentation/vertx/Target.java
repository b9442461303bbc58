package io.weft.instrumentation.vertx;

import io.vertx.core.http.RequestOptions;
import io.weft.instrumentation.HostHeader;

/**
 * Where the app wants a request to go.
 *
 * @param authority of the head, as far as it is known when the app asks for a request
 */
record Target(String host, int port, String authority) {

    /** Null: it is not for the mesh, whatever policy says. */
    static Target of(Internals internals, Object client, RequestOptions options) throws Throwable {
        boolean secure = options.isSsl() == null ? internals.isSecure(client) : options.isSsl();
        if (secure || internals.isClosed(client) || internals.server(options) != null) {
            // An address of the app's own choice stands for itself.
            return null;
        }
        String host = options.getHost() == null ? internals.defaultHost(client) : options.getHost();
        int port = options.getPort() == null ? internals.defaultPort(client) : options.getPort();
        if (host == null || host.isEmpty() || port <= 0 || internals.hasProxy(client, options, host, port)) {
            return null;
        }
        String named = options.getHeaders() == null ? null : options.getHeaders().get("host");
        return new Target(host, port, named == null ? HostHeader.of(host, port) : named);
    }
}
