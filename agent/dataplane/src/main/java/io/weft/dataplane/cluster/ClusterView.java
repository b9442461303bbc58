package io.weft.dataplane.cluster;

import io.weft.dataplane.ClusterStats;
import io.weft.dataplane.ClusterStats.EndpointStats;
import io.weft.dataplane.NanoClock;
import io.weft.dataplane.Randomness;
import io.weft.policy.model.Cluster;
import io.weft.policy.model.EndpointAssignment;
import io.weft.policy.model.LoadBalancing;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * A cluster as one snapshot describes it: its policy and its hosts. All of it is fixed but the {@link Availability}, which
 * follows ejections.
 */
public final class ClusterView {
    /** Beyond it there is no limit, and no overflow. */
    private static final Duration LONGEST_CONNECT = Duration.ofDays(36_500);

    private final ClusterState state;
    private final Cluster policy;
    private final EndpointAssignment assignment;
    private final List<Availability.Tier> tiers;
    private final int hostCount;
    private final Balancer balancer;
    private final Randomness randomness;
    private final EjectionRule ejection;
    private final int maxRequests;
    private volatile Availability availability;

    ClusterView(ClusterState state, Cluster policy, EndpointAssignment assignment, List<Availability.Tier> tiers, Randomness randomness) {
        this.state = state;
        this.policy = policy;
        this.assignment = assignment;
        this.tiers = tiers;
        this.randomness = randomness;
        int count = 0;
        for (Availability.Tier tier : tiers) {
            count += tier.hosts().size();
        }
        hostCount = count;
        balancer = balancer(policy.loadBalancing().algorithm(), state, randomness);
        ejection = policy.outlierDetection().isPresent() ? EjectionRule.of(policy.outlierDetection().get()) : null;
        maxRequests = maxRequests(policy.circuitBreaker());
        refresh();
    }

    private static Balancer balancer(LoadBalancing.Algorithm policy, ClusterState state, Randomness randomness) {
        if (policy instanceof LoadBalancing.LeastRequest leastRequest) {
            return new LeastRequestBalancer(leastRequest.choices().orElse(2), leastRequest.activeRequestBias(), randomness);
        }
        if (policy instanceof LoadBalancing.Random) {
            return new RandomBalancer(randomness);
        }
        return new RoundRobinBalancer(state.roundRobin);
    }

    /**
     * The library's pool, not the mesh, knows a request that waits for a connection from one that has it. With one request to
     * a connection, as in HTTP/1.1, there can be no more than connections and waiting requests together.
     */
    private static int maxRequests(Cluster.CircuitBreaker limits) {
        long connected = (long) limits.maxConnections() + limits.maxPendingRequests();
        return (int) Math.min(limits.maxRequests(), connected);
    }

    public ClusterState state() {
        return state;
    }

    Cluster policy() {
        return policy;
    }

    EndpointAssignment assignment() {
        return assignment;
    }

    List<Availability.Tier> tiers() {
        return tiers;
    }

    EjectionRule ejection() {
        return ejection;
    }

    int hostCount() {
        return hostCount;
    }

    /** Requests go where they would go without the mesh. */
    public boolean originalDestination() {
        return policy.discovery() instanceof Cluster.OriginalDestination;
    }

    /** How long connecting to one of its hosts may take. */
    public long connectTimeoutNanos() {
        Duration timeout = policy.connectTimeout();
        return timeout.compareTo(LONGEST_CONNECT) > 0 ? LONGEST_CONNECT.toNanos() : timeout.toNanos();
    }

    public int maxRequests() {
        return maxRequests;
    }

    public int maxRetries() {
        return policy.circuitBreaker().maxRetries();
    }

    /** @return null when there is no host that may be used */
    public Host pick(NanoClock clock) {
        if (state.ejected.get() != 0) {
            Ejection.sweep(state, clock);
        }
        Availability available = availability;
        HostSet set = available.single() ? available.only() : available.at(randomness.below(100));
        return set.hosts.length == 0 ? null : balancer.pick(set);
    }

    /**
     * A host that may be used and that is not among {@code failed}, whatever the balancer would say.
     *
     * @return null when there is none
     */
    public Host pickOther(List<Host> failed) {
        Availability available = availability;
        for (int i = 0; i < available.sets(); i++) {
            Host[] hosts = available.set(i).hosts;
            int start = hosts.length == 0 ? 0 : randomness.below(hosts.length);
            for (int k = 0; k < hosts.length; k++) {
                Host host = hosts[(start + k) % hosts.length];
                if (!failed.contains(host)) {
                    return host;
                }
            }
        }
        return null;
    }

    public ClusterStats stats() {
        List<EndpointStats> endpoints = new ArrayList<>(hostCount);
        for (Availability.Tier tier : tiers) {
            for (int i = 0; i < tier.hosts().size(); i++) {
                Host host = tier.hosts().get(i);
                endpoints.add(new EndpointStats(
                        host.endpoint().address(),
                        tier.priority(),
                        tier.weights().get(i),
                        tier.health().get(i),
                        host.active(),
                        host.successes(),
                        host.failures(),
                        host.ejected(),
                        host.ejections()));
            }
        }
        return state.stats(endpoints);
    }

    /**
     * Works the availability out anew. Of several threads that do so at once, the last to see the health version unchanged
     * has the last word.
     */
    void refresh() {
        int version;
        do {
            version = state.healthVersion();
            int factor = assignment == null ? 140 : assignment.overprovisioningFactor();
            availability = Availability.of(tiers, factor, policy.loadBalancing().panicThreshold());
        } while (version != state.healthVersion());
    }
}
