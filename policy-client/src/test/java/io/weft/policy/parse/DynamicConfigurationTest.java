package io.weft.policy.parse;

import static io.weft.policy.parse.Samples.*;
import static org.assertj.core.api.Assertions.assertThat;

import io.weft.policy.model.HostPort;
import io.weft.policy.model.MetricsPush;
import io.weft.policy.model.NameTable;
import io.weft.policy.model.NameTable.Host;
import io.weft.policy.model.PolicySnapshot;
import io.weft.policy.model.TelemetryTarget;
import io.weft.policy.model.Unhonoured;
import io.weft.policy.parse.ParseOutcome.Accepted;
import io.weft.policy.parse.ParseOutcome.Refused;
import io.weft.policy.proto.envoy.config.cluster.v3.Cluster;
import io.weft.policy.proto.envoy.config.core.v3.Address;
import io.weft.policy.proto.envoy.config.core.v3.Http2ProtocolOptions;
import io.weft.policy.proto.envoy.config.core.v3.Pipe;
import io.weft.policy.proto.envoy.config.core.v3.TransportSocket;
import io.weft.policy.proto.envoy.config.endpoint.v3.ClusterLoadAssignment;
import io.weft.policy.proto.envoy.config.endpoint.v3.Endpoint;
import io.weft.policy.proto.envoy.config.endpoint.v3.LbEndpoint;
import io.weft.policy.proto.envoy.config.endpoint.v3.LocalityLbEndpoints;
import io.weft.policy.proto.envoy.config.listener.v3.Listener;
import io.weft.policy.proto.envoy.config.route.v3.DirectResponseAction;
import io.weft.policy.proto.envoy.config.route.v3.HeaderMatcher;
import io.weft.policy.proto.envoy.config.route.v3.Route;
import io.weft.policy.proto.envoy.config.route.v3.RouteAction;
import io.weft.policy.proto.envoy.config.route.v3.RouteConfiguration;
import io.weft.policy.proto.envoy.config.route.v3.RouteMatch;
import io.weft.policy.proto.envoy.config.route.v3.VirtualHost;
import io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext;
import io.weft.policy.proto.envoy.extensions.upstreams.http.v3.HttpProtocolOptions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What kuma-cp says by a listener on a socket. */
class DynamicConfigurationTest {
    private static final String BODY = "filter_chains[0].filters[0].typed_config.route_config.virtual_hosts[0].routes[1].direct_response.body";
    private static final String NAMES = """
            {"records": [{"name": "Orders.svc.mesh.local", "ips": ["241.0.0.1", "fd00::1"]}, {"name": "billing.mesh", "ips": []}],
             "ttl": 30, "extraLabels": {"mesh": "default"}}""";

    private static Route route(String path, String body) {
        return Route.newBuilder().setMatch(RouteMatch.newBuilder().setPath(path))
                .setDirectResponse(DirectResponseAction.newBuilder().setStatus(200).setBody(inline(body))).build();
    }

    private static Route unchanged(String path) {
        return Route.newBuilder().setMatch(RouteMatch.newBuilder().setPath(path).addHeaders(HeaderMatcher.newBuilder().setName("If-None-Match")))
                .setDirectResponse(DirectResponseAction.newBuilder().setStatus(304)).build();
    }

    private static Listener listener(String name, Route... routes) {
        return withManager(manager -> manager.setRouteConfig(RouteConfiguration.newBuilder().setName(name)
                        .addVirtualHosts(VirtualHost.newBuilder().setName(name).addDomains("*").addAllRoutes(List.of(routes)))))
                .toBuilder().setName(name).setAddress(Address.newBuilder().setPipe(Pipe.newBuilder().setPath("/tmp/s"))).build();
    }

    private static NameTable names(Listener listener) {
        return ((io.weft.policy.model.Listener) ((Accepted) parse(listener)).resource()).dynamic().names();
    }

    private static List<String> reported(Listener listener) {
        return ((Accepted) parse(listener)).unhonoured().stream().map(Unhonoured::path).toList();
    }

    @ParameterizedTest
    @ValueSource(strings = {"_kuma:dynamicconfig", "system_dynamicconfig"})
    void namesOfServices(String name) {
        Listener listener = listener(name, unchanged("/dns"), route("/dns", NAMES));
        assertThat(names(listener)).isEqualTo(new NameTable(Map.of(
                "orders.svc.mesh.local", new Host(List.of("241.0.0.1", "fd00::1"), Optional.empty()),
                "billing.mesh", new Host(List.of(), Optional.empty()))));
        assertThat(reported(listener)).isEmpty();
    }

