package io.weft.policy.model;

import io.weft.policy.model.CertificateValidation.SystemAuthorities;
import io.weft.policy.model.EndpointAssignment.LbEndpoint;
import io.weft.policy.model.EndpointAssignment.LocalityEndpoints;
import io.weft.policy.model.TlsContext.InlineValidation;
import java.util.List;
import java.util.Optional;

/**
 * A collector of telemetry that policy names.
 *
 * @param tls its certificate must be one that the JVM trusts, for that name
 * @param path over HTTP; absent: by gRPC
 */
public record TelemetryTarget(HostPort address, boolean tls, Optional<String> path) {

    /**
     * The first endpoint of the cluster.
     *
     * @return empty: there is none that this process could be sure of
     */
    public static Optional<TelemetryTarget> of(PolicySnapshot snapshot, TelemetryService service) {
        Cluster cluster = snapshot.clusters().get(service.cluster());
        if (cluster == null) {
            return Optional.empty();
        }
        for (LocalityEndpoints locality : endpoints(cluster.discovery(), snapshot).localities()) {
            for (LbEndpoint endpoint : locality.endpoints()) {
                TransportSocket socket = cluster.transport().of(endpoint.transportLabels());
                if (socket instanceof TransportSocket.Plaintext) {
                    return Optional.of(new TelemetryTarget(endpoint.address(), false, service.path()));
                }
                if (socket instanceof TransportSocket.UpstreamTls tls && tls.context().validation() instanceof InlineValidation inline
                        && inline.validation().trust() instanceof SystemAuthorities) {
                    return Optional.of(new TelemetryTarget(endpoint.address(), true, service.path()));
                }
            }
        }
        return Optional.empty();
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
