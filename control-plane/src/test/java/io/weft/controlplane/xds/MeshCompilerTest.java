package io.weft.controlplane.xds;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.TypeRegistry;
import com.google.protobuf.util.JsonFormat;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.endpoint.v3.ClusterLoadAssignment;
import io.envoyproxy.envoy.config.listener.v3.Listener;
import io.envoyproxy.envoy.config.route.v3.RouteConfiguration;
import io.envoyproxy.envoy.config.trace.v3.DatadogConfig;
import io.envoyproxy.envoy.config.trace.v3.OpenTelemetryConfig;
import io.envoyproxy.envoy.config.trace.v3.ZipkinConfig;
import io.envoyproxy.envoy.extensions.access_loggers.file.v3.FileAccessLog;
import io.envoyproxy.envoy.extensions.common.matching.v3.ExtensionWithMatcher;
import io.envoyproxy.envoy.extensions.filters.common.matcher.action.v3.SkipFilter;
import io.envoyproxy.envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit;
import io.envoyproxy.envoy.extensions.filters.http.router.v3.Router;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.envoyproxy.envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy;
import io.envoyproxy.envoy.extensions.matching.common_inputs.ssl.v3.UriSanInput;
import io.envoyproxy.envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext;
import io.envoyproxy.envoy.extensions.upstreams.http.v3.HttpProtocolOptions;
import io.weft.controlplane.identity.MeshSecurity;
import io.weft.controlplane.identity.ServedCertificates;
import io.weft.controlplane.policy.AppliedPolicies;
import io.weft.controlplane.policy.Dataplane;
import io.weft.controlplane.policy.Document;
import io.weft.controlplane.policy.MeshExternalService;
import io.weft.controlplane.policy.MeshMultiZoneService;
import io.weft.controlplane.policy.MeshService;
import io.weft.controlplane.policy.Metadata;
import io.weft.controlplane.policy.PolicySet;
import io.weft.controlplane.policy.Resource;
import io.weft.controlplane.policy.ResourceId;
import io.weft.controlplane.policy.ResourceParser;
import io.weft.controlplane.registry.ClientNode;
import io.weft.controlplane.registry.Registry.Health;
import io.weft.controlplane.registry.Registry.Instance;
import io.weft.controlplane.service.ServiceCatalog;
import java.io.IOException;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What comes out, as Envoy's own JSON. */
class MeshCompilerTest {

    private static final TypeRegistry TYPES = TypeRegistry.newBuilder()
            .add(List.of(
                    HttpConnectionManager.getDescriptor(), Router.getDescriptor(), TcpProxy.getDescriptor(),
                    PreviousHostsPredicate.getDescriptor(), HttpProtocolOptions.getDescriptor(), FileAccessLog.getDescriptor(),
                    ExtensionWithMatcher.getDescriptor(), LocalRateLimit.getDescriptor(), SkipFilter.getDescriptor(),
                    UriSanInput.getDescriptor(), UpstreamTlsContext.getDescriptor(), ZipkinConfig.getDescriptor(),
                    OpenTelemetryConfig.getDescriptor(), DatadogConfig.getDescriptor()))
            .build();

    private static final String SERVICES = """
            type: Dataplane
            name: orders-1
            networking:
              address: 10.0.0.1
              inbound: [{port: 8080, tags: {kuma.io/service: orders, version: v1, kuma.io/zone: east}}]
            """;

    /** The default retry policy and timeouts, which every route carries. */
    private static final String DEFAULTS = """
            timeout: 15s
            idleTimeout: 1800s
            retryPolicy:
              retryOn: gateway-error,connect-failure,refused-stream
              numRetries: 5
              retryBackOff: {baseInterval: 0.025s, maxInterval: 0.250s}
              hostSelectionRetryMaxAttempts: "5"
              retryHostPredicate:
              - name: envoy.retry_host_predicates.previous_hosts
                typedConfig: {"@type": type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate}
            """;

    private static ClientNode node(ClientNode.Kind kind, Optional<Dataplane> dataplane, Map<Integer, Integer> ports) {
        Metadata metadata = new Metadata(new ResourceId("Dataplane", "default", "me"), "me", "", Map.of());
        return new ClientNode("default.me", "me", kind, metadata, dataplane, new ClientNode.Binding("127.0.0.1", ports),
                false, Optional.empty());
    }

    private static final ClientNode AGENT = node(ClientNode.Kind.AGENT, Optional.empty(), Map.of());

    private static NodeConfig compile(ClientNode node, String... texts) {
        List<PolicySet.Sourced> resources = new ArrayList<>();
        for (String text : texts) {
            for (Document document : new ResourceParser().parseFile("test.yaml", text)) {
                assertThat(document.problems()).isEmpty();
                Resource resource = document.resource().orElseThrow();
                resources.add(new PolicySet.Sourced(resource, document.file(), document.line()));
            }
        }
        PolicySet set = new PolicySet(resources, List.of(), List.of());
        AppliedPolicies applied = AppliedPolicies.of(set, "default");
        ServiceCatalog catalog = ServiceCatalog.build(
                        "default",
                        set.all(Dataplane.class, "default").stream()
                                .map(dataplane -> Instance.inPlaintext(dataplane, Health.HEALTHY))
                                .toList(),
                        set.all(MeshService.class, "default"),
                        applied.routes(),
                        MeshSecurity.NONE)
                .with(set.all(MeshMultiZoneService.class, "default"), set.all(MeshExternalService.class, "default"));
        return new MeshCompiler(
                        catalog, applied, MeshSecurity.NONE, new ServedCertificates(Clock.systemUTC(), new Random(1)),
                        new MadeResources())
                .configFor(node, false);
    }

    private static <T extends Message> T get(NodeConfig config, ResourceType type, String name, Class<T> message) {
        try {
            Versioned resource = config.of(type).get(name);
            assertThat(resource).as(name).isNotNull();
            return resource.message().unpack(message);
        } catch (InvalidProtocolBufferException e) {
            throw new AssertionError(e);
        }
    }

