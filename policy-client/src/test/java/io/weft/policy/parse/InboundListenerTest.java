package io.weft.policy.parse;

import static io.weft.policy.parse.Samples.*;
import static org.assertj.core.api.Assertions.assertThat;

import io.weft.policy.model.CidrRange;
import io.weft.policy.model.ClientCertificateHeader;
import io.weft.policy.model.ClientCertificateHeader.Detail;
import io.weft.policy.model.ClientCertificateHeader.Mode;
import io.weft.policy.model.FilterChain;
import io.weft.policy.model.FilterChainMatch;
import io.weft.policy.model.FilterChainMatch.Source;
import io.weft.policy.model.FilterChainMatch.Type;
import io.weft.policy.model.HttpConnectionManager.Opaque;
import io.weft.policy.model.Listener;
import io.weft.policy.model.TransportSocket.DownstreamTls;
import io.weft.policy.model.TransportSocket.Plaintext;
import io.weft.policy.parse.ParseOutcome.Accepted;
import io.weft.policy.parse.ParseOutcome.Refused;
import io.weft.policy.proto.envoy.config.core.v3.Address;
import io.weft.policy.proto.envoy.config.core.v3.TrafficDirection;
import io.weft.policy.proto.envoy.config.core.v3.TransportSocket;
import io.weft.policy.proto.envoy.config.listener.v3.ListenerFilter;
import io.weft.policy.proto.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.ForwardClientCertDetails;
import io.weft.policy.proto.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.SetCurrentClientCertDetails;
import io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext;
import io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.CommonTlsContext;
import io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext;
import io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.SdsSecretConfig;
import io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.SubjectAltNameMatcher;
import io.weft.policy.proto.envoy.type.matcher.v3.StringMatcher;
import io.weft.policy.proto.protobuf.Any;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Inbound listeners as Kuma and Istio send them to a sidecar whose mesh has TLS, and what is wrong with others. */
class InboundListenerTest {
    private static final Any TCP_PROXY = any("envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy");

    private static SdsSecretConfig sds(String name) {
        return SdsSecretConfig.newBuilder().setName(name).setSdsConfig(ADS).build();
    }

    private static TransportSocket tls(Consumer<DownstreamTlsContext.Builder> change) {
        DownstreamTlsContext.Builder context = DownstreamTlsContext.newBuilder()
                .setRequireClientCertificate(bool(true))
                .setCommonTlsContext(CommonTlsContext.newBuilder()
                        .addTlsCertificateSdsSecretConfigs(sds("identity_cert:secret:default"))
                        .setCombinedValidationContext(CommonTlsContext.CombinedCertificateValidationContext.newBuilder()
                                .setDefaultValidationContext(CertificateValidationContext.newBuilder()
                                        .addMatchTypedSubjectAltNames(SubjectAltNameMatcher.newBuilder()
                                                .setSanType(SubjectAltNameMatcher.SanType.URI)
                                                .setMatcher(StringMatcher.newBuilder().setPrefix("spiffe://default/"))))
                                .setValidationContextSdsSecretConfig(sds("mesh_ca:secret:default"))));
        change.accept(context);
        return TransportSocket.newBuilder().setName("envoy.transport_sockets.tls").setTypedConfig(any(context.build())).build();
    }

    private static Consumer<DownstreamTlsContext.Builder> common(Consumer<CommonTlsContext.Builder> change) {
        return context -> {
            CommonTlsContext.Builder common = context.getCommonTlsContext().toBuilder();
            change.accept(common);
            context.setCommonTlsContext(common);
        };
    }

    private static io.weft.policy.proto.envoy.config.listener.v3.FilterChain.Builder http(
            Consumer<io.weft.policy.proto.envoy.config.listener.v3.FilterChainMatch.Builder> match) {
        var wanted = io.weft.policy.proto.envoy.config.listener.v3.FilterChainMatch.newBuilder();
        match.accept(wanted);
        return chain(m -> {}).toBuilder().setFilterChainMatch(wanted);
    }

