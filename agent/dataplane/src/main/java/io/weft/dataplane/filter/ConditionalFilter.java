package io.weft.dataplane.filter;

import io.weft.dataplane.HttpStream;
import io.weft.dataplane.match.Decider;
import io.weft.policy.model.HttpFilter.Skip;
import io.weft.policy.model.MatchTree;
import java.util.function.Function;

/** {@code envoy.extensions.common.matching.v3.ExtensionWithMatcher}: passes over a filter where the request matches. */
final class ConditionalFilter extends HttpFilter {
    /** What is kept of a request that the filter never sees. */
    private static final Object SKIPPED = new Object();

    private final Decider<Skip> condition;
    private final HttpFilter filter;

    ConditionalFilter(MatchTree<Skip> condition, HttpFilter filter) {
        this(Decider.of(condition, Function.identity()), filter);
    }

    private ConditionalFilter(Decider<Skip> condition, HttpFilter filter) {
        this.condition = condition;
        this.filter = filter;
    }

    @Override
    HttpFilter with(RouteLimits route) {
        HttpFilter ofRoute = filter.with(route);
        return ofRoute == filter ? this : new ConditionalFilter(condition, ofRoute);
    }

    @Override
    public Decision onRequest(HttpStream stream) {
        if (matches(stream)) {
            stream.keep(SKIPPED);
            return Decision.CONTINUE;
        }
        return filter.onRequest(stream);
    }

    @Override
    public Decision afterDelay(HttpStream stream) {
        return filter.afterDelay(stream);
    }

    /** Comes also for a request that a filter before this one has answered. */
    @Override
    public void onResponse(HttpStream stream) {
        Object kept = stream.kept();
        if (kept != SKIPPED && (kept != null || !matches(stream))) {
            filter.onResponse(stream);
        }
    }

    @Override
    public void onEnd(HttpStream stream) {
        if (stream.kept() != SKIPPED) {
            filter.onEnd(stream);
        }
    }

    @Override
    public Decision onFault(HttpStream stream) {
        return filter.onFault(stream);
    }

    private boolean matches(HttpStream stream) {
        return condition.decide(stream) != null;
    }
}
