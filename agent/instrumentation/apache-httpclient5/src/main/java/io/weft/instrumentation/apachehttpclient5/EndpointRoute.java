package io.weft.instrumentation.apachehttpclient5;

import io.weft.dataplane.ClientTls;
import io.weft.dataplane.Endpoint;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.pool.ConnPoolControl;

/** The library's pools, as the mesh uses them. */
final class EndpointRoute {
    /** The state of a pooled connection with mesh TLS: whoever asks for another one gets another connection. */
    record Secured(ClientTls tls, Object state) {}

    private EndpointRoute() {}

    /**
     * The name stays, so that exceptions and logs speak of it; address and port are part of the pool's key, and so is whether TLS is
     * on it. By what it was secured is the connection's state.
     *
     * @param apps where the app's request would go
     */
    static HttpRoute to(Endpoint endpoint, HttpRoute apps) {
        InetSocketAddress address = endpoint.address();
        HttpHost named = apps.getTargetHost();
        HttpHost target = new HttpHost(
                named.getSchemeName(), resolved(named.getHostName(), address.getAddress()), named.getHostName(), address.getPort());
        return new HttpRoute(target, apps.getLocalAddress(), endpoint.tls() != null);
    }

    /** The pool of a client that speaks HTTP/2 alone knows of no state: there the name says by what a connection is secured, too. */
    static HttpRoute overHttp2Alone(Endpoint endpoint, HttpRoute apps) {
        if (endpoint.tls() == null) {
            return to(endpoint, apps);
        }
        InetSocketAddress address = endpoint.address();
        HttpHost named = apps.getTargetHost();
        HttpHost target = new HttpHost(
                named.getSchemeName(), address.getAddress(), named.getHostName() + "." + endpoint.tls().id(), address.getPort());
        return new HttpRoute(target, apps.getLocalAddress(), true);
    }

    /** @param state what else tells connections apart; may be null */
    static Object state(ClientTls tls, Object state) {
        return tls == null ? state : new Secured(tls, state);
    }

    /**
     * Has as many connections to an endpoint as the app has allowed for where its request would go. To be said with each new connection, which is as seldom as what it
     * says changes: the pool takes its lock for that.
     *
     * @param manager the app's own, of whatever kind
     */
    static void limit(Object manager, HttpRoute endpoint, HttpRoute apps) {
        if (manager instanceof ConnPoolControl<?>) {
            @SuppressWarnings("unchecked")
            ConnPoolControl<HttpRoute> pools = (ConnPoolControl<HttpRoute>) manager;
            int limit = pools.getMaxPerRoute(apps);
            if (pools.getMaxPerRoute(endpoint) != limit) {
                pools.setMaxPerRoute(endpoint, limit);
            }
        }
    }

    /** As a resolver would have given it for that name: it is part of the message of a failed connect. */
    private static InetAddress resolved(String name, InetAddress address) {
        boolean literal = name.indexOf(':') >= 0 || Character.digit(name.charAt(name.length() - 1), 10) >= 0;
        try {
            return InetAddress.getByAddress(literal ? null : name, address.getAddress());
        } catch (UnknownHostException e) {
            throw new AssertionError("the bytes of an address are not those of an address", e);
        }
    }
}