    private static JsonNode json(Message message) {
        try {
            return new ObjectMapper()
                    .readTree(JsonFormat.printer().usingTypeRegistry(TYPES).omittingInsignificantWhitespace().print(message));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static JsonNode yaml(String text) {
        try {
            return new YAMLMapper().readTree(text);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static String rule(String matches, String defaults) {
        return """
                type: MeshHTTPRoute
                name: r
                spec:
                  to:
                  - targetRef: {kind: MeshService, name: orders}
                    rules:
                    - matches: [%s]
                      default: %s
                """.formatted(matches, defaults);
    }

    /** The routes of the service orders, but the one that is always there. */
    private static List<JsonNode> routes(String matches, String defaults) {
        RouteConfiguration configuration = get(
                compile(AGENT, SERVICES, rule(matches, defaults)), ResourceType.ROUTE, "outbound_80", RouteConfiguration.class);
        List<JsonNode> routes = new ArrayList<>();
        configuration.getVirtualHostsList().stream()
                .filter(host -> host.getDomains(0).equals("orders"))
                .flatMap(host -> host.getRoutesList().stream())
                .filter(route -> !route.getName().equals("default"))
                .forEach(route -> routes.add(json(route)));
        return routes;
    }

    private static String route(String match, String action) {
        return "name: kri_mhttpr_default___r_rule_0\nmatch: " + match + "\nroute:\n" + action.indent(2)
                + DEFAULTS.indent(2);
    }

    @Test
    void theRouteThatIsAlwaysThere() {
        RouteConfiguration configuration =
                get(compile(AGENT, SERVICES), ResourceType.ROUTE, "outbound_80", RouteConfiguration.class);
        assertThat(json(configuration)).isEqualTo(yaml("""
                name: outbound_80
                ignorePortInHostMatching: true
                validateClusters: false
                virtualHosts:
                - name: kri_msvc_default___orders_80
                  domains: [orders, orders.mesh, orders.svc.mesh.local]
                  routes:
                  - name: default
                    match: {prefix: /}
                    route:
                      cluster: kri_msvc_default___orders_80
                """ + DEFAULTS.indent(6)));
    }

    /** Whether somebody has written a policy or not: what it leaves open stays as it was. */
    @Test
    void grpcIsRetriedByItsOwnConditionsFromTheStart() {
        String grpc = SERVICES.replace("version: v1", "version: v1, kuma.io/protocol: grpc");
        String retry = "{type: MeshRetry, name: r, spec: {to: [{targetRef: {kind: Mesh}, default: {http: {numRetries: 1}}}]}}";
        for (NodeConfig config : List.of(compile(AGENT, grpc), compile(AGENT, grpc, retry))) {
            RouteConfiguration configuration = get(config, ResourceType.ROUTE, "outbound_80", RouteConfiguration.class);
            assertThat(json(configuration).at("/virtualHosts/0/routes/0/route")).isEqualTo(yaml("""
                    cluster: kri_msvc_default___orders_80
                    """ + DEFAULTS.replace("gateway-error,connect-failure,refused-stream",
                            "cancelled,connect-failure,gateway-error,refused-stream,reset,resource-exhausted,unavailable")));
        }
    }

    @Test
    void aMeshMayBeginWithoutPolicies() {
        String mesh = "{type: Mesh, name: default, skipCreatingInitialPolicies: [\"*\"]}";
        NodeConfig config = compile(AGENT, SERVICES, mesh);
        RouteConfiguration configuration = get(config, ResourceType.ROUTE, "outbound_80", RouteConfiguration.class);
        assertThat(json(configuration).at("/virtualHosts/0/routes/0/route"))
                .isEqualTo(yaml("{cluster: kri_msvc_default___orders_80, timeout: 15s}"));
        JsonNode cluster = json(get(config, ResourceType.CLUSTER, "kri_msvc_default___orders_80", Cluster.class));
        assertThat(cluster.at("/circuitBreakers")).isEqualTo(yaml("{thresholds: [{trackRemaining: true}]}"));
        assertThat(cluster.has("outlierDetection")).isFalse();
    }

    private static final String TRACE = """
            type: MeshTrace
            name: all
            spec:
              targetRef: %s
              default:
                backends: [%s]
                sampling: {overall: 80, client: 40, random: "0.5"}
                tags:
                - {name: team, literal: core}
                - {name: env, header: {name: x-env, default: prod}}
                - {name: kuma.zone, literal: mine}
            """;
    private static final String ZIPKIN =
            "{type: Zipkin, zipkin: {url: \"http://jaeger.obs:9411/api/v2/spans\", traceId128bit: true, apiVersion: httpProto}}";

    private static Dataplane dataplane(String text) {
        return (Dataplane) new ResourceParser().parseFile("test.yaml", text).get(0).resource().orElseThrow();
    }

    /** Field by field what Kuma 2.14 serves for the same. */
    @Test
    void tracing() {
        String zipkin = TRACE.formatted("{kind: Mesh}", ZIPKIN);
        ClientNode proxy = node(ClientNode.Kind.PROXY, Optional.of(dataplane(SERVICES.replace("8080,", "8080, servicePort: 80,"))), Map.of());
        NodeConfig config = compile(proxy, SERVICES, zipkin);
        JsonNode tracing = yaml("""
                spawnUpstreamSpan: false
                overallSampling: {value: 80.0}
                clientSampling: {value: 40.0}
                randomSampling: {value: 0.5}
                customTags:
                - {tag: team, literal: {value: core}}
                - {tag: env, requestHeader: {name: x-env, defaultValue: prod}}
                - {tag: kuma.zone, literal: {value: mine}}
                - {tag: kuma.mesh, literal: {value: default}}
                provider:
                  name: envoy.tracers.zipkin
                  typedConfig:
                    "@type": type.googleapis.com/envoy.config.trace.v3.ZipkinConfig
                    collectorCluster: system_meshtrace_zipkin_http---jaeger-obs-9411-api-v2-spans
                    collectorEndpoint: /api/v2/spans
                    collectorEndpointVersion: HTTP_PROTO
                    collectorHostname: jaeger.obs:9411
                    sharedSpanContext: true
                    traceId128bit: true
                """);
        for (String listener : List.of("outbound_80", "self_inbound_dp_8080")) {
            JsonNode served = json(get(config, ResourceType.LISTENER, listener, Listener.class)).at("/filterChains/0/filters/0/typedConfig/tracing");
            assertThat(served).as(listener).isEqualTo(tracing);
        }
        String cluster = tracing.at("/provider/typedConfig/collectorCluster").asText();
        assertThat(json(get(config, ResourceType.CLUSTER, cluster, Cluster.class))).isEqualTo(yaml("""
                name: %1$s
                type: STRICT_DNS
                dnsLookupFamily: V4_PREFERRED
                connectTimeout: 5s
                loadAssignment:
                  clusterName: %1$s
                  endpoints: [{lbEndpoints: [{endpoint: {address: {socketAddress: {address: jaeger.obs, portValue: 9411}}}}]}]
                """.formatted(cluster)));
    }

    private static JsonNode tracing(NodeConfig config, String listener) {
        return json(get(config, ResourceType.LISTENER, listener, Listener.class)).at("/filterChains/0/filters/0/typedConfig/tracing");
    }

    @Test
    void whereSpansGo() {
        String grpc = TRACE.formatted("{kind: Mesh}", "{type: OpenTelemetry, openTelemetry: {endpoint: \"otel:4317\"}}");
        ClientNode proxy = node(ClientNode.Kind.PROXY, Optional.empty(), Map.of());
        assertThat(tracing(compile(proxy, SERVICES, grpc), "outbound_80").get("provider")).isEqualTo(yaml("""
                name: envoy.tracers.opentelemetry
                typedConfig:
                  "@type": type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig
                  grpcService: {envoyGrpc: {clusterName: system_meshtrace_otel_otel-4317}}
                  serviceName: me
                """));
        assertThat(json(get(compile(proxy, SERVICES, grpc), ResourceType.CLUSTER, "system_meshtrace_otel_otel-4317", Cluster.class))
                .at("/typedExtensionProtocolOptions/envoy.extensions.upstreams.http.v3.HttpProtocolOptions/explicitHttpConfig"))
                .isEqualTo(yaml("{http2ProtocolOptions: {}}"));

        String ref = TRACE.formatted("{kind: Mesh}",
                "{type: OpenTelemetry, openTelemetry: {backendRef: {kind: MeshOpenTelemetryBackend, labels: {kuma.io/display-name: otel}}}}");
        String backend = "type: MeshOpenTelemetryBackend\nname: otel\nspec: {endpoint: {address: otel.obs, port: 443, path: /base}, protocol: http}";
        assertThat(tracing(compile(proxy, SERVICES, ref, backend), "outbound_80").at("/provider/typedConfig/httpService/httpUri")).isEqualTo(
                yaml("{uri: \"https://otel.obs:443/base/v1/traces\", cluster: system_meshtrace_otel_otel, timeout: 10s}"));
        assertThat(json(get(compile(proxy, SERVICES, ref, backend), ResourceType.CLUSTER, "system_meshtrace_otel_otel", Cluster.class))
                .at("/transportSocket/typedConfig/sni").asText()).isEqualTo("otel.obs");
        assertThat(tracing(compile(proxy, SERVICES, ref), "outbound_80").has("provider")).as("of a backend that is not there").isFalse();

        String datadog = TRACE.formatted("{kind: Mesh}", "{type: Datadog, datadog: {url: \"http://127.0.0.1:8126\", splitService: true}}");
        assertThat(tracing(compile(proxy, SERVICES, datadog), "outbound_80").get("provider")).isEqualTo(yaml("""
                name: envoy.tracers.datadog
                typedConfig:
                  "@type": type.googleapis.com/envoy.config.trace.v3.DatadogConfig
                  collectorCluster: system_meshtrace_datadog_http---127-0-0-1-8126
                  serviceName: me_OUTBOUND
                """));
    }

    /** The most specific reference wins; a section is for that inbound alone. */
    @Test
    void whoIsTraced() {
        String none = "{type: MeshTrace, name: b, spec: {targetRef: %s, default: {backends: []}}}";
        String all = TRACE.formatted("{kind: Mesh}", ZIPKIN);
        assertThat(tracing(compile(AGENT, SERVICES), "outbound_80").isMissingNode()).isTrue();
        assertThat(tracing(compile(AGENT, SERVICES, all), "outbound_80").isMissingNode()).isFalse();
        assertThat(compile(AGENT, SERVICES, all).of(ResourceType.CLUSTER).get("system_meshtrace_zipkin_http---jaeger-obs-9411-api-v2-spans"))
                .as("an agent sends its spans by itself").isNull();
        assertThat(tracing(compile(AGENT, SERVICES, all, none.formatted("{kind: Dataplane, name: me}")), "outbound_80").isMissingNode()).isTrue();
        assertThat(tracing(compile(AGENT, SERVICES, all, none.formatted("{kind: Dataplane, name: other}")), "outbound_80").isMissingNode())
                .isFalse();
        ClientNode called = node(ClientNode.Kind.AGENT, Optional.of(dataplane(SERVICES)), Map.of());
        NodeConfig section = compile(called, SERVICES, all, none.formatted("{kind: Dataplane, sectionName: \"8080\"}"));
        assertThat(tracing(section, "outbound_80").isMissingNode()).isFalse();
        assertThat(tracing(section, "self_inbound_dp_8080").isMissingNode()).isTrue();
    }

    private static final String PASSTHROUGH = "{type: MeshPassthrough, name: %s, spec: {targetRef: %s, default: {%s}}}";
    private static final String OUTSIDE = "self_transparentproxy_passthrough_outbound_ipv4";

    private static String passthrough(String conf) {
        return PASSTHROUGH.formatted("p", "{kind: Mesh}", conf);
    }

    /** Match and where it leads, of each chain. */
    private static List<String> chains(NodeConfig config) {
        JsonNode listener = json(get(config, ResourceType.LISTENER, OUTSIDE, Listener.class));
        assertThat(listener.get("useOriginalDst").asBoolean()).isTrue();
        assertThat(json(get(config, ResourceType.CLUSTER, OUTSIDE, Cluster.class))).isEqualTo(
                yaml("{name: " + OUTSIDE + ", type: ORIGINAL_DST, lbPolicy: CLUSTER_PROVIDED, connectTimeout: 5s}"));
        List<String> chains = new ArrayList<>();
        listener.path("filterChains").forEach(chain -> {
            JsonNode manager = chain.at("/filters/0/typedConfig");
            StringBuilder hosts = new StringBuilder();
            manager.at("/routeConfig/virtualHosts").forEach(host -> hosts.append(' ').append(host.get("domains")));
            chains.add(chain.get("filterChainMatch") + " " + manager.path("cluster").asText() + hosts);
        });
        return chains;
    }

    @Test
    void whatIsOutsideMayBeCalledUnlessSomebodySaysOtherwise() {
        for (NodeConfig config : List.of(
                compile(AGENT, SERVICES),
                compile(AGENT, SERVICES, passthrough("passthroughMode: All")),
                compile(node(ClientNode.Kind.PROXY, Optional.empty(), Map.of()), SERVICES, passthrough("passthroughMode: None")),
                compile(AGENT, SERVICES, PASSTHROUGH.formatted("p", "{kind: MeshService, name: other}", "passthroughMode: None")),
                compile(AGENT, SERVICES, passthrough("passthroughMode: None"),
                        PASSTHROUGH.formatted("q", "{kind: Dataplane, name: me}", "passthroughMode: All")))) {
            assertThat(config.of(ResourceType.LISTENER).get(OUTSIDE)).isNull();
            assertThat(config.of(ResourceType.CLUSTER).get(OUTSIDE)).isNull();
        }
        assertThat(chains(compile(AGENT, SERVICES, passthrough("passthroughMode: None")))).isEmpty();
        assertThat(chains(compile(AGENT, SERVICES, passthrough("")))).as("nothing is matched").isEmpty();
    }

    /** What one policy appends to what another one does, and for each port what is for all of them. */
    @Test
    void whatMayBeCalledOutside() {
        NodeConfig config = compile(AGENT, SERVICES,
                passthrough("appendMatch: [{type: Domain, value: a.com, protocol: http}, {type: Domain, value: '*.b.com', protocol: tls, port: 443},"
                        + " {type: CIDR, value: 10.0.0.0/8}]"),
                PASSTHROUGH.formatted("q", "{kind: Dataplane, name: me}", "appendMatch: [{type: IP, value: '2001:db8::1', protocol: grpc, port: 443}]"));
        assertThat(chains(config)).containsExactly(
                "{\"destinationPort\":443,\"transportProtocol\":\"tls\",\"serverNames\":[\"*.b.com\"]} " + OUTSIDE,
                "{\"prefixRanges\":[{\"addressPrefix\":\"10.0.0.0\",\"prefixLen\":8}],\"transportProtocol\":\"raw_buffer\"} " + OUTSIDE,
                "{\"prefixRanges\":[{\"addressPrefix\":\"10.0.0.0\",\"prefixLen\":8}],\"destinationPort\":443,"
                        + "\"transportProtocol\":\"raw_buffer\"} " + OUTSIDE,
                "{\"prefixRanges\":[{\"addressPrefix\":\"2001:db8::1\",\"prefixLen\":128}],\"destinationPort\":443,"
                        + "\"transportProtocol\":\"raw_buffer\",\"applicationProtocols\":[\"http/1.1\",\"h2c\"]}  [\"*\"]",
                "{\"transportProtocol\":\"raw_buffer\",\"applicationProtocols\":[\"http/1.1\",\"h2c\"]}  [\"a.com\",\"a.com:*\"] [\"*\"]",
                "{\"destinationPort\":443,\"transportProtocol\":\"raw_buffer\",\"applicationProtocols\":[\"http/1.1\",\"h2c\"]} "
                        + " [\"a.com\",\"a.com:443\"] [\"*\"]");
    }

    /** There is no listener for a port where an app speaks for itself, and yet it is none of what is outside. */
    @Test
    void thePortsOfTheMeshAreNotOutside() {
        String database = """
                type: MeshService
                name: db
                spec: {selector: {dataplaneRef: {name: orders-1}}, ports: [{port: 5432, appProtocol: tcp}]}
                """;
        assertThat(chains(compile(AGENT, SERVICES, database, passthrough("passthroughMode: None")))).containsExactly(
                "{\"destinationPort\":5432,\"transportProtocol\":\"tls\",\"serverNames\":[\"db\",\"db.mesh\",\"db.svc.mesh.local\"]} " + OUTSIDE,
                "{\"destinationPort\":5432,\"transportProtocol\":\"raw_buffer\",\"applicationProtocols\":[\"http/1.1\",\"h2c\"]} "
                        + " [\"db\",\"db:5432\"] [\"db.mesh\",\"db.mesh:5432\"] [\"db.svc.mesh.local\",\"db.svc.mesh.local:5432\"] [\"*\"]");
    }

    @Test
    void whereAnAgentSendsSpansAndMetrics() {
        ClientNode agent = node(ClientNode.Kind.AGENT, Optional.empty(), Map.of());
        NodeConfig traced = compile(agent, SERVICES, TRACE.formatted("{kind: Mesh}", "{type: OpenTelemetry, openTelemetry: {endpoint: \"otel:4317\"}}"));
        assertThat(get(traced, ResourceType.CLUSTER, "system_meshtrace_otel_otel-4317", Cluster.class)).isNotNull();
        assertThat(compile(agent, SERVICES, TRACE.formatted("{kind: Mesh}", ZIPKIN)).of(ResourceType.CLUSTER)
                .get("system_meshtrace_zipkin_http---jaeger-obs-9411-api-v2-spans")).as("an agent sends nothing there").isNull();

        String metric = "{type: MeshMetric, name: m, spec: {default: {backends: [{type: OpenTelemetry, openTelemetry: {endpoint: 'otel:4317',"
                + " refreshInterval: 10s}}]}}}";
        NodeConfig config = compile(agent, SERVICES, metric);
        JsonNode said = json(get(config, ResourceType.LISTENER, "system_dynamicconfig", Listener.class))
                .at("/filterChains/0/filters/0/typedConfig/routeConfig/virtualHosts/0/routes/0");
        assertThat(said.at("/match/path").asText()).isEqualTo("/meshmetric");
        assertThat(yaml(said.at("/directResponse/body/inlineString").asText())).isEqualTo(yaml("""
                observability:
                  metrics:
                    applications: null
                    backends: [{type: OpenTelemetry, name: "otel:4317", openTelemetry: {endpoint: weft-otel-otel-4317.sock, refreshInterval: 10000000000ns}}]
                    extraLabels: {mesh: default}
                """));
        String name = "system_meshmetric_otel_otel-4317";
        JsonNode socket = json(get(config, ResourceType.LISTENER, name, Listener.class));
        assertThat(socket.at("/address/pipe/path").asText()).isEqualTo("weft-otel-otel-4317.sock");
        assertThat(socket.at("/filterChains/0/filters/0/typedConfig/routeConfig/virtualHosts/0/routes/0")).isEqualTo(
                yaml("{match: {prefix: /}, route: {cluster: " + name + "}}"));
        assertThat(get(config, ResourceType.CLUSTER, name, Cluster.class)).isNotNull();
    }

    /** Field by field what Kuma's own test has. */
    @Test
    void metricsForPrometheus() {
        String metric = "{type: MeshMetric, name: m, spec: {default: {sidecar: {includeUnused: true}, backends: [{type: Prometheus, prometheus:"
                + " {port: 5671, path: /here}}]}}}";
        ClientNode called = node(ClientNode.Kind.AGENT, Optional.of(dataplane(SERVICES)), Map.of());
        String name = "system_meshmetric_prometheus_default-backend";
        assertThat(json(get(compile(called, SERVICES, metric), ResourceType.LISTENER, name, Listener.class))).isEqualTo(yaml("""
                name: %1$s
                trafficDirection: INBOUND
                address: {socketAddress: {address: 10.0.0.1, portValue: 5671}}
                filterChains:
                - filters:
                  - name: envoy.filters.network.http_connection_manager
                    typedConfig:
                      "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                      statPrefix: %1$s
                      httpFilters:
                      - name: envoy.filters.http.router
                        typedConfig: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
                      routeConfig:
                        virtualHosts:
                        - name: %1$s
                          domains: ["*"]
                          routes: [{match: {prefix: /here}, route: {cluster: %1$s, prefixRewrite: /meshmetric}}]
                """.formatted(name)));
        assertThat(compile(node(ClientNode.Kind.PROXY, Optional.empty(), Map.of()), SERVICES, metric).of(ResourceType.LISTENER).get(name)).isNull();
    }

    private static String connections(String backends) {
        return "{type: MeshTCPRoute, name: t, spec: {to: [{targetRef: {kind: MeshService, name: orders}, rules: [{default: {backendRefs: ["
                + backends + "]}}]}]}}";
    }

    @Test
    void aRouteOfConnectionsIsForWhatNoRouteOfRequestsIsFor() {
        String tcp = connections("{kind: MeshService, name: orders, weight: 9}, {kind: MeshService, name: next, weight: 1}");
        JsonNode hosts = json(get(compile(AGENT, SERVICES, tcp), ResourceType.ROUTE, "outbound_80", RouteConfiguration.class)).get("virtualHosts");
        assertThat(hosts.get(1).get("name").asText()).isEqualTo("kri_msvc_default___orders_80");
        assertThat(hosts.get(1).get("routes")).isEqualTo(yaml("""
                - name: kri_mtcpr_default___t_rule_0
                  match: {prefix: /}
                  route:
                    weightedClusters:
                      clusters: [{name: kri_msvc_default___orders_80, weight: 9}, {name: kri_msvc_default___next_80, weight: 1}]
                """ + DEFAULTS.indent(4)));

        String http = rule("{path: {type: Exact, value: /a}}", "{}");
        JsonNode both = json(get(compile(AGENT, SERVICES, tcp, http), ResourceType.ROUTE, "outbound_80", RouteConfiguration.class));
        assertThat(both.toString()).contains("kri_mhttpr_").doesNotContain("kri_mtcpr_");
        String retry = "{type: MeshRetry, name: r, spec: {targetRef: {kind: MeshHTTPRoute, name: t}, to: [{targetRef: {kind: Mesh},"
                + " default: {http: {numRetries: 1}}}]}}";
        assertThat(compile(AGENT, SERVICES, tcp, retry).of(ResourceType.ROUTE).sameAs(compile(AGENT, SERVICES, tcp).of(ResourceType.ROUTE)))
                .as("is no MeshHTTPRoute").isTrue();
    }

    @Test
    void aPrefixMatchesWholeSegments() {
        assertThat(routes("{path: {type: PathPrefix, value: /a}}", "{}")).containsExactly(
                yaml(route("{path: /a}", "cluster: kri_msvc_default___orders_80")),
                yaml(route("{prefix: /a/}", "cluster: kri_msvc_default___orders_80")));
    }

    @Test
    void everyKindOfMatch() {
        assertThat(routes("""
                {path: {type: RegularExpression, value: "/a+"}, method: GET, headers: [
                {name: e, value: v}, {type: Prefix, name: p, value: v}, {type: Prefix, name: any, value: ""},
                {type: RegularExpression, name: r, value: v}, {type: Present, name: y}, {type: Absent, name: n},
                {name: e, value: second}],
                queryParams: [{type: Exact, name: q, value: v}, {type: RegularExpression, name: r, value: v}]}""", "{}"))
                .singleElement().isEqualTo(yaml(route("""
                        {safeRegex: {regex: "/a+"}, headers: [
                          {name: ":method", stringMatch: {exact: GET}},
                          {name: e, stringMatch: {exact: v}}, {name: p, stringMatch: {prefix: v}}, {name: any, presentMatch: true},
                          {name: r, stringMatch: {safeRegex: {regex: v}}}, {name: "y", presentMatch: true}, {name: "n", presentMatch: false}],
                          queryParameters: [{name: q, stringMatch: {exact: v}}, {name: r, stringMatch: {safeRegex: {regex: v}}}]}""",
                        "cluster: kri_msvc_default___orders_80")));
    }

    private static final String EXACT = "{path: {type: Exact, value: /a}}";

    @Test
    void weights() {
        List<JsonNode> routes = routes(EXACT, """
                {backendRefs: [{kind: MeshServiceSubset, name: orders, tags: {version: v1}, weight: 9},
                {kind: MeshService, name: other, weight: 1}, {kind: MeshService, name: none, weight: 0}]}""");
        String subset = routes.get(0).at("/route/weightedClusters/clusters/0/name").asText();
        assertThat(subset).startsWith("kri_msvc_default___orders_80-");
        assertThat(routes).singleElement().isEqualTo(yaml(route("{path: /a}", """
                weightedClusters:
                  clusters: [{name: %s, weight: 9}, {name: kri_msvc_default___other_80, weight: 1}]
                """.formatted(subset))));
    }

    @Test
    void aClusterOfWeightZeroIsThereBeforeItIsNeeded() {
        NodeConfig config = compile(AGENT, SERVICES,
                rule(EXACT, "{backendRefs: [{kind: MeshService, name: orders}, {kind: MeshService, name: next, weight: 0}]}"));
        assertThat(config.of(ResourceType.CLUSTER).get("kri_msvc_default___next_80")).isNotNull();
        assertThat(config.of(ResourceType.ENDPOINT).get("kri_msvc_default___next_80")).isNotNull();
    }

    @Test
    void whatLeadsNowhereIsAnsweredWith500() {
        String declared = "{type: MeshService, name: books, spec: {selector: {dataplaneRef: {name: orders-1}}, ports: [{port: 80}]}}";
        assertThat(routes(EXACT, "{backendRefs: [{kind: MeshService, labels: {no: such}}]}")).singleElement()
                .isEqualTo(yaml("{name: kri_mhttpr_default___r_rule_0, match: {path: /a}, directResponse: {status: 500}}"));
        assertThat(routes(EXACT, "{backendRefs: [{kind: MeshService, name: orders, weight: 0}]}")).singleElement()
                .isEqualTo(yaml("{name: kri_mhttpr_default___r_rule_0, match: {path: /a}, directResponse: {status: 500}}"));
        RouteConfiguration configuration = get(
                compile(AGENT, SERVICES + "---\n" + declared, rule(EXACT,
                        "{backendRefs: [{kind: MeshService, name: orders, weight: 3}, {kind: MeshService, name: books, port: 7, weight: 1}]}")),
                ResourceType.ROUTE, "outbound_80", RouteConfiguration.class);
        assertThat(json(configuration.getVirtualHosts(1).getRoutes(0))).isEqualTo(yaml("""
                name: kri_mhttpr_default___r_rule_0
                match: {path: /a, runtimeFraction: {defaultValue: {numerator: 250000, denominator: MILLION}}}
                directResponse: {status: 500}
                """));
        assertThat(json(configuration.getVirtualHosts(1).getRoutes(1)))
                .isEqualTo(yaml(route("{path: /a}", "cluster: kri_msvc_default___orders_80")));
    }

    @Test
    void headerFilters() {
        JsonNode route = routes(EXACT, """
                {filters: [
                {type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: a, value: 1%}], add: [{name: b, value: ""}], remove: [c]}},
                {type: ResponseHeaderModifier, responseHeaderModifier: {set: [{name: d, value: e}], remove: [f]}}]}""").get(0);
        assertThat(route.get("requestHeadersToAdd")).isEqualTo(yaml("""
                [{header: {key: a, value: 1%%}, appendAction: OVERWRITE_IF_EXISTS_OR_ADD},
                {header: {key: b}, keepEmptyValue: true}]"""));
        assertThat(route.get("requestHeadersToRemove")).isEqualTo(yaml("[c]"));
        assertThat(route.get("responseHeadersToAdd"))
                .isEqualTo(yaml("[{header: {key: d, value: e}, appendAction: OVERWRITE_IF_EXISTS_OR_ADD}]"));
        assertThat(route.get("responseHeadersToRemove")).isEqualTo(yaml("[f]"));
    }

    @Test
    void redirects() {
        List<JsonNode> routes = routes("{path: {type: PathPrefix, value: /a}}", """
                {filters: [{type: RequestRedirect, requestRedirect: {scheme: https, hostname: h, port: 1, statusCode: 308,
                path: {type: ReplacePrefixMatch, replacePrefixMatch: /b}}}]}""");
        String redirect = "{schemeRedirect: https, hostRedirect: h, portRedirect: 1, responseCode: PERMANENT_REDIRECT, prefixRewrite: %s}";
        assertThat(routes).extracting(route -> route.get("redirect"))
                .containsExactly(yaml(redirect.formatted("/b")), yaml(redirect.formatted("/b/")));
        assertThat(routes(EXACT, "{filters: [{type: RequestRedirect, requestRedirect: {path: {type: ReplaceFullPath, replaceFullPath: /b}}}]}")
                .get(0).get("redirect")).isEqualTo(yaml("{pathRedirect: /b, responseCode: FOUND}"));
    }

    @Test
    void rewrites() {
        assertThat(routes("{path: {type: PathPrefix, value: /a}}", """
                {filters: [{type: URLRewrite, urlRewrite: {hostname: h, path: {type: ReplacePrefixMatch, replacePrefixMatch: /}}}]}"""))
                .extracting(route -> route.at("/route/prefixRewrite").asText() + " " + route.at("/route/hostRewriteLiteral").asText())
                .containsExactly("/ h", "/ h");
        assertThat(routes("{path: {type: PathPrefix, value: /}}", """
                {filters: [{type: URLRewrite, urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /b}}}]}"""))
                .extracting(route -> route.at("/route/prefixRewrite").asText())
                .containsExactly("/b/");
        assertThat(routes(EXACT, """
                {filters: [{type: URLRewrite, urlRewrite: {path: {type: ReplaceFullPath, replaceFullPath: '/b\\1'}}}]}""")
                .get(0).at("/route/regexRewrite"))
                .isEqualTo(yaml("{pattern: {regex: '^.+$'}, substitution: '/b\\\\1'}"));
    }

    @Test
    void mirrors() {
        assertThat(routes(EXACT, """
                {filters: [{type: RequestMirror, requestMirror: {percentage: "0.5", backendRef: {kind: MeshService, name: other}}},
                {type: RequestMirror, requestMirror: {backendRef: {kind: MeshService, labels: {no: such}}}}]}""")
                .get(0).at("/route/requestMirrorPolicies"))
                .isEqualTo(yaml("[{cluster: kri_msvc_default___other_80,"
                        + " runtimeFraction: {defaultValue: {numerator: 5000, denominator: MILLION}}}]"));
    }

    @Test
    void clustersAndEndpoints() {
        NodeConfig config = compile(AGENT, SERVICES.replace("version: v1", "version: v1, kuma.io/protocol: grpc"));
        assertThat(json(get(config, ResourceType.CLUSTER, "kri_msvc_default___orders_80", Cluster.class))).isEqualTo(yaml("""
                name: kri_msvc_default___orders_80
                type: EDS
                edsClusterConfig: {edsConfig: {ads: {}, resourceApiVersion: V3}}
                connectTimeout: 5s
                circuitBreakers: {thresholds: [{maxConnections: 1024, maxPendingRequests: 1024, maxRequests: 1024, maxRetries: 128, trackRemaining: true}]}
                outlierDetection:
                  splitExternalLocalOriginErrors: true
                  consecutiveLocalOriginFailure: 3
                  enforcingConsecutiveLocalOriginFailure: 100
                  enforcingLocalOriginSuccessRate: 0
                  enforcingConsecutive5xx: 0
                  enforcingConsecutiveGatewayFailure: 0
                  enforcingSuccessRate: 0
                  interval: 1s
                  baseEjectionTime: 5s
                  maxEjectionTime: 30s
                  maxEjectionPercent: 50
                typedExtensionProtocolOptions:
                  envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
                    "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
                    explicitHttpConfig: {http2ProtocolOptions: {}}
                lrsServer: {self: {}, resourceApiVersion: V3}
                """));
        assertThat(json(get(config, ResourceType.ENDPOINT, "kri_msvc_default___orders_80", ClusterLoadAssignment.class)))
                .isEqualTo(yaml("""
                        clusterName: kri_msvc_default___orders_80
                        endpoints:
                        - locality: {zone: east}
                          lbEndpoints:
                          - endpoint: {address: {socketAddress: {address: 10.0.0.1, portValue: 8080}}}
                            healthStatus: HEALTHY
                            metadata: {filterMetadata: {envoy.lb: {version: v1, kuma.io/zone: east}}}
                        """));
    }

    /** Kuma sets it for HTTP and HTTP/2 alone. */
    @Test
    void aTimeoutSaysNothingOfConnectionsOfGrpc() {
        String timeout = "{type: MeshTimeout, name: t, spec: {to: [{targetRef: {kind: Mesh}, default: {connectionTimeout: 2s, idleTimeout: 3s}}]}}";
        String options = "/typedExtensionProtocolOptions/envoy.extensions.upstreams.http.v3.HttpProtocolOptions/commonHttpProtocolOptions";
        for (String protocol : List.of("http", "http2", "grpc")) {
            JsonNode cluster = json(get(
                    compile(AGENT, SERVICES.replace("version: v1", "version: v1, kuma.io/protocol: " + protocol), timeout),
                    ResourceType.CLUSTER, "kri_msvc_default___orders_80", Cluster.class));
            assertThat(cluster.at("/connectTimeout").asText()).isEqualTo("2s");
            assertThat(cluster.at(options + "/idleTimeout").asText()).as(protocol).isEqualTo(protocol.equals("grpc") ? "" : "3s");
        }
    }

    private static final String EXTERNAL = """
            type: MeshExternalService
            name: pay
            spec:
              match: {port: 80, protocol: http}
              endpoints:
              - {address: pay.example.com, port: 443}
              - {address: backup.example.com, port: 8443, priority: 3}
              tls: %s
            """;

    private static JsonNode external(ClientNode node, String tls) {
        return json(get(compile(node, EXTERNAL.formatted(tls)), ResourceType.CLUSTER, "kri_extsvc_default___pay_80", Cluster.class));
    }

    private static JsonNode socket(JsonNode cluster) {
        return cluster.at("/transportSocketMatches/0/transportSocket/typedConfig");
    }

    /** As a zone egress of Kuma has it. */
    @Test
    void whatIsOutsideOfTheMeshHasItsEndpointsByLevelAndTlsOfItsOwn() {
        JsonNode cluster = external(AGENT, "{enabled: true, version: {min: TLS12, max: TLS13}, verification: {subjectAltNames:"
                + " [{type: Prefix, value: pay.}]}}");
        assertThat(cluster.path("type").asText()).isEqualTo("STRICT_DNS");
        assertThat(cluster.at("/loadAssignment/endpoints")).isEqualTo(yaml("""
                - locality: {subZone: priority-0}
                  lbEndpoints: [{endpoint: {address: {socketAddress: {address: pay.example.com, portValue: 443}}}}]
                - locality: {subZone: priority-3}
                  priority: 1
                  lbEndpoints: [{endpoint: {address: {socketAddress: {address: backup.example.com, portValue: 8443}}}}]
                """));
        assertThat(cluster.at("/transportSocketMatches")).hasSize(1);
        assertThat(cluster.at("/transportSocketMatches/0/match")).isEmpty();
        assertThat(socket(cluster)).isEqualTo(yaml("""
                "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
                sni: pay.example.com
                commonTlsContext:
                  alpnProtocols: [http/1.1]
                  tlsParams: {tlsMinimumProtocolVersion: TLSv1_2, tlsMaximumProtocolVersion: TLSv1_3}
                  validationContext:
                    systemRootCerts: {}
                    matchTypedSubjectAltNames:
                    - {sanType: DNS, matcher: {exact: pay.example.com}}
                    - {sanType: IP_ADDRESS, matcher: {exact: pay.example.com}}
                    - {sanType: DNS, matcher: {prefix: pay.}}
                    - {sanType: IP_ADDRESS, matcher: {prefix: pay.}}
                """));
    }

    @Test
    void whatIsCheckedOfACertificateFromOutsideIsWhatTheModeSays() {
        ClientNode proxy = node(ClientNode.Kind.PROXY, Optional.empty(), Map.of());
        assertThat(socket(external(proxy, "{enabled: true}")).at("/commonTlsContext/validationContext/trustedCa/filename").asText())
                .isEqualTo("/etc/ssl/certs/ca-certificates.crt");
        JsonNode unnamed = socket(external(AGENT, "{enabled: true, verification: {mode: SkipSAN, serverName: a.b}}"));
        assertThat(unnamed.path("sni").asText()).isEqualTo("pay.example.com");
        assertThat(unnamed.at("/commonTlsContext/validationContext")).isEqualTo(yaml("systemRootCerts: {}"));
        JsonNode unsigned = socket(external(AGENT, "{enabled: true, verification: {mode: SkipCA, serverName: a.b}}"));
        assertThat(unsigned.path("sni").asText()).isEqualTo("a.b");
        assertThat(unsigned.path("commonTlsContext").has("validationContext")).isFalse();
        assertThat(external(AGENT, "{enabled: false}").has("transportSocketMatches")).isFalse();
    }

    /** Its server knows it by the name of its endpoint; policies are for it, and not for a service of the mesh of the same name. */
    @Test
    void whatIsOutsideOfTheMeshIsCalledByItsGeneratedName() {
        NodeConfig config = compile(AGENT, SERVICES, EXTERNAL.formatted("{enabled: true}").replace("name: pay", "name: orders"), """
                type: MeshTimeout
                name: slow
                spec: {to: [{targetRef: {kind: MeshExternalService, name: orders}, default: {http: {requestTimeout: 1m}}}]}
                """);
        RouteConfiguration table = get(config, ResourceType.ROUTE, "outbound_80", RouteConfiguration.class);
        assertThat(table.getVirtualHostsList()).hasSize(2);
        assertThat(json(table.getVirtualHosts(0)).path("domains")).isEqualTo(yaml("[orders, orders.mesh, orders.svc.mesh.local]"));
        assertThat(json(table.getVirtualHosts(0)).at("/routes/0/route/timeout").asText()).isEqualTo("15s");
        JsonNode outside = json(table.getVirtualHosts(1));
        assertThat(outside.path("domains")).isEqualTo(yaml("[orders.extsvc.mesh.local]"));
        assertThat(outside.at("/routes/0/route/cluster").asText()).isEqualTo("kri_extsvc_default___orders_80");
        assertThat(outside.at("/routes/0/route/timeout").asText()).isEqualTo("60s");
        assertThat(outside.at("/routes/0/route/autoHostRewrite").asBoolean()).isTrue();
        assertThat(config.of(ResourceType.ENDPOINT).shared().resources()).hasSize(1);
    }

    @Test
    void aRouteMayLeadOutOfTheMesh() {
        NodeConfig config = compile(AGENT, SERVICES, EXTERNAL.formatted("{enabled: true}"), rule(
                "{path: {type: PathPrefix, value: /}}", "{backendRefs: [{kind: MeshExternalService, name: pay}]}"));
        JsonNode route = json(get(config, ResourceType.ROUTE, "outbound_80", RouteConfiguration.class).getVirtualHosts(0)).at("/routes/0/route");
        assertThat(route.path("cluster").asText()).isEqualTo("kri_extsvc_default___pay_80");
        assertThat(route.path("autoHostRewrite").asBoolean()).isTrue();
    }

    @Test
    void aMultiZoneServiceHasTheInstancesOfAllThatItSelects() {
        NodeConfig config = compile(AGENT, """
                type: Dataplane
                name: a
                networking: {address: 10.0.0.1, inbound: [{port: 8080, tags: {kuma.io/service: a}}]}
                ---
                type: Dataplane
                name: b
                networking: {address: 10.0.0.2, inbound: [{port: 8080, tags: {kuma.io/service: b}}]}
                ---
                type: MeshService
                name: a
                labels: {app: shop, kuma.io/zone: east}
                spec: {selector: {dataplaneTags: {kuma.io/service: a}}, ports: [{port: 80, targetPort: 8080}]}
                ---
                type: MeshService
                name: b
                labels: {app: shop, kuma.io/zone: west}
                spec: {selector: {dataplaneTags: {kuma.io/service: b}}, ports: [{port: 80, targetPort: 8080}, {port: 81}]}
                ---
                type: MeshMultiZoneService
                name: shop
                spec: {selector: {meshService: {matchLabels: {app: shop}}}, ports: [{port: 80, appProtocol: http}]}
                """);
        ClusterLoadAssignment endpoints =
                get(config, ResourceType.ENDPOINT, "kri_mzsvc_default___shop_80", ClusterLoadAssignment.class);
        assertThat(endpoints.getEndpointsList().stream().flatMap(each -> each.getLbEndpointsList().stream())
                .map(each -> each.getEndpoint().getAddress().getSocketAddress().getAddress()))
                .containsExactlyInAnyOrder("10.0.0.1", "10.0.0.2");
        assertThat(get(config, ResourceType.ROUTE, "outbound_80", RouteConfiguration.class).getVirtualHostsList())
                .anySatisfy(host -> assertThat(host.getDomainsList()).containsExactly("shop.mzsvc.mesh.local"));
    }

    @Test
    void aTcpServiceHasNoVirtualHost() {
        NodeConfig config = compile(AGENT, SERVICES.replace("version: v1", "version: v1, kuma.io/protocol: tcp"));
        assertThat(config.of(ResourceType.ROUTE).shared().resources()).isEmpty();
        assertThat(config.of(ResourceType.LISTENER).shared().resources()).isEmpty();
    }

    @Test
    void aProxyBindsWhereItSaid() {
        String books = "{type: MeshService, name: books, spec: {selector: {dataplaneRef: {name: orders-1}}, ports: [{port: 8080}]}}";
        NodeConfig proxy = compile(node(ClientNode.Kind.PROXY, Optional.empty(), Map.of(80, 10080)), SERVICES, books);
        assertThat(socket(proxy, "outbound_80")).isEqualTo("127.0.0.1:10080");
        assertThat(socket(proxy, "outbound_8080")).isEqualTo("127.0.0.1:8080");
        NodeConfig agent = compile(AGENT, SERVICES, books);
        assertThat(socket(agent, "outbound_80")).isEqualTo("0.0.0.0:80");
        assertThat(json(get(agent, ResourceType.LISTENER, "outbound_80", Listener.class)).at("/filterChains/0/filters/0/typedConfig"))
                .isEqualTo(yaml("""
                        "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                        statPrefix: outbound_80
                        rds: {configSource: {ads: {}, resourceApiVersion: V3}, routeConfigName: outbound_80}
                        httpFilters: [{name: envoy.filters.http.router, typedConfig: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}]
                        """));
    }

    @Test
    void inboundListenersAreTheNodesOwn() {
        Dataplane dataplane = (Dataplane) new ResourceParser().parseFile("test.yaml", """
                type: Dataplane
                name: me
                networking:
                  address: 10.0.0.9
                  inbound:
                  - {port: 8080, servicePort: 18080, name: main, tags: {kuma.io/service: me}}
                  - {port: 9000, tags: {kuma.io/service: me-tcp, kuma.io/protocol: tcp}}
                  - {port: 9001, address: 127.0.0.1, tags: {kuma.io/service: me-local}}
                """).get(0).resource().orElseThrow();
        NodeConfig proxy = compile(node(ClientNode.Kind.PROXY, Optional.of(dataplane), Map.of()), SERVICES);
        assertThat(socket(proxy, "self_inbound_dp_main")).isEqualTo("10.0.0.9:8080");
        assertThat(socket(proxy, "self_inbound_dp_9000")).isEqualTo("10.0.0.9:9000");
        // The app listens there itself.
        assertThat(proxy.of(ResourceType.LISTENER).get("self_inbound_dp_9001")).isNull();
        assertThat(json(get(proxy, ResourceType.CLUSTER, "self_inbound_dp_main", Cluster.class))
                .at("/loadAssignment/endpoints/0/lbEndpoints/0/endpoint/address/socketAddress"))
                .isEqualTo(yaml("{address: 127.0.0.1, portValue: 18080}"));
        NodeConfig agent = compile(node(ClientNode.Kind.AGENT, Optional.of(dataplane), Map.of()), SERVICES);
        assertThat(socket(agent, "self_inbound_dp_9001")).isEqualTo("127.0.0.1:9001");
        assertThat(compile(AGENT, SERVICES).of(ResourceType.LISTENER).own().resources()).isEmpty();
    }

    private static String socket(NodeConfig config, String listener) {
        var socket = get(config, ResourceType.LISTENER, listener, Listener.class).getAddress().getSocketAddress();
        return socket.getAddress() + ":" + socket.getPortValue();
    }

    @Test
    void equalInputMakesEqualVersions() {
        NodeConfig one = compile(AGENT, SERVICES, rule(EXACT, "{}"));
        NodeConfig two = compile(AGENT, SERVICES, rule(EXACT, "{}"));
        NodeConfig three = compile(AGENT, SERVICES, rule("{path: {type: Exact, value: /b}}", "{}"));
        assertThat(one.of(ResourceType.ROUTE).sameAs(two.of(ResourceType.ROUTE))).isTrue();
        assertThat(one.of(ResourceType.ROUTE).sameAs(three.of(ResourceType.ROUTE))).isFalse();
        assertThat(one.of(ResourceType.CLUSTER).sameAs(three.of(ResourceType.CLUSTER))).isTrue();
    }

    private static JsonNode manager(NodeConfig config, String listener) {
        return json(get(config, ResourceType.LISTENER, listener, Listener.class)).at("/filterChains/0/filters/0/typedConfig");
    }

    private static final String LOG = """
            type: MeshAccessLog
            name: log
            spec:
              to:
              - targetRef: %s
                default: {backends: [{type: File, file: {path: /log, format: {type: Plain, plain: "%%KUMA_DESTINATION_SERVICE%%"}}}]}
            """;
    private static final String OTHER = """
            type: Dataplane
            name: other-1
            networking:
              address: 10.0.0.2
              inbound: [{port: 8080, tags: {kuma.io/service: other}}]
            """;

    /** Services share the listener of their port. */
    @Test
    void aLogOfOneServiceIsToldByItsHostAndOneOfAllNamesTheHost() {
        JsonNode one = manager(
                compile(AGENT, SERVICES, OTHER, LOG.formatted("{kind: MeshService, name: orders}")), "outbound_80").path("accessLog");
        assertThat(one).hasSize(1);
        assertThat(one.at("/0/filter/headerFilter/header/stringMatch/safeRegex/regex").asText()).contains("orders").doesNotContain("other");
        assertThat(one.at("/0/typedConfig/logFormat/textFormatSource/inlineString").asText()).isEqualTo("orders\n");
        JsonNode all = manager(compile(AGENT, SERVICES, OTHER, LOG.formatted("{kind: Mesh}")), "outbound_80").path("accessLog");
        assertThat(all).hasSize(1);
        assertThat(all.at("/0/filter").isMissingNode()).isTrue();
        assertThat(all.at("/0/typedConfig/logFormat/textFormatSource/inlineString").asText()).isEqualTo("%REQ(:AUTHORITY)%\n");
    }

    @Test
    void aLimitForSomeCallersStandsBesideTheOneForTheOthers() {
        Dataplane own = (Dataplane) new ResourceParser().parseFile("own.yaml", SERVICES).get(0).resource().orElseThrow();
        JsonNode filters = manager(compile(node(ClientNode.Kind.AGENT, Optional.of(own), Map.of()), """
                type: MeshRateLimit
                name: limit
                spec:
                  rules:
                  - default: {local: {http: {requestRate: {num: 9, interval: 1s}}}}
                  - matches: [{spiffeID: {type: Exact, value: "spiffe://mesh/batch"}}]
                    default: {local: {http: {requestRate: {num: 1, interval: 1s}}}}
                """), "self_inbound_dp_8080").path("httpFilters");
        assertThat(filters).hasSize(3);
        String is = "/typedConfig/xdsMatcher/matcherList/matchers/0/predicate";
        String tokens = "/typedConfig/extensionConfig/typedConfig/tokenBucket/maxTokens";
        assertThat(filters.get(0).at(is + "/notMatcher/singlePredicate/valueMatch/exact").asText()).isEqualTo("spiffe://mesh/batch");
        assertThat(filters.get(0).at(tokens).asInt()).isEqualTo(1);
        assertThat(filters.get(1).at(is + "/singlePredicate/valueMatch/exact").asText()).isEqualTo("spiffe://mesh/batch");
        assertThat(filters.get(1).at(tokens).asInt()).isEqualTo(9);
    }

    @Test
    void aRouteMayHaveATimeoutOfItsOwn() {
        RouteConfiguration configuration = get(compile(AGENT, SERVICES, rule("{path: {type: Exact, value: /slow}}", "{}"), """
                type: MeshTimeout
                name: slow
                spec: {to: [{targetRef: {kind: MeshHTTPRoute, name: r}, default: {http: {requestTimeout: 1m}}}]}
                """), ResourceType.ROUTE, "outbound_80", RouteConfiguration.class);
        assertThat(configuration.getVirtualHosts(0).getRoutesList())
                .extracting(route -> route.getMatch().getPath() + " " + route.getRoute().getTimeout().getSeconds())
                .containsExactly("/slow 60", " 15");
    }
}
