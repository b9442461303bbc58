package io.weft.controlplane.policy;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/** Kuma's {@code MeshLoadBalancingStrategy}. */
public record MeshLoadBalancingStrategy(
        Optional<LoadBalancer> loadBalancer, Optional<List<HashPolicy>> hashPolicies, Optional<LocalityAwareness> locality) {

    public MeshLoadBalancingStrategy {
        hashPolicies = hashPolicies.map(List::copyOf);
    }

    public sealed interface LoadBalancer {}

    public record RoundRobin() implements LoadBalancer {}

    public record Random() implements LoadBalancer {}

    public record LeastRequest(OptionalInt choices, Optional<BigDecimal> activeRequestBias) implements LoadBalancer {}

    public record RingHash(Optional<HashFunction> function, OptionalInt minimumSize, OptionalInt maximumSize)
            implements LoadBalancer {}

    public record Maglev(OptionalInt tableSize) implements LoadBalancer {}

    public enum HashFunction { XX_HASH, MURMUR_HASH_2 }

    /** @param terminal if it yields a hash, those after it are not asked */
    public record HashPolicy(HashSource source, Optional<Boolean> terminal) {}

    public sealed interface HashSource {}

    public record Header(String name) implements HashSource {}

    /** @param ttl present: it is set where it is absent */
    public record Cookie(String name, Optional<Duration> ttl, Optional<String> path) implements HashSource {}

    public record SourceAddress(boolean used) implements HashSource {}

    public record QueryParameter(String name) implements HashSource {}

    public record FilterState(String key) implements HashSource {}

    public record LocalityAwareness(boolean disabled, Optional<List<AffinityTag>> affinity, Optional<CrossZone> crossZone) {

        /** What holds where a policy has no such section. */
        public static final LocalityAwareness UNSAID = new LocalityAwareness(false, Optional.empty(), Optional.empty());

        public LocalityAwareness {
            affinity = affinity.map(List::copyOf);
        }
    }

    /** @param weight absent: nine tenths of what is left go to the first that fits */
    public record AffinityTag(String key, OptionalInt weight) {}

    /** @param threshold percentage of healthy instances of a zone below which others are asked */
    public record CrossZone(List<Failover> failover, Optional<BigDecimal> threshold) {
        public CrossZone {
            failover = List.copyOf(failover);
        }
    }

    /** @param from zones of the caller; absent: any */
    public record Failover(Optional<Set<String>> from, Choice choice, Set<String> zones) {
        public enum Choice { NONE, ONLY, ANY, ANY_EXCEPT }

        public Failover {
            from = from.map(Set::copyOf);
            zones = Set.copyOf(zones);
        }

        public boolean isFor(String callersZone) {
            return from.map(zones -> zones.contains(callersZone)).orElse(true);
        }

        public boolean leadsTo(String zone) {
            return switch (choice) {
                case NONE -> false;
                case ANY -> true;
                case ONLY -> zones.contains(zone);
                case ANY_EXCEPT -> !zones.contains(zone);
            };
        }
    }
}
