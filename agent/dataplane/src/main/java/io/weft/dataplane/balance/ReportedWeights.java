package io.weft.dataplane.balance;

import io.weft.dataplane.ResponseHeaders;
import io.weft.dataplane.cluster.Host;
import io.weft.dataplane.cluster.Member;
import io.weft.dataplane.cluster.Tier;
import io.weft.policy.model.LoadBalancing.ClientSideWeightedRoundRobin;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Client-side weighted round robin: makes weights of what hosts report of their load. A host's weight is its requests per
 * second over its utilisation; a host that has not reported for long enough, or no longer, has the median of the others.
 * Immutable; what is known of a host is in the host.
 */
public final class ReportedWeights {
    private static final int REPORTS_PER_UPDATE = 4;

    private final ClientSideWeightedRoundRobin policy;
    private final long updateNanos;

    public ReportedWeights(ClientSideWeightedRoundRobin policy) {
        this.policy = policy;
        updateNanos = policy.updatePeriod().toNanos();
    }

    public long updateNanos() {
        return updateNanos;
    }

    /** How often hosts are asked: some reports for each update, and next to no cost. */
    public long askNanos() {
        return updateNanos / REPORTS_PER_UPDATE;
    }

    /** Takes what a response says. Without a report it allocates nothing. */
    public void onResponse(Host host, ResponseHeaders headers, long nowNanos) {
        LoadReport report = LoadReport.of(headers);
        if (report != null) {
            long weight = weight(report);
            if (weight >= 0) {
                host.reportWeight((int) Math.min(Integer.MAX_VALUE, weight), nowNanos);
            }
        }
    }

    /** -1: the report does not say enough. */
    private long weight(LoadReport report) {
        double rate = report.requestsPerSecond();
        if (!(rate > 0)) {
            return -1;
        }
        double utilization = utilization(report) + policy.errorUtilizationPenalty() * report.errorsPerSecond() / rate;
        return utilization > 0 ? (long) (rate / utilization) : -1;
    }

    private double utilization(LoadReport report) {
        double utilization = 0;
        for (String name : policy.utilizationMetrics()) {
            utilization = Math.max(utilization, report.largest(name));
        }
        if (utilization > 0) {
            return utilization;
        }
        return report.application() > 0 ? report.application() : report.cpu();
    }

    /**
     * Works the weights of all hosts out anew, priority by priority. Off the request path, one thread at a time.
     *
     * @return whether any changed
     */
    public boolean update(List<Tier> tiers, long nowNanos) {
        boolean changed = false;
        for (Tier tier : tiers) {
            List<Integer> valid = new ArrayList<>();
            List<Host> others = new ArrayList<>();
            for (Member member : tier.members()) {
                int weight = member.host().weightReported(nowNanos, policy.blackout().toNanos(), policy.expiration().toNanos());
                if (weight > 0) {
                    valid.add(weight);
                    changed |= member.host().balanceBy(weight);
                } else {
                    others.add(member.host());
                }
            }
            int usual = median(valid);
            for (Host host : others) {
                changed |= host.balanceBy(usual);
            }
        }
        return changed;
    }

    private static int median(List<Integer> weights) {
        if (weights.isEmpty()) {
            return 1;
        }
        Collections.sort(weights);
        int upper = weights.get(weights.size() / 2);
        return weights.size() % 2 == 1 ? upper : (int) (((long) weights.get(weights.size() / 2 - 1) + upper) / 2);
    }
}
