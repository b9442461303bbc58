package io.weft.controlplane.rollout;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * How the requests for one service are shared among its versions, the values of its instances' tag {@code version}.
 *
 * @param policy the name of the policy that says so
 * @param weights by version, in the policy's order; each 0 or more, not all 0
 */
public record Split(String mesh, String service, String policy, Map<String, Long> weights) {

    public Split {
        weights = java.util.Collections.unmodifiableMap(new LinkedHashMap<>(weights));
    }

    /** The share of a version in percent, rounded. */
    public long percent(String version) {
        long all = weights.values().stream().mapToLong(Long::longValue).sum();
        return all == 0 ? 0 : Math.round(100.0 * weights.getOrDefault(version, 0L) / all);
    }
}
