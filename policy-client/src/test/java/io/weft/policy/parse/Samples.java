package io.weft.policy.parse;

import com.google.protobuf.MessageLite;
import io.weft.policy.proto.envoy.config.cluster.v3.Cluster;
import io.weft.policy.proto.envoy.config.core.v3.Address;
import io.weft.policy.proto.envoy.config.core.v3.AggregatedConfigSource;
import io.weft.policy.proto.envoy.config.core.v3.ConfigSource;
import io.weft.policy.proto.envoy.config.core.v3.DataSource;
import io.weft.policy.proto.envoy.config.core.v3.HeaderValue;
import io.weft.policy.proto.envoy.config.core.v3.HeaderValueOption;
import io.weft.policy.proto.envoy.config.core.v3.SocketAddress;
import io.weft.policy.proto.envoy.config.core.v3.TrafficDirection;
import io.weft.policy.proto.envoy.config.core.v3.TransportSocket;
import io.weft.policy.proto.envoy.config.core.v3.TypedExtensionConfig;
import io.weft.policy.proto.envoy.config.endpoint.v3.ClusterLoadAssignment;
import io.weft.policy.proto.envoy.config.endpoint.v3.Endpoint;
import io.weft.policy.proto.envoy.config.endpoint.v3.LbEndpoint;
import io.weft.policy.proto.envoy.config.endpoint.v3.LocalityLbEndpoints;
import io.weft.policy.proto.envoy.config.listener.v3.ApiListener;
import io.weft.policy.proto.envoy.config.listener.v3.Filter;
import io.weft.policy.proto.envoy.config.listener.v3.FilterChain;
import io.weft.policy.proto.envoy.config.listener.v3.Listener;
import io.weft.policy.proto.envoy.config.route.v3.HeaderMatcher;
import io.weft.policy.proto.envoy.config.route.v3.QueryParameterMatcher;
import io.weft.policy.proto.envoy.config.route.v3.RetryPolicy;
import io.weft.policy.proto.envoy.config.route.v3.Route;
import io.weft.policy.proto.envoy.config.route.v3.RouteAction;
import io.weft.policy.proto.envoy.config.route.v3.RouteConfiguration;
import io.weft.policy.proto.envoy.config.route.v3.RouteMatch;
import io.weft.policy.proto.envoy.config.route.v3.Vhds;
import io.weft.policy.proto.envoy.config.route.v3.VirtualHost;
import io.weft.policy.proto.envoy.config.route.v3.WeightedCluster;
import io.weft.policy.proto.envoy.extensions.filters.http.router.v3.Router;
import io.weft.policy.proto.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.weft.policy.proto.envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter;
import io.weft.policy.proto.envoy.extensions.filters.network.http_connection_manager.v3.Rds;
import io.weft.policy.proto.envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig;
import io.weft.policy.proto.envoy.extensions.path.rewrite.uri_template.v3.UriTemplateRewriteConfig;
import io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.CommonTlsContext;
import io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext;
import io.weft.policy.proto.envoy.type.matcher.v3.RegexMatcher;
import io.weft.policy.proto.protobuf.Any;
import io.weft.policy.proto.protobuf.BoolValue;
import io.weft.policy.proto.protobuf.Duration;
import io.weft.policy.proto.protobuf.UInt32Value;
import java.util.function.Consumer;

/** Resources that are accepted without a word; a test changes what it is about. */
final class Samples {
    static final String HTTP_FILTERS = "envoy.extensions.filters.http.";
    static final ConfigSource ADS =
            ConfigSource.newBuilder().setAds(AggregatedConfigSource.getDefaultInstance()).build();
    static final TransportSocket TLS = TransportSocket.newBuilder()
            .setName("envoy.transport_sockets.tls")
            .setTypedConfig(any("envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"))
            .build();
    static final TransportSocket RAW_BUFFER = TransportSocket.newBuilder()
            .setName("envoy.transport_sockets.raw_buffer")
            .setTypedConfig(any("envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer"))
            .build();

    static final TransportSocket UNKNOWN_SOCKET = TransportSocket.newBuilder()
            .setName("quic")
            .setTypedConfig(any("envoy.extensions.transport_sockets.quic.v3.QuicUpstreamTransport"))
            .build();

    private Samples() {}

    static Cluster.TransportSocketMatch transportSocket(String name, TransportSocket socket) {
        return Cluster.TransportSocketMatch.newBuilder().setName(name).setTransportSocket(socket).build();
    }

    static Cluster withTls(UpstreamTlsContext context) {
        return cluster(cluster -> cluster.setTransportSocket(
                TransportSocket.newBuilder().setName("envoy.transport_sockets.tls").setTypedConfig(any(context))));
    }

    static Cluster withCommonTls(Consumer<CommonTlsContext.Builder> change) {
        CommonTlsContext.Builder common = CommonTlsContext.newBuilder();
        change.accept(common);
        return withTls(UpstreamTlsContext.newBuilder().setCommonTlsContext(common).build());
    }

