package io.weft.controlplane.cli;

import java.net.InetSocketAddress;
import picocli.CommandLine.TypeConversionException;

/**
 * {@code host:port}, {@code [::1]:port} or {@code :port} for every interface.
 *
 * @param port 0: any free one
 */
record ListenAddress(String host, int port) {

    static ListenAddress parse(String text) {
        int colon = text.lastIndexOf(':');
        try {
            String host = text.substring(0, Math.max(colon, 0));
            int port = Integer.parseInt(text.substring(colon + 1));
            if (colon >= 0 && port >= 0 && port <= 65_535) {
                boolean bracketed = host.startsWith("[") && host.endsWith("]");
                return new ListenAddress(bracketed ? host.substring(1, host.length() - 1) : host, port);
            }
        } catch (NumberFormatException e) {
            // Told below, with every other wrong form.
        }
        throw new TypeConversionException("'" + text + "' is not an address; write it as 127.0.0.1:5678");
    }

    InetSocketAddress socketAddress() {
        return host.isEmpty() ? new InetSocketAddress(port) : new InetSocketAddress(host, port);
    }

    /** With another port, as a client writes it. */
    String withPort(int bound) {
        String shown = host.isEmpty() ? "0.0.0.0" : host;
        return (shown.contains(":") ? "[" + shown + "]" : shown) + ":" + bound;
    }
}