    private static io.weft.policy.proto.envoy.config.listener.v3.FilterChain.Builder tcp(
            Consumer<io.weft.policy.proto.envoy.config.listener.v3.FilterChainMatch.Builder> match) {
        return http(match).clearFilters().addFilters(filter("tcp", TCP_PROXY));
    }

    private static io.weft.policy.proto.envoy.config.listener.v3.Listener inbound(
            Consumer<io.weft.policy.proto.envoy.config.listener.v3.Listener.Builder> change) {
        return listener(l -> {
            l.setName("inbound").setTrafficDirection(TrafficDirection.INBOUND).setAddress(address("10.0.0.1", 80)).clearFilterChains();
            change.accept(l);
        });
    }

    private static io.weft.policy.proto.envoy.config.listener.v3.Listener permissive() {
        return inbound(l -> l
                .addListenerFilters(ListenerFilter.newBuilder().setName("tls")
                        .setTypedConfig(any("envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector")))
                .addFilterChains(http(m -> m.setTransportProtocol("raw_buffer")))
                .addFilterChains(http(m -> m.setTransportProtocol("tls")))
                .addFilterChains(http(m -> m.setTransportProtocol("tls").addApplicationProtocols("kuma"))
                        .setTransportSocket(tls(t -> {}))));
    }

    private static Listener accepted(io.weft.policy.proto.envoy.config.listener.v3.Listener listener) {
        ParseOutcome outcome = parse(listener);
        assertThat(outcome).isInstanceOf(Accepted.class);
        return (Listener) ((Accepted) outcome).resource();
    }

    private static FilterChainMatch transport(String transport, String... protocols) {
        return new FilterChainMatch(0, List.of(), List.of(), transport, List.of(protocols), Source.ANY);
    }

    @Test
    void permissiveAsKumaSendsIt() {
        Listener listener = accepted(permissive());

        assertThat(listener.filterChains()).extracting(FilterChain::match)
                .containsExactly(transport("raw_buffer"), transport("tls"), transport("tls", "kuma"));
        assertThat(listener.filterChains()).extracting(FilterChain::transport).satisfiesExactly(
                first -> assertThat(first).isEqualTo(new Plaintext()),
                second -> assertThat(second).isEqualTo(new Plaintext()),
                third -> assertThat(third).isInstanceOfSatisfying(DownstreamTls.class, tls -> {
                    assertThat(tls.requireClientCertificate()).isTrue();
                    assertThat(tls.secrets()).containsExactlyInAnyOrder("identity_cert:secret:default", "mesh_ca:secret:default");
                }));
    }

    /** Of TCP services, too: that the app speaks HTTP is not the control plane's to know. */
    @Test
    void strictAsKumaSendsIt() {
        Any rbac = any(io.weft.policy.proto.envoy.extensions.filters.network.rbac.v3.RBAC.newBuilder().setStatPrefix("s").build());
        Listener listener = accepted(inbound(l -> l.addFilterChains(tcp(m -> {})
                .addFilters(0, filter("envoy.filters.network.rbac", rbac)).setTransportSocket(tls(t -> {})))));

        assertThat(listener.filterChains()).singleElement().satisfies(chain -> {
            assertThat(chain.transport()).isInstanceOf(DownstreamTls.class);
            assertThat(chain.http().routes()).isEqualTo(new Opaque());
            assertThat(chain.http().filters()).singleElement()
                    .satisfies(access -> assertThat(access.name()).isEqualTo("connection envoy.filters.network.rbac"));
        });
    }

