package io.weft.policy.parse;

import static io.weft.policy.parse.Samples.address;
import static io.weft.policy.parse.Samples.chain;
import static io.weft.policy.parse.Samples.parse;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import io.weft.policy.model.HttpConnectionManager.Inline;
import io.weft.policy.model.Resending;
import io.weft.policy.model.RetryPolicy;
import io.weft.policy.model.RouteAction.Forward;
import io.weft.policy.model.RouteAction.Timeouts;
import io.weft.policy.model.RouteAction.WeightedCluster;
import io.weft.policy.model.Unhonoured;
import io.weft.policy.model.VirtualHost;
import io.weft.policy.parse.ParseOutcome.Accepted;
import io.weft.policy.parse.ParseOutcome.Refused;
import io.weft.policy.proto.envoy.config.core.v3.TrafficDirection;
import io.weft.policy.proto.envoy.config.listener.v3.Filter;
import io.weft.policy.proto.envoy.config.listener.v3.FilterChain;
import io.weft.policy.proto.envoy.config.listener.v3.FilterChainMatch;
import io.weft.policy.proto.envoy.config.listener.v3.Listener;
import io.weft.policy.proto.protobuf.Any;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** A listener for the connections to one host is a way for the requests to it. */
class ConnectionsTest {

    private interface Writing {
        void to(CodedOutputStream out) throws IOException;
    }

    private static final Writing TO_DATABASE = out -> {
        out.writeString(1, "stats");
        out.writeString(2, "database");
    };

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

    private static Filter tcp(Writing writing) {
        return Filter.newBuilder().setName("tcp").setTypedConfig(Any.newBuilder()
                .setTypeUrl("type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy").setValue(bytes(writing))).build();
    }

    private static FilterChain.Builder leading(Writing writing) {
        return FilterChain.newBuilder().addFilters(tcp(writing));
    }

    private static Listener listener(String host, Consumer<Listener.Builder> change) {
        Listener.Builder listener = Listener.newBuilder()
                .setName("database")
                .setTrafficDirection(TrafficDirection.OUTBOUND)
                .setAddress(address(host, 5432));
        change.accept(listener);
        return listener.build();
    }

    private static Accepted accepted(Listener listener) {
        ParseOutcome outcome = parse(listener);
        assertThat(outcome).as(outcome.toString()).isInstanceOf(Accepted.class);
        return (Accepted) outcome;
    }

    private static List<io.weft.policy.model.FilterChain> chains(Accepted accepted) {
        return ((io.weft.policy.model.Listener) accepted.resource()).filterChains();
    }

    private static Forward way(Accepted accepted) {
        assertThat(chains(accepted)).hasSize(1);
        VirtualHost host = ((Inline) chains(accepted).get(0).http().routes()).configuration().virtualHosts().get(0);
        assertThat(host.domains()).containsExactly("*");
        assertThat(host.routes()).hasSize(1);
        return (Forward) host.routes().get(0).action();
    }

    private static List<String> unhonoured(Accepted accepted) {
        return accepted.unhonoured().stream().map(Unhonoured::path).toList();
    }

    @Test
    void allOfThemGoToItsCluster() {
        Accepted accepted = accepted(listener("241.0.0.1", l -> l.addFilterChains(leading(TO_DATABASE))));
        assertThat(chains(accepted).get(0).http().statPrefix()).isEqualTo("stats");
        Forward way = way(accepted);
        assertThat(way.clusters().weighted()).containsExactly(WeightedCluster.of("database", 1));
        assertThat(way.timeouts()).isEqualTo(Timeouts.NONE);
        assertThat(way.resending()).isEqualTo(Resending.NONE);
        assertThat(unhonoured(accepted)).isEmpty();
    }

    @Test
    void andByWeight() {
        ByteString first = bytes(out -> {
            out.writeString(1, "database");
            out.writeUInt32(2, 90);
        });
        ByteString second = bytes(out -> {
            out.writeString(1, "next");
            out.writeUInt32(2, 10);
        });
        assertThat(way(accepted(listener("241.0.0.1", l -> l.addFilterChains(leading(out -> out.writeBytes(10, bytes(weighted -> {
            weighted.writeBytes(1, first);
            weighted.writeBytes(1, second);
        }))))))).clusters().weighted()).containsExactly(WeightedCluster.of("database", 90), WeightedCluster.of("next", 10));
    }

