package io.weft.dataplane.route;

import io.weft.dataplane.ServerTls;
import io.weft.dataplane.TransportSecurity;
import io.weft.policy.model.FilterChain;
import io.weft.policy.model.HttpConnectionManager.Inline;
import io.weft.policy.model.HttpConnectionManager.Named;
import io.weft.policy.model.HttpConnectionManager.Opaque;
import io.weft.policy.model.HttpConnectionManager.RouteSource;
import io.weft.policy.model.Listener;
import io.weft.policy.model.PolicySnapshot;
import io.weft.policy.model.RouteConfiguration;
import io.weft.policy.model.TransportSocket.DownstreamTls;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What is said of connections and requests that come in, by the port on which the app listens, as a proxy that has them redirected
 * to itself finds it: the listener of that port; else the chains that another one has for that destination port; else those that a
 * listener for any original destination has for what nobody names. Immutable; a lookup allocates nothing.
 */
public final class InboundListeners {
    private static final RouteConfiguration NO_ROUTES = RouteConfiguration.named("");

    private final PortTable<InboundChains> byPort;
    private final InboundChains otherPorts;
    private final boolean any;

    /** Of one listener, ready; a chain whose routes are not there is left out. */
    private record Ready(Listener listener, List<InboundChains.Chain> chains, InboundRoutes otherwise) {
        /** Those for that port, and those for any. */
        InboundChains to(int port) {
            List<InboundChains.Chain> fitting = new ArrayList<>();
            for (InboundChains.Chain chain : chains) {
                if (chain.match().destinationPort() == 0 || chain.match().destinationPort() == port) {
                    fitting.add(chain);
                }
            }
            return new InboundChains(fitting, otherwise);
        }
    }

    public InboundListeners(PolicySnapshot snapshot, RouteCompiler compiler, TransportSecurity security) {
        Map<Integer, InboundChains> ports = new HashMap<>();
        InboundChains others = null;
        List<Ready> all = new ArrayList<>();
        for (Listener listener : new TreeMap<>(snapshot.listeners()).values()) {
            if (listener.kind() == Listener.Kind.INBOUND && listener.metricsPath().isEmpty()) {
                all.add(compile(listener, snapshot, compiler, security));
            }
        }
        for (Ready ready : all) {
            if (!ready.listener.originalDestination() && !ready.listener.filterChains().isEmpty()) {
                ports.putIfAbsent(ready.listener.address().port(), ready.to(ready.listener.address().port()));
            }
        }
        for (Ready ready : all) {
            for (int port : destinationPorts(ready.listener)) {
                ports.putIfAbsent(port, ready.to(port));
            }
        }
        for (Ready ready : all) {
            if (ready.listener.originalDestination() && others == null) {
                others = ready.to(0);
            }
        }
        byPort = new PortTable<>(ports);
        otherPorts = others;
        any = !all.isEmpty();
    }

    private static Ready compile(Listener listener, PolicySnapshot snapshot, RouteCompiler compiler, TransportSecurity security) {
        List<InboundChains.Chain> chains = new ArrayList<>();
        int index = 0;
        for (FilterChain chain : listener.filterChains()) {
            InboundRoutes routes = compile(chain, "inbound " + index++ + " " + listener.name(), snapshot, compiler, security);
            if (routes != null) {
                chains.add(new InboundChains.Chain(chain.match(), routes));
            }
        }
        InboundRoutes otherwise = listener.defaultFilterChain()
                .map(chain -> compile(chain, "inbound default " + listener.name(), snapshot, compiler, security))
                .orElse(null);
        return new Ready(listener, chains, otherwise);
    }

    /** @return null when its routes are not there */
    private static InboundRoutes compile(
            FilterChain chain, String key, PolicySnapshot snapshot, RouteCompiler compiler, TransportSecurity security) {
        RouteConfiguration configuration = configuration(chain.http().routes(), snapshot);
        if (configuration == null) {
            return null;
        }
        return new InboundRoutes(
                chain.http().routes() instanceof Opaque,
                compiler.compile(key, configuration, chain.http(), RouteCompiler.Side.INBOUND),
                chain.http(),
                compiler.connectionFilters(key, chain.networkFilters()),
                security(chain, snapshot, security));
    }

    private static RouteConfiguration configuration(RouteSource routes, PolicySnapshot snapshot) {
        if (routes instanceof Named named) {
            return snapshot.routeConfigurations().get(named.routeConfigName());
        }
        return routes instanceof Inline inline ? inline.configuration() : NO_ROUTES;
    }

    private static InboundRoutes.Security security(FilterChain chain, PolicySnapshot snapshot, TransportSecurity security) {
        if (!(chain.transport() instanceof DownstreamTls tls)) {
            return InboundRoutes.Security.NONE;
        }
        Optional<ServerTls> ready = security.server(tls, snapshot.secrets());
        return new InboundRoutes.Security(true, ready.orElse(null));
    }

    private static Set<Integer> destinationPorts(Listener listener) {
        Set<Integer> ports = new TreeSet<>();
        for (FilterChain chain : listener.filterChains()) {
            if (chain.match().destinationPort() != 0) {
                ports.add(chain.match().destinationPort());
            }
        }
        return ports;
    }

    /** Whether there is anything said of what comes in, to whatever port. */
    public boolean any() {
        return any;
    }

    /** @return null: no policy names the port */
    public InboundChains find(int port) {
        InboundChains chains = byPort.find(port);
        return chains == null ? otherPorts : chains;
    }
}
