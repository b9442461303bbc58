package io.weft.it.harness;

import com.google.protobuf.Any;
import com.google.protobuf.BoolValue;
import com.google.protobuf.Message;
import com.google.protobuf.util.Durations;
import io.envoyproxy.envoy.config.core.v3.Address;
import io.envoyproxy.envoy.config.core.v3.RuntimeFractionalPercent;
import io.envoyproxy.envoy.config.core.v3.SocketAddress;
import io.envoyproxy.envoy.config.core.v3.TrafficDirection;
import io.envoyproxy.envoy.config.core.v3.TransportSocket;
import io.envoyproxy.envoy.config.listener.v3.Filter;
import io.envoyproxy.envoy.config.listener.v3.FilterChain;
import io.envoyproxy.envoy.config.listener.v3.FilterChainMatch;
import io.envoyproxy.envoy.config.listener.v3.Listener;
import io.envoyproxy.envoy.config.rbac.v3.Permission;
import io.envoyproxy.envoy.config.rbac.v3.Policy;
import io.envoyproxy.envoy.config.rbac.v3.Principal;
import io.envoyproxy.envoy.config.rbac.v3.RBAC;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.config.route.v3.RouteConfiguration;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.envoyproxy.envoy.extensions.filters.common.fault.v3.FaultDelay;
import io.envoyproxy.envoy.extensions.filters.http.fault.v3.FaultAbort;
import io.envoyproxy.envoy.extensions.filters.http.fault.v3.HTTPFault;
import io.envoyproxy.envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.ForwardClientCertDetails;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.SetCurrentClientCertDetails;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.CertificateProviderPluginInstance;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.CommonTlsContext;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.SubjectAltNameMatcher;
import io.envoyproxy.envoy.type.matcher.v3.PathMatcher;
import io.envoyproxy.envoy.type.matcher.v3.StringMatcher;
import io.envoyproxy.envoy.type.v3.FractionalPercent;
import io.envoyproxy.envoy.type.v3.TokenBucket;
import java.time.Duration;
import java.util.List;

/** Inbound listeners as Kuma and Istio write them, for whoever has a name of the trust domain {@code mesh} or {@code cluster.local}. */
public final class Inbounds {
    private static final List<String> MESH_PROTOCOLS =
            List.of("kuma", "istio", "istio-peer-exchange", "istio-http/1.0", "istio-http/1.1", "istio-h2");

    private static final FractionalPercent ALL = FractionalPercent.newBuilder().setNumerator(100).build();
    private static final RuntimeFractionalPercent ALWAYS = RuntimeFractionalPercent.newBuilder().setDefaultValue(ALL).build();

    /** Of {@link #controlled}. */
    public static final Duration DELAY = Duration.ofMillis(500);

    private static final CertificateProviderPluginInstance PROVIDER =
            CertificateProviderPluginInstance.newBuilder().setInstanceName("default").build();

    private final int port;
    private final TransportSocket tls;

    private Inbounds(int port, CommonTlsContext.Builder own) {
        this.port = port;
        tls = TransportSocket.newBuilder()
                .setName("envoy.transport_sockets.tls")
                .setTypedConfig(Any.pack(DownstreamTlsContext.newBuilder()
                        .setRequireClientCertificate(BoolValue.of(true))
                        .setCommonTlsContext(own.addAlpnProtocols("h2").addAlpnProtocols("http/1.1"))
                        .build()))
                .build();
    }

    /** The app shows this certificate. */
    public static Inbounds of(int port, Authority authority, Certified own) {
        return new Inbounds(port, CommonTlsContext.newBuilder()
                .addTlsCertificates(MeshTlsSockets.certificate(own))
                .setValidationContext(clients(authority)));
    }

    /** Of an app whose certificate nobody sends. */
    public static Inbounds withoutIdentity(int port, Authority authority) {
        return new Inbounds(port, CommonTlsContext.newBuilder()
                .addTlsCertificateSdsSecretConfigs(MeshTlsSockets.byName("identity"))
                .setValidationContext(clients(authority)));
    }

