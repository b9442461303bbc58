package io.weft.policy.model;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * How each endpoint of a cluster is reached: {@code transport_socket_matches}, and {@code transport_socket} for those that none of
 * them matches.
 */
public record TransportSockets(List<Match> matches, TransportSocket otherwise) {
    public static final TransportSockets PLAINTEXT = new TransportSockets(List.of(), new TransportSocket.Plaintext());

    public TransportSockets {
        matches = List.copyOf(matches);
    }

    /**
     * {@code envoy.config.cluster.v3.Cluster.TransportSocketMatch}.
     *
     * @param labels what an endpoint's {@code envoy.transport_socket_match} metadata has to hold; empty: every endpoint matches
     */
    public record Match(String name, Map<String, String> labels, TransportSocket socket) {
        public Match {
            labels = Map.copyOf(labels);
        }
    }

    /** The names that are fetched by SDS for any of the sockets. */
    public Set<String> secrets() {
        Set<String> names = new HashSet<>(otherwise.secrets());
        for (Match match : matches) {
            names.addAll(match.socket.secrets());
        }
        return names;
    }

    boolean holdsPrivateKey() {
        return otherwise.holdsPrivateKey() || matches.stream().anyMatch(match -> match.socket.holdsPrivateKey());
    }

    /** Whether any of the sockets is one with TLS. */
    public boolean secures() {
        return otherwise instanceof TransportSocket.UpstreamTls
                || matches.stream().anyMatch(match -> match.socket instanceof TransportSocket.UpstreamTls);
    }

    /** The names by which any of the sockets leaves to this process who it is, or whom it trusts. */
    public Set<String> providers() {
        Set<String> names = new HashSet<>(otherwise.providers());
        for (Match match : matches) {
            names.addAll(match.socket.providers());
        }
        return names;
    }

    /** The first match counts. */
    public TransportSocket of(Map<String, String> endpointLabels) {
        for (Match match : matches) {
            if (endpointLabels.entrySet().containsAll(match.labels.entrySet())) {
                return match.socket;
            }
        }
        return otherwise;
    }
}
