package io.weft.dataplane.authorize;

import io.weft.dataplane.Connection;
import io.weft.dataplane.Faults;
import io.weft.dataplane.HttpStream;
import io.weft.dataplane.LocalReply;
import io.weft.dataplane.Refusals;
import io.weft.dataplane.RequestHead;
import io.weft.dataplane.filter.HttpFilter;
import io.weft.policy.model.Rbac;
import java.util.List;

/**
 * {@code envoy.filters.http.rbac}, and what it says of connections. Fails closed: what goes wrong in here is a refusal, in the
 * shadow rules excepted, which decide nothing.
 */
public final class RbacFilter extends HttpFilter {
    private static final LocalReply DENIED = LocalReply.of(403, "RBAC: access denied");

    /** Null: everything is allowed. */
    private final RbacEngine enforced;
    /** Null: none. */
    private final RbacEngine shadow;
    private final Refusals refusals;
    private final Faults faults;

    public RbacFilter(Rbac rbac, ClientIp client, Refusals refusals, Faults faults) {
        enforced = rbac.enforced().map(engine -> RbacEngine.of(engine, client)).orElse(null);
        shadow = rbac.shadow().map(engine -> RbacEngine.of(engine, client)).orElse(null);
        this.refusals = refusals;
        this.faults = faults;
    }

    @Override
    public Decision onRequest(HttpStream stream) {
        return allows(stream.head(), stream.connection()) ? Decision.CONTINUE : stream.reply(DENIED);
    }

    @Override
    public LocalReply replyToFault() {
        return DENIED;
    }

    /** Before any request is known. Does not throw; what goes wrong is a no. */
    public boolean allows(Connection connection) {
        try {
            return allows(null, connection);
        } catch (RuntimeException | Error fault) {
            faults.fault("network filter envoy.filters.network.rbac", fault);
            return false;
        }
    }

    private boolean allows(RequestHead request, Connection connection) {
        if (shadow != null) {
            shadow(request, connection);
        }
        if (enforced == null) {
            return true;
        }
        Verdict verdict = enforced.decide(request, connection);
        verdict.given();
        if (!verdict.allowed() && refusals.heard()) {
            refusals.refused(verdict.rule(), request, connection);
        }
        return verdict.allowed();
    }

    private void shadow(RequestHead request, Connection connection) {
        try {
            shadow.decide(request, connection).given();
        } catch (RuntimeException | Error fault) {
            faults.fault("shadow rules of envoy.filters.http.rbac", fault);
        }
    }

    /** What each of its rules has decided so far. */
    public List<Verdict> verdicts() {
        return enforced == null ? List.of() : enforced.verdicts();
    }

    /** What each rule would have decided. */
    public List<Verdict> shadowVerdicts() {
        return shadow == null ? List.of() : shadow.verdicts();
    }
}
