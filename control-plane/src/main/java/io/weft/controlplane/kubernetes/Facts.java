package io.weft.controlplane.kubernetes;

import io.weft.controlplane.policy.Protocol;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** What is kept of the cluster's objects: a part of each, so that tens of thousands of them take little room. */
final class Facts {

    /**
     * A Service.
     *
     * @param externalName where it leads by DNS; absent: to its endpoints
     * @param clusterAddresses none if it is headless
     * @param families of addresses, {@code IPv4} or {@code IPv6}, in the order of preference
     */
    record OfService(
            ObjectName name,
            String mesh,
            Map<String, String> labels,
            Optional<String> externalName,
            List<String> clusterAddresses,
            List<String> families,
            List<ServicePort> ports) {
        OfService {
            labels = Map.copyOf(labels);
            clusterAddresses = List.copyOf(clusterAddresses);
            families = List.copyOf(families);
            ports = List.copyOf(ports);
        }

        boolean headless() {
            return externalName.isEmpty() && clusterAddresses.isEmpty();
        }
    }

    /** @param name empty if the Service's only port has none */
    record ServicePort(int number, String name, Protocol protocol) {}

    /**
     * An EndpointSlice.
     *
     * @param service of which it is a part
     * @param family {@code IPv4}, {@code IPv6} or {@code FQDN}
     * @param ports by the name of the Service's port
     */
    record OfSlice(
            ObjectName name, ObjectName service, String family, Map<String, Integer> ports, List<Endpoint> endpoints) {
        OfSlice {
            ports = Map.copyOf(ports);
            endpoints = List.copyOf(endpoints);
        }
    }

    /**
     * @param ready whether it is to get requests: of a Service that publishes addresses which are not ready, all of them
     * @param serving whether it could still answer while it terminates
     * @param zone may be empty
     * @param forZones zone hints
     * @param hostname of its own in a headless Service
     */
    record Endpoint(
            String address,
            boolean ready,
            boolean serving,
            boolean terminating,
            String zone,
            Set<String> forZones,
            Optional<ObjectName> pod,
            Optional<String> hostname) {
        Endpoint {
            forZones = Set.copyOf(forZones);
        }
    }

    enum Agent {
        /** It was given one. */
        GIVEN,
        /** It asks for one itself. */
        WANTED,
        /** Its namespace says whether it is to have one. */
        AS_ITS_NAMESPACE,
        /** It is to have none. */
        LEFT_OUT
    }

    /**
     * A Pod.
     *
     * @param service by which policies call it
     * @param node on which it runs; empty: not yet
     * @param agent whether it has one, or should
     * @param meshTls what was said last of whether it takes mesh TLS; empty: nothing
     * @param healthPaths what the kubelet asks for, by port
     */
    record OfPod(
            ObjectName name,
            String uid,
            String mesh,
            String service,
            String serviceAccount,
            String node,
            Set<String> addresses,
            Map<String, String> labels,
            Agent agent,
            Optional<Boolean> meshTls,
            Map<Integer, Set<String>> healthPaths) {
        OfPod {
            addresses = Set.copyOf(addresses);
            labels = Map.copyOf(labels);
            healthPaths = Map.copyOf(healthPaths);
        }
    }

    private Facts() {}
}