    @Test
    void whatElseItSaysIsReported() {
        Listener listener = listener("_kuma:dynamicconfig", unchanged("/otel"), route("/otel", "{}"));
        assertThat(names(listener)).isEqualTo(NameTable.EMPTY);
        assertThat(reported(listener)).containsExactly(
                "filter_chains[0].filters[0].typed_config.route_config.virtual_hosts[0].routes[1] (/otel)");
    }

    private static final String METRICS = """
            {"observability":{"metrics":{"applications":%s,"backends":[{"type":"Prometheus","name":null},{"type":"OpenTelemetry",
            "name":"otel-collector.observability.svc-4317","openTelemetry":{"endpoint":"/tmp/kuma-otel-otel-collector.observability.svc-4317.sock",
            "refreshInterval":"%s"}}],"extraLabels":{"kuma.workload":"backend","mesh":"default"}%s}}}""";

    private static Set<MetricsPush> pushes(String metrics, Cluster.Builder cluster) {
        Listener said = listener("_kuma:dynamicconfig", unchanged("/meshmetric"), route("/meshmetric", metrics));
        String name = "_kuma:metrics:opentelemetry:otel-collector.observability.svc-4317";
        Listener socket = listener(name, Route.newBuilder().setMatch(RouteMatch.newBuilder().setPrefix("/"))
                        .setRoute(RouteAction.newBuilder().setCluster(name)).build()).toBuilder()
                .setAddress(Address.newBuilder().setPipe(
                        Pipe.newBuilder().setPath("/tmp/kuma-otel-otel-collector.observability.svc-4317.sock"))).build();
        assertThat(reported(socket)).isEmpty();
        io.weft.policy.model.Cluster parsed = (io.weft.policy.model.Cluster) ((Accepted) parse(cluster.setName(name).build())).resource();
        return MetricsPush.of(new PolicySnapshot(1, Map.of("a", parsed(said), name, parsed(socket)), Map.of(), Map.of(name, parsed), Map.of(), Map.of(),
                NameTable.EMPTY, List.of()));
    }

    private static io.weft.policy.model.Listener parsed(Listener listener) {
        return (io.weft.policy.model.Listener) ((Accepted) parse(listener)).resource();
    }

    private static Cluster.Builder collector() {
        return Cluster.newBuilder().setType(Cluster.DiscoveryType.STRICT_DNS).setLoadAssignment(ClusterLoadAssignment.newBuilder()
                .setClusterName("c").addEndpoints(LocalityLbEndpoints.newBuilder().addLbEndpoints(LbEndpoint.newBuilder().setEndpoint(
                        Endpoint.newBuilder().setAddress(address("otel-collector.observability.svc", 4317))))));
    }

