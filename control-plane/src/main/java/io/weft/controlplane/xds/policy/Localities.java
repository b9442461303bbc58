package io.weft.controlplane.xds.policy;

import io.envoyproxy.envoy.config.core.v3.Locality;
import io.envoyproxy.envoy.config.endpoint.v3.ClusterLoadAssignment;
import io.envoyproxy.envoy.config.endpoint.v3.LbEndpoint;
import io.envoyproxy.envoy.config.endpoint.v3.LocalityLbEndpoints;
import io.weft.controlplane.policy.MeshLoadBalancingStrategy;
import io.weft.controlplane.policy.MeshLoadBalancingStrategy.AffinityTag;
import io.weft.controlplane.policy.MeshLoadBalancingStrategy.CrossZone;
import io.weft.controlplane.policy.MeshLoadBalancingStrategy.Failover;
import io.weft.controlplane.policy.MeshLoadBalancingStrategy.LocalityAwareness;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * How near the instances of a service are to one caller, by {@code localityAwareness}: those of its own zone come first, and among
 * them get more who share a tag with it; those of other zones come second, or where there are rules only where one of them leads.
 *
 * @param locality absent: all are equally near
 * @param caller whom the endpoints are for
 */
public record Localities(Optional<LocalityAwareness> locality, Caller caller) {

    private static final int DEFAULT_OVERPROVISIONING = 200;

    /**
     * What of a caller counts.
     *
     * @param tags those that some policy names
     */
    public record Caller(String zone, Map<String, String> tags) {

        public static final Caller ANY = new Caller("", Map.of());

        public Caller {
            tags = Map.copyOf(tags);
        }
    }

    public static final Localities NONE = new Localities(Optional.empty(), Caller.ANY);

    public static Localities of(Optional<MeshLoadBalancingStrategy> strategy, Caller caller) {
        return strategy.map(chosen -> chosen.locality().orElse(LocalityAwareness.UNSAID))
                .filter(locality -> !locality.disabled())
                .map(locality -> new Localities(Optional.of(locality), caller))
                .orElse(NONE);
    }

    static boolean weighted(MeshLoadBalancingStrategy strategy) {
        return strategy.locality()
                .filter(locality -> !locality.disabled())
                .flatMap(LocalityAwareness::affinity)
                .filter(tags -> !tags.isEmpty())
                .isPresent();
    }

    /** @param weight 0: none is set */
    private record Place(int priority, String zone, String subZone, int weight) {}

    private static final Comparator<Place> ORDER = Comparator.comparingInt(Place::priority)
            .thenComparing(Place::zone)
            .thenComparing(Place::subZone)
            .thenComparingInt(Place::weight);

    /** Those that a caller may call, sorted by where they are. */
    public final class Assignment {

        private final Map<Place, LocalityLbEndpoints.Builder> places = new TreeMap<>(ORDER);

        /** @param tags of the instance */
        public void add(String zone, Map<String, String> tags, LbEndpoint endpoint) {
            place(zone, tags).ifPresent(place ->
                    places.computeIfAbsent(place, Localities::endpoints).addLbEndpoints(endpoint));
        }

        public void in(ClusterLoadAssignment.Builder assignment) {
            places.values().forEach(assignment::addEndpoints);
            if (grouped()) {
                assignment.getPolicyBuilder().setOverprovisioningFactor(Values.number(overprovisioning()));
            }
        }
    }

    public Assignment assignment() {
        return new Assignment();
    }

    private static LocalityLbEndpoints.Builder endpoints(Place place) {
        LocalityLbEndpoints.Builder endpoints = LocalityLbEndpoints.newBuilder().setPriority(place.priority);
        if (!place.zone.isEmpty()) {
            endpoints.setLocality(Locality.newBuilder().setZone(place.zone).setSubZone(place.subZone));
        }
        if (place.weight > 0) {
            endpoints.setLoadBalancingWeight(Values.number(place.weight));
        }
        return endpoints;
    }

    private boolean grouped() {
        return locality.filter(aware -> aware.affinity().isPresent() || aware.crossZone().isPresent()).isPresent();
    }

    private Optional<Place> place(String zone, Map<String, String> tags) {
        if (locality.isEmpty()) {
            return Optional.of(new Place(0, zone, "", 0));
        }
        if (zone.equals(caller.zone)) {
            return Optional.of(own(tags));
        }
        if (!grouped()) {
            // Of a place that nobody knows it is not known either whether it is far.
            boolean far = !zone.isEmpty() && !caller.zone.isEmpty();
            return Optional.of(new Place(far ? 1 : 0, zone, "", 0));
        }
        List<Failover> rules = locality.get().crossZone().map(CrossZone::failover).orElse(List.of());
        for (int i = 0; i < rules.size(); i++) {
            if (rules.get(i).isFor(caller.zone) && rules.get(i).leadsTo(zone)) {
                // Where localities are weighted, one without a weight gets nothing.
                return Optional.of(new Place(i + 1, zone, "", affinity().isEmpty() ? 0 : 1));
            }
        }
        return Optional.empty();
    }

    private List<AffinityTag> affinity() {
        return locality.flatMap(LocalityAwareness::affinity).orElse(List.of());
    }

    private Place own(Map<String, String> tags) {
        List<AffinityTag> affinity = affinity();
        for (int i = 0; i < affinity.size(); i++) {
            String key = affinity.get(i).key();
            String value = caller.tags.get(key);
            if (value != null && value.equals(tags.get(key))) {
                // Nine tenths to the first that fits, nine tenths of the rest to the next.
                int weight = affinity.get(i).weight().orElse(9 * (int) Math.pow(10, affinity.size() - i - 1));
                return new Place(0, caller.zone, key + "=" + value, weight);
            }
        }
        return new Place(0, caller.zone, "", grouped() ? 1 : 0);
    }

    /** By which Envoy tells from how many healthy ones on a priority is enough. */
    private int overprovisioning() {
        return locality.flatMap(LocalityAwareness::crossZone)
                .flatMap(CrossZone::threshold)
                .map(threshold -> BigDecimal.valueOf(10_000).divide(threshold, 0, RoundingMode.HALF_UP).intValue())
                .orElse(DEFAULT_OVERPROVISIONING);
    }
}
