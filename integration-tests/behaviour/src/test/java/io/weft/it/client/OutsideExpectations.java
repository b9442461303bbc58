package io.weft.it.client;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Any;
import com.google.protobuf.BoolValue;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.core.v3.Address;
import io.envoyproxy.envoy.config.core.v3.SocketAddress;
import io.envoyproxy.envoy.config.core.v3.TrafficDirection;
import io.envoyproxy.envoy.config.listener.v3.Filter;
import io.envoyproxy.envoy.config.listener.v3.FilterChain;
import io.envoyproxy.envoy.config.listener.v3.Listener;
import io.envoyproxy.envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy;
import io.weft.it.harness.Policy;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What a policy says of destinations outside of the mesh holds for whatever the library would do with them by itself, TLS too. */
abstract class OutsideExpectations extends Expectations {
    private static final String NAME = "outbound:passthrough:ipv4";

    /** As kuma-cp sends it to a data plane with a transparent proxy; where nothing may be called, the cluster is not there. */
    static final Listener PASSTHROUGH = Listener.newBuilder()
            .setName(NAME)
            .setTrafficDirection(TrafficDirection.OUTBOUND)
            .setAddress(Address.newBuilder().setSocketAddress(SocketAddress.newBuilder().setAddress("0.0.0.0").setPortValue(15001)))
            .setUseOriginalDst(BoolValue.of(true))
            .addFilterChains(FilterChain.newBuilder().addFilters(Filter.newBuilder()
                    .setName("envoy.filters.network.tcp_proxy")
                    .setTypedConfig(Any.pack(TcpProxy.newBuilder().setStatPrefix(NAME).setCluster(NAME).build()))))
            .build();
    private static final Cluster OPEN = Cluster.newBuilder()
            .setName(NAME)
            .setType(Cluster.DiscoveryType.ORIGINAL_DST)
            .setLbPolicy(Cluster.LbPolicy.CLUSTER_PROVIDED)
            .build();

    @Test
    void whereNothingOutsideMayBeCalledTheMeshStillIsAndWhatIsOnThisMachine() {
        Policy mesh = Policy.empty().service("orders", a.address());
        stage().serve(mesh.listener(PASSTHROUGH).cluster(OPEN));
        assertThat(failure("http://outside.invalid/")).as("nobody knows that name").doesNotContain("MeshPassthrough");

        stage().serve(mesh.listener(PASSTHROUGH));
        assertThat(failure("http://outside.invalid/")).contains("MeshPassthrough");
        assertThat(failure("http://outside.invalid:8080/")).contains("MeshPassthrough");
        assertThat(failure("https://outside.invalid/")).contains("MeshPassthrough");
        assertThat(stage().meshed.get("http://orders/").body()).isEqualTo("a");
        assertThat(stage().meshed.get("http://localhost:" + b.address().getPort() + "/").body()).isEqualTo("b");

        stage().serve(mesh);
        assertThat(failure("https://outside.invalid/")).doesNotContain("MeshPassthrough");
    }

    private String failure(String url) {
        Map<String, String> failure = stage().meshed.getFailing(url);
        return failure.toString();
    }
}