    /** Who the app is, and whom it trusts, is left to the process. */
    public static Inbounds provided(int port) {
        return new Inbounds(port, CommonTlsContext.newBuilder()
                .setTlsCertificateProviderInstance(PROVIDER)
                .setValidationContext(
                        CertificateValidationContext.newBuilder().setCaCertificateProviderInstance(PROVIDER)));
    }

    /** With the names of its secrets. */
    public static Inbounds bySecrets(int port, String identity, String authorities) {
        return new Inbounds(port, CommonTlsContext.newBuilder()
                .addTlsCertificateSdsSecretConfigs(MeshTlsSockets.byName(identity))
                .setValidationContextSdsSecretConfig(MeshTlsSockets.byName(authorities)));
    }

    private static CertificateValidationContext clients(Authority authority) {
        return CertificateValidationContext.newBuilder()
                .setTrustedCa(MeshTlsSockets.inline(Certified.pem(authority.certificate())))
                .addMatchTypedSubjectAltNames(SubjectAltNameMatcher.newBuilder()
                        .setSanType(SubjectAltNameMatcher.SanType.URI)
                        .setMatcher(StringMatcher.newBuilder().setPrefix("spiffe://mesh/")))
                .addMatchTypedSubjectAltNames(SubjectAltNameMatcher.newBuilder()
                        .setSanType(SubjectAltNameMatcher.SanType.URI)
                        .setMatcher(StringMatcher.newBuilder().setPrefix("spiffe://cluster.local/")))
                .build();
    }

    public Listener plaintext() {
        return listener(chain(manager()));
    }

    /** In plaintext, and nobody may ask for paths that begin so. */
    public Listener forbidding(String prefix) {
        return listener(chain(manager(deny(prefix))));
    }

    private static RBAC deny(String prefix) {
        return RBAC.newBuilder().setAction(RBAC.Action.DENY).putPolicies("forbidden", Policy.newBuilder()
                .addPermissions(Permission.newBuilder().setUrlPath(
                        PathMatcher.newBuilder().setPath(StringMatcher.newBuilder().setPrefix(prefix))))
                .addPrincipals(Principal.newBuilder().setAny(true))
                .build()).build();
    }

    public Listener permissive() {
        return permissive(manager());
    }

    private Listener permissive(HttpConnectionManager.Builder manager) {
        return listener(
                chain(manager).setFilterChainMatch(FilterChainMatch.newBuilder().setTransportProtocol("raw_buffer")),
                chain(manager).setFilterChainMatch(FilterChainMatch.newBuilder().setTransportProtocol("tls")),
                chain(manager).setTransportSocket(tls).setFilterChainMatch(
                        FilterChainMatch.newBuilder().setTransportProtocol("tls").addAllApplicationProtocols(MESH_PROTOCOLS)));
    }

    /**
     * Permissive, where nobody may ask for paths that begin so. A request whose header {@code x-control} says {@code limited} is one of two
     * that may come in an hour, {@code aborted} is answered with 503, and {@code delayed} waits for {@link #DELAY}.
     */
    public Listener controlled(String forbidden) {
        LocalRateLimit limit = LocalRateLimit.newBuilder()
                .setStatPrefix("limited")
                .setTokenBucket(TokenBucket.newBuilder().setMaxTokens(2).setFillInterval(Durations.fromHours(1)))
                .setFilterEnabled(ALWAYS)
                .setFilterEnforced(ALWAYS)
                .setRateLimitedAsResourceExhausted(true)
                .build();
        HTTPFault aborted = HTTPFault.newBuilder().setAbort(FaultAbort.newBuilder().setHttpStatus(503).setPercentage(ALL)).build();
        HTTPFault delayed = HTTPFault.newBuilder()
                .setDelay(FaultDelay.newBuilder().setFixedDelay(Durations.fromMillis(DELAY.toMillis())).setPercentage(ALL))
                .build();
        HttpConnectionManager.Builder manager = manager(deny(forbidden))
                .addHttpFilters(1, HttpFilter.newBuilder().setName("limit")
                        .setTypedConfig(Any.pack(LocalRateLimit.newBuilder().setStatPrefix("none").build())))
                .addHttpFilters(2, HttpFilter.newBuilder().setName("fault").setTypedConfig(Any.pack(HTTPFault.getDefaultInstance())));
        manager.getRouteConfigBuilder().getVirtualHostsBuilder(0)
                .addRoutes(0, controlled("limited", "limit", limit))
                .addRoutes(1, controlled("aborted", "fault", aborted))
                .addRoutes(2, controlled("delayed", "fault", delayed));
        return permissive(manager);
    }

