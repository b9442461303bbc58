package io.weft.agent.status;

import io.weft.policy.model.Cluster;
import io.weft.policy.model.PolicySnapshot;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** By which tags the instances of a cluster were chosen, where it is a subset of a service: its name has but a hash of them. */
record ClusterTags(PolicySnapshot policy) {

    SortedMap<String, String> of(String cluster) {
        Cluster known = policy.clusters().get(cluster);
        return known == null ? new TreeMap<>() : new TreeMap<>(known.tags());
    }

    /** As in {@code WEFT_TAGS}; empty where there are none. */
    String text(String cluster) {
        return text(of(cluster));
    }

    static String text(Map<String, String> tags) {
        return tags.entrySet().stream().map(tag -> tag.getKey() + "=" + tag.getValue()).collect(Collectors.joining(","));
    }
}
