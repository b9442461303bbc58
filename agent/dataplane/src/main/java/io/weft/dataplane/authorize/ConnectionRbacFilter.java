package io.weft.dataplane.authorize;

import io.weft.dataplane.Faults;
import io.weft.dataplane.HttpStream;
import io.weft.dataplane.Refusals;
import io.weft.policy.model.Rbac;

/**
 * {@code envoy.filters.network.rbac}: closes a connection instead of answering. Asked with each request, which is when the agent
 * hears of a connection; what it is asked about is the same each time.
 */
public final class ConnectionRbacFilter extends RbacFilter {

    public ConnectionRbacFilter(Rbac rbac, Refusals refusals, Faults faults) {
        super(rbac, refusals, faults);
    }

    @Override
    Decision deny(HttpStream stream) {
        return Decision.CLOSE;
    }
}