    private static Cluster.Builder overHttp2() {
        return collector().putTypedExtensionProtocolOptions("envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                any(HttpProtocolOptions.newBuilder().setExplicitHttpConfig(HttpProtocolOptions.ExplicitHttpConfig.newBuilder()
                        .setHttp2ProtocolOptions(Http2ProtocolOptions.getDefaultInstance())).build()));
    }

    private static MetricsPush push(Duration interval, Map<String, String> labels, Optional<TelemetryTarget> target) {
        return new MetricsPush(new MetricsPush.Said("/tmp/kuma-otel-otel-collector.observability.svc-4317.sock", interval, labels), target);
    }

    /** Whoever says nothing of its own leaves it to whom it is told to say that nothing goes there. */
    @Test
    void aCollectorThatIsNoWayToReachIsNoReasonToSayNothing() {
        Cluster.Builder strangers = collector().setTransportSocket(TransportSocket.newBuilder().setName("envoy.transport_sockets.tls")
                .setTypedConfig(any(UpstreamTlsContext.getDefaultInstance())));
        for (Cluster.Builder unusable : List.of(Cluster.newBuilder().setType(Cluster.DiscoveryType.STRICT_DNS).setLoadAssignment(
                ClusterLoadAssignment.newBuilder().setClusterName("c")), strangers)) {
            assertThat(pushes(METRICS.formatted("null", "10s", ""), unusable)).extracting(MetricsPush::target).containsExactly(Optional.empty());
        }
    }

    @Test
    void inWhateverOrderEndpointsComeTheyAreOneCollector() {
        Set<MetricsPush> one = pushes(METRICS.formatted("null", "10s", ""), collectors("b", "a"));
        assertThat(one).isEqualTo(pushes(METRICS.formatted("null", "10s", ""), collectors("a", "b", "a")));
        assertThat(one).allSatisfy(push -> assertThat(push.target().orElseThrow().addresses())
                .containsExactly(new HostPort("a", 4317), new HostPort("b", 4317)));
    }

    private static Cluster.Builder collectors(String... hosts) {
        LocalityLbEndpoints.Builder endpoints = LocalityLbEndpoints.newBuilder();
        for (String host : hosts) {
            endpoints.addLbEndpoints(LbEndpoint.newBuilder().setEndpoint(Endpoint.newBuilder().setAddress(address(host, 4317))));
        }
        return collector().setLoadAssignment(ClusterLoadAssignment.newBuilder().setClusterName("c").addEndpoints(endpoints));
    }

    @Test
    void anIntervalThatIsHardlyOneIsALongerOne() {
        String at = "filter_chains[0].filters[0].typed_config.route_config.virtual_hosts[0].routes[1].direct_response.body ";
        String text = METRICS.formatted("null", "1ns", "");
        assertThat(pushes(text, collector())).extracting(push -> push.said().interval()).containsExactly(Duration.ofMillis(100));
        assertThat(reported(listener("_kuma:dynamicconfig", unchanged("/meshmetric"), route("/meshmetric", text))))
                .containsExactly(at + "(refreshInterval: 1ns is less than 100ms, which it is taken for)");
    }

    /** As in Kuma's own test. */
    @Test
    void whereMetricsAreToBeSentTo() {
        HostPort address = new HostPort("otel-collector.observability.svc", 4317);
        Map<String, String> labels = Map.of("kuma.workload", "backend", "mesh", "default");
        assertThat(pushes(METRICS.formatted("null", "1m0.5s", ""), overHttp2())).containsExactly(
                push(Duration.ofMillis(60_500), labels, Optional.of(new TelemetryTarget(List.of(address), false, Optional.empty()))));
        assertThat(pushes(METRICS.formatted("null", "10s", ""), collector())).as("over HTTP").containsExactly(
                push(Duration.ofSeconds(10), labels, Optional.of(new TelemetryTarget(List.of(address), false, Optional.of("/v1/metrics")))));
    }

    @Test
    void whatAnAgentPublishesNotAsAskedIsReported() {
        String at = "filter_chains[0].filters[0].typed_config.route_config.virtual_hosts[0].routes[1].direct_response.body ";
        assertThat(reported(listener("_kuma:dynamicconfig", unchanged("/meshmetric"), route("/meshmetric", METRICS.formatted(
                "[{\"path\":\"/metrics\",\"port\":8080,\"address\":\"\"}]", "10s", ",\"sidecar\":{\"includeUnused\":true}")))))
                .containsExactly(at + "(observability.metrics.applications)", at + "(observability.metrics.sidecar)");
        assertThat(reported(listener("_kuma:dynamicconfig", unchanged("/meshmetric"), route("/meshmetric", METRICS.formatted("null", "10s", "")))))
                .isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "0s", "soon", "10"})
    void anIntervalThatIsNoneIsRefused(String interval) {
        assertThat(parse(listener("_kuma:dynamicconfig", unchanged("/meshmetric"), route("/meshmetric", METRICS.formatted("null", interval, "")))))
                .isInstanceOfSatisfying(Refused.class, refused -> assertThat(refused.reason()).startsWith("refreshInterval"));
    }

    @Test
    void anotherListenerOnASocketSaysNothing() {
        Listener listener = listener("other", route("/dns", NAMES));
        assertThat(names(listener)).isEqualTo(NameTable.EMPTY);
        assertThat(reported(listener)).contains("address.pipe");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "[]|is no JSON object",
        "{\"records\": [1]}|records: must hold objects",
        "{\"records\": [{\"ips\": [\"241.0.0.1\"]}]}|records: one has no name",
        "{\"records\": [{|is not the JSON of /dns",
    })
    void whatIsNoTableIsRefused(String body, String reason) {
        assertThat(parse(listener("_kuma:dynamicconfig", unchanged("/dns"), route("/dns", body)))).isInstanceOfSatisfying(
                Refused.class, refused -> {
                    assertThat(refused.path()).isEqualTo(BODY);
                    assertThat(refused.reason()).startsWith(reason);
                });
    }
}
