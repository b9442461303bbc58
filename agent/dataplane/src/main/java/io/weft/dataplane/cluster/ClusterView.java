package io.weft.dataplane.cluster;

import io.weft.dataplane.ClusterStats;
import io.weft.dataplane.ClusterStats.EndpointStats;
import io.weft.dataplane.NanoClock;
import io.weft.dataplane.ResponseHeaders;
import io.weft.dataplane.balance.Picker;
import io.weft.dataplane.balance.PickerFactory;
import io.weft.dataplane.balance.ReportedWeights;
import io.weft.dataplane.balance.Senders;
import io.weft.dataplane.balance.SubsetCriteria;
import io.weft.policy.load.ClusterLoad;
import io.weft.policy.load.ClusterLoad.EndpointLoad;
import io.weft.policy.model.CircuitBreakers;
import io.weft.policy.model.Cluster;
import io.weft.policy.model.EndpointAssignment;
import io.weft.policy.model.HealthCheck;
import io.weft.policy.model.HttpVersion;
import io.weft.policy.model.LoadBalancing;
import io.weft.policy.model.RoutingPriority;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A cluster as one snapshot describes it: its policy and its hosts. All of it is fixed but the {@link Picker}, which follows
 * the health of the hosts and what they report of themselves.
 */
public final class ClusterView {
    /** Beyond it there is no limit, and no overflow. */
    private static final Duration LONGEST_CONNECT = Duration.ofDays(36_500);

    private final ClusterState state;
    private final Cluster policy;
    private final EndpointAssignment assignment;
    private final List<Tier> tiers;
    private final Senders senders;
    private final int hostCount;
    /** Null: weights are the control plane's. */
    private final ReportedWeights reportedWeights;
    private final EjectionRule ejection;
    private final boolean checks;
    private final boolean originalDestination;
    private final long maxStreamNanos;
    private final List<String> namingHeaders;
    private final Limits limits;
    private final Limits highLimits;
    private volatile Picker picker;
    /** Made when the first request names a host. */
    private volatile Map<String, Member> byAddress;

    /** @param senders null: not known */
    ClusterView(ClusterState state, Cluster policy, EndpointAssignment assignment, List<Tier> tiers, Senders senders) {
        this.state = state;
        this.policy = policy;
        this.assignment = assignment;
        this.tiers = tiers;
        this.senders = senders;
        int count = 0;
        for (Tier tier : tiers) {
            count += tier.members().size();
        }
        hostCount = count;
        reportedWeights = policy.loadBalancing().choosing() instanceof LoadBalancing.ClientSideWeightedRoundRobin weighted
                ? new ReportedWeights(weighted)
                : null;
        ejection = policy.resilience().outlierDetection().map(EjectionRule::of).orElse(null);
        checks = policy.resilience().healthCheck().isPresent();
        originalDestination = policy.discovery() instanceof Cluster.OriginalDestination;
        Duration maxStream = policy.resilience().maxStreamDuration();
        maxStreamNanos = maxStream.compareTo(LONGEST_CONNECT) > 0 ? 0 : maxStream.toNanos();
        namingHeaders = policy.loadBalancing().algorithm() instanceof LoadBalancing.OverrideHost override ? override.headers() : List.of();
        limits = new Limits(policy.resilience().circuitBreakers().of(RoutingPriority.DEFAULT));
        highLimits = new Limits(policy.resilience().circuitBreakers().of(RoutingPriority.HIGH));
    }

    public ClusterState state() {
        return state;
    }

    public String name() {
        return policy.name();
    }

    Cluster policy() {
        return policy;
    }

    EndpointAssignment assignment() {
        return assignment;
    }

    /** By priority, beginning with 0; those without hosts may be missing. */
    List<Tier> tiers() {
        return tiers;
    }

    Senders senders() {
        return senders;
    }

    /** What the agent's own connections speak to it. */
    public HttpVersion http() {
        return policy.http();
    }

    /** Null: hosts are not checked. */
    HealthCheck healthCheck() {
        return policy.resilience().healthCheck().orElse(null);
    }

    /** Has the host left out at once because it asked for that, if hosts are checked at all. */
    public void failAtOnce(Host host) {
        state.healthChecks().failAtOnce(host);
    }

    /** Whether hosts are asked for their health. */
    public boolean checks() {
        return checks;
    }

