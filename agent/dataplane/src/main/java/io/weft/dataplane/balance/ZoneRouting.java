package io.weft.dataplane.balance;

import io.weft.dataplane.Randomness;
import io.weft.dataplane.cluster.Member;
import io.weft.dataplane.cluster.Tier;
import io.weft.policy.model.LoadBalancing.ZoneAware;
import java.util.List;

/**
 * Which zone a request goes to so that it stays in the sender's own as far as that leaves each endpoint the same load: Envoy's
 * zone aware routing. Immutable.
 *
 * <p>Where the own zone has a smaller part of the senders than of the endpoints, all of its requests stay; else as many as its
 * part of the endpoints can take, and the rest goes to zones that have endpoints to spare, in proportion.
 */
final class ZoneRouting {
    /** Shares are counted in these. */
    private static final int WHOLE = 10_000;

    private final int zones;
    private final boolean direct;
    private final long localShare;
    /** What each zone has to spare, summed up. */
    private final long[] residual;

    private ZoneRouting(int zones, boolean direct, long localShare, long[] residual) {
        this.zones = zones;
        this.direct = direct;
        this.localShare = localShare;
        this.residual = residual;
    }

    /**
     * @param senders null: not known
     * @param hosts of priority 0
     * @return null: zones do not count
     */
    static ZoneRouting of(ZoneAware policy, Senders senders, PriorityHosts hosts) {
        Tier tier = hosts.tier;
        boolean off = senders == null
                || tier.zones().size() < 2
                || senders.zones() < 2 && !policy.forceLocalityDirect()
                || !senders.inOwnZone()
                || hosts.healthy.size() < policy.minClusterSize();
        if (off) {
            return null;
        }
        List<List<Member>> healthy = hosts.healthyByZone();
        int size = healthy.size();
        long[] local = new long[size];
        long[] upstream = new long[size];
        for (int i = 0; i < size; i++) {
            if (!healthy.get(i).isEmpty()) {
                local[i] = senders.share(tier.zones().get(i).locality(), WHOLE);
                upstream[i] = (long) WHOLE * healthy.get(i).size() / hosts.healthy.size();
            }
        }
        boolean own = tier.ownZoneFirst();
        if (own && (upstream[0] > 0 && upstream[0] >= local[0] || policy.forceLocalityDirect())) {
            return new ZoneRouting(size, true, WHOLE, null);
        }
        long[] residual = new long[size];
        long sum = 0;
        for (int i = 0; i < size; i++) {
            if (i > 0 || !own) {
                sum += Math.max(0, upstream[i] - local[i]);
            }
            residual[i] = sum;
        }
        return new ZoneRouting(size, false, own && local[0] > 0 ? upstream[0] * WHOLE / local[0] : 0, residual);
    }

    /** Index of a zone in the tier's order. */
    int next(Randomness randomness) {
        if (direct || randomness.below(WHOLE) < localShare) {
            return 0;
        }
        long spare = residual[zones - 1];
        // Rounding leaves nothing to spare now and then.
        if (spare == 0) {
            return randomness.below(zones);
        }
        int point = randomness.below((int) spare);
        int i = 0;
        while (residual[i] <= point) {
            i++;
        }
        return i;
    }
}
