package io.weft.policy.model;

import java.util.List;
import java.util.Map;

/**
 * {@code envoy.config.cluster.v3.Cluster.LbSubsetConfig}: only endpoints whose metadata is what the route asks for.
 *
 * @param fallback where no subset is for the request
 * @param defaultSubset metadata as in {@link EndpointAssignment.LbEndpoint}
 * @param selectors combinations of keys for which there are subsets
 * @param allowRedundantKeys a route may ask for more than a selector's keys; the first selector whose keys it has counts
 * @param localityWeightAware a subset keeps its localities' weights
 * @param scaleLocalityWeight in proportion to the endpoints left in each
 * @param panicModeAny any endpoint rather than none where the fallback has none
 * @param listAsAny an endpoint with a list stands for each of its values
 * @param fallbackList the route's key {@code fallback_list} holds alternatives, tried in order
 */
public record SubsetBalancing(
        Fallback fallback,
        Map<String, Object> defaultSubset,
        List<Selector> selectors,
        boolean allowRedundantKeys,
        boolean localityWeightAware,
        boolean scaleLocalityWeight,
        boolean panicModeAny,
        boolean listAsAny,
        boolean fallbackList) {

    public SubsetBalancing {
        defaultSubset = Map.copyOf(defaultSubset);
        selectors = List.copyOf(selectors);
    }

    public enum Fallback { NO_FALLBACK, ANY_ENDPOINT, DEFAULT_SUBSET }

    /**
     * @param keys in order, each once
     * @param fallbackKeys for {@link SelectorFallback#KEYS_SUBSET}: fewer than {@code keys}, and at least one
     * @param singleHost no two endpoints have the same values
     */
    public record Selector(List<String> keys, SelectorFallback fallback, List<String> fallbackKeys, boolean singleHost) {
        public Selector {
            keys = List.copyOf(keys);
            fallbackKeys = List.copyOf(fallbackKeys);
        }
    }

    /** What the selector says where none of its subsets is for the request. */
    public enum SelectorFallback { NOT_DEFINED, NO_FALLBACK, ANY_ENDPOINT, DEFAULT_SUBSET, KEYS_SUBSET }
}
