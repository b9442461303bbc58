package io.weft.policy;

import com.google.protobuf.MessageLite;
import io.weft.policy.proto.envoy.config.cluster.v3.Cluster;
import io.weft.policy.proto.envoy.config.core.v3.Address;
import io.weft.policy.proto.envoy.config.core.v3.AggregatedConfigSource;
import io.weft.policy.proto.envoy.config.core.v3.ApiVersion;
import io.weft.policy.proto.envoy.config.core.v3.ConfigSource;
import io.weft.policy.proto.envoy.config.core.v3.SocketAddress;
import io.weft.policy.proto.envoy.config.core.v3.TrafficDirection;
import io.weft.policy.proto.envoy.config.endpoint.v3.ClusterLoadAssignment;
import io.weft.policy.proto.envoy.config.endpoint.v3.Endpoint;
import io.weft.policy.proto.envoy.config.endpoint.v3.LbEndpoint;
import io.weft.policy.proto.envoy.config.endpoint.v3.LocalityLbEndpoints;
import io.weft.policy.proto.envoy.config.listener.v3.Filter;
import io.weft.policy.proto.envoy.config.listener.v3.FilterChain;
import io.weft.policy.proto.envoy.config.listener.v3.Listener;
import io.weft.policy.proto.envoy.config.route.v3.Route;
import io.weft.policy.proto.envoy.config.route.v3.RouteAction;
import io.weft.policy.proto.envoy.config.route.v3.RouteConfiguration;
import io.weft.policy.proto.envoy.config.route.v3.RouteMatch;
import io.weft.policy.proto.envoy.config.route.v3.Vhds;
import io.weft.policy.proto.envoy.config.route.v3.VirtualHost;
import io.weft.policy.proto.envoy.extensions.filters.http.router.v3.Router;
import io.weft.policy.proto.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.weft.policy.proto.envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter;
import io.weft.policy.proto.envoy.extensions.filters.network.http_connection_manager.v3.Rds;
import io.weft.policy.proto.protobuf.Any;

/** Small resources as a control plane would make them. */
final class Resources {
    private static final ConfigSource ADS = ConfigSource.newBuilder()
            .setAds(AggregatedConfigSource.getDefaultInstance())
            .setResourceApiVersion(ApiVersion.V3)
            .build();

    private Resources() {}

    static Cluster cluster(String name) {
        return Cluster.newBuilder()
                .setName(name)
                .setType(Cluster.DiscoveryType.EDS)
                .setEdsClusterConfig(Cluster.EdsClusterConfig.newBuilder().setEdsConfig(ADS))
                .build();
    }

    /** What no client can honour: it says where its endpoints come from, but names a kind that does not exist. */
    static Cluster impossibleCluster(String name) {
        return cluster(name).toBuilder().setTypeValue(99).build();
    }

    static ClusterLoadAssignment assignment(String name, int port) {
        return ClusterLoadAssignment.newBuilder()
                .setClusterName(name)
                .addEndpoints(LocalityLbEndpoints.newBuilder().addLbEndpoints(LbEndpoint.newBuilder()
                        .setEndpoint(Endpoint.newBuilder().setAddress(address("127.0.0.1", port)))))
                .build();
    }

    static Listener listener(String name, String routes) {
        return Listener.newBuilder()
                .setName(name)
                .setAddress(address("0.0.0.0", 80))
                .setTrafficDirection(TrafficDirection.OUTBOUND)
                .addFilterChains(FilterChain.newBuilder().addFilters(Filter.newBuilder()
                        .setName("envoy.filters.network.http_connection_manager")
                        .setTypedConfig(any(HttpConnectionManager.newBuilder()
                                .setStatPrefix(name)
                                .setRds(Rds.newBuilder().setConfigSource(ADS).setRouteConfigName(routes))
                                .addHttpFilters(HttpFilter.newBuilder()
                                        .setName("envoy.filters.http.router")
                                        .setTypedConfig(any(Router.getDefaultInstance())))
                                .build()))))
                .build();
    }

    static RouteConfiguration routes(String name, String host, String cluster) {
        return RouteConfiguration.newBuilder()
                .setName(name)
                .addVirtualHosts(VirtualHost.newBuilder()
                        .setName(host)
                        .addDomains(host)
                        .addRoutes(Route.newBuilder()
                                .setMatch(RouteMatch.newBuilder().setPrefix("/"))
                                .setRoute(RouteAction.newBuilder().setCluster(cluster))))
                .build();
    }

    /** Whose virtual hosts come by themselves. */
    static RouteConfiguration partialRoutes(String name) {
        return RouteConfiguration.newBuilder().setName(name).setVhds(Vhds.newBuilder().setConfigSource(ADS)).build();
    }

    /** One of them. */
    static VirtualHost host(String routes, String host, String cluster) {
        return routes(routes, host, cluster).getVirtualHosts(0).toBuilder().setName(routes + "/" + host).build();
    }

    static Any any(MessageLite message) {
        // Lite messages do not know their full names; the package differs from the proto's by its prefix.
        String type = message.getClass().getName().substring("io.weft.policy.proto.".length());
        return Any.newBuilder().setTypeUrl("type.googleapis.com/" + type).setValue(message.toByteString()).build();
    }

    private static Address address(String host, int port) {
        return Address.newBuilder()
                .setSocketAddress(SocketAddress.newBuilder().setAddress(host).setPortValue(port))
                .build();
    }
}
