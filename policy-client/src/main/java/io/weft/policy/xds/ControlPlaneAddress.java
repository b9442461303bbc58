package io.weft.policy.xds;

import java.net.URI;

/** Where the control plane listens, and whether it does so with TLS. */
record ControlPlaneAddress(String host, int port, boolean tls) {

    /** @throws IllegalArgumentException not {@code grpc://host:port} or {@code grpcs://host:port} */
    static ControlPlaneAddress of(URI uri) {
        boolean tls = "grpcs".equals(uri.getScheme());
        boolean extras = uri.getRawUserInfo() != null || uri.getRawQuery() != null || uri.getRawFragment() != null
                || !(uri.getRawPath() == null || uri.getRawPath().isEmpty() || uri.getRawPath().equals("/"));
        if (!tls && !"grpc".equals(uri.getScheme()) || uri.getHost() == null || uri.getPort() < 1 || uri.getPort() > 65535
                || extras) {
            throw new IllegalArgumentException(
                    "control plane " + uri + ": write grpc://host:port, or grpcs://host:port for TLS");
        }
        String host = uri.getHost();
        if (host.startsWith("[")) {
            host = host.substring(1, host.length() - 1);
        }
        return new ControlPlaneAddress(host, uri.getPort(), tls);
    }

    String authority() {
        return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
    }

    @Override
    public String toString() {
        return authority();
    }
}