    @Test
    void virtualInboundAsIstioSendsIt() {
        Listener listener = accepted(inbound(l -> l
                .setAddress(address("0.0.0.0", 15006)).setUseOriginalDst(bool(true))
                .addListenerFilters(ListenerFilter.newBuilder().setName("dst")
                        .setTypedConfig(any("envoy.extensions.filters.listener.original_dst.v3.OriginalDst")))
                .addFilterChains(tcp(m -> m.setDestinationPort(uint32(15006))))
                .addFilterChains(http(m -> m.setDestinationPort(uint32(8080)).setTransportProtocol("tls")
                        .addApplicationProtocols("istio").addApplicationProtocols("istio-peer-exchange"))
                        .setTransportSocket(tls(common(c -> c.addAlpnProtocols("h2").addAlpnProtocols("http/1.1")))))
                .addFilterChains(tcp(m -> m.addPrefixRanges(range("0.0.0.0", 0)).setTransportProtocol("raw_buffer")))
                .setDefaultFilterChain(tcp(m -> {}))));

        assertThat(listener.originalDestination()).isTrue();
        assertThat(listener.defaultFilterChain()).isPresent();
        assertThat(listener.filterChains()).extracting(FilterChain::match).containsExactly(
                FilterChainMatch.port(15006),
                new FilterChainMatch(8080, List.of(), List.of(), "tls", List.of("istio", "istio-peer-exchange"), Source.ANY),
                new FilterChainMatch(0, List.of(new CidrRange("0.0.0.0", 0)), List.of(), "raw_buffer", List.of(), Source.ANY));
    }

    @Test
    void whereAConnectionComesFromAndWhomItAsksFor() {
        Listener listener = accepted(inbound(l -> l.addFilterChains(http(m -> m
                .addServerNames("Orders.Mesh").addServerNames("*.mesh")
                .setSourceType(io.weft.policy.proto.envoy.config.listener.v3.FilterChainMatch.ConnectionSourceType.EXTERNAL)
                .addDirectSourcePrefixRanges(range("10.0.0.0", 8))
                .addSourcePrefixRanges(range("::1", 128))
                .addSourcePorts(7)))));

        assertThat(listener.filterChains().get(0).match()).isEqualTo(new FilterChainMatch(
                0, List.of(), List.of("orders.mesh", "*.mesh"), "", List.of(),
                new Source(List.of(new CidrRange("10.0.0.0", 8)), Type.EXTERNAL, List.of(new CidrRange("::1", 128)), List.of(7))));
    }

    @Test
    void whatTheAppIsToldOfTheClientsCertificate() {
        Listener listener = accepted(inbound(l -> l.addFilterChains(chain(m -> m
                .setForwardClientCertDetails(ForwardClientCertDetails.SANITIZE_SET)
                .setSetCurrentClientCertDetails(SetCurrentClientCertDetails.newBuilder()
                        .setUri(true).setDns(true).setSubject(bool(true)).setCert(true).setChain(true))))));

        assertThat(listener.filterChains().get(0).http().edge().clientCertificate())
                .isEqualTo(new ClientCertificateHeader(Mode.SANITIZE_SET, Set.of(Detail.values())));
    }

    private static io.weft.policy.proto.envoy.config.core.v3.CidrRange range(String address, int length) {
        return io.weft.policy.proto.envoy.config.core.v3.CidrRange.newBuilder()
                .setAddressPrefix(address).setPrefixLen(uint32(length)).build();
    }

