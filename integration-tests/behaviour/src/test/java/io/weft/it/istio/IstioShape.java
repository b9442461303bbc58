package io.weft.it.istio;

import com.github.udpa.udpa.type.v1.TypedStruct;
import com.google.protobuf.Any;
import com.google.protobuf.BoolValue;
import com.google.protobuf.Struct;
import com.google.protobuf.UInt32Value;
import com.google.protobuf.Value;
import com.google.protobuf.util.Durations;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.core.v3.Address;
import io.envoyproxy.envoy.config.core.v3.ApiConfigSource;
import io.envoyproxy.envoy.config.core.v3.ApiVersion;
import io.envoyproxy.envoy.config.core.v3.ConfigSource;
import io.envoyproxy.envoy.config.core.v3.GrpcService;
import io.envoyproxy.envoy.config.core.v3.Metadata;
import io.envoyproxy.envoy.config.core.v3.SocketAddress;
import io.envoyproxy.envoy.config.core.v3.TrafficDirection;
import io.envoyproxy.envoy.config.core.v3.TransportSocket;
import io.envoyproxy.envoy.config.endpoint.v3.ClusterLoadAssignment;
import io.envoyproxy.envoy.config.endpoint.v3.LocalityLbEndpoints;
import io.envoyproxy.envoy.config.listener.v3.Filter;
import io.envoyproxy.envoy.config.listener.v3.FilterChain;
import io.envoyproxy.envoy.config.listener.v3.FilterChainMatch;
import io.envoyproxy.envoy.config.listener.v3.Listener;
import io.envoyproxy.envoy.config.listener.v3.ListenerFilter;
import io.envoyproxy.envoy.config.route.v3.RouteConfiguration;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.envoyproxy.envoy.extensions.filters.http.router.v3.Router;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.CommonTlsContext;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.SdsSecretConfig;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.SubjectAltNameMatcher;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext;
import io.envoyproxy.envoy.type.matcher.v3.StringMatcher;
import io.weft.it.harness.Policy;
import io.weft.it.harness.Routes;
import java.net.InetSocketAddress;
import java.util.List;

/** Resources in the shape in which istiod sends them to a sidecar that has its traffic redirected to itself. */
final class IstioShape {
    private static final String TLS_MODE = "tlsMode";
    private static final Struct ISTIO = Struct.newBuilder().putFields(TLS_MODE, Value.newBuilder().setStringValue("istio").build()).build();

    /**
     * A service of the namespace {@code shop} with one endpoint.
     *
     * @param identity of the endpoint, which is called by mesh TLS; empty: it is not
     */
    Policy service(Policy policy, String name, int port, InetSocketAddress endpoint, String identity) {
        String host = name + ".shop.svc.cluster.local";
        String cluster = "outbound|" + port + "||" + host;
        RouteConfiguration.Builder routes = policy.routes().getOrDefault("80", RouteConfiguration.newBuilder().setName("80")
                .setIgnorePortInHostMatching(true).setValidateClusters(BoolValue.of(false))
                .addVirtualHosts(VirtualHost.newBuilder().setName("allow_any").addDomains("*").addRoutes(Routes.to("PassthroughCluster")))
                .build()).toBuilder();
        routes.addVirtualHosts(0, VirtualHost.newBuilder().setName(host + ":" + port).addDomains(host).addDomains(name)
                .addDomains(name + ".shop.svc").addDomains(name + ".shop").addRoutes(Routes.to(cluster)));
        return policy.cluster(passthrough()).cluster(cluster(cluster, identity)).endpoints(endpoints(cluster, endpoint, identity))
                .routes(routes.build()).listener(outbound("0.0.0.0_" + port, "0.0.0.0", port, Integer.toString(port)));
    }

    private static Cluster passthrough() {
        return Cluster.newBuilder().setName("PassthroughCluster").setType(Cluster.DiscoveryType.ORIGINAL_DST)
                .setConnectTimeout(Durations.fromSeconds(10)).setLbPolicy(Cluster.LbPolicy.CLUSTER_PROVIDED).build();
    }

