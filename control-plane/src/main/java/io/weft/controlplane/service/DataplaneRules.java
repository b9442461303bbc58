package io.weft.controlplane.service;

import io.weft.controlplane.policy.Conf;
import io.weft.controlplane.policy.Dataplane;
import io.weft.controlplane.policy.Metadata;
import io.weft.controlplane.policy.Policy;
import io.weft.controlplane.policy.PolicyKind;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * What policies say of data planes themselves, whatever they send or are sent, in Kuma's order of precedence. Policies are sorted once
 * for all data planes, and what a set of them says is found out once. Not thread-safe.
 */
public final class DataplaneRules {

    private final List<Policy> ascending;
    private final Map<BitSet, Object> merged = new HashMap<>();

    /** @param policies of the mesh, without those that are only shadows */
    public DataplaneRules(List<Policy> policies) {
        ascending = policies.stream()
                .filter(policy -> policy.own().isPresent())
                .sorted(OutboundRules.precedence()
                        .thenComparing(policy -> policy.metadata().displayName(), Comparator.reverseOrder()))
                .toList();
    }

    /**
     * What is said of the data plane as a whole.
     *
     * @param tags of each of its inbounds
     */
    public <C> Optional<C> of(PolicyKind<C> kind, Metadata dataplane, List<Map<String, String>> tags) {
        return merge(kind, dataplane, tags, policy -> policy.target().section().isEmpty());
    }

    /** What is said of it with what is said of one of its inbounds. */
    public <C> Optional<C> of(
            PolicyKind<C> kind, Metadata dataplane, List<Map<String, String>> tags, Dataplane.Inbound inbound) {
        return merge(kind, dataplane, tags, policy -> policy.target().includes(inbound));
    }

    @SuppressWarnings("unchecked") // a set of entries is of one kind, and what is kept for them was read by it
    private <C> Optional<C> merge(
            PolicyKind<C> kind, Metadata dataplane, List<Map<String, String>> tags, Predicate<Policy> included) {
        BitSet chosen = new BitSet(ascending.size());
        for (int i = 0; i < ascending.size(); i++) {
            Policy policy = ascending.get(i);
            chosen.set(i, policy.kind() == kind
                    && included.test(policy)
                    && policy.metadata().reaches(dataplane)
                    && policy.target().dataplanes().selects(dataplane, tags));
        }
        if (chosen.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of((C) merged.computeIfAbsent(chosen, key -> {
            List<Conf> confs = new ArrayList<>();
            key.stream().forEach(i -> confs.add(ascending.get(i).own().orElseThrow()));
            return kind.read(Conf.merge(confs));
        }));
    }
}
