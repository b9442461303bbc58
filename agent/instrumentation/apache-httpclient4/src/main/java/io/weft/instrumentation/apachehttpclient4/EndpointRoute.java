package io.weft.instrumentation.apachehttpclient4;

import io.weft.dataplane.ClientTls;
import io.weft.dataplane.Endpoint;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import org.apache.http.HttpHost;
import org.apache.http.conn.routing.HttpRoute;

/** The library's pools, as the mesh uses them. */
final class EndpointRoute {
    /** The state of a pooled connection with mesh TLS: whoever asks for another one gets another connection. */
    private record Secured(ClientTls tls, Object state) {}

    private EndpointRoute() {}

    /**
     * Address and port are part of the pool's key, and so is whether TLS is on it. By what it was secured is the connection's state.
     * The address stands for the name: before 4.3.2, and in the asynchronous client, the library looks every name up.
     *
     * @param apps where the app's request would go
     */
    static HttpRoute to(Endpoint endpoint, HttpRoute apps) {
        InetSocketAddress address = endpoint.address();
        String literal = address.getAddress().getHostAddress();
        HttpHost target = new HttpHost(named(literal, address), address.getPort(), apps.getTargetHost().getSchemeName());
        return new HttpRoute(target, apps.getLocalAddress(), endpoint.tls() != null);
    }

    /** @param state what else tells connections apart; may be null */
    static Object state(ClientTls tls, Object state) {
        return tls == null ? state : new Secured(tls, state);
    }

    /** @param name null: none */
    static InetAddress named(String name, InetSocketAddress address) {
        try {
            return InetAddress.getByAddress(name, address.getAddress().getAddress());
        } catch (UnknownHostException e) {
            throw new AssertionError("the bytes of an address are not those of an address", e);
        }
    }
}
