package io.weft.policy.model;

import io.weft.policy.model.EndpointAssignment.Health;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * How a cluster's requests are spread over its endpoints: what {@code load_balancing_policy} says, or {@code lb_policy} with the
 * fields that belong to it, which come to the same.
 *
 * @param algorithm chooses among the endpoints, or among those of a subset
 * @param panicThreshold percent of healthy endpoints below which health is ignored; 0 to 100, Envoy's default is 50
 * @param overrideHost health that an endpoint may have to be taken because the request names it
 */
public record LoadBalancing(
        Algorithm algorithm, Optional<SubsetBalancing> subsets, int panicThreshold, Set<Health> overrideHost) {
    public static final int DEFAULT_PANIC_THRESHOLD = 50;
    public static final Set<Health> DEFAULT_OVERRIDE_HOST = Set.of(Health.HEALTHY, Health.DEGRADED);

    public LoadBalancing {
        overrideHost = Set.copyOf(overrideHost);
    }

    /** The algorithm with Envoy's defaults around it. */
    public static LoadBalancing of(Algorithm algorithm) {
        return new LoadBalancing(algorithm, Optional.empty(), DEFAULT_PANIC_THRESHOLD, DEFAULT_OVERRIDE_HOST);
    }

    public sealed interface Algorithm {}

    /** The algorithm that chooses where the request names no endpoint. */
    public Algorithm choosing() {
        return algorithm instanceof OverrideHost override ? override.fallback() : algorithm;
    }

    /**
     * The endpoints that a request header names, one for each attempt, whatever their health; then those that {@code fallback}
     * chooses.
     *
     * @param headers names in lower case; a value holds one or more of {@code ip:port}, parted by commas
     */
    public record OverrideHost(List<String> headers, Algorithm fallback) implements Algorithm {
        public OverrideHost {
            headers = List.copyOf(headers);
        }
    }

    public record RoundRobin(Optional<SlowStart> slowStart, Localities localities) implements Algorithm {
        public static final RoundRobin DEFAULT = new RoundRobin(Optional.empty(), ZoneAware.DEFAULT);
    }

    /**
     * @param choices how many endpoints of equal weight are drawn to be compared, 2 or more; empty: all are compared
     * @param activeRequestBias 0 or more; how much requests under way count where weights differ
     */
    public record LeastRequest(
            OptionalInt choices, double activeRequestBias, Optional<SlowStart> slowStart, Localities localities)
            implements Algorithm {
        public static LeastRequest of(int choices, double activeRequestBias) {
            return new LeastRequest(OptionalInt.of(choices), activeRequestBias, Optional.empty(), ZoneAware.DEFAULT);
        }
    }

    public record Random(Localities localities) implements Algorithm {
        public static final Random DEFAULT = new Random(ZoneAware.DEFAULT);
    }

    /**
     * Ketama: each endpoint stands at many points of a ring, as many as its weight says.
     *
     * @param minSize 1 to {@link #MAX_SIZE}, at most {@code maxSize}
     */
    public record RingHash(
            HashFunction function, int minSize, int maxSize, ConsistentHashing hashing, boolean localityWeighted)
            implements Algorithm {
        public static final int MAX_SIZE = 8 * 1024 * 1024;
        public static final RingHash DEFAULT =
                new RingHash(HashFunction.XX_HASH, 1024, MAX_SIZE, ConsistentHashing.DEFAULT, false);
    }

    public enum HashFunction { XX_HASH, MURMUR_HASH_2 }

    /** @param tableSize a prime, at most {@link #MAX_TABLE_SIZE} */
    public record Maglev(int tableSize, ConsistentHashing hashing, boolean localityWeighted) implements Algorithm {
        public static final int MAX_TABLE_SIZE = 5_000_011;
        public static final Maglev DEFAULT = new Maglev(65_537, ConsistentHashing.DEFAULT, false);
    }

    /**
     * @param useHostname an endpoint is known by its host name instead of its address
     * @param balanceFactor percent of the mean load that an endpoint may have, 100 or more; 0: no bound
     */
    public record ConsistentHashing(boolean useHostname, int balanceFactor) {
        public static final ConsistentHashing DEFAULT = new ConsistentHashing(false, 0);
    }

    /**
     * Round robin by the weights that endpoints report of themselves (ORCA, with each response).
     *
     * @param blackout how long an endpoint's reports are not used after the first
     * @param expiration how long a report is used without another
     * @param updatePeriod how often weights are worked out anew
     * @param errorUtilizationPenalty 0 or more
     * @param utilizationMetrics names of metrics, the largest of which is the utilisation; as in the ORCA report, such as
     *     {@code named_metrics.queue}
     */
    public record ClientSideWeightedRoundRobin(
            Duration blackout,
            Duration expiration,
            Duration updatePeriod,
            float errorUtilizationPenalty,
            List<String> utilizationMetrics,
            Localities localities)
            implements Algorithm {
        public ClientSideWeightedRoundRobin {
            utilizationMetrics = List.copyOf(utilizationMetrics);
        }
    }

    /** How the localities of one priority share its requests. */
    public sealed interface Localities {}

    /** By their weights; where none has a weight they count as one. */
    public record LocalityWeighted() implements Localities {}

    /**
     * This process's own zone first, as far as that leaves every endpoint the same load. Needs to know who else sends:
     * without a local cluster all localities count as one.
     *
     * @param routingEnabled percent of the requests that it is for
     * @param minClusterSize with fewer healthy endpoints it is off
     * @param failTrafficOnPanic no endpoint rather than an unhealthy one
     * @param forceLocalityDirect the own zone always, while it has a healthy endpoint
     */
    public record ZoneAware(int routingEnabled, long minClusterSize, boolean failTrafficOnPanic, boolean forceLocalityDirect)
            implements Localities {
        public static final ZoneAware DEFAULT = new ZoneAware(100, 6, false, false);
    }

    /**
     * An endpoint that has just become healthy gets less: (age / window) ^ (1 / aggression) of its weight.
     *
     * @param window above zero
     * @param aggression above zero
     * @param minWeightPercent 0 to 100
     */
    public record SlowStart(Duration window, double aggression, double minWeightPercent) {}
}
