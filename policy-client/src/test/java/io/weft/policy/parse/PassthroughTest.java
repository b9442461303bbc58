package io.weft.policy.parse;

import static io.weft.policy.parse.Samples.*;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import io.weft.policy.model.FilterChainMatch;
import io.weft.policy.model.Passthrough;
import io.weft.policy.model.Passthrough.Chain;
import io.weft.policy.model.Passthrough.Way;
import io.weft.policy.parse.ParseOutcome.Accepted;
import io.weft.policy.parse.ParseOutcome.Refused;
import io.weft.policy.proto.envoy.config.core.v3.Address;
import io.weft.policy.proto.envoy.config.core.v3.SocketAddress;
import io.weft.policy.proto.envoy.config.core.v3.TrafficDirection;
import io.weft.policy.proto.envoy.config.listener.v3.Filter;
import io.weft.policy.proto.envoy.config.listener.v3.FilterChain;
import io.weft.policy.proto.envoy.config.listener.v3.Listener;
import io.weft.policy.proto.envoy.config.route.v3.DirectResponseAction;
import io.weft.policy.proto.envoy.config.route.v3.Route;
import io.weft.policy.proto.envoy.config.route.v3.RouteAction;
import io.weft.policy.proto.envoy.config.route.v3.RouteConfiguration;
import io.weft.policy.proto.envoy.config.route.v3.RouteMatch;
import io.weft.policy.proto.envoy.config.route.v3.VirtualHost;
import io.weft.policy.proto.envoy.extensions.filters.http.router.v3.Router;
import io.weft.policy.proto.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.weft.policy.proto.envoy.extensions.filters.network.http_connection_manager.v3.Rds;
import io.weft.policy.proto.protobuf.Any;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What becomes of connections to destinations outside of the mesh, as Kuma and Istio say it to a sidecar that has them all redirected. */
class PassthroughTest {
    private static final String TCP_PROXY = "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy";
    private static final String RBAC = "type.googleapis.com/envoy.extensions.filters.network.rbac.v3.RBAC";

    private interface Writing {
        void to(CodedOutputStream out) throws IOException;
    }

    private static ByteString bytes(Writing writing) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        CodedOutputStream out = CodedOutputStream.newInstance(bytes);
        try {
            writing.to(out);
            out.flush();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        return ByteString.copyFrom(bytes.toByteArray());
    }

    private static Filter filter(String type, ByteString config) {
        return Filter.newBuilder().setName("f").setTypedConfig(Any.newBuilder().setTypeUrl(type).setValue(config)).build();
    }

    private static Filter tcp(Writing writing) {
        return filter(TCP_PROXY, bytes(writing));
    }

    private static final FilterChainMatch HTTP = new FilterChainMatch(0, List.of(), List.of(), "", List.of("http/1.1"), FilterChainMatch.Source.ANY);

    private static Listener listener(Filter... filters) {
        return listener(FilterChain.newBuilder().addAllFilters(List.of(filters)));
    }

    private static Listener overHttp(Filter... filters) {
        return listener(FilterChain.newBuilder().addAllFilters(List.of(filters)).setFilterChainMatch(
                io.weft.policy.proto.envoy.config.listener.v3.FilterChainMatch.newBuilder().addApplicationProtocols("http/1.1")));
    }

    private static Listener listener(FilterChain.Builder chain) {
        return Listener.newBuilder()
                .setName("outbound:passthrough:ipv4")
                .setTrafficDirection(TrafficDirection.OUTBOUND)
                .setUseOriginalDst(bool(true))
                .setAddress(Address.newBuilder()
                        .setSocketAddress(SocketAddress.newBuilder().setAddress("0.0.0.0").setPortValue(15001)))
                .addFilterChains(chain)
                .build();
    }

    private static io.weft.policy.model.Listener accepted(Listener listener) {
        ParseOutcome outcome = parse(listener);
        assertThat(outcome).as(outcome.toString()).isInstanceOf(Accepted.class);
        return (io.weft.policy.model.Listener) ((Accepted) outcome).resource();
    }

    private static Passthrough passthrough(Filter... filters) {
        io.weft.policy.model.Listener listener = accepted(listener(filters));
        assertThat(listener.filterChains()).as("are for no host").isEmpty();
        return listener.passthrough().orElseThrow();
    }

    private static Passthrough leadingTo(List<Way> ways) {
        return new Passthrough(List.of(new Chain(FilterChainMatch.ANY, ways)), Optional.empty());
    }

    @Test
    void whereBytesLead() {
        assertThat(passthrough(tcp(out -> {
            out.writeString(1, "stats");
            out.writeString(2, "outbound:passthrough:ipv4");
        }))).isEqualTo(leadingTo(List.of(new Way(List.of("*"), Set.of("outbound:passthrough:ipv4")))));
        ByteString a = bytes(out -> {
            out.writeString(1, "a");
            out.writeUInt32(2, 1);
        });
        ByteString b = bytes(out -> out.writeString(1, "b"));
        assertThat(passthrough(tcp(out -> out.writeBytes(10, bytes(weighted -> {
            weighted.writeBytes(1, a);
            weighted.writeBytes(1, b);
        }))))).isEqualTo(leadingTo(List.of(new Way(List.of("*"), Set.of("a", "b")))));
        assertThat(passthrough()).as("without a filter").isEqualTo(leadingTo(List.of()));
        assertThat(passthrough(filter("type.googleapis.com/envoy.extensions.filters.network.redis_proxy.v3.RedisProxy", ByteString.EMPTY)))
                .as("of what nobody knows").isEqualTo(leadingTo(List.of()));
    }

