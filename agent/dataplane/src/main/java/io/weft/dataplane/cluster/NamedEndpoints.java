package io.weft.dataplane.cluster;

import io.weft.dataplane.IpAddress;
import io.weft.dataplane.dns.Names;
import io.weft.dataplane.dns.Names.Name;
import io.weft.policy.model.Cluster;
import io.weft.policy.model.Cluster.LogicalDns;
import io.weft.policy.model.Cluster.Resolution;
import io.weft.policy.model.Cluster.StrictDns;
import io.weft.policy.model.EndpointAssignment;
import io.weft.policy.model.EndpointAssignment.LbEndpoint;
import io.weft.policy.model.EndpointAssignment.LocalityEndpoints;
import io.weft.policy.model.HostPort;
import io.weft.policy.model.PolicySnapshot;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Endpoints that a policy gives as names: in their place stand the addresses that the names have now. */
final class NamedEndpoints {
    private NamedEndpoints() {}

    static Set<Name> of(PolicySnapshot snapshot) {
        Set<Name> names = new HashSet<>();
        for (Cluster cluster : snapshot.clusters().values()) {
            if (cluster.discovery() instanceof StrictDns dns) {
                add(dns.assignment(), dns.resolution(), names);
            } else if (cluster.discovery() instanceof LogicalDns dns) {
                add(dns.assignment(), dns.resolution(), names);
            }
        }
        return names;
    }

    private static void add(EndpointAssignment assignment, Resolution how, Set<Name> names) {
        for (LocalityEndpoints locality : assignment.localities()) {
            for (LbEndpoint endpoint : locality.endpoints()) {
                if (!IpAddress.isLiteral(endpoint.address().host())) {
                    names.add(new Name(endpoint.address().host(), how));
                }
            }
        }
    }

    static EndpointAssignment resolved(StrictDns dns, Names names) {
        return resolved(dns.assignment(), host -> names.addresses(new Name(host, dns.resolution())));
    }

    static EndpointAssignment resolved(LogicalDns dns, Names names) {
        return resolved(dns.assignment(), host -> names.preferred(new Name(host, dns.resolution())));
    }

    @FunctionalInterface
    private interface Known {
        List<InetAddress> of(String host);
    }

    private static EndpointAssignment resolved(EndpointAssignment named, Known known) {
        List<LocalityEndpoints> localities = new ArrayList<>(named.localities().size());
        for (LocalityEndpoints locality : named.localities()) {
            List<LbEndpoint> endpoints = new ArrayList<>();
            for (LbEndpoint endpoint : locality.endpoints()) {
                String host = endpoint.address().host();
                if (IpAddress.isLiteral(host)) {
                    endpoints.add(endpoint);
                } else {
                    known.of(host).forEach(address -> endpoints.add(at(address, endpoint)));
                }
            }
            localities.add(new LocalityEndpoints(locality.locality(), locality.priority(), locality.weight(), endpoints));
        }
        return new EndpointAssignment(
                named.clusterName(), localities, named.overprovisioningFactor(), named.weightedPriorityHealth());
    }

    private static LbEndpoint at(InetAddress address, LbEndpoint named) {
        return new LbEndpoint(
                new HostPort(IpAddress.of(address).toString(), named.address().port()),
                named.hostname().isEmpty() ? named.address().host() : named.hostname(),
                named.weight(),
                named.health(),
                named.labels(),
                named.transportLabels());
    }
}
