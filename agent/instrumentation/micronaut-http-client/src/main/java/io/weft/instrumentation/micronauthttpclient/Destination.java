package io.weft.instrumentation.micronauthttpclient;

import io.micronaut.http.client.netty.DefaultHttpClient.RequestKey;
import java.net.InetSocketAddress;

/** A host and port of the app's URLs that a policy has named. There is one of each: it is equal to itself alone. */
final class Destination {
    private final String host;
    private final int port;
    private final String authority;
    private final RequestKey direct;
    private final RequestKey meshed;

    /**
     * @param direct by which the library's pool has connections to it without the mesh
     * @param meshed by which the library's pool has channels of the mesh's
     */
    Destination(String host, int port, RequestKey direct, RequestKey meshed) {
        this.host = host;
        this.port = port;
        this.authority = authority(host, port);
        this.direct = direct;
        this.meshed = meshed;
    }

    /** As the library says it in a request. */
    static String authority(String host, int port) {
        return port < 0 || port == 80 || port == 443 ? host : host + ":" + port;
    }

    String host() {
        return host;
    }

    String authority() {
        return authority;
    }

    RequestKey direct() {
        return direct;
    }

    RequestKey meshed() {
        return meshed;
    }

    InetSocketAddress address() {
        return InetSocketAddress.createUnresolved(host, port);
    }
}
