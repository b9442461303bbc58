package io.weft.dataplane.balance;

import io.weft.dataplane.cluster.Member;
import io.weft.dataplane.cluster.Tier;
import io.weft.policy.model.EndpointAssignment.Health;
import io.weft.policy.model.EndpointAssignment.Locality;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Who sends requests as this process does: the members of Envoy's local cluster, by zone. Immutable; equal ones mean equal
 * zone awareness.
 *
 * @param zones how many zones there are
 * @param inOwnZone whether any is in this process's own
 * @param panic whether too few are healthy for the numbers to mean something
 * @param healthy how many are healthy in each zone
 */
public record Senders(int zones, boolean inOwnZone, boolean panic, Map<Locality, Integer> healthy) {

    public Senders {
        healthy = Map.copyOf(healthy);
    }

    /** @param panicThreshold percent */
    public static Senders of(Tier tier, int panicThreshold) {
        Map<Locality, Integer> healthy = new HashMap<>();
        int usable = 0;
        for (Tier.Zone zone : tier.zones()) {
            List<Member> members = PriorityHosts.only(zone.members(), Health.HEALTHY);
            if (!members.isEmpty()) {
                healthy.put(zone.locality(), members.size());
            }
            usable += members.size() + PriorityHosts.only(zone.members(), Health.DEGRADED).size();
        }
        int counted = PriorityHosts.counted(tier.members());
        boolean panic = counted == 0 ? panicThreshold > 0 : 100.0 * usable / counted < panicThreshold;
        return new Senders(tier.zones().size(), tier.ownZoneFirst(), panic, healthy);
    }

    long share(Locality zone, int whole) {
        int total = 0;
        for (int count : healthy.values()) {
            total += count;
        }
        return total == 0 ? 0 : (long) whole * healthy.getOrDefault(zone, 0) / total;
    }
}