    /** Whether hosts may be left out for how they answer. */
    public boolean ejects() {
        return ejection != null;
    }

    EjectionRule ejection() {
        return ejection;
    }

    int hostCount() {
        return hostCount;
    }

    /** Whether there may be endpoints that are reached over TLS only. */
    public boolean secures() {
        return policy.transport().secures();
    }

    /** Requests go where they would go without the mesh. */
    public boolean originalDestination() {
        return originalDestination;
    }

    private Limits limits(RoutingPriority priority) {
        return priority == RoutingPriority.DEFAULT ? limits : highLimits;
    }

    /** Under way at once. */
    public int maxRequests(RoutingPriority priority) {
        return limits(priority).maxRequests;
    }

    /** Under way at once to one host, with this one. */
    public int maxRequestsPerHost(RoutingPriority priority) {
        return limits(priority).maxRequestsPerHost;
    }

    /** Decided on or under way at once. */
    public int maxRetries(RoutingPriority priority) {
        return limits(priority).maxRetries(state.active(priority));
    }

    /** How long one attempt may last; 0: no limit. */
    public long maxStreamNanos() {
        return maxStreamNanos;
    }

    /** How long connecting to one of its hosts may take. */
    public long connectTimeoutNanos() {
        Duration timeout = policy.resilience().connectTimeout();
        return timeout.compareTo(LONGEST_CONNECT) > 0 ? LONGEST_CONNECT.toNanos() : timeout.toNanos();
    }

    /**
     * @param hash of the request where it has one; else random, and another number for each choice
     * @param wanted the endpoints that the route means; null: any
     * @param attempt 0 for the first choice of an attempt, growing while the request refuses what it is given
     * @return null when there is no host that may be used
     */
    public Host pick(long hash, SubsetCriteria wanted, int attempt, NanoClock clock) {
        if (reportedWeights != null) {
            state.updateWeights(reportedWeights.updateNanos(), clock);
        }
        return picker.pick(hash, wanted, attempt);
    }

    /**
     * A host for a retry, with the priorities of earlier attempts left out: Envoy's {@code previous_priorities}, which begins anew
     * when none is left.
     *
     * @param tried the hosts of earlier attempts, in order
     * @param frequency after how many of them priorities are left out, and again after as many more
     */
    public Host pick(long hash, SubsetCriteria wanted, int attempt, NanoClock clock, List<Host> tried, int frequency) {
        Picker now = picker;
        long leftOut = 0;
        long attempted = 0;
        int count = 0;
        for (Host host : tried) {
            attempted |= priorityOf(host);
            count++;
            if (count % frequency == 0) {
                leftOut |= attempted;
                if (!now.availableOutside(leftOut)) {
                    leftOut = 0;
                    attempted = 0;
                    count = 0;
                }
            }
        }
        return leftOut == 0 ? pick(hash, wanted, attempt, clock) : now.pickOutside(leftOut, hash, wanted, attempt);
    }

    /** A bit for it; 0: it is none of the hosts any more, or its priority is never left out. */
    private long priorityOf(Host host) {
        for (int i = 0; i < Math.min(tiers.size(), Long.SIZE - 1); i++) {
            for (Member member : tiers.get(i).members()) {
                if (member.host() == host) {
                    return 1L << i;
                }
            }
        }
        return 0;
    }

    /**
     * A host that may be used and that is not among {@code failed}, whatever the balancer would say.
     *
     * @param random 32 bits
     * @return null when there is none, or when the policy does not allow another
     */
    public Host pickOther(List<Host> failed, int random) {
        return picker.other(failed, random);
    }

    /**
     * The host that a request names, if its health is one that the policy allows for that.
     *
     * @param address as in {@link Host#address()}
     * @return null when there is none
     */
    public Host named(String address) {
        Member member = member(address);
        return member != null && policy.loadBalancing().overrideHost().contains(member.health()) ? member.host() : null;
    }

    /**
     * Headers that name endpoints, whatever their health, in lower case; empty: none do.
     */
    public List<String> namingHeaders() {
        return namingHeaders;
    }

    /** @return null when there is no such host */
    public Host hostAt(String address) {
        Member member = member(address);
        return member == null ? null : member.host();
    }