    static DataSource inline(String text) {
        return DataSource.newBuilder().setInlineString(text).build();
    }

    static Cluster cluster(Consumer<Cluster.Builder> change) {
        Cluster.Builder cluster = Cluster.newBuilder()
                .setName("orders")
                .setType(Cluster.DiscoveryType.EDS)
                .setEdsClusterConfig(Cluster.EdsClusterConfig.newBuilder().setEdsConfig(ADS));
        change.accept(cluster);
        return cluster.build();
    }

    static Cluster staticCluster(Consumer<LbEndpoint.Builder> change) {
        return cluster(cluster -> cluster.clearEdsClusterConfig()
                .setType(Cluster.DiscoveryType.STATIC)
                .setLoadAssignment(assignment(change)));
    }

    static ClusterLoadAssignment assignment(Consumer<LbEndpoint.Builder> change) {
        return ClusterLoadAssignment.newBuilder()
                .setClusterName("orders")
                .addEndpoints(LocalityLbEndpoints.newBuilder().addLbEndpoints(endpoint(change)))
                .build();
    }

    static LbEndpoint endpoint(Consumer<LbEndpoint.Builder> change) {
        LbEndpoint.Builder endpoint = LbEndpoint.newBuilder().setEndpoint(endpointAt(address("10.0.0.1", 8080)));
        change.accept(endpoint);
        return endpoint.build();
    }

    static Endpoint endpointAt(Address address) {
        return Endpoint.newBuilder().setAddress(address).build();
    }

    static Address address(String host, int port) {
        return Address.newBuilder()
                .setSocketAddress(SocketAddress.newBuilder().setAddress(host).setPortValue(port))
                .build();
    }

    static Listener listener(Consumer<Listener.Builder> change) {
        Listener.Builder listener = Listener.newBuilder()
                .setName("outbound:80")
                .setTrafficDirection(TrafficDirection.OUTBOUND)
                .setAddress(address("0.0.0.0", 80))
                .addFilterChains(chain(manager -> {}));
        change.accept(listener);
        return listener.build();
    }

    static Listener withChain(Consumer<FilterChain.Builder> change) {
        FilterChain.Builder chain = chain(manager -> {}).toBuilder();
        change.accept(chain);
        return listener(listener -> listener.setFilterChains(0, chain));
    }

    static Listener withManager(Consumer<HttpConnectionManager.Builder> change) {
        return listener(listener -> listener.setFilterChains(0, chain(change)));
    }

    static Listener apiListener(Any manager) {
        return Listener.newBuilder()
                .setName("orders:80")
                .setApiListener(ApiListener.newBuilder().setApiListener(manager))
                .build();
    }

    static FilterChain chain(Consumer<HttpConnectionManager.Builder> change) {
        return FilterChain.newBuilder().addFilters(filter("http_connection_manager", any(manager(change)))).build();
    }

    static Filter filter(String name, Any config) {
        return Filter.newBuilder().setName(name).setTypedConfig(config).build();
    }

    static HttpConnectionManager manager(Consumer<HttpConnectionManager.Builder> change) {
        HttpConnectionManager.Builder manager = HttpConnectionManager.newBuilder()
                .setStatPrefix("outbound")
                .setRds(Rds.newBuilder().setConfigSource(ADS).setRouteConfigName("80"))
                .addHttpFilters(router(Router.getDefaultInstance()));
        change.accept(manager);
        return manager.build();
    }

    static HttpFilter router(Router router) {
        return HttpFilter.newBuilder().setName("envoy.filters.http.router").setTypedConfig(any(router)).build();
    }

    static HttpFilter httpFilter(String type) {
        return HttpFilter.newBuilder().setName("filter").setTypedConfig(any(HTTP_FILTERS + type)).build();
    }

    static RouteConfiguration routes(Consumer<RouteConfiguration.Builder> change) {
        RouteConfiguration.Builder routes = RouteConfiguration.newBuilder().setName("80").addVirtualHosts(host(host -> {}));
        change.accept(routes);
        return routes.build();
    }

    /** Whose virtual hosts come by themselves. */
    static RouteConfiguration partialRoutes(Consumer<RouteConfiguration.Builder> change) {
        return routes(routes -> change.accept(routes.clearVirtualHosts().setVhds(Vhds.newBuilder().setConfigSource(ADS))));
    }

    static VirtualHost host(Consumer<VirtualHost.Builder> change) {
        VirtualHost.Builder host =
                VirtualHost.newBuilder().setName("orders").addDomains("orders").addRoutes(route(route -> {}));
        change.accept(host);
        return host.build();
    }

    static Route route(Consumer<Route.Builder> change) {
        Route.Builder route = Route.newBuilder()
                .setMatch(RouteMatch.newBuilder().setPrefix("/"))
                .setRoute(RouteAction.newBuilder().setCluster("orders"));
        change.accept(route);
        return route.build();
    }

