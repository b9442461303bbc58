package io.weft.dataplane.cluster;

import io.weft.dataplane.ClientTls;
import io.weft.dataplane.Endpoint;
import io.weft.dataplane.IpAddress;
import io.weft.dataplane.Self;
import io.weft.dataplane.Surroundings;
import io.weft.dataplane.TransportSecurity;
import io.weft.dataplane.balance.Senders;
import io.weft.dataplane.dns.Names;
import io.weft.dataplane.dns.Names.Name;
import io.weft.dataplane.health.HealthProber;
import io.weft.policy.model.Cluster;
import io.weft.policy.model.EndpointAssignment;
import io.weft.policy.model.EndpointAssignment.LbEndpoint;
import io.weft.policy.model.EndpointAssignment.LocalityEndpoints;
import io.weft.policy.model.HostPort;
import io.weft.policy.model.PolicySnapshot;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;

/**
 * Makes clusters ready, and only those that changed since the last time; the state of a cluster and of each of its endpoints
 * stays for as long as it is listed. For one thread.
 */
public final class ClusterCompiler {
    private final Surroundings surroundings;
    private final Self self;
    private final HealthProber prober;
    private final TransportSecurity security;
    private final Names names;
    private Map<String, Entry> entries = Map.of();

    public ClusterCompiler(Surroundings surroundings, HealthProber prober, TransportSecurity security, Names names) {
        this.surroundings = surroundings;
        self = surroundings.self();
        this.prober = prober;
        this.security = security;
        this.names = names;
    }

    /** The clusters of the snapshot by name. */
    public Map<String, ClusterView> compile(PolicySnapshot snapshot) {
        Map<String, Entry> next = new HashMap<>();
        Map<String, ClusterView> views = new HashMap<>();
        Cluster local = self.localCluster() == null ? null : snapshot.clusters().get(self.localCluster());
        Senders senders = null;
        if (local != null) {
            add(local, snapshot, null, next);
            ClusterView view = next.get(local.name()).view;
            senders = Senders.of(view.tiers().get(0), local.loadBalancing().panicThreshold());
        }
        for (Cluster cluster : snapshot.clusters().values()) {
            if (cluster != local) {
                add(cluster, snapshot, senders, next);
            }
        }
        for (Map.Entry<String, Entry> entry : next.entrySet()) {
            views.put(entry.getKey(), entry.getValue().view);
        }
        for (Map.Entry<String, Entry> entry : entries.entrySet()) {
            if (!next.containsKey(entry.getKey())) {
                entry.getValue().view.state().close();
            }
        }
        retire(entries, next);
        entries = next;
        return views;
    }

    /** What is pooled of connections by which no endpoint is secured any more. */
    private void retire(Map<String, Entry> before, Map<String, Entry> now) {
        Set<ClientTls> inUse = Collections.newSetFromMap(new IdentityHashMap<>());
        now.values().forEach(entry -> inUse.addAll(entry.tls.ready().values()));
        for (Entry entry : before.values()) {
            for (ClientTls tls : entry.tls.ready().values()) {
                if (inUse.add(tls)) {
                    retire(tls);
                }
            }
        }
    }

    private void retire(ClientTls tls) {
        try {
            tls.connections().retire();
        } catch (RuntimeException | Error fault) {
            surroundings.faults().fault("closing connections that are secured in another way by now", fault);
        }
    }

    private void add(Cluster cluster, PolicySnapshot snapshot, Senders senders, Map<String, Entry> next) {
        Entry before = entries.get(cluster.name());
        EndpointAssignment assignment = assignment(cluster, snapshot);
        ClusterTls tls = ClusterTls.of(cluster.transport(), security, snapshot.secrets());
        Entry entry = before != null && before.isFor(cluster, assignment, senders, tls)
                ? before
                : compile(cluster, assignment, senders, tls, before);
        next.put(cluster.name(), entry);
    }

    /** The names of the snapshot's endpoints, which are to be followed before it is compiled. */
    public static Set<Name> names(PolicySnapshot snapshot) {
        return NamedEndpoints.of(snapshot);
    }

