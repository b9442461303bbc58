package io.weft.instrumentation.apachehttpclient4;

import io.weft.dataplane.ClientTls;
import io.weft.dataplane.Endpoint;
import io.weft.instrumentation.Attached;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.Objects;
import org.apache.http.HttpHost;
import org.apache.http.conn.routing.HttpRoute;
import org.apache.http.pool.ConnPoolControl;

/** The library's pools, as the mesh uses them. Thread-safe. */
final class EndpointRoutes {
    /** The state of a pooled connection with mesh TLS: whoever asks for another one gets another connection. */
    private record Secured(ClientTls tls, Object state) {}

    /** What most requests ask for; to make it takes as long as a decision about a request. */
    private final Attached<HttpRoute> known = new Attached<>();

    /**
     * Address and port are part of the pool's key, and so is whether TLS is on it. By what it was secured is the connection's state.
     * The address stands for the name: before 4.3.2, and in the asynchronous client, the library looks every name up.
     *
     * @param apps where the app's request would go
     */
    HttpRoute to(Endpoint endpoint, HttpRoute apps) {
        HttpRoute made = known.of(endpoint);
        if (made != null && Objects.equals(made.getLocalAddress(), apps.getLocalAddress())
                && made.getTargetHost().getSchemeName().equals(apps.getTargetHost().getSchemeName())) {
            return made;
        }
        HttpRoute route = make(endpoint, apps);
        if (made == null) {
            known.put(endpoint, route);
        }
        return route;
    }

    private static HttpRoute make(Endpoint endpoint, HttpRoute apps) {
        InetSocketAddress address = endpoint.address();
        String literal = address.getAddress().getHostAddress();
        HttpHost target = new HttpHost(named(literal, address), address.getPort(), apps.getTargetHost().getSchemeName());
        return new HttpRoute(target, apps.getLocalAddress(), endpoint.tls() != null);
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

    /** @param name null: none */
    static InetAddress named(String name, InetSocketAddress address) {
        try {
            return InetAddress.getByAddress(name, address.getAddress().getAddress());
        } catch (UnknownHostException e) {
            throw new AssertionError("the bytes of an address are not those of an address", e);
        }
    }
}
