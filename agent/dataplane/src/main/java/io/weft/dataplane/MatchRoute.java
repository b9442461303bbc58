package io.weft.dataplane;

import io.weft.dataplane.format.ResponseFlag;
import io.weft.dataplane.route.ResendRule;
import io.weft.dataplane.route.RouteEntry.Answer;
import io.weft.dataplane.route.RouteEntry.Forward;
import io.weft.dataplane.route.Routes;

/**
 * Finds the route and the cluster, once for all attempts; answers where the route says so or there is none. The matching is
 * done when the exchange is claimed, since only then is known whether the mesh has anything to do with it.
 */
final class MatchRoute extends ClientLayer {
    private static final LocalReply NO_ROUTE = LocalReply.of(404, "");

    MatchRoute(ClientLayer inner) {
        super(inner, Phase.ATTEMPT, Phase.OUTCOME);
    }

    /**
     * Claims the exchange for the layers if a policy names its destination.
     *
     * @return whether one does
     */
    static boolean match(Policy policy, Exchange exchange, Randomness randomness, ClientLayers layers) {
        Routes routes = policy.listeners().find(exchange.authority());
        if (routes == null) {
            return false;
        }
        long random = randomness.bits();
        exchange.random = random;
        int draw = (int) (random >>> 33);
        exchange.route = routes.find(exchange, draw);
        if (exchange.route instanceof Forward forward) {
            exchange.destination = forward.destination(exchange, draw);
            exchange.cluster = policy.cluster(exchange.destination, exchange);
            exchange.retry = forward.retry();
            exchange.timeouts = forward.timeouts();
            if (exchange.priority != forward.priority()) {
                exchange.priority = forward.priority();
            }
            exchange.passThrough(exchange.destination.filters());
            if (exchange.cluster == null) {
                exchange.perhapsSecured = policy.secures();
            } else if (exchange.cluster.originalDestination()) {
                return false;
            }
            exchange.claimed(layers);
            ResendRule.Copies copies = forward.copies();
            if (copies != null) {
                exchange.mirrors = DueMirrors.of(policy, copies.mirrors(), draw);
                exchange.hedge(copies.hedged());
            }
        } else {
            exchange.perhapsSecured = policy.secures();
            exchange.claimed(layers);
            exchange.passThrough(exchange.route instanceof Answer answer ? answer.filters() : routes.unroutedFilters());
        }
        return true;
    }

    @Override
    boolean attempt(Exchange exchange) {
        if (exchange.cluster == null) {
            exchange.reply = reply(exchange);
            return false;
        }
        if (exchange.attempt == 1) {
            if (exchange.hasEnvoyHeaders()) {
                Wishes.take(exchange);
            }
            RequestChanges changes = exchange.withFilters(exchange.destination.requestChanges(exchange.head(), exchange));
            if (exchange.requestChanges != changes) {
                exchange.requestChanges = changes;
            }
        }
        if (((Forward) exchange.route).sendsAttemptCount()) {
            exchange.requestChanges = exchange.requestChanges.andSet(RequestChanges.ATTEMPT_COUNT, Integer.toString(exchange.attempt));
        }
        return innerAttempt.attempt(exchange);
    }

    @Override
    void outcome(Exchange exchange) {
        innerOutcome.outcome(exchange);
        if (!exchange.again && exchange.failure != null) {
            flag(exchange);
        } else if (!exchange.again) {
            exchange.responseCodeDetails = "via_upstream";
            ResponseChanges changes = exchange.routeResponseChanges(exchange.responseHeaders);
            if (exchange.responseChanges != changes) {
                exchange.responseChanges = changes;
            }
        }
    }

    private static void flag(Exchange exchange) {
        if (exchange.expired() != null) {
            exchange.expired().flag(exchange);
            return;
        }
        switch (exchange.failure) {
            case CONNECT -> exchange.flag(ResponseFlag.UF, "upstream_reset_before_response_started{connection_failure}");
            case RESET -> exchange.flag(ResponseFlag.UC, "upstream_reset_before_response_started{connection_termination}");
            case REFUSED -> exchange.flag(ResponseFlag.UR, "upstream_reset_before_response_started{remote_reset}");
            case TIMEOUT -> exchange.flag(ResponseFlag.UT, "response_timeout");
            case CANCELLED -> exchange.flag(ResponseFlag.DC, "downstream_remote_disconnect");
            // A limit of another attempt, whose outcome this one takes over.
            default -> exchange.flag(ResponseFlag.UT, "response_timeout");
        }
    }

    private static LocalReply reply(Exchange exchange) {
        if (exchange.route == null) {
            exchange.flag(ResponseFlag.NR, "route_not_found");
            return NO_ROUTE;
        }
        if (exchange.route instanceof Answer answer) {
            exchange.responseCodeDetails = "direct_response";
            return answer.reply(exchange.head(), exchange);
        }
        exchange.flag(ResponseFlag.NC, "cluster_not_found");
        return ((Forward) exchange.route).clusterNotFound();
    }
}
