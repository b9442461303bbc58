package io.weft.controlplane.xds;

import com.google.protobuf.Message;
import com.google.protobuf.util.Durations;
import io.envoyproxy.envoy.config.core.v3.TrafficDirection;
import io.envoyproxy.envoy.config.listener.v3.Filter;
import io.envoyproxy.envoy.config.listener.v3.FilterChain;
import io.envoyproxy.envoy.config.listener.v3.Listener;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.config.route.v3.RouteAction;
import io.envoyproxy.envoy.config.route.v3.RouteConfiguration;
import io.envoyproxy.envoy.config.route.v3.RouteMatch;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.envoyproxy.envoy.extensions.filters.http.router.v3.Router;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.Rds;
import io.envoyproxy.envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy;
import io.weft.controlplane.policy.Dataplane;
import io.weft.controlplane.policy.Protocol;

/** Envoy's listeners. */
final class ListenerBuilder {

    private static final HttpFilter ROUTER = HttpFilter.newBuilder()
            .setName("envoy.filters.http.router")
            .setTypedConfig(Versioned.of("", Router.getDefaultInstance()).message())
            .build();

    /** Requests to all services on one port, told apart by their host. */
    static Versioned outbound(int servicePort, String address, int port) {
        String name = Names.outbound(servicePort);
        HttpConnectionManager manager = HttpConnectionManager.newBuilder()
                .setStatPrefix(name)
                .setRds(Rds.newBuilder().setConfigSource(ClusterBuilder.ADS).setRouteConfigName(name))
                .addHttpFilters(ROUTER)
                .build();
        return listener(name, TrafficDirection.OUTBOUND, address, port, http(manager));
    }

    /** Requests to one port of the data plane itself. */
    static Versioned inbound(String name, Dataplane.Inbound inbound) {
        Filter filter = inbound.protocol().orElse(Protocol.HTTP).http()
                ? http(HttpConnectionManager.newBuilder()
                        .setStatPrefix(name)
                        .setRouteConfig(toLocal(name))
                        .addHttpFilters(ROUTER)
                        .build())
                : filter(
                        "envoy.filters.network.tcp_proxy",
                        TcpProxy.newBuilder().setStatPrefix(name).setCluster(name).build());
        return listener(name, TrafficDirection.INBOUND, inbound.address(), inbound.port(), filter);
    }

    private static RouteConfiguration toLocal(String cluster) {
        return RouteConfiguration.newBuilder()
                .setName(cluster)
                .addVirtualHosts(VirtualHost.newBuilder()
                        .setName(cluster)
                        .addDomains("*")
                        .addRoutes(Route.newBuilder()
                                .setName("default")
                                .setMatch(RouteMatch.newBuilder().setPrefix("/"))
                                // The caller's timeout holds; a second one here could only cut it short.
                                .setRoute(RouteAction.newBuilder()
                                        .setCluster(cluster)
                                        .setTimeout(Durations.ZERO))))
                .build();
    }

    private static Filter http(HttpConnectionManager manager) {
        return filter("envoy.filters.network.http_connection_manager", manager);
    }

    private static Filter filter(String name, Message config) {
        return Filter.newBuilder()
                .setName(name)
                .setTypedConfig(Versioned.of("", config).message())
                .build();
    }

    private static Versioned listener(
            String name, TrafficDirection direction, String address, int port, Filter filter) {
        Listener listener = Listener.newBuilder()
                .setName(name)
                .setTrafficDirection(direction)
                .setAddress(ClusterBuilder.address(address, port))
                .addFilterChains(FilterChain.newBuilder().addFilters(filter))
                .build();
        return Versioned.of(name, listener);
    }

    private ListenerBuilder() {}
}