    private static Route controlled(String what, String filter, Message config) {
        return Routes.whenHeader("x-control", what, Routes.to("app")).toBuilder().putTypedPerFilterConfig(filter, Any.pack(config)).build();
    }

    public Listener strict() {
        return listener(chain(manager()).setTransportSocket(tls));
    }

    /** Strict, and for this caller only. */
    public Listener strictFor(String spiffeId) {
        RBAC rules = RBAC.newBuilder().putPolicies("caller", Policy.newBuilder()
                .addPermissions(Permission.newBuilder().setAny(true))
                .addPrincipals(Principal.newBuilder().setAuthenticated(Principal.Authenticated.newBuilder()
                        .setPrincipalName(StringMatcher.newBuilder().setExact(spiffeId))))
                .build()).build();
        return listener(chain(manager(rules)).setTransportSocket(tls));
    }

    /** Takes both, and in plaintext no other path than this: a health check's, say, of somebody who is not of the mesh. */
    public Listener strictExcept(String path) {
        RBAC rules = RBAC.newBuilder()
                .putPolicies("mesh", Policy.newBuilder()
                        .addPermissions(Permission.newBuilder().setAny(true))
                        .addPrincipals(Principal.newBuilder().setAuthenticated(Principal.Authenticated.getDefaultInstance()))
                        .build())
                .putPolicies("except", Policy.newBuilder()
                        .addPermissions(Permission.newBuilder().setUrlPath(
                                PathMatcher.newBuilder().setPath(StringMatcher.newBuilder().setExact(path))))
                        .addPrincipals(Principal.newBuilder().setAny(true))
                        .build())
                .build();
        return listener(
                chain(manager(rules)).setFilterChainMatch(FilterChainMatch.newBuilder().setTransportProtocol("raw_buffer")),
                chain(manager(rules)).setTransportSocket(tls).setFilterChainMatch(
                        FilterChainMatch.newBuilder().setTransportProtocol("tls")));
    }

    private static HttpConnectionManager.Builder manager(RBAC rules) {
        return manager().addHttpFilters(0, HttpFilter.newBuilder().setName("rbac").setTypedConfig(Any.pack(
                io.envoyproxy.envoy.extensions.filters.http.rbac.v3.RBAC.newBuilder().setRules(rules).build())));
    }

    private static HttpConnectionManager.Builder manager() {
        return HttpConnectionManager.newBuilder()
                .setStatPrefix("inbound")
                .setForwardClientCertDetails(ForwardClientCertDetails.SANITIZE_SET)
                .setSetCurrentClientCertDetails(SetCurrentClientCertDetails.newBuilder().setUri(true))
                .setRouteConfig(RouteConfiguration.newBuilder()
                        .addVirtualHosts(VirtualHost.newBuilder().setName("app").addDomains("*").addRoutes(Routes.to("app"))))
                .addAllHttpFilters(io.weft.it.harness.Policy.connectionManager("router").getHttpFiltersList());
    }

    private static FilterChain.Builder chain(HttpConnectionManager.Builder manager) {
        return FilterChain.newBuilder().addFilters(
                Filter.newBuilder().setName("http").setTypedConfig(Any.pack(manager.build())));
    }

    private Listener listener(FilterChain.Builder... chains) {
        Listener.Builder listener = Listener.newBuilder()
                .setName("inbound:" + port)
                .setTrafficDirection(TrafficDirection.INBOUND)
                .setAddress(Address.newBuilder()
                        .setSocketAddress(SocketAddress.newBuilder().setAddress("127.0.0.1").setPortValue(port)));
        for (FilterChain.Builder chain : chains) {
            listener.addFilterChains(chain);
        }
        return listener.build();
    }
}
