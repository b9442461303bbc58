package io.weft.dataplane.authorize;

import io.weft.dataplane.Caller;
import io.weft.dataplane.Faults;
import io.weft.dataplane.HttpStream;
import io.weft.dataplane.LocalReply;
import io.weft.dataplane.Refusals;
import io.weft.dataplane.filter.HttpFilter;
import io.weft.policy.model.Rbac;
import java.util.List;

/**
 * {@code envoy.filters.http.rbac}. Fails closed: what goes wrong in here is a refusal, in the shadow rules excepted, which decide
 * nothing.
 */
public class RbacFilter extends HttpFilter {
    private static final LocalReply DENIED = LocalReply.of(403, "RBAC: access denied");

    /** Null: everything is allowed. */
    private final RbacEngine enforced;
    /** Null: none. */
    private final RbacEngine shadow;
    private final Refusals refusals;
    private final Faults faults;

    public RbacFilter(Rbac rbac, Refusals refusals, Faults faults) {
        enforced = rbac.enforced().map(RbacEngine::of).orElse(null);
        shadow = rbac.shadow().map(RbacEngine::of).orElse(null);
        this.refusals = refusals;
        this.faults = faults;
    }

    @Override
    public final Decision onRequest(HttpStream stream) {
        Verdict verdict = verdict(stream);
        if (verdict == null || verdict.allowed()) {
            return Decision.CONTINUE;
        }
        String rule = verdict.rule().equals(RbacEngine.NO_RULE) ? "none" : verdict.rule().replace(' ', '_');
        stream.explain("rbac_access_denied_matched_policy[" + rule + "]");
        return deny(stream);
    }

    @Override
    public final Decision onFault(HttpStream stream) {
        return deny(stream);
    }

    Decision deny(HttpStream stream) {
        return stream.reply(DENIED);
    }

    /** Null: there are no rules. */
    private Verdict verdict(Caller caller) {
        if (shadow != null) {
            shadow(caller);
        }
        if (enforced == null) {
            return null;
        }
        Verdict verdict = enforced.decide(caller);
        verdict.given();
        if (!verdict.allowed() && refusals.heard()) {
            refusals.refused(verdict.rule(), caller);
        }
        return verdict;
    }

    private void shadow(Caller caller) {
        try {
            shadow.decide(caller).given();
        } catch (RuntimeException | Error fault) {
            faults.fault("shadow rules of envoy.filters.http.rbac", fault);
        }
    }

    /** What each of its rules has decided so far. */
    List<Verdict> verdicts() {
        return enforced == null ? List.of() : enforced.verdicts();
    }

    /** What each rule would have decided. */
    List<Verdict> shadowVerdicts() {
        return shadow == null ? List.of() : shadow.verdicts();
    }
}
