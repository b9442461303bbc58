package io.weft.dataplane.balance;

import io.weft.dataplane.cluster.Member;
import io.weft.dataplane.cluster.Tier;
import io.weft.policy.model.EndpointAssignment.Health;
import java.util.ArrayList;
import java.util.List;

/** The hosts of one priority by their health at one moment. */
final class PriorityHosts {
    final Tier tier;
    final List<Member> all;
    final List<Member> healthy;
    final List<Member> degraded;
    /** How many of all count where the healthy are a share of them. */
    private final int counted;
    private final int overprovisioningFactor;
    private final long healthyWeight;
    private final long degradedWeight;
    private final long totalWeight;

    /** @param byWeight whether hosts count by weight in the health of a priority */
    PriorityHosts(Tier tier, int overprovisioningFactor, boolean byWeight) {
        this.tier = tier;
        this.overprovisioningFactor = overprovisioningFactor;
        all = tier.members();
        healthy = only(all, Health.HEALTHY);
        degraded = only(all, Health.DEGRADED);
        healthyWeight = byWeight ? weight(healthy) : healthy.size();
        degradedWeight = byWeight ? weight(degraded) : degraded.size();
        counted = counted(all);
        totalWeight = byWeight ? countedWeight(all) : counted;
    }

    static List<Member> only(List<Member> members, Health health) {
        int count = 0;
        for (Member member : members) {
            count += member.health() == health ? 1 : 0;
        }
        if (count == members.size()) {
            return members;
        }
        List<Member> some = new ArrayList<>(count);
        for (Member member : members) {
            // It may have changed just now; then all of this is done once more.
            if (member.health() == health) {
                some.add(member);
            }
        }
        return some;
    }

    static int counted(List<Member> members) {
        int count = 0;
        for (Member member : members) {
            count += member.excluded() ? 0 : 1;
        }
        return count;
    }

    private static long countedWeight(List<Member> members) {
        long sum = 0;
        for (Member member : members) {
            sum += member.excluded() ? 0 : member.weight();
        }
        return sum;
    }

    private static long weight(List<Member> members) {
        long sum = 0;
        for (Member member : members) {
            sum += member.weight();
        }
        return sum;
    }

    int healthyPercent() {
        return percent(healthyWeight);
    }

    int degradedPercent() {
        return percent(degradedWeight);
    }

    private int percent(long weight) {
        return totalWeight == 0 ? 0 : (int) Math.min(100, overprovisioningFactor * weight / totalWeight);
    }

    double usablePercent() {
        return counted == 0 ? 0 : 100.0 * healthy.size() / counted + 100.0 * degraded.size() / counted;
    }

    /** By locality, in the tier's order. */
    List<List<Member>> healthyByZone() {
        return byZone(Health.HEALTHY);
    }

    List<List<Member>> degradedByZone() {
        return byZone(Health.DEGRADED);
    }

    private List<List<Member>> byZone(Health health) {
        List<List<Member>> zones = new ArrayList<>(tier.zones().size());
        for (Tier.Zone zone : tier.zones()) {
            zones.add(only(zone.members(), health));
        }
        return zones;
    }

    /**
     * A locality's share among those of its priority: less than its weight when it has not enough hosts of the kind.
     *
     * @param eligible how many of its hosts are
     */
    double effectiveWeight(int zone, int eligible) {
        Tier.Zone of = tier.zones().get(zone);
        int count = counted(of.members());
        if (count == 0) {
            return 0;
        }
        double available = overprovisioningFactor / 100.0 * (1.0 * eligible / count);
        return of.weight() * Math.min(1.0, available);
    }
}
