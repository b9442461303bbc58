package io.weft.policy.model;

import io.weft.policy.model.CertificateValidation.SystemAuthorities;
import io.weft.policy.model.EndpointAssignment.LbEndpoint;
import io.weft.policy.model.EndpointAssignment.LocalityEndpoints;
import io.weft.policy.model.TlsContext.InlineValidation;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * A collector of telemetry that policy names.
 *
 * @param addresses one or more of the same, in an order that says nothing of them
 * @param tls their certificates must be ones that the JVM trusts, for those names
 * @param path over HTTP; absent: by gRPC
 */
public record TelemetryTarget(List<HostPort> addresses, boolean tls, Optional<String> path) {
    public TelemetryTarget {
        addresses = addresses.stream().distinct().sorted(Comparator.comparing(HostPort::toString)).toList();
    }

    /**
     * The endpoints of the cluster that are reached as the first one is.
     *
     * @return empty: there is none that this process could be sure of
     */
    public static Optional<TelemetryTarget> of(PolicySnapshot snapshot, TelemetryService service) {
        Cluster cluster = snapshot.clusters().get(service.cluster());
        if (cluster == null) {
            return Optional.empty();
        }
        List<HostPort> plain = new ArrayList<>();
        List<HostPort> secured = new ArrayList<>();
        boolean firstIsSecured = false;
        for (LocalityEndpoints locality : endpoints(cluster.discovery(), snapshot).localities()) {
            for (LbEndpoint endpoint : locality.endpoints()) {
                TransportSocket socket = cluster.transport().of(endpoint.transportLabels());
                if (socket instanceof TransportSocket.Plaintext) {
                    plain.add(endpoint.address());
                } else if (isTrustedAsTheJvmTrusts(socket)) {
                    firstIsSecured |= plain.isEmpty();
                    secured.add(endpoint.address());
                }
            }
        }
        List<HostPort> usable = firstIsSecured ? secured : plain;
        return usable.isEmpty() ? Optional.empty() : Optional.of(new TelemetryTarget(usable, firstIsSecured, service.path()));
    }

    private static boolean isTrustedAsTheJvmTrusts(TransportSocket socket) {
        return socket instanceof TransportSocket.UpstreamTls tls
                && tls.context().validation() instanceof InlineValidation inline
                && inline.validation().trust() instanceof SystemAuthorities;
    }

    private static EndpointAssignment endpoints(Cluster.Discovery discovery, PolicySnapshot snapshot) {
        if (discovery instanceof Cluster.Static of) {
            return of.assignment();
        }
        if (discovery instanceof Cluster.StrictDns of) {
            return of.assignment();
        }
        if (discovery instanceof Cluster.LogicalDns of) {
            return of.assignment();
        }
        EndpointAssignment none = new EndpointAssignment("", List.of(), EndpointAssignment.DEFAULT_OVERPROVISIONING_FACTOR, false);
        return discovery instanceof Cluster.Eds eds ? snapshot.assignments().getOrDefault(eds.serviceName(), none) : none;
    }
}
