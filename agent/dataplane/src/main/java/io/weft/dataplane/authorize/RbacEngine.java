package io.weft.dataplane.authorize;

import io.weft.dataplane.Caller;
import io.weft.dataplane.match.Decider;
import io.weft.policy.model.Rbac;
import io.weft.policy.model.Rbac.Action;
import io.weft.policy.model.Rbac.Engine;
import io.weft.policy.model.Rbac.NamedAction;
import io.weft.policy.model.Rbac.Policies;
import io.weft.policy.model.Rbac.Policy;
import java.util.ArrayList;
import java.util.List;

/** An {@link Engine} made ready. Immutable but for its counters; a decision allocates nothing. */
abstract sealed class RbacEngine {
    private static final String NO_RULE = "-";

    /** Not one of the verdicts that are counted unless it says so, see {@link Verdict#given}. */
    abstract Verdict decide(Caller caller);

    /** All that it can give. */
    abstract List<Verdict> verdicts();

    static RbacEngine of(Engine engine) {
        return engine instanceof Policies policies ? new ByPolicy(policies) : new ByTree((Rbac.Tree) engine);
    }

    private static final class ByPolicy extends RbacEngine {
        private final PolicyTest[] policies;
        private final Verdict noPolicy;

        private record PolicyTest(RuleTest[] permissions, RuleTest[] principals, Verdict verdict) {
            boolean matches(Caller caller) {
                return RuleTest.any(permissions, caller) && RuleTest.any(principals, caller);
            }
        }

        ByPolicy(Policies engine) {
            policies = new PolicyTest[engine.policies().size()];
            for (int i = 0; i < policies.length; i++) {
                Policy policy = engine.policies().get(i);
                policies[i] = new PolicyTest(
                        RuleTest.of(policy.permissions(), engine.action() == Action.DENY),
                        RuleTest.of(policy.principals(), engine.action() == Action.DENY),
                        new Verdict(policy.name(), engine.action() != Action.DENY));
            }
            noPolicy = new Verdict(NO_RULE, engine.action() != Action.ALLOW);
        }

        @Override
        Verdict decide(Caller caller) {
            for (int i = 0; i < policies.length; i++) {
                if (policies[i].matches(caller)) {
                    return policies[i].verdict;
                }
            }
            return noPolicy;
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
