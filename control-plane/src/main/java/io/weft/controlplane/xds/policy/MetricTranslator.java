package io.weft.controlplane.xds.policy;

import io.envoyproxy.envoy.config.core.v3.Address;
import io.envoyproxy.envoy.config.core.v3.SocketAddress;
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
import io.weft.controlplane.policy.MeshMetric.Prometheus;

/** {@code MeshMetric}, as the listener from which Prometheus reads. Behind it there is kuma-dp in Kuma, and an agent itself here. */
public final class MetricTranslator {

    /** @param address on which the data plane is reached */
    public static Listener listener(Prometheus prometheus, String address) {
        String name = "system_meshmetric_prometheus_" + prometheus.name().replaceAll("[^a-z0-9_-]", "-");
        HttpConnectionManager manager = HttpConnectionManager.newBuilder()
                .setStatPrefix(name)
                .setRouteConfig(RouteConfiguration.newBuilder()
                        .addVirtualHosts(VirtualHost.newBuilder()
                                .setName(name)
                                .addDomains("*")
                                .addRoutes(Route.newBuilder()
                                        .setMatch(RouteMatch.newBuilder().setPrefix(prometheus.path()))
                                        .setRoute(RouteAction.newBuilder().setCluster(name).setPrefixRewrite("/meshmetric")))))
                .addHttpFilters(HttpFilter.newBuilder()
                        .setName("envoy.filters.http.router")
                        .setTypedConfig(Values.any(Router.getDefaultInstance())))
                .build();
        return Listener.newBuilder()
                .setName(name)
                .setTrafficDirection(TrafficDirection.INBOUND)
                .setAddress(Address.newBuilder().setSocketAddress(
                        SocketAddress.newBuilder().setAddress(address).setPortValue(prometheus.port())))
                .addFilterChains(FilterChain.newBuilder()
                        .addFilters(Filter.newBuilder()
                                .setName("envoy.filters.network.http_connection_manager")
                                .setTypedConfig(Values.any(manager))))
                .build();
    }

    private MetricTranslator() {}
}
