package io.weft.controlplane.xds;

import io.weft.controlplane.policy.MeshLoadBalancingStrategy.AffinityTag;
import io.weft.controlplane.policy.MeshLoadBalancingStrategy.LocalityAwareness;
import io.weft.controlplane.policy.Policy;
import io.weft.controlplane.policy.PolicyKinds;
import io.weft.controlplane.registry.ClientNode;
import io.weft.controlplane.xds.policy.Localities.Caller;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What of data planes decides how near endpoints are to them. Nothing, as long as there is no policy by which it matters, so that they
 * share their endpoints.
 *
 * @param tags that some policy names; absent: nobody asks
 */
record Callers(Optional<Set<String>> tags) {

    static Callers of(List<Policy> policies) {
        List<LocalityAwareness> asked = policies.stream()
                .filter(policy -> policy.kind() == PolicyKinds.LOAD_BALANCING)
                .flatMap(policy -> policy.to().stream())
                .map(to -> PolicyKinds.LOAD_BALANCING.read(to.conf()))
                .map(strategy -> strategy.locality().orElse(LocalityAwareness.UNSAID))
                .toList();
        if (asked.isEmpty()) {
            return new Callers(Optional.empty());
        }
        Set<String> tags = new TreeSet<>();
        asked.forEach(locality ->
                locality.affinity().orElse(List.of()).stream().map(AffinityTag::key).forEach(tags::add));
        return new Callers(Optional.of(tags));
    }

    /** Of several values of a tag the first one counts, and labels where no inbound has it. */
    Caller of(ClientNode node) {
        if (tags.isEmpty()) {
            return Caller.ANY;
        }
        Map<String, String> values = new TreeMap<>();
        for (String tag : tags.get()) {
            node.tags().stream()
                    .map(inbound -> inbound.get(tag))
                    .filter(value -> value != null)
                    .findFirst()
                    .or(() -> Optional.ofNullable(node.metadata().label(tag)))
                    .ifPresent(value -> values.put(tag, value));
        }
        return new Caller(node.zone(), values);
    }
}