    private static Route.Builder all() {
        return Route.newBuilder().setMatch(RouteMatch.newBuilder().setPrefix("/"));
    }

    private static Filter http(HttpConnectionManager.Builder manager) {
        return Filter.newBuilder().setName("http").setTypedConfig(any(manager.setStatPrefix("http").clearHttpFilters().addHttpFilters(router(Router.getDefaultInstance())).build())).build();
    }

    @Test
    void whereHostsLead() {
        HttpConnectionManager.Builder manager = HttpConnectionManager.newBuilder().setRouteConfig(RouteConfiguration.newBuilder()
                .addVirtualHosts(VirtualHost.newBuilder().setName("a").addDomains("a.com").addDomains("a.com:80")
                        .addRoutes(all().setRoute(RouteAction.newBuilder().setCluster("meshpassthrough_http_a.com_80"))))
                .addVirtualHosts(VirtualHost.newBuilder().setName("no_match").addDomains("*")
                        .addRoutes(all().setDirectResponse(DirectResponseAction.newBuilder().setStatus(503)))));
        assertThat(accepted(overHttp(http(manager))).passthrough()).contains(new Passthrough(List.of(new Chain(HTTP, List.of(
                new Way(List.of("a.com", "a.com:80"), Set.of("meshpassthrough_http_a.com_80")), new Way(List.of("*"), Set.of())))),
                Optional.empty()));
        assertThat(accepted(listener(http(manager))).passthrough()).as("hosts by their names").isEmpty();
    }

    private static final FilterChainMatch SHOP = new FilterChainMatch(0, List.of(), List.of("shop.example.com"), "", List.of(), FilterChainMatch.Source.ANY);

    private static FilterChain.Builder toShop() {
        return FilterChain.newBuilder().addFilters(tcp(out -> out.writeString(2, "shop"))).setFilterChainMatch(
                io.weft.policy.proto.envoy.config.listener.v3.FilterChainMatch.newBuilder().addServerNames("Shop.example.com"));
    }

    /** As istiod sends it for a port over which some speak HTTP and others TLS, and what is neither's goes nowhere. */
    @Test
    void aPortOfAllAddressesLeadsItsConnectionsByTheirNames() {
        Listener both = listener(FilterChain.newBuilder().addFilters(http(HttpConnectionManager.newBuilder()
                        .setRds(Rds.newBuilder().setConfigSource(ADS).setRouteConfigName("80")))))
                .toBuilder().clearUseOriginalDst().addFilterChains(toShop())
                .setDefaultFilterChain(FilterChain.newBuilder().addFilters(tcp(out -> out.writeString(2, "BlackHoleCluster"))))
                .build();
        io.weft.policy.model.Listener accepted = accepted(both);
        assertThat(accepted.filterChains()).as("for requests").hasSize(1);
        assertThat(accepted.originalDestination()).isFalse();
        assertThat(accepted.passthrough()).contains(new Passthrough(
                List.of(new Chain(FilterChainMatch.ANY, List.of()), new Chain(SHOP, List.of(new Way(List.of("*"), Set.of("shop"))))),
                Optional.of(new Chain(FilterChainMatch.ANY, List.of(new Way(List.of("*"), Set.of("BlackHoleCluster")))))));

        assertThat(accepted(both.toBuilder().removeFilterChains(1).clearDefaultFilterChain().build()).passthrough()).as("HTTP alone").isEmpty();
        assertThat(accepted(both.toBuilder().removeFilterChains(0).clearDefaultFilterChain().build()).passthrough()).as("TLS alone").isPresent();
    }

    @Test
    void whatCannotBeToldIsRefused() {
        assertThat(parse(listener(filter(RBAC, ByteString.EMPTY), tcp(out -> out.writeString(2, "a")))))
                .isInstanceOfSatisfying(Refused.class, refused -> assertThat(refused.path()).isEqualTo("filter_chains[0].filters[0]"));
        assertThat(parse(overHttp(http(HttpConnectionManager.newBuilder()
                        .setRds(Rds.newBuilder().setConfigSource(ADS).setRouteConfigName("elsewhere"))))))
                .isInstanceOfSatisfying(Refused.class, refused -> assertThat(refused.reason()).contains("inline"));
        assertThat(parse(listener(filter(TCP_PROXY, ByteString.copyFrom(new byte[] {0x12, 0x7f})))))
                .isInstanceOfSatisfying(Refused.class, refused -> assertThat(refused.reason()).contains("not a valid"));
    }
}
