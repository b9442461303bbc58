package io.weft.controlplane.service;

import io.weft.controlplane.policy.Conf;
import io.weft.controlplane.policy.Dataplane;
import io.weft.controlplane.policy.InitialPolicies;
import io.weft.controlplane.policy.MeshTrafficPermission.Caller;
import io.weft.controlplane.policy.Metadata;
import io.weft.controlplane.policy.Policy;
import io.weft.controlplane.policy.Policy.Matching;
import io.weft.controlplane.policy.Policy.OfService;
import io.weft.controlplane.policy.PolicyKind;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * What policies say of what data planes are sent, in Kuma's order of precedence. Policies are sorted once for all data planes, and
 * what a set of them says is found out once. Not thread-safe.
 */
public final class InboundRules {

    private final List<Policy> ascending;
    private final InitialPolicies initial;
    private final Function<String, List<Caller>> callersOf;
    private final Map<BitSet, Selected> selected = new HashMap<>();

    /**
     * @param policies of the mesh, without those that are only shadows
     * @param callersOf the SPIFFE IDs of a service's instances
     */
    public InboundRules(List<Policy> policies, InitialPolicies initial, Function<String, List<Caller>> callersOf) {
        this.initial = initial;
        this.callersOf = callersOf;
        ascending = policies.stream()
                .filter(policy -> !policy.rules().isEmpty())
                .sorted(OutboundRules.precedence()
                        .thenComparing(policy -> policy.metadata().displayName(), Comparator.reverseOrder()))
                .toList();
    }

    /**
     * What is said of one inbound.
     *
     * @param tags of each inbound of the data plane
     */
    public Selected of(Metadata dataplane, List<Map<String, String>> tags, Dataplane.Inbound inbound) {
        BitSet applicable = new BitSet(ascending.size());
        for (int i = 0; i < ascending.size(); i++) {
            Policy policy = ascending.get(i);
            applicable.set(i, policy.metadata().reaches(dataplane) && policy.target().selects(dataplane, tags, inbound));
        }
        return selected.computeIfAbsent(applicable, key -> {
            List<Rule> rules = new ArrayList<>();
            key.stream().forEach(i -> {
                Policy policy = ascending.get(i);
                policy.rules().forEach(rule -> add(rules, policy, rule));
            });
            return new Selected(rules, initial);
        });
    }

    /** A rule for several callers is one for each. */
    private void add(List<Rule> rules, Policy policy, Policy.Rule rule) {
        if (rule.peers() instanceof Matching matching) {
            matching.callers().forEach(caller -> rules.add(new Rule(policy, Optional.of(caller), rule.conf())));
        } else if (rule.peers() instanceof OfService service) {
            callersOf.apply(service.service())
                    .forEach(caller -> rules.add(new Rule(policy, Optional.of(caller), rule.conf())));
        } else {
            rules.add(new Rule(policy, Optional.empty(), rule.conf()));
        }
    }

    /** @param caller absent: anyone */
    private record Rule(Policy policy, Optional<Caller> caller, Conf conf) {}

    /**
     * What one rule, or several merged, say.
     *
     * @param caller absent: for anyone
     */
    public record Said<C>(Metadata policy, Optional<Caller> caller, C conf) {}

    /** The rules for one inbound. Not thread-safe. */
    public static final class Selected {

        private final List<Rule> ascending;
        private final InitialPolicies initial;
        private final Map<PolicyKind<?>, Optional<?>> forAnyone = new HashMap<>();
        private final Map<PolicyKind<?>, List<?>> byCaller = new HashMap<>();

        private Selected(List<Rule> ascending, InitialPolicies initial) {
            this.ascending = ascending;
            this.initial = initial;
        }

        private List<Rule> rules(PolicyKind<?> kind) {
            return ascending.stream().filter(rule -> rule.policy.kind() == kind).toList();
        }

        /** What the rules for anyone say together; empty: there are none. */
        @SuppressWarnings("unchecked") // what is kept for a kind was read by it
        public <C> Optional<C> forAnyone(PolicyKind<C> kind) {
            return (Optional<C>) forAnyone.computeIfAbsent(kind, key -> {
                List<Conf> confs = new ArrayList<>();
                rules(kind).stream().filter(rule -> rule.caller.isEmpty()).forEach(rule -> confs.add(rule.conf));
                if (confs.isEmpty()) {
                    return Optional.empty();
                }
                confs.add(0, initial.from(kind));
                return Optional.of(kind.read(Conf.merge(confs)));
            });
        }

        /** Every rule by itself, those for one caller first, those for any last. */
        public <C> List<Said<C>> each(PolicyKind<C> kind) {
            return rules(kind).stream()
                    .sorted(Comparator.comparing(Rule::caller, InboundRules::bySpecificity))
                    .map(rule -> new Said<>(rule.policy.metadata(), rule.caller, kind.read(rule.conf)))
                    .toList();
        }

        /**
         * For every caller that a rule names, what it says over what wider rules say, the most specific first: the first that
         * matches is the one that counts.
         */
        @SuppressWarnings("unchecked") // what is kept for a kind was read by it
        public <C> List<Said<C>> byCaller(PolicyKind<C> kind) {
            return (List<Said<C>>) byCaller.computeIfAbsent(kind, key -> {
                List<Said<C>> said = new ArrayList<>();
                List<Rule> named = rules(kind).stream()
                        .filter(rule -> rule.caller.isPresent())
                        .sorted(Comparator.comparing(Rule::caller, InboundRules::bySpecificity))
                        .toList();
                for (Rule rule : named) {
                    if (said.stream().noneMatch(earlier -> earlier.caller.equals(rule.caller))) {
                        said.add(new Said<>(rule.policy.metadata(), rule.caller, merged(kind, rule.caller.get())));
                    }
                }
                return said;
            });
        }

        private <C> C merged(PolicyKind<C> kind, Caller caller) {
            List<Conf> confs = new ArrayList<>();
            rules(kind).stream()
                    .filter(rule -> rule.caller.map(wider -> includes(wider, caller)).orElse(true))
                    .sorted(Comparator.comparing(Rule::caller, InboundRules::bySpecificity).reversed())
                    .forEach(rule -> confs.add(rule.conf));
            return kind.read(Conf.merge(confs));
        }
    }

    private static boolean includes(Caller wider, Caller caller) {
        return wider.kind() == Caller.Kind.EXACT ? wider.equals(caller) : caller.value().startsWith(wider.value());
    }

    private static int bySpecificity(Optional<Caller> a, Optional<Caller> b) {
        if (a.isEmpty() || b.isEmpty()) {
            return Boolean.compare(a.isEmpty(), b.isEmpty());
        }
        int kind = a.get().kind().compareTo(b.get().kind());
        boolean prefixes = kind == 0 && a.get().kind() == Caller.Kind.PREFIX;
        return prefixes ? Integer.compare(b.get().value().length(), a.get().value().length()) : kind;
    }
}
