package io.weft.dataplane;

import io.weft.dataplane.route.RouteEntry.Answer;
import io.weft.dataplane.route.RouteEntry.Forward;
import io.weft.dataplane.route.Routes;

/**
 * Finds the route and the cluster, once for all attempts; answers where the route says so or there is none. The matching is
 * done when the exchange is claimed, since only then is known whether the mesh has anything to do with it.
 */
final class MatchRoute extends ClientLayer {
    private static final LocalReply NO_ROUTE = LocalReply.of(404, "");
    private static final LocalReply NO_CLUSTER = LocalReply.of(503, "");

    MatchRoute(ClientLayer inner) {
        super(inner);
    }

    /** @return whether a policy names the destination */
    static boolean match(Policy policy, Exchange exchange, Randomness randomness) {
        Routes routes = policy.listeners().find(exchange.authority());
        if (routes == null) {
            return false;
        }
        int draw = (int) (randomness.bits() >>> 33);
        exchange.route = routes.find(exchange, draw);
        if (exchange.route instanceof Forward forward) {
            exchange.destination = forward.destination(draw);
            exchange.cluster = policy.cluster(exchange.destination.cluster());
            exchange.retry = forward.retry();
            exchange.passThrough(exchange.destination.filters());
            return exchange.cluster == null || !exchange.cluster.originalDestination();
        } else {
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
            exchange.requestChanges = exchange.withFilters(exchange.destination.requestChanges(exchange.head()));
            exchange.responseChanges = exchange.routeResponseChanges();
        }
        return inner.attempt(exchange);
    }

    private static LocalReply reply(Exchange exchange) {
        if (exchange.route == null) {
            return NO_ROUTE;
        }
        return exchange.route instanceof Answer answer ? answer.reply(exchange.head()) : NO_CLUSTER;
    }
}