    @Test
    void whatCannotBeConnectedToIsLeftForAnother() {
        RetryPolicy retry = way(accepted(listener("241.0.0.1", l -> l.addFilterChains(leading(out -> {
            TO_DATABASE.to(out);
            out.writeBytes(7, bytes(number -> number.writeUInt32(1, 5)));
        }))))).resending().retry().orElseThrow();
        assertThat(retry.retries()).isEqualTo(4);
        assertThat(retry.conditions()).isEqualTo(RetryPolicy.Conditions.on(RetryPolicy.On.CONNECT_FAILURE));
    }

    @Test
    void whatIsOfConnectionsIsReported() {
        assertThat(unhonoured(accepted(listener("241.0.0.1", l -> l.addFilterChains(leading(out -> {
            TO_DATABASE.to(out);
            out.writeBytes(5, ByteString.EMPTY);
            out.writeBytes(8, ByteString.EMPTY);
        })))))).containsExactly("filter_chains[0].filters[0].typed_config.access_log", "filter_chains[0].filters[0].typed_config.idle_timeout");
    }

    /** A request to that port may be to any host. */
    @Test
    void notOfAWildcard() {
        for (String any : List.of("0.0.0.0", "::")) {
            Accepted accepted = accepted(listener(any, l -> l.addFilterChains(leading(TO_DATABASE))));
            assertThat(chains(accepted)).isEmpty();
            assertThat(unhonoured(accepted)).containsExactly("filter_chains[0] (no HTTP connection manager)");
        }
    }

    @Test
    void whereRequestsAreToldApartTheseChainsCount() {
        Accepted accepted = accepted(listener("10.0.0.1", l -> l.addFilterChains(leading(TO_DATABASE)).addFilterChains(chain(m -> {}))));
        assertThat(chains(accepted)).hasSize(1);
        assertThat(unhonoured(accepted)).contains("filter_chains[0] (no HTTP connection manager)");
    }

    /** Of which Istio sends several, for ranges and names. */
    @Test
    void ofSeveralTheOneForAll() {
        Accepted accepted = accepted(listener("10.0.0.1", l -> l
                .addFilterChains(leading(out -> out.writeString(2, "some")).setFilterChainMatch(FilterChainMatch.newBuilder().addServerNames("a")))
                .addFilterChains(leading(out -> out.writeString(2, "others")).setFilterChainMatch(FilterChainMatch.newBuilder().setTransportProtocol("tls")))
                .setDefaultFilterChain(leading(TO_DATABASE))));
        assertThat(way(accepted).clusters().weighted()).containsExactly(WeightedCluster.of("database", 1));
        assertThat(unhonoured(accepted)).containsExactly(
                "filter_chains[0] (no HTTP connection manager)", "filter_chains[1] (no HTTP connection manager)");
    }

    @Test
    void whatWouldLeadElsewhereLeadsNowhere() {
        Accepted accepted = accepted(listener("10.0.0.1", l -> l.addFilterChains(leading(out -> {
            TO_DATABASE.to(out);
            out.writeBytes(12, ByteString.EMPTY);
        }))));
        assertThat(chains(accepted)).isEmpty();
        assertThat(unhonoured(accepted)).containsExactly("filter_chains[0].filters[0].typed_config.tunneling_config");
    }

    @Test
    void whatIsWrongIsRefused() {
        assertThat(parse(listener("10.0.0.1", l -> l.addFilterChains(leading(out -> out.writeBytes(10, bytes(weighted ->
                weighted.writeBytes(1, bytes(cluster -> cluster.writeString(1, "database"))))))))))
                .isInstanceOfSatisfying(Refused.class, refused ->
                        assertThat(refused.path()).isEqualTo("filter_chains[0].filters[0].typed_config.weighted_clusters"));
        assertThat(parse(listener("10.0.0.1", l -> l.addFilterChains(leading(out -> out.writeBytes(2, ByteString.copyFrom(new byte[] {-1})))))))
                .isInstanceOf(Refused.class);
        assertThat(parse(listener("10.0.0.1", l -> l.addFilterChains(FilterChain.newBuilder()
                .addFilters(Filter.newBuilder().setName("rbac").setTypedConfig(Any.newBuilder()
                        .setTypeUrl("type.googleapis.com/envoy.extensions.filters.network.rbac.v3.RBAC")))
                .addFilters(tcp(TO_DATABASE))))))
                .isInstanceOf(Refused.class);
    }
}
