package io.weft.dataplane;

import io.weft.dataplane.Exchange.Failure;
import io.weft.dataplane.cluster.ClusterView;
import io.weft.dataplane.cluster.Host;
import java.util.ArrayList;
import java.util.List;

/**
 * Chooses the endpoint of an attempt. A retry looks as often as the policy says for a host where this exchange did not fail,
 * and never goes to one that it could not connect to while another is there.
 */
final class PickEndpoint extends ClientLayer {
    private static final LocalReply NO_HEALTHY_HOST = LocalReply.of(503, "no healthy upstream");

    private final NanoClock clock;

    PickEndpoint(NanoClock clock, ClientLayer inner) {
        super(inner);
        this.clock = clock;
    }

    @Override
    boolean attempt(Exchange exchange) {
        ClusterView cluster = exchange.cluster;
        Host host = cluster.pick(clock);
        if (host == null) {
            cluster.state().noHealthyHost();
            exchange.reply = NO_HEALTHY_HOST;
            return false;
        }
        if (exchange.failedHosts != null) {
            host = preferUntried(exchange, host);
        }
        exchange.host = host;
        exchange.hostHeld = true;
        host.requestStarted();
        return inner.attempt(exchange);
    }

    private Host preferUntried(Exchange exchange, Host first) {
        ClusterView cluster = exchange.cluster;
        Host host = first;
        for (int i = exchange.retry.hostSelections(); i > 0 && exchange.failedHosts.contains(host); i--) {
            Host next = cluster.pick(clock);
            host = next == null ? host : next;
        }
        if (exchange.unreachableHosts != null && exchange.unreachableHosts.contains(host)) {
            Host reachable = cluster.pickOther(exchange.unreachableHosts);
            host = reachable == null ? host : reachable;
        }
        return host;
    }

    @Override
    void release(Exchange exchange) {
        inner.release(exchange);
        if (exchange.hostHeld) {
            exchange.hostHeld = false;
            exchange.host.requestEnded();
        }
        if (exchange.again) {
            exchange.failedHosts = with(exchange.failedHosts, exchange.host);
            if (exchange.failure == Failure.CONNECT) {
                exchange.unreachableHosts = with(exchange.unreachableHosts, exchange.host);
            }
        }
    }

    private static List<Host> with(List<Host> hosts, Host host) {
        List<Host> extended = hosts == null ? new ArrayList<>(2) : hosts;
        extended.add(host);
        return extended;
    }
}
