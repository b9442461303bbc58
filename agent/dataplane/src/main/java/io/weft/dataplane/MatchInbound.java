package io.weft.dataplane;

import io.weft.dataplane.UnnamedPorts.Verdict;
import io.weft.dataplane.filter.FilterChain;
import io.weft.dataplane.route.Destination;
import io.weft.dataplane.route.InboundChains;
import io.weft.dataplane.route.InboundRoutes;
import io.weft.dataplane.route.PathNormalizer;
import io.weft.dataplane.route.RouteEntry;
import io.weft.dataplane.route.RouteEntry.Answer;
import io.weft.dataplane.route.RouteEntry.Forward;
import io.weft.dataplane.route.Routes;
import java.net.URI;
import java.time.Duration;
import java.util.function.Supplier;

/**
 * Finds the filter chain of the connection and the route in it, once. A port that no policy names is not touched. Whatever the server
 * has accepted, a request goes no further over a connection that is not secured as policy demands.
 */
final class MatchInbound extends ServerLayer {
    /** Between two looks for a policy. */
    private static final long HELD_NANOS = Duration.ofMillis(20).toNanos();
    private static final LocalReply HEADERS_TOO_LARGE = LocalReply.of(431, "Request Header Fields Too Large");

    private final InboundConnections connections;
    private final NanoClock clock;
    private final Supplier<Policy> policy;
    private final Randomness randomness;
    private final Faults faults;

    /** @param policy gives null before the first */
    MatchInbound(
            Supplier<Policy> policy, Surroundings surroundings, InboundConnections connections, ServerLayer inner) {
        super(inner, Phase.ENTER, Phase.REQUEST);
        this.connections = connections;
        this.policy = policy;
        clock = surroundings.clock();
        randomness = surroundings.randomness();
        faults = surroundings.faults();
    }

    @Override
    void enter(InboundExchange exchange) {
        match(exchange);
        innerEnter.enter(exchange);
    }

    private void match(InboundExchange exchange) {
        Policy inForce = policy.get();
        InboundChains chains = inForce == null ? null : inForce.inbound().find(exchange.port);
        InboundRoutes listener = chains == null || exchange.ownTls ? null : chains.only();
        Verdict unnamed = chains == null ? connections.verdict(exchange.port, exchange.ownTls) : Verdict.OPEN;
        if (unnamed == Verdict.HELD) {
            exchange.claimed = true;
            exchange.held = true;
        } else if (unnamed == Verdict.CLOSED) {
            listener = withoutPolicy(exchange);
        } else if (chains != null && listener == null) {
            listener = chain(chains, exchange);
        } else if (connections.draining()) {
            InboundConnection accepted = exchange.accepted();
            exchange.lastOfConnection = accepted != null && accepted.endNanos() != 0;
        }
        boolean routed = false;
        FilterChain otherwise = FilterChain.NONE;
        exchange.isSeenAs(listener == null || listener.isOpaque() ? ClientIp.DEFAULT : listener.clientIp());
        if (listener != null && listener.isOpaque()) {
            exchange.claimed = listener.unroutedFilters().length() > 0;
            exchange.unroutable = true;
            otherwise = listener.unroutedFilters();
        } else if (listener != null) {
            exchange.claimed = true;
            if (listener.connectionLimits() != null) {
                exchange.lastOfConnection |= ConnectionUse.endsWithThis(exchange.connection(), listener.connectionLimits(), clock);
            }
            try {
                listener.clientCert().apply(exchange);
                if (listener.maxHeaderBytes() != 0 && exchange.headerBytes() > listener.maxHeaderBytes()) {
                    exchange.malformed = HEADERS_TOO_LARGE;
                } else if (normalized(listener.paths(), exchange)) {
                    match(listener, exchange);
                    routed = true;
                }
            } catch (RuntimeException | Error fault) {
                // The app gets the request, but not past the filters that protect it.
                faults.fault("inbound route of port " + exchange.port, fault);
                exchange.unroutable = true;
                otherwise = listener.unroutedFilters();
            }
        }
        if (!routed) {
            exchange.takes(null, null, otherwise);
        }
    }

