package io.weft.dataplane.cluster;

import io.weft.policy.model.EndpointAssignment.Locality;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.ToIntFunction;

/**
 * The hosts of one priority, all together and by locality. Immutable.
 *
 * @param members in the order of the control plane
 * @param zones those of this process's own locality first, if there are any, then by name, as in Envoy
 * @param ownZoneFirst whether there are any
 * @param weighted whether the weights of localities are known
 */
public record Tier(int priority, List<Member> members, List<Zone> zones, boolean ownZoneFirst, boolean weighted) {

    /** The hosts of one locality. */
    public record Zone(Locality locality, int weight, List<Member> members) {}

    /** The part that {@code keep} leaves, with the weights that {@code weight} says. Localities may be left without a host. */
    public Tier filter(Predicate<Member> keep, boolean weighted, ToIntFunction<ZoneShare> weight) {
        List<Zone> left = new ArrayList<>(zones.size());
        for (Zone zone : zones) {
            List<Member> kept = filter(zone.members(), keep);
            left.add(new Zone(zone.locality(), weight.applyAsInt(new ZoneShare(zone, kept.size())), kept));
        }
        return new Tier(priority, filter(members, keep), left, ownZoneFirst, weighted);
    }

    /** How many hosts of a locality are left. */
    public record ZoneShare(Zone zone, int left) {}

    private static List<Member> filter(List<Member> members, Predicate<Member> keep) {
        List<Member> kept = new ArrayList<>();
        for (Member member : members) {
            if (keep.test(member)) {
                kept.add(member);
            }
        }
        return kept;
    }

    /** Collects the hosts of one priority. For one thread. */
    static final class Builder {
        private static final Comparator<Locality> BY_NAME = Comparator.comparing(Locality::region)
                .thenComparing(Locality::zone)
                .thenComparing(Locality::subZone);

        private final int priority;
        private final Locality own;
        private final List<Member> members = new ArrayList<>();
        private final Map<Locality, List<Member>> byLocality = new HashMap<>();
        private final Map<Locality, Integer> weights = new HashMap<>();

        /** @param own {@link Locality#UNKNOWN}: not known */
        Builder(int priority, Locality own) {
            this.priority = priority;
            this.own = own;
        }

        /** @param weight 0: none */
        void weigh(Locality locality, int weight) {
            if (weight > 0) {
                weights.put(locality, weight);
            }
        }

        void add(Locality locality, Member member) {
            members.add(member);
            byLocality.computeIfAbsent(locality, absent -> new ArrayList<>()).add(member);
        }

        Tier build() {
            List<Locality> localities = new ArrayList<>(byLocality.keySet());
            localities.sort(BY_NAME);
            boolean ownFirst = !own.equals(Locality.UNKNOWN) && localities.remove(own);
            if (ownFirst) {
                localities.add(0, own);
            }
            List<Zone> zones = new ArrayList<>(localities.size());
            for (Locality locality : localities) {
                zones.add(new Zone(locality, weights.getOrDefault(locality, 0), byLocality.get(locality)));
            }
            return new Tier(priority, members, zones, ownFirst, true);
        }
    }
}
