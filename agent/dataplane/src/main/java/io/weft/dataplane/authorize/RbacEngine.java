package io.weft.dataplane.authorize;

import io.weft.dataplane.Caller;
import io.weft.dataplane.Connection;
import io.weft.dataplane.match.Decider;
import io.weft.policy.model.Rbac;
import io.weft.policy.model.Rbac.Action;
import io.weft.policy.model.Rbac.Engine;
import io.weft.policy.model.Rbac.NamedAction;
import io.weft.policy.model.Rbac.Policies;
import io.weft.policy.model.Rbac.Policy;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** An {@link Engine} made ready. Immutable but for its counters; a decision allocates nothing. */
abstract sealed class RbacEngine {
    static final String NO_RULE = "-";

    /** Not one of the verdicts that are counted unless it says so, see {@link Verdict#given}. */
    abstract Verdict decide(Caller caller);

    /** All that it can give. */
    abstract List<Verdict> verdicts();

    static RbacEngine of(Engine engine) {
        return engine instanceof Policies policies ? new ByPolicy(policies) : new ByTree((Rbac.Tree) engine);
    }

    /**
     * The first policy that matches decides. Most name their callers: those are looked up by the peer's names, so that a decision among
     * hundreds of policies asks only the few that may match.
     */
    private static final class ByPolicy extends RbacEngine {
        private static final int[] NONE = {};

        private final PolicyTest[] policies;
        private final Verdict noPolicy;
        /** By a name that a peer must have; each in the order of policies. */
        private final Map<String, int[]> ofNamed;
        /** Those that may match whoever the peer is, in the order of policies. */
        private final int[] ofAnybody;

        /** @param nameSuffices who was found by a name is one of the principals */
        private record PolicyTest(RuleTest[] permissions, RuleTest[] principals, boolean nameSuffices, Verdict verdict) {
            boolean matches(Caller caller, boolean found) {
                return RuleTest.any(permissions, caller) && (found && nameSuffices || RuleTest.any(principals, caller));
            }
        }

        ByPolicy(Policies engine) {
            policies = new PolicyTest[engine.policies().size()];
            for (int i = 0; i < policies.length; i++) {
                Policy policy = engine.policies().get(i);
                policies[i] = new PolicyTest(
                        RuleTest.of(policy.permissions(), engine.action() == Action.DENY),
                        RuleTest.of(policy.principals(), engine.action() == Action.DENY),
                        PeerNames.suffice(policy.principals()),
                        new Verdict(policy.name(), engine.action() != Action.DENY));
            }
            noPolicy = new Verdict(NO_RULE, engine.action() != Action.ALLOW);
            Map<String, List<Integer>> named = new HashMap<>();
            List<Integer> anybody = new ArrayList<>();
            for (int i = 0; i < policies.length; i++) {
                int policy = i;
                PeerNames.ofAny(engine.policies().get(i).principals()).ifPresentOrElse(
                        names -> names.forEach(name -> named.computeIfAbsent(name, none -> new ArrayList<>()).add(policy)),
                        () -> anybody.add(policy));
            }
            ofNamed = new HashMap<>();
            named.forEach((name, indexes) -> ofNamed.put(name, ints(indexes)));
            ofAnybody = ints(anybody);
        }

        private static int[] ints(List<Integer> numbers) {
            return numbers.stream().mapToInt(Integer::intValue).toArray();
        }

        @Override
        Verdict decide(Caller caller) {
            int first = first(ofAnybody, policies.length, caller, false);
            Connection.Peer peer = caller.connection().peer();
            if (peer != null && !ofNamed.isEmpty()) {
                first = first(peer.uriSans(), first, caller);
                first = first(peer.dnsSans(), first, caller);
                first = first(ofNamed.getOrDefault(peer.subject(), NONE), first, caller, true);
            }
            return first == policies.length ? noPolicy : policies[first].verdict;
        }

        private int first(List<String> names, int before, Caller caller) {
            int first = before;
            for (int i = 0; i < names.size(); i++) {
                first = first(ofNamed.getOrDefault(names.get(i), NONE), first, caller, true);
            }
            return first;
        }

        /**
         * @param found by a name of the peer's
         * @return the first of these that matches; {@code before} when none that comes before it does
         */
        private int first(int[] candidates, int before, Caller caller, boolean found) {
            for (int i = 0; i < candidates.length && candidates[i] < before; i++) {
                if (policies[candidates[i]].matches(caller, found)) {
                    return candidates[i];
                }
            }
            return before;
        }

        @Override
        List<Verdict> verdicts() {
            List<Verdict> verdicts = new ArrayList<>();
            for (PolicyTest policy : policies) {
                verdicts.add(policy.verdict);
            }
            verdicts.add(noPolicy);
            return verdicts;
        }
    }

    private static final class ByTree extends RbacEngine {
        private final List<Verdict> verdicts = new ArrayList<>();
        private final Verdict noMatch = new Verdict(NO_RULE, false);
        private final Decider<Verdict> tree;

        ByTree(Rbac.Tree engine) {
            verdicts.add(noMatch);
            tree = Decider.of(engine.tree(), this::verdict);
        }

        private Verdict verdict(NamedAction action) {
            Verdict verdict = new Verdict(action.name(), action.action() != Action.DENY);
            verdicts.add(verdict);
            return verdict;
        }

        @Override
        Verdict decide(Caller caller) {
            Verdict verdict = tree.decide(caller);
            return verdict == null ? noMatch : verdict;
        }

        @Override
        List<Verdict> verdicts() {
            return verdicts;
        }
    }
}