    /** Of a port that no policy names any longer, and so is closed. Null: the request goes no further. */
    private InboundRoutes withoutPolicy(InboundExchange exchange) {
        exchange.claimed = true;
        exchange.lastOfConnection = true;
        InboundConnection accepted = exchange.accepted();
        if (accepted != null && accepted.drains() && accepted.lastRoutes() != null) {
            return accepted.lastRoutes();
        }
        connections.rejected(Rejection.NO_POLICY, exchange.connection());
        exchange.closing = true;
        return null;
    }

    /** Null: the request is not the policy's, or goes no further. */
    private InboundRoutes chain(InboundChains chains, InboundExchange exchange) {
        try {
            InboundConnection accepted = exchange.accepted();
            Connection connection = exchange.connection();
            InboundRoutes routes = accepted == null ? chains.select(connection) : accepted.select(chains);
            if (routes != null && routes.fits(connection)) {
                if (accepted != null) {
                    accepted.servedBy(routes);
                    exchange.lastOfConnection = accepted.endNanos() != 0;
                }
                return exchange.ownTls ? null : routes;
            }
            exchange.lastOfConnection = true;
            if (accepted != null && accepted.drains()) {
                return accepted.lastRoutes();
            }
            connections.rejected(exchange.ownTls ? Rejection.UNSECURABLE : Rejection.PLAINTEXT, connection);
        } catch (RuntimeException | Error fault) {
            faults.fault("filter chain of port " + exchange.port, fault);
        }
        exchange.claimed = true;
        exchange.closing = true;
        return null;
    }

    @Override
    boolean request(InboundExchange exchange) {
        if (exchange.held) {
            exchange.held = false;
            exchange.claimed = false;
            match(exchange);
            if (exchange.held) {
                exchange.delayNanos = HELD_NANOS;
                exchange.waiting = true;
                return false;
            }
        }
        if (exchange.closing) {
            return false;
        }
        if (exchange.malformed == null) {
            return innerRequest.request(exchange);
        }
        exchange.reply = exchange.malformed;
        exchange.filterReply();
        return false;
    }

    /** @return false: the request goes no further; no rule could say anything of it */
    private boolean normalized(PathNormalizer paths, InboundExchange exchange) {
        try {
            String target = exchange.path();
            if (!paths.keeps(target)) {
                PathNormalizer.Outcome outcome = paths.normalize(target, exchange.isGrpc());
                exchange.malformed = outcome.reply();
                if (outcome.reply() == null && !outcome.target().equals(target)) {
                    if (exchange.pathCanChange() || isDecodedAlike(target, outcome.target())) {
                        exchange.requestPath(outcome.target());
                    } else {
                        exchange.malformed = PathNormalizer.REFUSED;
                    }
                }
            }
        } catch (RuntimeException | Error fault) {
            // What a path means is not known: it could be any that a rule forbids.
            faults.fault("path on port " + exchange.port, fault);
            exchange.malformed = PathNormalizer.REFUSED;
        }
        return exchange.malformed == null;
    }

    private static boolean isDecodedAlike(String target, String other) {
        return decodedPath(target).equals(decodedPath(other));
    }

    private static String decodedPath(String target) {
        int query = target.indexOf('?');
        String path = URI.create(query < 0 ? target : target.substring(0, query)).getPath();
        return path == null ? "" : path;
    }

    private void match(InboundRoutes listener, InboundExchange exchange) {
        Routes routes = listener.find(exchange);
        if (routes == null) {
            exchange.takes(null, null, listener.unroutedFilters());
            return;
        }
        int draw = (int) (randomness.bits() >>> 33);
        RouteEntry route = routes.find(exchange.head(), draw);
        if (route instanceof Forward forward) {
            Destination destination = forward.destination(exchange, draw);
            exchange.takes(route, destination, destination.filters());
        } else {
            exchange.takes(route, null, route instanceof Answer answer ? answer.filters() : routes.unroutedFilters());
        }
    }
}
