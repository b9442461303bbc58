package io.weft.dataplane;

import io.weft.dataplane.Exchange.Failure;
import io.weft.dataplane.cluster.ClusterView;
import io.weft.dataplane.cluster.Host;
import io.weft.dataplane.format.ResponseFlag;
import io.weft.dataplane.route.RequestHasher;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/**
 * Chooses the endpoint of an attempt. A retry looks as often as the policy says for a host that it does not refuse,
 * and never goes to one that it could not connect to while another is there.
 */
final class PickEndpoint extends ClientLayer {
    private static final LocalReply NO_HEALTHY_HOST = LocalReply.of(503, "no healthy upstream");

    private static final String[] NO_ADDRESSES = {};

    private final NanoClock clock;
    private final Randomness randomness;
    private final Self self;

    PickEndpoint(NanoClock clock, Randomness randomness, Self self, ClientLayer inner) {
        super(inner, Phase.ATTEMPT, Phase.RELEASE);
        this.clock = clock;
        this.randomness = randomness;
        this.self = self;
    }

    @Override
    boolean attempt(Exchange exchange) {
        exchange.begun = exchange.attempt;
        if (exchange.attempt == 1 && exchange.destination.hasher() != null) {
            hash(exchange, exchange.destination.hasher());
        }
        Host host = exchange.overrideHost == null ? pick(exchange, 0) : first(exchange);
        if (host == null) {
            exchange.cluster.state().noHealthyHost();
            exchange.flag(ResponseFlag.UH, "no_healthy_upstream");
            exchange.reply = NO_HEALTHY_HOST;
            return false;
        }
        if (exchange.firstFailed != null) {
            host = preferUntried(exchange, host);
        }
        exchange.host = host;
        exchange.endpoint = host.endpoint();
        if (exchange.destination.dependsOnEndpoint()) {
            exchange.requestChanges =
                    exchange.destination.atEndpoint(exchange.requestChanges, exchange.head(), host.hostname());
        }
        exchange.hostHeld = true;
        host.requestStarted();
        return innerAttempt.attempt(exchange);
    }

    /** Once for all attempts. */
    private void hash(Exchange exchange, RequestHasher hasher) {
        RequestHead head = exchange.head();
        long random = randomness.bits();
        exchange.hash = hasher.hash(head, self.address(), exchange.filterState(), random);
        exchange.hashed = true;
        exchange.newCookies = hasher.newCookies(head, self.address(), exchange.filterState(), random);
    }

    /** The one that the request names, at the first attempt, as in Envoy. */
    private Host first(Exchange exchange) {
        if (exchange.attempt == 1) {
            Host named = exchange.cluster.named(exchange.overrideHost);
            if (named != null || exchange.overrideStrict) {
                return named;
            }
        }
        return pick(exchange, 0);
    }

    /** Each is tried once; those that are not there are passed over. */
    private static Host nextNamed(Exchange exchange, List<String> headers) {
        if (exchange.namedHosts == null) {
            exchange.namedHosts = new ArrayDeque<>(2);
            for (String header : headers) {
                String value = exchange.head().header(header);
                for (String address : value == null ? NO_ADDRESSES : value.split(",")) {
                    exchange.namedHosts.add(address.strip());
                }
            }
        }
        Host host = null;
        while (host == null && !exchange.namedHosts.isEmpty()) {
            host = exchange.cluster.hostAt(exchange.namedHosts.remove());
        }
        return host;
    }

    private Host pick(Exchange exchange, int attempt) {
        List<String> headers = exchange.cluster.namingHeaders();
        if (!headers.isEmpty()) {
            Host named = nextNamed(exchange, headers);
            if (named != null) {
                return named;
            }
        }
        long hash = exchange.hashed ? exchange.hash : random(exchange, attempt);
        if (exchange.firstFailed != null && exchange.retry != null && exchange.retry.previousPriorities() > 0) {
            return exchange.cluster.pick(
                    hash, exchange.destination.wanted(), attempt, clock, failedHosts(exchange), exchange.retry.previousPriorities());
        }
        return exchange.cluster.pick(hash, exchange.destination.wanted(), attempt, clock);
    }

    /** In order. */
    private static List<Host> failedHosts(Exchange exchange) {
        List<Host> failed = new ArrayList<>();
        failed.add(exchange.firstFailed);
        if (exchange.secondFailed != null) {
            failed.add(exchange.secondFailed);
        }
        if (exchange.moreFailed != null) {
            failed.addAll(exchange.moreFailed);
        }
        return failed;
    }

    /** The first choice does with the bits that are there, mixed since the route depends on the upper ones. */
    private long random(Exchange exchange, int attempt) {
        return exchange.attempt == 1 && attempt == 0 ? exchange.random * 0x9E3779B97F4A7C15L : randomness.bits();
    }

    private Host preferUntried(Exchange exchange, Host first) {
        ClusterView cluster = exchange.cluster;
        Host host = first;
        for (int i = 1; i <= exchange.retry.hostSelections() && exchange.retry.refuses(host, hasFailedAt(host, exchange)); i++) {
            Host next = pick(exchange, i);
            host = next == null ? host : next;
        }
        if (exchange.unreachableHosts != null && exchange.unreachableHosts.contains(host)) {
            Host reachable = cluster.pickOther(exchange.unreachableHosts, (int) randomness.bits());
            host = reachable == null ? host : reachable;
        }
        return host;
    }

    @Override
    void release(Exchange exchange) {
        innerRelease.release(exchange);
        if (exchange.hostHeld) {
            exchange.hostHeld = false;
            exchange.host.requestEnded();
        }
        if (exchange.again) {
            rememberFailed(exchange);
            if (exchange.failure == Failure.CONNECT) {
                exchange.unreachableHosts = with(exchange.unreachableHosts, exchange.host);
            }
        }
    }

    private static boolean hasFailedAt(Host host, Exchange exchange) {
        return host == exchange.firstFailed
                || host == exchange.secondFailed
                || exchange.moreFailed != null && exchange.moreFailed.contains(host);
    }

    static void rememberFailed(Exchange exchange) {
        if (exchange.firstFailed == null) {
            exchange.firstFailed = exchange.host;
        } else if (exchange.secondFailed == null) {
            exchange.secondFailed = exchange.host;
        } else {
            exchange.moreFailed = with(exchange.moreFailed, exchange.host);
        }
    }

    private static List<Host> with(List<Host> hosts, Host host) {
        List<Host> extended = hosts == null ? new ArrayList<>(2) : hosts;
        extended.add(host);
        return extended;
    }
}