    private static Cluster cluster(String name, String identity) {
        TransportSocket raw = TransportSocket.newBuilder().setName("envoy.transport_sockets.raw_buffer")
                .setTypedConfig(type("envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer")).build();
        return Cluster.newBuilder().setName(name).setType(Cluster.DiscoveryType.EDS)
                .setEdsClusterConfig(Cluster.EdsClusterConfig.newBuilder().setServiceName(name).setEdsConfig(Policy.ads()))
                // The first handshakes of a JVM take their time, on a machine that is busy.
                .setConnectTimeout(Durations.fromSeconds(60))
                .setLbPolicy(Cluster.LbPolicy.LEAST_REQUEST)
                .addFilters(io.envoyproxy.envoy.config.cluster.v3.Filter.newBuilder().setName("istio.metadata_exchange")
                        .setTypedConfig(typedStruct("envoy.tcp.metadataexchange.config.MetadataExchange")))
                .addTransportSocketMatches(Cluster.TransportSocketMatch.newBuilder().setName("tlsMode-istio").setMatch(ISTIO)
                        .setTransportSocket(tls(Any.pack(upstream(identity)))))
                .addTransportSocketMatches(Cluster.TransportSocketMatch.newBuilder().setName("tlsMode-disabled")
                        .setMatch(Struct.getDefaultInstance()).setTransportSocket(raw))
                .build();
    }

    /** Istio's own SNI has an underscore, which a server that is plain JSSE would refuse. */
    private static UpstreamTlsContext upstream(String identity) {
        CertificateValidationContext validation = identity.isEmpty() ? CertificateValidationContext.getDefaultInstance()
                : CertificateValidationContext.newBuilder().addMatchTypedSubjectAltNames(SubjectAltNameMatcher.newBuilder()
                        .setSanType(SubjectAltNameMatcher.SanType.URI).setMatcher(StringMatcher.newBuilder().setExact(identity))).build();
        return UpstreamTlsContext.newBuilder().setCommonTlsContext(common(validation)
                .addAlpnProtocols("istio-peer-exchange").addAlpnProtocols("istio")).setSni("orders.shop.svc.cluster.local").build();
    }

    private static CommonTlsContext.Builder common(CertificateValidationContext validation) {
        return CommonTlsContext.newBuilder()
                .addTlsCertificateSdsSecretConfigs(besideTheProxy("default"))
                .setCombinedValidationContext(CommonTlsContext.CombinedCertificateValidationContext.newBuilder()
                        .setDefaultValidationContext(validation).setValidationContextSdsSecretConfig(besideTheProxy("ROOTCA")));
    }

    private static SdsSecretConfig besideTheProxy(String name) {
        return SdsSecretConfig.newBuilder().setName(name).setSdsConfig(ConfigSource.newBuilder()
                .setResourceApiVersion(ApiVersion.V3)
                .setApiConfigSource(ApiConfigSource.newBuilder().setApiType(ApiConfigSource.ApiType.GRPC)
                        .setTransportApiVersion(ApiVersion.V3)
                        .addGrpcServices(GrpcService.newBuilder().setEnvoyGrpc(
                                GrpcService.EnvoyGrpc.newBuilder().setClusterName("sds-grpc"))))).build();
    }

    private static TransportSocket tls(Any context) {
        return TransportSocket.newBuilder().setName("envoy.transport_sockets.tls").setTypedConfig(context).build();
    }

    private static ClusterLoadAssignment endpoints(String cluster, InetSocketAddress endpoint, String identity) {
        Metadata metadata = identity.isEmpty() ? Metadata.getDefaultInstance()
                : Metadata.newBuilder().putFilterMetadata("envoy.transport_socket_match", ISTIO).build();
        return ClusterLoadAssignment.newBuilder().setClusterName(cluster).addEndpoints(LocalityLbEndpoints.newBuilder()
                .addLbEndpoints(Policy.endpoint(endpoint).toBuilder().setMetadata(metadata))).build();
    }

    private static Listener outbound(String name, String address, int port, String routes) {
        return Listener.newBuilder().setName(name).setTrafficDirection(TrafficDirection.OUTBOUND).setBindToPort(BoolValue.of(false))
                .setAddress(address(address, port))
                .addFilterChains(FilterChain.newBuilder().addFilters(http(routes))).build();
    }

    /** Bound to an address, of a port whose service does not say what is spoken. */
    Listener sniffed(String address, int port, String service) {
        return outbound(address + "_" + port, address, port, service + ".shop.svc.cluster.local:" + port).toBuilder()
                .addListenerFilters(listenerFilter("tls_inspector", "TlsInspector"))
                .addListenerFilters(listenerFilter("http_inspector", "HttpInspector"))
                .setFilterChains(0, FilterChain.newBuilder()
                        .setFilterChainMatch(FilterChainMatch.newBuilder().setTransportProtocol("raw_buffer")
                                .addApplicationProtocols("http/1.1").addApplicationProtocols("h2c"))
                        .addFilters(http(service + ".shop.svc.cluster.local:" + port)))
                .setDefaultFilterChain(FilterChain.newBuilder().addFilters(tcp()))
                .build();
    }

