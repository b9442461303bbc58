package io.weft.it.harness;

import com.google.protobuf.Any;
import com.google.protobuf.Message;
import com.google.protobuf.util.Durations;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.core.v3.Address;
import io.envoyproxy.envoy.config.core.v3.AggregatedConfigSource;
import io.envoyproxy.envoy.config.core.v3.ApiVersion;
import io.envoyproxy.envoy.config.core.v3.ConfigSource;
import io.envoyproxy.envoy.config.core.v3.SocketAddress;
import io.envoyproxy.envoy.config.core.v3.TrafficDirection;
import io.envoyproxy.envoy.config.endpoint.v3.ClusterLoadAssignment;
import io.envoyproxy.envoy.config.endpoint.v3.Endpoint;
import io.envoyproxy.envoy.config.endpoint.v3.LbEndpoint;
import io.envoyproxy.envoy.config.endpoint.v3.LocalityLbEndpoints;
import io.envoyproxy.envoy.config.listener.v3.Filter;
import io.envoyproxy.envoy.config.listener.v3.FilterChain;
import io.envoyproxy.envoy.config.listener.v3.Listener;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.config.route.v3.RouteConfiguration;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.envoyproxy.envoy.extensions.filters.http.router.v3.Router;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.Rds;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.Secret;
import java.net.InetSocketAddress;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * Literal Envoy resources, by name. Immutable; each method gives a policy with one thing more, or one thing replaced.
 *
 * <p>{@link #service} and {@link #virtualHost} put an outbound listener on 0.0.0.0:80 with its routes by RDS; what they do
 * not offer is added as the message itself.
 */
public record Policy(
        Map<String, Listener> listeners,
        Map<String, RouteConfiguration> routes,
        Map<String, Cluster> clusters,
        Map<String, ClusterLoadAssignment> endpoints,
        Map<String, Secret> secrets) {
    private static final int SERVICE_PORT = 80;

    public Policy {
        listeners = Map.copyOf(listeners);
        routes = Map.copyOf(routes);
        clusters = Map.copyOf(clusters);
        endpoints = Map.copyOf(endpoints);
        secrets = Map.copyOf(secrets);
    }

    public static Policy empty() {
        return new Policy(Map.of(), Map.of(), Map.of(), Map.of(), Map.of());
    }

    /** A virtual host and a cluster of that name, everything to these endpoints. */
    public Policy service(String name, InetSocketAddress... endpoints) {
        return cluster(name, endpoints).virtualHost(name, Routes.to(name));
    }

    /** An EDS cluster, round robin, connect timeout 1 s, and its endpoints. */
    public Policy cluster(String name, InetSocketAddress... endpoints) {
        return cluster(name, cluster -> {}, endpoints);
    }

    public Policy cluster(String name, Consumer<Cluster.Builder> more, InetSocketAddress... endpoints) {
        Cluster.Builder cluster = Cluster.newBuilder()
                .setName(name)
                .setType(Cluster.DiscoveryType.EDS)
                .setEdsClusterConfig(Cluster.EdsClusterConfig.newBuilder().setEdsConfig(ads()))
                .setConnectTimeout(Durations.fromSeconds(1));
        more.accept(cluster);
        return cluster(cluster.build()).endpoints(name, endpoints);
    }

    /** The endpoints of a cluster, in one locality, each of weight 1. */
    public Policy endpoints(String cluster, InetSocketAddress... endpoints) {
        LocalityLbEndpoints.Builder locality = LocalityLbEndpoints.newBuilder();
        Stream.of(endpoints).forEach(endpoint -> locality.addLbEndpoints(endpoint(endpoint)));
        return endpoints(ClusterLoadAssignment.newBuilder().setClusterName(cluster).addEndpoints(locality).build());
    }

    /** A virtual host whose only domain is its name, on service port 80. */
    public Policy virtualHost(String domain, Route... routes) {
        VirtualHost.Builder host = VirtualHost.newBuilder().setName(domain).addDomains(domain);
        Stream.of(routes).forEach(host::addRoutes);
        return virtualHost(SERVICE_PORT, host.build());
    }

    /** A virtual host on a service port; replaces the one of the same name. */
    public Policy virtualHost(int port, VirtualHost host) {
        String name = "outbound:" + port;
        RouteConfiguration.Builder configuration = RouteConfiguration.newBuilder().setName(name);
        RouteConfiguration before = routes.get(name);
        if (before != null) {
            before.getVirtualHostsList().stream().filter(other -> !other.getName().equals(host.getName())).forEach(configuration::addVirtualHosts);
        }
        return routes(configuration.addVirtualHosts(host).build()).listener(outbound(port, name));
    }

    public Policy listener(Listener listener) {
        return new Policy(with(listeners, listener.getName(), listener), routes, clusters, endpoints, secrets);
    }

    public Policy routes(RouteConfiguration configuration) {
        return new Policy(listeners, with(routes, configuration.getName(), configuration), clusters, endpoints, secrets);
    }

    public Policy cluster(Cluster cluster) {
        return new Policy(listeners, routes, with(clusters, cluster.getName(), cluster), endpoints, secrets);
    }

    public Policy endpoints(ClusterLoadAssignment assignment) {
        return new Policy(listeners, routes, clusters, with(endpoints, assignment.getClusterName(), assignment), secrets);
    }

    public Policy secret(Secret secret) {
        return new Policy(listeners, routes, clusters, endpoints, with(secrets, secret.getName(), secret));
    }

    /** A listener as a sidecar has it for what the app sends to that port of any address. */
    public static Listener outbound(int port, String routeConfiguration) {
        return Listener.newBuilder()
                .setName(routeConfiguration)
                .setTrafficDirection(TrafficDirection.OUTBOUND)
                .setAddress(address(new InetSocketAddress("0.0.0.0", port)))
                .addFilterChains(FilterChain.newBuilder()
                        .addFilters(Filter.newBuilder()
                                .setName("envoy.filters.network.http_connection_manager")
                                .setTypedConfig(Any.pack(connectionManager(routeConfiguration)))))
                .build();
    }

    public static HttpConnectionManager connectionManager(String routeConfiguration) {
        return HttpConnectionManager.newBuilder()
                .setStatPrefix(routeConfiguration)
                .setRds(Rds.newBuilder().setRouteConfigName(routeConfiguration).setConfigSource(ads()))
                .addHttpFilters(HttpFilter.newBuilder()
                        .setName("envoy.filters.http.router")
                        .setTypedConfig(Any.pack(Router.getDefaultInstance())))
                .build();
    }

    public static LbEndpoint endpoint(InetSocketAddress address) {
        return LbEndpoint.newBuilder().setEndpoint(Endpoint.newBuilder().setAddress(address(address))).build();
    }

    public static ConfigSource ads() {
        return ConfigSource.newBuilder()
                .setResourceApiVersion(ApiVersion.V3)
                .setAds(AggregatedConfigSource.getDefaultInstance())
                .build();
    }

    private static Address address(InetSocketAddress address) {
        return Address.newBuilder()
                .setSocketAddress(SocketAddress.newBuilder().setAddress(address.getAddress().getHostAddress()).setPortValue(address.getPort()))
                .build();
    }

    private static <T extends Message> Map<String, T> with(Map<String, T> resources, String name, T resource) {
        Map<String, T> more = new LinkedHashMap<>(resources);
        more.put(name, resource);
        return more;
    }
}
