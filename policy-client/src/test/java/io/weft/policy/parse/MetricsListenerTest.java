package io.weft.policy.parse;

import static io.weft.policy.parse.Samples.*;
import static org.assertj.core.api.Assertions.assertThat;

import io.weft.policy.model.HostPort;
import io.weft.policy.model.MetricsPort;
import io.weft.policy.model.NameTable;
import io.weft.policy.model.PolicySnapshot;
import io.weft.policy.model.Unhonoured;
import io.weft.policy.parse.ParseOutcome.Accepted;
import io.weft.policy.parse.ParseOutcome.Refused;
import io.weft.policy.proto.envoy.config.cluster.v3.Cluster;
import io.weft.policy.proto.envoy.config.core.v3.Address;
import io.weft.policy.proto.envoy.config.core.v3.Pipe;
import io.weft.policy.proto.envoy.config.core.v3.SocketAddress;
import io.weft.policy.proto.envoy.config.core.v3.TrafficDirection;
import io.weft.policy.proto.envoy.config.core.v3.TransportSocket;
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
import io.weft.policy.proto.envoy.config.route.v3.VirtualHost;
import io.weft.policy.proto.envoy.extensions.filters.http.router.v3.Router;
import io.weft.policy.proto.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Where a MeshMetric wants metrics to be read, as kuma-cp makes a listener of it. */
class MetricsListenerTest {

    private static Listener.Builder listener(String name, RouteMatch.Builder match) {
        HttpConnectionManager manager = HttpConnectionManager.newBuilder()
                .setStatPrefix("metrics")
                .addHttpFilters(router(Router.getDefaultInstance()))
                .setRouteConfig(RouteConfiguration.newBuilder().addVirtualHosts(VirtualHost.newBuilder().setName("v").addDomains("*")
                        .addRoutes(Route.newBuilder().setMatch(match)
                                .setRoute(RouteAction.newBuilder().setCluster("_kuma:metrics:hijacker").setPrefixRewrite("/meshmetric")))))
                .build();
        return Listener.newBuilder()
                .setName(name)
                .setTrafficDirection(TrafficDirection.INBOUND)
                .setAddress(Address.newBuilder()
                        .setSocketAddress(SocketAddress.newBuilder().setAddress("10.0.0.1").setPortValue(5670)))
                .addFilterChains(FilterChain.newBuilder().addFilters(Filter.newBuilder().setName("http").setTypedConfig(any(manager))));
    }

    @ParameterizedTest
    @ValueSource(strings = {"_kuma:metrics:prometheus:default-backend", "system_meshmetric_prometheus_default-backend"})
    void whereMetricsAreToBeRead(String name) {
        ParseOutcome outcome = parse(listener(name, RouteMatch.newBuilder().setPrefix("/metrics")).build());
        io.weft.policy.model.Listener parsed = (io.weft.policy.model.Listener) ((Accepted) outcome).resource();
        assertThat(parsed.filterChains()).isEmpty();
        PolicySnapshot snapshot = new PolicySnapshot(
                1, Map.of(name, parsed), Map.of(), Map.of(), Map.of(), Map.of(), NameTable.EMPTY, List.of());
        assertThat(MetricsPort.of(snapshot)).containsExactly(new MetricsPort(new HostPort("10.0.0.1", 5670), "/metrics"));
        assertThat(MetricsPort.of(PolicySnapshot.empty())).isEmpty();
    }

    /** On a socket of kuma-dp's, as a real kuma-cp sends it. */
    @ParameterizedTest
    @ValueSource(strings = {"_kuma:metrics:hijacker", "system_meshmetric_prometheus_default-backend"})
    void whatIsBehindItIsNotThere(String name) {
        assertThat(parse(onSocket(name))).isInstanceOfSatisfying(Accepted.class, accepted -> {
            assertThat(accepted.unhonoured()).extracting(Unhonoured::path).contains("load_assignment");
            assertThat(((io.weft.policy.model.Cluster) accepted.resource()).discovery()).isInstanceOfSatisfying(
                    io.weft.policy.model.Cluster.Static.class, known -> assertThat(known.assignment().localities()).isEmpty());
        });
        assertThat(parse(onSocket("orders"))).isInstanceOfSatisfying(Refused.class, refused -> assertThat(refused.path())
                .isEqualTo("load_assignment.endpoints[0].lb_endpoints[0].endpoint.address.pipe"));
    }

    private static Cluster onSocket(String name) {
        return Cluster.newBuilder().setName(name).setType(Cluster.DiscoveryType.STATIC)
                .setLoadAssignment(ClusterLoadAssignment.newBuilder().setClusterName(name).addEndpoints(
                        LocalityLbEndpoints.newBuilder().addLbEndpoints(LbEndpoint.newBuilder().setEndpoint(Endpoint.newBuilder().setAddress(
                                Address.newBuilder().setPipe(Pipe.newBuilder().setPath("/tmp/kuma-mh-orders.sock")))))))
                .build();
    }

    @Test
    void anotherListenerIsOneForTheApp() {
        ParseOutcome outcome = parse(listener("inbound", RouteMatch.newBuilder().setPrefix("/metrics")).build());
        assertThat(((io.weft.policy.model.Listener) ((Accepted) outcome).resource()).metricsPath()).isEmpty();
    }

    @Test
    void whatCannotBeIsRefused() {
        Listener.Builder secured = listener("_kuma:metrics:prometheus:a", RouteMatch.newBuilder().setPrefix("/metrics"));
        secured.setFilterChains(0, secured.getFilterChains(0).toBuilder()
                .setTransportSocket(TransportSocket.newBuilder().setName("envoy.transport_sockets.tls")));
        assertThat(parse(secured.build())).isInstanceOfSatisfying(
                Refused.class, refused -> assertThat(refused.path()).isEqualTo("filter_chains[0].transport_socket"));
        assertThat(parse(listener("_kuma:metrics:prometheus:a", RouteMatch.newBuilder()).build())).isInstanceOf(Refused.class);
    }
}
