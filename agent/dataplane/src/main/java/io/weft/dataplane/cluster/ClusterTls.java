package io.weft.dataplane.cluster;

import io.weft.dataplane.ClientTls;
import io.weft.dataplane.TransportSecurity;
import io.weft.policy.model.EndpointAssignment.LbEndpoint;
import io.weft.policy.model.Secret;
import io.weft.policy.model.TransportSocket;
import io.weft.policy.model.TransportSocket.UpstreamTls;
import io.weft.policy.model.TransportSockets;
import java.util.HashMap;
import java.util.Map;

/**
 * How the endpoints of a cluster are secured. An endpoint whose TLS is not ready, since a secret is missing, is not reached at
 * all: nothing goes out in plaintext that was meant to be secret. Immutable.
 *
 * @param ready of the sockets with TLS, those that have all that they need
 */
record ClusterTls(TransportSockets sockets, Map<UpstreamTls, ClientTls> ready) {

    static ClusterTls of(TransportSockets sockets, TransportSecurity security, Map<String, Secret> secrets) {
        Map<UpstreamTls, ClientTls> ready = new HashMap<>(2);
        add(sockets.otherwise(), security, secrets, ready);
        for (TransportSockets.Match match : sockets.matches()) {
            add(match.socket(), security, secrets, ready);
        }
        return new ClusterTls(sockets, Map.copyOf(ready));
    }

    private static void add(
            TransportSocket socket, TransportSecurity security, Map<String, Secret> secrets, Map<UpstreamTls, ClientTls> ready) {
        if (socket instanceof UpstreamTls tls) {
            security.client(tls, secrets).ifPresent(client -> ready.put(tls, client));
        }
    }

    boolean reaches(LbEndpoint endpoint) {
        return !(sockets.of(endpoint.transportLabels()) instanceof UpstreamTls tls) || ready.containsKey(tls);
    }

    /** Null: plaintext. */
    ClientTls of(LbEndpoint endpoint) {
        return sockets.of(endpoint.transportLabels()) instanceof UpstreamTls tls ? ready.get(tls) : null;
    }
}