    static Stream<Arguments> broken() {
        return Stream.of(
                wrong("filter_chains[2].filter_chain_match", "overlaps", permissive().toBuilder()
                        .setFilterChains(2, http(m -> m.setTransportProtocol("tls")))),
                wrong("filter_chains[2].filter_chain_match", "overlaps", permissive().toBuilder()
                        .setFilterChains(1, http(m -> m.setTransportProtocol("tls").addApplicationProtocols("h2").addApplicationProtocols("kuma")))),
                wrong("filter_chains[2].transport_socket", "not supported", permissive().toBuilder()
                        .setFilterChains(2, permissive().getFilterChains(2).toBuilder().setTransportSocket(UNKNOWN_SOCKET))),
                wrong("filter_chains[2].transport_socket.typed_config.require_sni", "not supported", socket(tls(t -> t.setRequireSni(bool(true))))),
                wrong("filter_chains[2].transport_socket.typed_config.common_tls_context", "no certificate", socket(tls(common(
                        c -> c.clearTlsCertificateSdsSecretConfigs())))),
                wrong("filter_chains[2].transport_socket.typed_config.common_tls_context", "how to check", socket(tls(common(
                        c -> c.clearCombinedValidationContext())))),
                wrong("filter_chains[2].transport_socket.typed_config.common_tls_context.tls_certificate_sds_secret_configs[0].name", "empty",
                        socket(tls(common(c -> c.setTlsCertificateSdsSecretConfigs(0, sds("")))))),
                wrong("filter_chains[0].filters[0]", "tcp_proxy", inbound(l -> l.addFilterChains(tcp(m -> {})
                        .setFilters(0, filter("redis", any("a.RedisProxy"))))).toBuilder()),
                wrong("filter_chains[0].filters[0]", "in front", inbound(l -> l.addFilterChains(tcp(m -> {})
                        .addFilters(0, filter("kafka", any("a.KafkaBroker"))))).toBuilder()),
                wrong("filter_chains[0].filters[0]", "not enforced", inbound(l -> l.addFilterChains(tcp(m -> {})
                        .addFilters(0, filter("authz", any("envoy.extensions.filters.network.ext_authz.v3.ExtAuthz"))))).toBuilder()),
                match("address_suffix", "prefix_ranges", m -> m.setAddressSuffix("x")),
                match("suffix_len", "prefix_ranges", m -> m.setSuffixLen(uint32(1))),
                match("destination_port", "65535", m -> m.setDestinationPort(uint32(65536))),
                match("source_ports[0]", "65535", m -> m.addSourcePorts(-1)),
                match("source_type", "unknown", m -> m.setSourceTypeValue(17)),
                match("prefix_ranges[0].address_prefix", "not an IP address", m -> m.addPrefixRanges(range("x", 0))),
                match("source_prefix_ranges[0].prefix_len", "0 to 128", m -> m.addSourcePrefixRanges(range("::", 129))),
                match("direct_source_prefix_ranges[0].address_prefix", "not an IP address", m -> m.addDirectSourcePrefixRanges(range("x", 0))),
                match("server_names[0]", "begins with", m -> m.addServerNames("w*.mesh")),
                match("server_names[0]", "begins with", m -> m.addServerNames("*mesh")));
    }

    private static io.weft.policy.proto.envoy.config.listener.v3.Listener.Builder socket(TransportSocket socket) {
        return permissive().toBuilder().setFilterChains(2, permissive().getFilterChains(2).toBuilder().setTransportSocket(socket));
    }

    private static Arguments match(
            String field, String reason, Consumer<io.weft.policy.proto.envoy.config.listener.v3.FilterChainMatch.Builder> change) {
        return wrong("filter_chains[0].filter_chain_match." + field, reason, inbound(l -> l.addFilterChains(http(change))).toBuilder());
    }

    private static Arguments wrong(
            String path, String reason, io.weft.policy.proto.envoy.config.listener.v3.Listener.Builder listener) {
        return Arguments.of(path, reason, listener.build());
    }

    @ParameterizedTest
    @MethodSource("broken")
    void isRefusedByItsPath(String path, String reason, io.weft.policy.proto.envoy.config.listener.v3.Listener listener) {
        ParseOutcome outcome = parse(listener);

        assertThat(outcome).isInstanceOf(Refused.class);
        assertThat(((Refused) outcome).path()).isEqualTo(path);
        assertThat(((Refused) outcome).reason()).contains(reason);
    }

    /** What no TCP client can reach is not looked at, but for what was to be secret. */
    @Test
    void aSocketFile() {
        assertThat(accepted(inbound(l -> l.setAddress(Address.newBuilder().setPipe(
                        io.weft.policy.proto.envoy.config.core.v3.Pipe.newBuilder().setPath("/s"))))).filterChains())
                .isEmpty();
    }
}