    private EndpointAssignment assignment(Cluster cluster, PolicySnapshot snapshot) {
        if (cluster.discovery() instanceof Cluster.Eds eds) {
            return snapshot.assignments().get(eds.serviceName());
        }
        if (cluster.discovery() instanceof Cluster.Static fixed) {
            return fixed.assignment();
        }
        if (cluster.discovery() instanceof Cluster.StrictDns dns) {
            return NamedEndpoints.resolved(dns, names);
        }
        if (cluster.discovery() instanceof Cluster.LogicalDns dns) {
            return NamedEndpoints.resolved(dns, names);
        }
        return null;
    }

    private Entry compile(
            Cluster cluster, EndpointAssignment assignment, Senders senders, ClusterTls tls, Entry before) {
        ClusterState state = before == null
                ? new ClusterState(cluster.name(), surroundings, prober)
                : before.view.state();
        Map<HostPort, Host> known = before == null ? Map.of() : before.hosts;
        Map<HostPort, Host> hosts = new HashMap<>();
        List<Tier> tiers = tiers(state, tls, assignment, known, hosts);
        awaitFirstChecks(cluster, before, known, hosts);
        List<Host> left = new ArrayList<>();
        for (Map.Entry<HostPort, Host> host : known.entrySet()) {
            if (!hosts.containsKey(host.getKey())) {
                left.add(host.getValue());
            }
        }
        ClusterView view = new ClusterView(state, cluster, assignment, tiers, senders);
        if (view.ejection() == null) {
            Ejection.end(state, view);
        }
        state.install(view, left);
        return new Entry(view, hosts, tls);
    }

    /** As in Envoy, a host that is to be checked is not healthy before it was. */
    private static void awaitFirstChecks(
            Cluster cluster, Entry before, Map<HostPort, Host> known, Map<HostPort, Host> hosts) {
        boolean checks = cluster.resilience().healthCheck().isPresent();
        boolean checked = before != null && before.view.checks();
        for (Map.Entry<HostPort, Host> host : hosts.entrySet()) {
            if (!checks) {
                host.getValue().failedAtOnce(false);
                host.getValue().failsChecks(false);
                host.getValue().degradedByCheck(false);
            } else if (!checked || !known.containsKey(host.getKey())) {
                host.getValue().failsChecks(true);
            }
        }
    }

    private List<Tier> tiers(
            ClusterState state, ClusterTls tls, EndpointAssignment assignment, Map<HostPort, Host> known,
            Map<HostPort, Host> hosts) {
        TreeMap<Integer, Tier.Builder> tiers = new TreeMap<>();
        tiers.put(0, new Tier.Builder(0, self.locality()));
        if (assignment != null) {
            Set<HostPort> seen = new HashSet<>();
            for (LocalityEndpoints locality : assignment.localities()) {
                Tier.Builder tier = tiers.get(locality.priority());
                if (tier == null) {
                    tier = new Tier.Builder(locality.priority(), self.locality());
                    tiers.put(locality.priority(), tier);
                }
                tier.weigh(locality.locality(), locality.weight());
                for (LbEndpoint endpoint : locality.endpoints()) {
                    if (tls.reaches(endpoint) && seen.add(endpoint.address())) {
                        Host host = known.get(endpoint.address());
                        if (host == null) {
                            InetSocketAddress address = address(endpoint.address());
                            host = new Host(new Endpoint(address, tls.of(endpoint)), text(address));
                        } else {
                            host.secure(tls.of(endpoint));
                        }
                        host.label(endpoint.labels(), endpoint.hostname());
                        host.countBy(state.meters().of(endpoint.labels()));
                        hosts.put(endpoint.address(), host);
                        tier.add(locality.locality(), new Member(host, endpoint));
                    }
                }
            }
        }
        List<Tier> built = new ArrayList<>(tiers.size());
        for (Tier.Builder tier : tiers.values()) {
            built.add(tier.build());
        }
        return built;
    }

    private static String text(InetSocketAddress address) {
        String ip = IpAddress.of(address.getAddress()).toString();
        return (ip.indexOf(':') < 0 ? ip : "[" + ip + "]") + ":" + address.getPort();
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

    private record Entry(ClusterView view, Map<HostPort, Host> hosts, ClusterTls tls) {

        boolean isFor(Cluster cluster, EndpointAssignment assignment, Senders senders, ClusterTls nowTls) {
            return view.policy().equals(cluster)
                    && tls.equals(nowTls)
                    && Objects.equals(senders, view.senders())
                    && (assignment == null ? view.assignment() == null : assignment.equals(view.assignment()));
        }
    }
}
