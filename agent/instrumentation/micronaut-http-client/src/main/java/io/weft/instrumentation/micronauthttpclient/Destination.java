package io.weft.instrumentation.micronauthttpclient;

import io.micronaut.http.client.netty.DefaultHttpClient.RequestKey;
import java.net.InetSocketAddress;

/**
 * A host and port of the app's URLs that a policy has named.
 *
 * @param direct by which the library's pool has connections to it without the mesh
 * @param meshed by which the library's pool has channels of the mesh's
 */
record Destination(String host, int port, RequestKey direct, RequestKey meshed) {

    /** As the library says it in a request. */
    static String authority(String host, int port) {
        return port < 0 || port == 80 || port == 443 ? host : host + ":" + port;
    }

    InetSocketAddress address() {
        return InetSocketAddress.createUnresolved(host, port);
    }
}
