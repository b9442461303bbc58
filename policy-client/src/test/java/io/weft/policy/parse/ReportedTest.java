package io.weft.policy.parse;

import static io.weft.policy.parse.Samples.*;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import io.weft.policy.model.Listener;
import io.weft.policy.model.Unhonoured;
import io.weft.policy.parse.ParseOutcome.Accepted;
import io.weft.policy.proto.envoy.config.cluster.v3.CircuitBreakers;
import io.weft.policy.proto.envoy.config.cluster.v3.Cluster.DiscoveryType;
import io.weft.policy.proto.envoy.config.cluster.v3.Filter;
import io.weft.policy.proto.envoy.config.core.v3.Address;
import io.weft.policy.proto.envoy.config.core.v3.Pipe;
import io.weft.policy.proto.envoy.config.core.v3.SocketAddress;
import io.weft.policy.proto.envoy.config.listener.v3.AdditionalAddress;
import io.weft.policy.proto.envoy.config.listener.v3.FilterChainMatch;
import io.weft.policy.proto.envoy.config.route.v3.ClusterSpecifierPlugin;
import io.weft.policy.proto.envoy.config.route.v3.FilterConfig;
import io.weft.policy.proto.envoy.config.route.v3.HedgePolicy;
import io.weft.policy.proto.envoy.config.route.v3.RateLimit;
import io.weft.policy.proto.envoy.config.route.v3.RouteAction;
import io.weft.policy.proto.envoy.extensions.filters.common.set_filter_state.v3.FilterStateValue.SharedWithUpstream;
import io.weft.policy.proto.envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter;
import io.weft.policy.proto.envoy.type.v3.FractionalPercent;
import io.weft.policy.proto.protobuf.Any;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What has no effect is named; single fields are covered by {@link EveryFieldDecidedTest}, here is what takes a decision. */
class ReportedTest {

    record Case(String path, MessageLite resource) {
        @Override
        public String toString() {
            return path;
        }
    }

    /** As Istio packs its own; of the message only the first field. */
    private static Any typedStruct(String packageName, String type) {
        ByteString url = ByteString.copyFromUtf8("type.googleapis.com/" + type);
        return Any.newBuilder().setTypeUrl("type.googleapis.com/" + packageName + ".TypedStruct")
                .setValue(ByteString.copyFrom(new byte[] {10, (byte) url.size()}).concat(url)).build();
    }

