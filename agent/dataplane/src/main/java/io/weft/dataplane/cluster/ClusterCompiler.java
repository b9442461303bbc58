package io.weft.dataplane.cluster;

import io.weft.dataplane.Endpoint;
import io.weft.dataplane.NanoClock;
import io.weft.dataplane.Randomness;
import io.weft.policy.model.Cluster;
import io.weft.policy.model.EndpointAssignment;
import io.weft.policy.model.EndpointAssignment.Health;
import io.weft.policy.model.EndpointAssignment.LbEndpoint;
import io.weft.policy.model.EndpointAssignment.LocalityEndpoints;
import io.weft.policy.model.HostPort;
import io.weft.policy.model.PolicySnapshot;
import io.weft.policy.model.TransportSocket.Plaintext;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Makes clusters ready, and only those that changed since the last time; the state of a cluster and of each of its endpoints
 * stays for as long as it is listed. For one thread.
 *
 * <p>Localities count as one within a priority: Envoy's locality weights and zone awareness have no effect here.
 */
public final class ClusterCompiler {
    private final NanoClock clock;
    private final Randomness randomness;
    private Map<String, Entry> entries = Map.of();

    public ClusterCompiler(NanoClock clock, Randomness randomness) {
        this.clock = clock;
        this.randomness = randomness;
    }

    /** The clusters of the snapshot by name. */
    public Map<String, ClusterView> compile(PolicySnapshot snapshot) {
        Map<String, Entry> next = new HashMap<>();
        Map<String, ClusterView> views = new HashMap<>();
        for (Cluster cluster : snapshot.clusters().values()) {
            Entry before = entries.get(cluster.name());
            EndpointAssignment assignment = assignment(cluster, snapshot);
            Entry entry = before != null && before.isFor(cluster, assignment) ? before : compile(cluster, assignment, before);
            next.put(cluster.name(), entry);
            views.put(cluster.name(), entry.view);
        }
        entries = next;
        return views;
    }

    private static EndpointAssignment assignment(Cluster cluster, PolicySnapshot snapshot) {
        if (cluster.discovery() instanceof Cluster.Eds eds) {
            return snapshot.assignments().get(eds.serviceName());
        }
        if (cluster.discovery() instanceof Cluster.Static fixed) {
            return fixed.assignment();
        }
        return null;
    }

    private Entry compile(Cluster cluster, EndpointAssignment assignment, Entry before) {
        ClusterState state =
                before == null ? new ClusterState(cluster.name(), randomness.below(1 << 16)) : before.view.state();
        Map<HostPort, Host> known = before == null ? Map.of() : before.hosts;
        Map<HostPort, Host> hosts = new HashMap<>();
        List<Availability.Tier> tiers = tiers(cluster, assignment, known, hosts);
        for (Map.Entry<HostPort, Host> host : known.entrySet()) {
            if (!hosts.containsKey(host.getKey()) && host.getValue().retire()) {
                state.ejected.decrementAndGet();
            }
        }
        ClusterView view = new ClusterView(state, cluster, assignment, tiers, randomness);
        if (view.ejection() == null) {
            Ejection.end(state, view, clock);
        }
        state.install(view);
        return new Entry(view, hosts);
    }

    private static List<Availability.Tier> tiers(
            Cluster cluster, EndpointAssignment assignment, Map<HostPort, Host> known, Map<HostPort, Host> hosts) {
        TreeMap<Integer, Availability.Tier> tiers = new TreeMap<>();
        tiers.put(0, newTier(0));
        if (assignment != null) {
            Set<HostPort> seen = new HashSet<>();
            for (LocalityEndpoints locality : assignment.localities()) {
                Availability.Tier tier = tiers.get(locality.priority());
                if (tier == null) {
                    tier = newTier(locality.priority());
                    tiers.put(locality.priority(), tier);
                }
                for (LbEndpoint endpoint : locality.endpoints()) {
                    // Mesh TLS is not spoken yet, and nobody is reached rather than in plaintext.
                    boolean plaintext = cluster.transport().of(endpoint.transportLabels()) instanceof Plaintext;
                    if (plaintext && isIpLiteral(endpoint.address().host()) && seen.add(endpoint.address())) {
                        Host host = known.get(endpoint.address());
                        if (host == null) {
                            host = new Host(new Endpoint(address(endpoint.address())));
                        }
                        hosts.put(endpoint.address(), host);
                        tier.hosts().add(host);
                        tier.weights().add(endpoint.weight());
                        tier.health().add(endpoint.health());
                    }
                }
            }
        }
        return List.copyOf(tiers.values());
    }

    private static Availability.Tier newTier(int priority) {
        return new Availability.Tier(priority, new ArrayList<>(), new ArrayList<>(), new ArrayList<Health>());
    }

    private static boolean isIpLiteral(String host) {
        boolean digits = !host.isEmpty();
        for (int i = 0; i < host.length(); i++) {
            char c = host.charAt(i);
            if (c == ':') {
                return true;
            }
            digits &= c == '.' || c >= '0' && c <= '9';
        }
        return digits;
    }

    /** The address has the literal as its name too, so that nobody looks the name up in DNS. */
    private static InetSocketAddress address(HostPort literal) {
        try {
            byte[] bytes = InetAddress.getByName(literal.host()).getAddress();
            return new InetSocketAddress(InetAddress.getByAddress(literal.host(), bytes), literal.port());
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException("endpoint " + literal + " is not an IP address", e);
        }
    }

    private record Entry(ClusterView view, Map<HostPort, Host> hosts) {

        boolean isFor(Cluster cluster, EndpointAssignment assignment) {
            return view.policy().equals(cluster)
                    && (assignment == null ? view.assignment() == null : assignment.equals(view.assignment()));
        }
    }
}
