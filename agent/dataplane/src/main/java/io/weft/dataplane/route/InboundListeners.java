package io.weft.dataplane.route;

import io.weft.policy.model.FilterChain;
import io.weft.policy.model.HttpConnectionManager.Inline;
import io.weft.policy.model.HttpConnectionManager.Named;
import io.weft.policy.model.Listener;
import io.weft.policy.model.PolicySnapshot;
import io.weft.policy.model.RouteConfiguration;
import java.util.HashMap;
import java.util.Map;

/**
 * What is said of requests that come in, by the port on which the app listens: the destination port of an inbound listener's filter
 * chain, or else the listener's own. Immutable; a lookup allocates nothing.
 */
public final class InboundListeners {

    private final PortTable<InboundRoutes> byPort;

    public InboundListeners(PolicySnapshot snapshot, RouteCompiler compiler) {
        Map<Integer, InboundRoutes> exact = new HashMap<>();
        Map<Integer, InboundRoutes> byListener = new HashMap<>();
        for (Listener listener : snapshot.listeners().values()) {
            if (listener.kind() == Listener.Kind.INBOUND) {
                int index = 0;
                for (FilterChain chain : listener.filterChains()) {
                    InboundRoutes routes = compile(listener, chain, index++, snapshot, compiler);
                    if (routes == null) {
                        continue;
                    }
                    if (chain.destinationPort() == 0) {
                        byListener.putIfAbsent(listener.address().port(), routes);
                    } else {
                        exact.putIfAbsent(chain.destinationPort(), routes);
                    }
                }
            }
        }
        byListener.putAll(exact);
        byPort = new PortTable<>(byListener);
    }

    /** @return null when its routes are not there */
    private static InboundRoutes compile(
            Listener listener, FilterChain chain, int index, PolicySnapshot snapshot, RouteCompiler compiler) {
        RouteConfiguration configuration = chain.http().routes() instanceof Named named
                ? snapshot.routeConfigurations().get(named.routeConfigName())
                : ((Inline) chain.http().routes()).configuration();
        if (configuration == null) {
            return null;
        }
        String key = "inbound " + index + " " + listener.name();
        return new InboundRoutes(
                compiler.compile(key, configuration, chain.http(), RouteCompiler.Side.INBOUND),
                chain.http().edge(),
                compiler.connectionFilters(key, chain.networkFilters()));
    }

    /** @return null: no policy names the port */
    public InboundRoutes find(int port) {
        return byPort.find(port);
    }
}