    static Stream<Case> cases() {
        String manager = "filter_chains[0].filters[0].typed_config";
        return Stream.of(
                new Case("circuit_breakers.thresholds[0].max_connection_pools", cluster(c -> c.setCircuitBreakers(
                        CircuitBreakers.newBuilder().addThresholds(
                                CircuitBreakers.Thresholds.newBuilder().setMaxConnectionPools(uint32(1)))))),
                new Case("typed_extension_protocol_options[\"http\"]", cluster(c -> c.putTypedExtensionProtocolOptions("http",
                        any(io.weft.policy.proto.envoy.extensions.upstreams.http.v3.HttpProtocolOptions.newBuilder()
                                .addHttpFilters(httpFilter("upstream_codec.v3.UpstreamCodec"))
                                .build())))),
                new Case(manager + ".http_filters[0] (filter)",
                        withManager(m -> m.addHttpFilters(0, httpFilter("lua.v3.Lua").toBuilder().setIsOptional(true)))),
                new Case(manager + ".http_filters[0] (filter)",
                        withManager(m -> m.addHttpFilters(0, httpFilter("lua.v3.Lua").toBuilder().setDisabled(true)))),
                new Case(manager + ".http_filters[0] (filter)",
                        withManager(m -> m.addHttpFilters(0, httpFilter("grpc_stats.v3.FilterConfig")))),
                new Case(manager + ".http_filters[0] (istio.metadata_exchange)",
                        withManager(m -> m.addHttpFilters(0, HttpFilter.newBuilder().setName("istio.metadata_exchange")
                                .setTypedConfig(typedStruct("udpa.type.v1", "io.istio.http.peer_metadata.Config"))))),
                new Case("filter_chains[0].filters[0] (istio.metadata_exchange)", withChain(c -> c.addFilters(0, filter(
                        "istio.metadata_exchange", typedStruct("xds.type.v3", "envoy.tcp.metadataexchange.config.MetadataExchange"))))),
                new Case("filters[0] (istio.metadata_exchange)", cluster(c -> c.addFilters(Filter.newBuilder()
                        .setName("istio.metadata_exchange")
                        .setTypedConfig(typedStruct("udpa.type.v1", "envoy.tcp.metadataexchange.config.MetadataExchange"))))),
                new Case("typed_per_filter_config[\"lua\"].config", routes(r -> r.putTypedPerFilterConfig("lua",
                        any(FilterConfig.newBuilder().setIsOptional(true).setConfig(any("x.Lua")).build())))),
                new Case("typed_per_filter_config[\"s\"]", routes(r -> r.putTypedPerFilterConfig("s", any("stats.PluginConfig")))),
                new Case("cluster_specifier_plugins[0]", routes(r ->
                        r.addClusterSpecifierPlugins(ClusterSpecifierPlugin.newBuilder().setIsOptional(true)))),
                new Case("virtual_hosts[0].routes[0].route.request_mirror_policies[0].trace_sampled", withAction(a ->
                        a.addRequestMirrorPolicies(RouteAction.RequestMirrorPolicy.newBuilder()
                                .setCluster("shadow").setTraceSampled(bool(true))))),
                new Case("virtual_hosts[0].routes[0].route.rate_limits[0].actions[0]", withAction(a ->
                        a.addRateLimits(RateLimit.newBuilder().addActions(RateLimit.Action.newBuilder()
                                .setSourceCluster(RateLimit.Action.SourceCluster.getDefaultInstance()))))),
                new Case("virtual_hosts[0].routes[0].route.rate_limits[0].disable_key", withAction(a ->
                        a.addRateLimits(RateLimit.newBuilder().setDisableKey("off").addActions(RateLimit.Action.newBuilder()
                                .setRemoteAddress(RateLimit.Action.RemoteAddress.getDefaultInstance()))))),
                new Case("filter_chains[0].filters[0].typed_config.http_filters[0].typed_config.on_request_headers[0].read_only",
                        withManager(m -> m.addHttpFilters(0, httpFilter("").toBuilder()
                                .setTypedConfig(any(RefusedTest.state(v -> v.setReadOnly(true))))))),
                new Case("filter_chains[0].filters[0].typed_config.http_filters[0].typed_config.on_request_headers[0].shared_with_upstream",
                        withManager(m -> m.addHttpFilters(0, httpFilter("").toBuilder()
                                .setTypedConfig(any(RefusedTest.state(v -> v.setSharedWithUpstream(SharedWithUpstream.ONCE))))))),
                new Case("virtual_hosts[0].routes[0].route.hedge_policy.initial_requests", withAction(a ->
                        a.setHedgePolicy(HedgePolicy.newBuilder().setInitialRequests(uint32(2))))),
                new Case("virtual_hosts[0].routes[0].route.hedge_policy.additional_request_chance", withAction(a ->
                        a.setHedgePolicy(HedgePolicy.newBuilder()
                                .setAdditionalRequestChance(FractionalPercent.newBuilder().setNumerator(5))))),
                new Case("virtual_hosts[0].routes[0].route.retry_policy.retry_on (http3-post-connect-failure)",
                        withRetry(r -> r.setRetryOn("5xx,http3-post-connect-failure"))),
                new Case("dns_refresh_rate", cluster(c -> c.clearEdsClusterConfig()
                        .setType(DiscoveryType.STRICT_DNS)
                        .setLoadAssignment(assignment(e -> {}))
                        .setDnsRefreshRate(io.weft.policy.proto.protobuf.Duration.newBuilder().setNanos(5_000_000)))),
                new Case("additional_addresses[0]", listener(l ->
                        l.addAdditionalAddresses(AdditionalAddress.newBuilder().setAddress(address("::", 80))))),
                new Case("filter_chains[0].filters[0] (metadata)", withChain(c -> c.clearFilters()
                        .addFilters(filter("metadata", any("envoy.tcp.metadataexchange.config.MetadataExchange")))
                        .addFilters(filter("http", any(manager(m -> {})))))),
                new Case("filter_chains", apiListener(any(manager(m -> {}))).toBuilder().addFilterChains(chain(m -> {})).build()));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void namesTheFieldAndTheResource(Case reported) {
        ParseOutcome outcome = parse(reported.resource());

        assertThat(outcome).isInstanceOf(Accepted.class);
        Accepted accepted = (Accepted) outcome;
        assertThat(accepted.unhonoured())
                .containsExactly(new Unhonoured(accepted.type().label() + ' ' + accepted.name(), reported.path()));
    }

    static Stream<Case> withoutHttp() {
        return Stream.of(
                new Case("filter_chains[0] (no HTTP connection manager)", withChain(c -> c.clearFilters()
                        .addFilters(filter("tcp", any("envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"))))),
                new Case("filter_chains[0].filter_chain_match (not for plaintext HTTP)", withChain(c ->
                        c.setFilterChainMatch(FilterChainMatch.newBuilder().setTransportProtocol("tls")))),
                new Case("filter_chains[0].filter_chain_match (not for plaintext HTTP)", withChain(c ->
                        c.setFilterChainMatch(FilterChainMatch.newBuilder().addServerNames("orders")))),
                new Case("filter_chains[0].filter_chain_match (not for plaintext HTTP)", withChain(c ->
                        c.setFilterChainMatch(FilterChainMatch.newBuilder().addApplicationProtocols("istio")))),
                new Case("internal_listener", listener(l -> l.setInternalListener(
                        io.weft.policy.proto.envoy.config.listener.v3.Listener.InternalListenerConfig.getDefaultInstance()))),
                new Case("address.pipe", listener(l -> l.setAddress(Address.newBuilder().setPipe(Pipe.newBuilder().setPath("/s"))))),
                new Case("address (UDP)", listener(l -> l.setAddress(Address.newBuilder().setSocketAddress(
                        SocketAddress.newBuilder().setProtocol(SocketAddress.Protocol.UDP).setAddress("::").setPortValue(53))))));
    }

    @ParameterizedTest
    @MethodSource("withoutHttp")
    void aListenerThatCarriesNoHttpHasNoChains(Case reported) {
        Accepted accepted = (Accepted) parse(reported.resource());

        assertThat(((Listener) accepted.resource()).filterChains()).isEmpty();
        assertThat(accepted.unhonoured()).extracting(Unhonoured::path).isEqualTo(List.of(reported.path()));
    }

    @Test
    void aChainForTcpBesideOneForHttp() {
        Accepted accepted = (Accepted) parse(listener(l -> l.setDefaultFilterChain(
                io.weft.policy.proto.envoy.config.listener.v3.FilterChain.newBuilder()
                        .addFilters(filter("tcp", any("envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"))))));

        assertThat(((Listener) accepted.resource()).filterChains()).hasSize(1);
        assertThat(accepted.unhonoured())
                .extracting(Unhonoured::path)
                .containsExactly("default_filter_chain (no HTTP connection manager)");
    }
}