    RouteConfiguration anyHost(String name, String cluster) {
        return RouteConfiguration.newBuilder().setName(name).setIgnorePortInHostMatching(true)
                .addVirtualHosts(VirtualHost.newBuilder().setName(name).addDomains("*").addRoutes(Routes.to(cluster))).build();
    }

    /** What comes in to that port, by mesh TLS only, in the one listener that all of it is redirected to. */
    Listener inbound(int port) {
        DownstreamTlsContext context = DownstreamTlsContext.newBuilder().setRequireClientCertificate(BoolValue.of(true))
                .setCommonTlsContext(common(CertificateValidationContext.newBuilder().addMatchTypedSubjectAltNames(
                                SubjectAltNameMatcher.newBuilder().setSanType(SubjectAltNameMatcher.SanType.URI)
                                        .setMatcher(StringMatcher.newBuilder().setPrefix("spiffe://cluster.local/"))).build())
                        .addAlpnProtocols("h2").addAlpnProtocols("http/1.1")).build();
        return Listener.newBuilder().setName("virtualInbound").setTrafficDirection(TrafficDirection.INBOUND)
                .setAddress(address("0.0.0.0", 15006)).setUseOriginalDst(BoolValue.of(true))
                .addListenerFilters(listenerFilter("original_dst", "OriginalDst"))
                .addListenerFilters(listenerFilter("tls_inspector", "TlsInspector"))
                .addFilterChains(FilterChain.newBuilder().setName("virtualInbound-blackhole")
                        .setFilterChainMatch(FilterChainMatch.newBuilder().setDestinationPort(UInt32Value.of(15006))).addFilters(tcp()))
                .addFilterChains(FilterChain.newBuilder().setName("0.0.0.0_" + port)
                        .setFilterChainMatch(FilterChainMatch.newBuilder().setDestinationPort(UInt32Value.of(port)).setTransportProtocol("tls"))
                        .setTransportSocket(tls(Any.pack(context))).addFilters(http(RouteConfiguration.newBuilder()
                                .setName("inbound|" + port + "||").addVirtualHosts(VirtualHost.newBuilder().setName("inbound|http|80")
                                        .addDomains("*").addRoutes(Routes.to("inbound|" + port + "||"))).build())))
                .build();
    }

    private static Filter http(String routes) {
        return http(manager().setRds(Policy.connectionManager(routes).getRds()));
    }

    private static Filter http(RouteConfiguration routes) {
        return http(manager().setRouteConfig(routes));
    }

    private static Filter http(HttpConnectionManager.Builder manager) {
        return Filter.newBuilder().setName("envoy.filters.network.http_connection_manager").setTypedConfig(Any.pack(manager.build())).build();
    }

    private static HttpConnectionManager.Builder manager() {
        return HttpConnectionManager.newBuilder().setStatPrefix("istio").addAllHttpFilters(List.of(
                filter("istio.metadata_exchange", typedStruct("io.istio.http.peer_metadata.Config")),
                filter("istio.alpn", type("istio.envoy.config.filter.http.alpn.v2alpha1.FilterConfig")),
                filter("istio.stats", type("stats.PluginConfig")),
                filter("envoy.filters.http.router", Any.pack(Router.getDefaultInstance()))));
    }

    private static HttpFilter filter(String name, Any config) {
        return HttpFilter.newBuilder().setName(name).setTypedConfig(config).build();
    }

    private static Filter tcp() {
        return Filter.newBuilder().setName("envoy.filters.network.tcp_proxy")
                .setTypedConfig(type("envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy")).build();
    }

    private static ListenerFilter listenerFilter(String folder, String message) {
        return ListenerFilter.newBuilder().setName("envoy.filters.listener." + folder)
                .setTypedConfig(type("envoy.extensions.filters.listener." + folder + ".v3." + message)).build();
    }

    /** Istio's own messages are not in Envoy's API, and come so. */
    private static Any typedStruct(String message) {
        return Any.pack(TypedStruct.newBuilder().setTypeUrl("type.googleapis.com/" + message).setValue(Struct.getDefaultInstance()).build());
    }

    private static Any type(String message) {
        return Any.newBuilder().setTypeUrl("type.googleapis.com/" + message).build();
    }

    private static Address address(String host, int port) {
        return Address.newBuilder().setSocketAddress(SocketAddress.newBuilder().setAddress(host).setPortValue(port)).build();
    }
}