    static RouteConfiguration withHost(Consumer<VirtualHost.Builder> change) {
        return routes(routes -> routes.setVirtualHosts(0, host(change)));
    }

    static RouteConfiguration withRoute(Consumer<Route.Builder> change) {
        return withHost(host -> host.setRoutes(0, route(change)));
    }

    static RouteConfiguration withMatch(Consumer<RouteMatch.Builder> change) {
        RouteMatch.Builder match = RouteMatch.newBuilder().setPrefix("/");
        change.accept(match);
        return withRoute(route -> route.setMatch(match));
    }

    static RouteConfiguration withHeader(Consumer<HeaderMatcher.Builder> change) {
        HeaderMatcher.Builder header = HeaderMatcher.newBuilder().setName("X-Canary");
        change.accept(header);
        return withMatch(match -> match.addHeaders(header));
    }

    static RouteConfiguration withQuery(Consumer<QueryParameterMatcher.Builder> change) {
        QueryParameterMatcher.Builder query = QueryParameterMatcher.newBuilder().setName("q");
        change.accept(query);
        return withMatch(match -> match.addQueryParameters(query));
    }

    static RouteConfiguration withAction(Consumer<RouteAction.Builder> change) {
        RouteAction.Builder action = RouteAction.newBuilder().setCluster("orders");
        change.accept(action);
        return withRoute(route -> route.setRoute(action));
    }

    static RouteConfiguration withRetry(Consumer<RetryPolicy.Builder> change) {
        RetryPolicy.Builder retry = RetryPolicy.newBuilder().setRetryOn("5xx");
        change.accept(retry);
        return withAction(action -> action.setRetryPolicy(retry));
    }

    static RetryPolicy.RetryPriority priorities(MessageLite config) {
        return RetryPolicy.RetryPriority.newBuilder()
                .setName("envoy.retry_priorities.previous_priorities")
                .setTypedConfig(any(config))
                .build();
    }

    static RouteConfiguration weighted(Consumer<WeightedCluster.Builder> change) {
        WeightedCluster.Builder clusters = WeightedCluster.newBuilder()
                .addClusters(weight("v1", 90))
                .addClusters(weight("v2", 10));
        change.accept(clusters);
        return withAction(action -> action.setWeightedClusters(clusters));
    }

    static WeightedCluster.ClusterWeight weight(String cluster, int weight) {
        return WeightedCluster.ClusterWeight.newBuilder().setName(cluster).setWeight(uint32(weight)).build();
    }

    static HeaderValueOption header(String name, String value) {
        return HeaderValueOption.newBuilder()
                .setHeader(HeaderValue.newBuilder().setKey(name).setValue(value))
                .build();
    }

    static TypedExtensionConfig template(String pathTemplate) {
        return TypedExtensionConfig.newBuilder()
                .setName("template")
                .setTypedConfig(any(UriTemplateMatchConfig.newBuilder().setPathTemplate(pathTemplate).build()))
                .build();
    }

    static TypedExtensionConfig templateRewrite(String rewrite) {
        return TypedExtensionConfig.newBuilder()
                .setName("template")
                .setTypedConfig(any(UriTemplateRewriteConfig.newBuilder().setPathTemplateRewrite(rewrite).build()))
                .build();
    }

    static RouteConfiguration templated(String pathTemplate, TypedExtensionConfig rewrite) {
        return withRoute(route -> route
                .setMatch(RouteMatch.newBuilder().setPathMatchPolicy(template(pathTemplate)))
                .setRoute(RouteAction.newBuilder().setCluster("orders").setPathRewritePolicy(rewrite)));
    }

    static RegexMatcher regex(String regex) {
        return RegexMatcher.newBuilder().setRegex(regex).build();
    }

    static UInt32Value uint32(int value) {
        return UInt32Value.newBuilder().setValue(value).build();
    }

    static BoolValue bool(boolean value) {
        return BoolValue.newBuilder().setValue(value).build();
    }

    static Duration seconds(long seconds) {
        return Duration.newBuilder().setSeconds(seconds).build();
    }

    static Duration millis(int millis) {
        return Duration.newBuilder().setNanos(millis * 1_000_000).build();
    }

    /** An extension of which nothing but the type is known. */
    static Any any(String type) {
        return Any.newBuilder().setTypeUrl("type.googleapis.com/" + type).build();
    }

    static Any any(MessageLite message) {
        String generated = message.getClass().getName();
        String type = generated.substring(generated.indexOf(".proto.") + ".proto.".length()).replace('$', '.');
        return any(type).toBuilder().setValue(message.toByteString()).build();
    }

    static ParseOutcome parse(MessageLite message) {
        Any any = any(message);
        ResourceType type = ResourceType.of(any.getTypeUrl()).orElseThrow();
        return ResourceParser.parse(new RawResource(type, "", "1", any.getValue()));
    }
}