    private Member member(String address) {
        Map<String, Member> members = byAddress;
        if (members == null) {
            members = new HashMap<>();
            for (Tier tier : tiers) {
                for (Member member : tier.members()) {
                    members.putIfAbsent(member.host().address(), member);
                }
            }
            byAddress = members;
        }
        return members.get(address);
    }

    /** Whether the endpoint is to be asked for its load now. Saying yes makes it no for a while. */
    public boolean asksForLoad(Host host, NanoClock clock) {
        return reportedWeights != null && host.asksForReport(clock.nanoTime(), reportedWeights.askNanos());
    }

    /** Takes the endpoint's word for its load, where the policy asks for it. */
    public void loadReported(Host host, ResponseHeaders headers, NanoClock clock) {
        if (reportedWeights != null && headers != null) {
            reportedWeights.onResponse(host, headers, clock.nanoTime());
        }
    }

    /** Of the cluster as its newest view lists it. */
    public ClusterStats stats() {
        return state.stats();
    }

    List<EndpointStats> endpointStats() {
        List<EndpointStats> endpoints = new ArrayList<>(hostCount);
        for (Tier tier : tiers) {
            for (Member member : tier.members()) {
                Host host = member.host();
                endpoints.add(new EndpointStats(
                        host.endpoint().address(),
                        tier.priority(),
                        reportedWeights == null ? member.weight() : host.reportedWeight(),
                        member.listed().health(),
                        host.active(),
                        host.successes(),
                        host.failures(),
                        host.endpoint().tls() != null,
                        host.failsChecks(),
                        host.ejected(),
                        host.ejections()));
            }
        }
        return endpoints;
    }

    /** Of the cluster as its newest view lists it. */
    public ClusterLoad load() {
        return state.load();
    }

    List<EndpointLoad> endpointLoads() {
        List<EndpointLoad> endpoints = new ArrayList<>(hostCount);
        for (Tier tier : tiers) {
            for (Tier.Zone zone : tier.zones()) {
                for (Member member : zone.members()) {
                    Host host = member.host();
                    endpoints.add(new EndpointLoad(
                            host.endpoint().address(),
                            zone.locality(),
                            tier.priority(),
                            host.successes(),
                            host.failures(),
                            host.active(),
                            host.endpoint().tls() != null,
                            host.ejected()));
                }
            }
        }
        return endpoints;
    }

    /** Works out anew who is chosen how. Called by {@link ClusterState} only, by one thread at a time. */
    void refresh(PickerFactory factory, long nowNanos) {
        for (Tier tier : tiers) {
            for (Member member : tier.members()) {
                if (member.health() == EndpointAssignment.Health.HEALTHY) {
                    member.host().healthy(nowNanos);
                }
            }
        }
        picker = factory.make(new PickerFactory.Input(
                policy.loadBalancing(),
                tiers,
                assignment == null
                        ? EndpointAssignment.DEFAULT_OVERPROVISIONING_FACTOR
                        : assignment.overprovisioningFactor(),
                assignment != null && assignment.weightedPriorityHealth(),
                senders));
    }

    /** @return whether any host's weight changed */
    boolean updateWeights(long nowNanos) {
        return reportedWeights != null && reportedWeights.update(tiers, nowNanos);
    }

    /** The thresholds of one priority. */
    private static final class Limits {
        private final int maxRequests;
        private final int maxRequestsPerHost;
        private final int maxRetries;
        /** Null: the number counts. */
        private final CircuitBreakers.RetryBudget budget;

        /**
         * The library's pool, not the mesh, knows a request that waits for a connection from one that has it. With one request to a
         * connection, as in HTTP/1.1, there can be no more than connections and waiting requests together.
         */
        Limits(CircuitBreakers.Thresholds thresholds) {
            long connected = (long) thresholds.maxConnections() + thresholds.maxPendingRequests();
            maxRequests = (int) Math.min(thresholds.maxRequests(), connected);
            maxRequestsPerHost = (int) Math.min(
                    Integer.MAX_VALUE, (long) thresholds.maxConnectionsPerHost() + thresholds.maxPendingRequests());
            maxRetries = thresholds.maxRetries();
            budget = thresholds.retryBudget().orElse(null);
        }

        int maxRetries(int active) {
            return budget == null ? maxRetries : Math.max((int) (budget.percent() / 100 * active), budget.minConcurrency());
        }
    }
}
