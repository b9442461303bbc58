package io.weft.benchmarks.decision;

import io.weft.policy.model.Cluster;
import io.weft.policy.model.EndpointAssignment;
import io.weft.policy.model.HashPolicy;
import io.weft.policy.model.HostPort;
import io.weft.policy.model.LoadBalancing;
import io.weft.policy.model.OutlierDetection;
import io.weft.policy.model.PolicySnapshot;
import io.weft.policy.model.VirtualHost;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Services of a few endpoints each whose policy is another in every generation: weights shift, balancers take turns, and of each
 * service one endpoint in ten is replaced. What an endpoint's address says is enough to tell where it belongs.
 *
 * @param services at most 4,096
 * @param endpoints of each service, at most 250
 */
record ChangingMesh(int services, int endpoints, List<LoadBalancing.Algorithm> balancers) {
    private static final int FIRST_PORT = 1_024;
    private static final int PORTS = 60_000;
    private static final int LIFE = 10;
    private static final List<HashPolicy> HASHING = List.of(new HashPolicy.Header(Request.USER, Optional.empty(), false));
    private static final Optional<OutlierDetection> OUTLIERS =
            Optional.of(Parts.outliers(Duration.ofMillis(200), Duration.ofSeconds(2)));

    String authority(int service) {
        return "service-" + service;
    }

    /** Whether the service has this endpoint in any of these generations, both included. */
    boolean has(int service, InetSocketAddress address, long from, long to) {
        byte[] ip = address.getAddress().getAddress();
        boolean ofService = (ip[0] & 0xFF) == 10 && ((ip[1] & 0xFF) << 8 | ip[2] & 0xFF) == service;
        for (long generation = from; ofService && generation <= to; generation++) {
            if (address.getPort() == port(service, ip[3] & 0xFF, generation)) {
                return true;
            }
        }
        return false;
    }

    PolicySnapshot snapshot(long generation) {
        List<VirtualHost> hosts = new ArrayList<>();
        Map<String, Cluster> clusters = new HashMap<>();
        Map<String, EndpointAssignment> assignments = new HashMap<>();
        LoadBalancing.Algorithm balancing = balancers.get((int) (generation % balancers.size()));
        for (int service = 0; service < services; service++) {
            String name = authority(service);
            int share = (int) ((generation * 7 + service) % 101);
            hosts.add(Parts.virtualHost(
                    name, Parts.route(List.of(), HASHING, Parts.share(name + "-a", share), Parts.share(name + "-b", 100 - share))));
            for (int half = 0; half < 2; half++) {
                String cluster = name + (half == 0 ? "-a" : "-b");
                clusters.put(cluster, Parts.cluster(cluster, balancing, OUTLIERS));
                assignments.put(cluster, Parts.assignment(cluster, addresses(service, half, generation)));
            }
        }
        return Parts.snapshot(generation, hosts, clusters, assignments);
    }

    /** Every other endpoint of the service. */
    private List<HostPort> addresses(int service, int half, long generation) {
        List<HostPort> addresses = new ArrayList<>();
        for (int i = half; i < endpoints; i += 2) {
            String ip = "10." + (service >> 8) + "." + (service & 0xFF) + "." + i;
            addresses.add(new HostPort(ip, port(service, i, generation)));
        }
        return addresses;
    }

    /** Another after every {@link #LIFE} generations, one endpoint of a service after the other. */
    private static int port(int service, int endpoint, long generation) {
        return FIRST_PORT + (int) ((generation + endpoint * 3L + service) / LIFE % PORTS);
    }
}
