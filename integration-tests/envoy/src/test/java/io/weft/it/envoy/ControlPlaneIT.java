package io.weft.it.envoy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.weft.controlplane.ControlPlane;
import io.weft.controlplane.port.PortLimits;
import io.weft.it.harness.Port;
import io.weft.it.harness.RecordedRequest;
import io.weft.it.harness.Upstream;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A stock Envoy pointed at the control plane accepts everything that it sends, and does what the policies say. */
class ControlPlaneIT {

    /** How Envoy asks. */
    enum Variant {
        DELTA_GRPC,
        GRPC
    }

    private static final int REQUESTS = 2_000;

    @TempDir
    private Path folder;

    private final List<AutoCloseable> opened = new ArrayList<>();
    private final HttpClient http = HttpClient.newBuilder().build();
    private Path policies;
    private ControlPlane controlPlane;
    private Upstream one;
    private Upstream two;
    private Upstream shadow;

    @BeforeEach
    void start() throws IOException {
        EnvoyBinary binary = EnvoyBinary.find();
        assumeTrue(binary.isPresent(), "no Envoy: " + binary.reason());
        policies = Files.createDirectory(folder.resolve("policies"));
        controlPlane = opened(ControlPlane.start(new ControlPlane.Settings(
                new ControlPlane.Folder(policies, folder.resolve("state")), new InetSocketAddress("127.0.0.1", 0), Duration.ofSeconds(1),
                ControlPlane.Tokens.WHERE_IDENTITIES_ARE, Optional.empty(), PortLimits.of(PortLimits.INSTANCES))));
        one = opened(Upstream.start("one"));
        two = opened(Upstream.start("two"));
        shadow = opened(Upstream.start("shadow"));
        write("services.yaml", dataplane("orders-1", "orders", "v1", one) + dataplane("orders-2", "orders", "v2", two)
                + dataplane("shadow-1", "shadow", "v1", shadow));
    }

    @AfterEach
    void stop() throws Exception {
        for (int i = opened.size() - 1; i >= 0; i--) {
            opened.get(i).close();
        }
    }

    @ParameterizedTest
    @EnumSource(Variant.class)
    void trafficIsSplitByTheWeightsOfTheFile(Variant variant) throws Exception {
        int port = Port.unused();
        Envoy envoy = envoy(variant, "default.client-1", "client", Map.of("weft.outbound.ports", "{\"80\": " + port + "}"));
        for (int share : List.of(100, 90, 50)) {
            write("route.yaml", canary(share));
            awaitShare(port, share);
            int ones = 0;
            for (int i = 0; i < REQUESTS; i++) {
                HttpResponse<String> response = get(port, "orders", "/", Map.of());
                assertThat(response.statusCode()).isEqualTo(200);
                ones += response.body().equals("one") ? 1 : 0;
            }
            double p = share / 100.0;
            assertThat(ones / (double) REQUESTS).isCloseTo(p, within(4 * Math.sqrt(p * (1 - p) / REQUESTS)));
        }
        assertAllAccepted(envoy);
    }

    /** Until the new weights are in force: both versions are seen, or only the one. */
    private void awaitShare(int port, int share) {
        patiently().until(() -> {
            int ones = 0;
            for (int i = 0; i < 200; i++) {
                HttpResponse<String> response = get(port, "orders", "/", Map.of());
                if (response.statusCode() != 200) {
                    return false;
                }
                ones += response.body().equals("one") ? 1 : 0;
            }
            return Math.abs(ones - 2 * share) <= 35;
        });
    }

    @ParameterizedTest
    @EnumSource(Variant.class)
    void everyMatchAndEveryFilterIsAcceptedAndObeyed(Variant variant) throws Exception {
        write("filters.yaml", FILTERS);
        int port = Port.unused();
        Envoy envoy = envoy(variant, "default.client-1", "client", Map.of("weft.outbound.ports", "{\"80\": " + port + "}"));
        patiently().until(() -> get(port, "orders", "/", Map.of()).statusCode() == 200);

        HttpResponse<String> headers = get(port, "orders", "/headers", Map.of("x-old", "gone", "x-set", "theirs"));
        assertThat(headers.statusCode()).isEqualTo(200);
        assertThat(headers.headers().firstValue("x-answer")).hasValue("100% ours");
        RecordedRequest seen = last(one);
        assertThat(seen.header("x-set")).hasValue("ours");
        assertThat(seen.header("x-add")).hasValue("more");
        assertThat(seen.header("x-old")).isEmpty();

        HttpResponse<String> redirect = get(port, "orders", "/old/place?q=1", Map.of());
        assertThat(redirect.statusCode()).isEqualTo(301);
        assertThat(redirect.headers().firstValue("location")).hasValue("https://new.example.com:8443/new/place?q=1");
        assertThat(get(port, "orders", "/moved", Map.of()).headers().firstValue("location"))
                .hasValueSatisfying(location -> assertThat(location).endsWith("/elsewhere"));

        get(port, "orders", "/api/items?q=1", Map.of());
        assertThat(last(one).target()).isEqualTo("/items?q=1");
        assertThat(last(one).header("host")).hasValue("backend.internal");
        get(port, "orders", "/api", Map.of());
        assertThat(last(one).target()).isEqualTo("/");
        get(port, "orders", "/v1x/items", Map.of());
        assertThat(last(one).target()).isEqualTo("/v1x/items");
        get(port, "orders", "/v1/items", Map.of());
        assertThat(last(one).target()).isEqualTo("/v2/items");
        get(port, "orders", "/full/path?q=1", Map.of());
        assertThat(last(one).target()).isEqualTo("/a\\1b?q=1");

        get(port, "orders", "/mirrored", Map.of());
        await().untilAsserted(() -> assertThat(shadow.requests()).isNotEmpty());
        assertThat(last(shadow).target()).isEqualTo("/mirrored");

        assertThat(get(port, "orders", "/match", Map.of("x-exact", "yes")).body()).isEqualTo("two");
        assertThat(get(port, "orders", "/match", Map.of("x-prefix", "yes-and-more")).body()).isEqualTo("two");
        assertThat(get(port, "orders", "/match", Map.of("x-regex", "abc")).body()).isEqualTo("two");
        assertThat(get(port, "orders", "/match", Map.of("x-present", "")).body()).isEqualTo("two");
        assertThat(get(port, "orders", "/match?q=1&r=22", Map.of()).body()).isEqualTo("two");
        assertThat(get(port, "orders", "/match", Map.of()).body()).isEqualTo("one");
        assertThat(get(port, "shadow", "/regex/42", Map.of()).body()).isEqualTo("two");
        assertThat(get(port, "shadow", "/regex/no", Map.of()).body()).isEqualTo("shadow");
        assertThat(get(port, "nowhere", "/", Map.of()).statusCode()).isEqualTo(503);
        assertAllAccepted(envoy);
    }

    @ParameterizedTest
    @EnumSource(Variant.class)
    void anEnvoyBesideAServiceJoinsTheMesh(Variant variant) throws Exception {
        int inbound = Port.unused();
        String resource = """
                {"type": "Dataplane", "mesh": "default", "name": "legacy-1", "networking": {"address": "127.0.0.1", "inbound": [
                {"port": %d, "servicePort": %d, "tags": {"kuma.io/service": "legacy", "kuma.io/protocol": "http"}}]}}"""
                .formatted(inbound, two.address().getPort()).replace("\n", " ");
        Envoy joined = envoy(variant, "default.legacy-1", "legacy", Map.of(
                "dataplane.resource", "'" + resource + "'", "weft.outbound.ports", "{\"80\": " + Port.unused() + "}"));
        int port = Port.unused();
        Envoy caller = envoy(variant, "default.client-1", "client", Map.of("weft.outbound.ports", "{\"80\": " + port + "}"));

        patiently().untilAsserted(() -> {
            HttpResponse<String> response = get(port, "legacy.svc.mesh.local", "/through/both", Map.of());
            assertThat(response.statusCode()).isEqualTo(200);
            assertThat(response.body()).isEqualTo("two");
        });
        assertThat(last(two).target()).isEqualTo("/through/both");
        assertThat(joined.stats("http\\.self_inbound_dp_.*\\.downstream_rq_2xx").values())
                .singleElement().satisfies(count -> assertThat(count).isPositive());

        // What is removed is told too.
        joined.close();
        await().atMost(Duration.ofSeconds(25)).untilAsserted(() ->
                assertThat(caller.configDump().toString()).doesNotContain("kri_msvc_default___legacy_80"));
        assertAllAccepted(caller);
    }

    @ParameterizedTest
    @EnumSource(Variant.class)
    void aPolicyOfEachKindIsAcceptedAndObeyed(Variant variant) throws Exception {
        Path log = folder.resolve("access.log");
        write("policies.yaml", POLICIES.formatted(log));
        int inbound = Port.unused();
        String resource = """
                {"type": "Dataplane", "mesh": "default", "name": "legacy-1", "networking": {"address": "127.0.0.1", "inbound": [
                {"port": %d, "servicePort": %d, "tags": {"kuma.io/service": "legacy", "kuma.io/protocol": "http"}}]}}"""
                .formatted(inbound, two.address().getPort()).replace("\n", " ");
        Envoy called = envoy(variant, "default.legacy-1", "legacy", Map.of(
                "dataplane.resource", "'" + resource + "'", "weft.outbound.ports", "{\"80\": " + Port.unused() + "}"));
        int port = Port.unused();
        Envoy caller = envoy(variant, "default.client-1", "client", Map.of("weft.outbound.ports", "{\"80\": " + port + "}"));

        patiently().until(() -> get(port, "orders", "/", Map.of("x-user", "1")).statusCode() == 200);
        patiently().untilAsserted(() -> assertThat(Files.readString(log)).contains("client -> orders 200"));
        patiently().untilAsserted(() -> {
            HttpResponse<String> limited = get(port, "legacy", "/", Map.of());
            assertThat(limited.statusCode()).isEqualTo(423);
            assertThat(limited.headers().firstValue("x-limited")).hasValue("yes");
        });
        Envoy other = envoy(variant, "default.client-2", "client-2", Map.of("weft.outbound.ports", "{\"80\": " + Port.unused() + "}"));
        patiently().untilAsserted(() -> assertThat(other.configDump().toString()).contains("envoy.tracers.zipkin"));
        patiently().untilAsserted(() -> assertAllAccepted(other));
        String served = caller.configDump().toString();
        assertThat(served).contains("RING_HASH", "health_checks", "consecutive_gateway_failure", "retriable_status_codes", "7.500s");
        assertThat(served).contains("envoy.tracers.opentelemetry", "system_meshtrace_otel_collector", "kri_mtcpr_");
        assertThat(called.configDump().toString()).contains("envoy.tracers.datadog", "envoy.filters.http.fault", "tcp_rate_limit", "max_connections");
        assertAllAccepted(called);
        assertAllAccepted(caller);
    }

    @ParameterizedTest
    @EnumSource(Variant.class)
    void whatIsOutsideOfTheMeshAndWhatIsInSeveralZonesIsCalledByItsName(Variant variant) throws Exception {
        write("services.yaml", dataplane("orders-1", "orders", "v1", one) + """
                ---
                type: MeshExternalService
                name: outside
                spec:
                  match: {port: 80, protocol: http}
                  endpoints: [{address: 127.0.0.1, port: %d}, {address: 127.0.0.1, port: %d, priority: 2}]
                ---
                type: MeshExternalService
                name: secured
                spec:
                  match: {port: 80, protocol: http2}
                  endpoints: [{address: localhost, port: 1}]
                  tls: {enabled: true, verification: {mode: SkipAll}}
                ---
                type: MeshMultiZoneService
                name: all
                spec:
                  selector: {meshService: {matchLabels: {kuma.io/display-name: orders}}}
                  ports: [{port: 80, appProtocol: http}]
                """.formatted(two.address().getPort(), shadow.address().getPort()));
        int port = Port.unused();
        Envoy envoy = envoy(variant, "default.client-1", "client", Map.of("weft.outbound.ports", "{\"80\": " + port + "}"));
        patiently().untilAsserted(() -> assertThat(get(port, "outside.extsvc.mesh.local", "/", Map.of()).body()).isEqualTo("two"));
        assertThat(get(port, "all.mzsvc.mesh.local", "/", Map.of()).body()).isEqualTo("one");
        assertThat(envoy.configDump().toString()).contains("kri_extsvc_default___secured_80");
        assertAllAccepted(envoy);
    }

    private void assertAllAccepted(Envoy envoy) {
        assertThat(envoy.stats(".*(update_rejected|update_failure)").entrySet())
                .isNotEmpty()
                .allSatisfy(counter -> assertThat(counter.getValue()).as(counter.getKey() + "\n" + envoy.log()).isZero());
        assertThat(controlPlane.connected()).allSatisfy(client -> assertThat(client.rejections()).isEmpty());
        // A cluster outside of the mesh has its endpoints by itself, and they are never told.
        assertThat(envoy.stats("(cluster_manager.cds|listener_manager.lds|cluster.kri_m.*|http.*rds.*).update_success").values())
                .hasSizeGreaterThan(3)
                .allSatisfy(count -> assertThat(count).isPositive());
    }

    /** Until the listener is bound, connections are refused. */
    private static ConditionFactory patiently() {
        return await().atMost(Duration.ofSeconds(20)).ignoreExceptionsInstanceOf(ConnectException.class);
    }

    private HttpResponse<String> get(int port, String host, String target, Map<String, String> headers)
            throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + target))
                .timeout(Duration.ofSeconds(20))
                .setHeader("Host", host);
        headers.forEach(request::header);
        return http.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    private static RecordedRequest last(Upstream upstream) {
        List<RecordedRequest> requests = upstream.requests();
        return requests.get(requests.size() - 1);
    }

    private Envoy envoy(Variant variant, String id, String cluster, Map<String, String> metadata) throws IOException {
        String bootstrap = new AdsBootstrap(controlPlane.port(), variant.name(), id, cluster, metadata, Optional.empty()).yaml();
        Path home = Files.createTempDirectory(folder, "envoy");
        return opened(Envoy.start(EnvoyBinary.find(), bootstrap, home));
    }

    private <T extends AutoCloseable> T opened(T closeable) {
        opened.add(closeable);
        return closeable;
    }

    private void write(String name, String text) throws IOException {
        Path next = Files.writeString(policies.resolve("." + name), text);
        Files.move(next, policies.resolve(name), StandardCopyOption.ATOMIC_MOVE);
    }

    private static String dataplane(String name, String service, String version, Upstream upstream) {
        return """
                ---
                type: Dataplane
                mesh: default
                name: %s
                networking:
                  address: 127.0.0.1
                  inbound:
                  - port: %d
                    tags: {kuma.io/service: %s, kuma.io/protocol: http, version: %s, kuma.io/zone: here}
                """.formatted(name, upstream.address().getPort(), service, version);
    }

    private static String canary(int share) {
        return """
                type: MeshHTTPRoute
                name: orders
                mesh: default
                spec:
                  to:
                  - targetRef: {kind: MeshService, name: orders}
                    rules:
                    - matches: [{path: {type: PathPrefix, value: /}}]
                      default:
                        backendRefs:
                        - {kind: MeshServiceSubset, name: orders, tags: {version: v1}, weight: %d}
                        - {kind: MeshServiceSubset, name: orders, tags: {version: v2}, weight: %d}
                """.formatted(share, 100 - share);
    }

    /** With a placeholder for the access log's file. */
    private static final String POLICIES = """
            type: MeshTimeout
            name: all
            spec:
              to:
              - targetRef: {kind: Mesh}
                default:
                  connectionTimeout: 7s
                  idleTimeout: 70s
                  http: {requestTimeout: 7500ms, streamIdleTimeout: 70s, maxStreamDuration: 70s, maxConnectionDuration: 700s}
            ---
            type: MeshTimeout
            name: all-in
            spec:
              rules: [{default: {connectionTimeout: 8s, idleTimeout: 80s, http: {requestTimeout: 8s, requestHeadersTimeout: 8s}}}]
            ---
            type: MeshRetry
            name: all
            spec:
              to:
              - targetRef: {kind: Mesh}
                default:
                  tcp: {maxConnectAttempt: 2}
                  http:
                    numRetries: 2
                    perTryTimeout: 3s
                    backOff: {maxInterval: 100ms}
                    rateLimitedBackOff: {resetHeaders: [{name: retry-after, format: Seconds}], maxInterval: 2s}
                    retryOn: [5xx, GatewayError, Reset, Retriable4xx, ConnectFailure, EnvoyRatelimited, RefusedStream, "503", HttpMethodGet]
                    retriableResponseHeaders: [{type: Prefix, name: x-retry, value: y}]
                    retriableRequestHeaders: [{type: Present, name: x-idempotent}]
                    hostSelection:
                    - predicate: OmitPreviousHosts
                    - {predicate: OmitHostsWithTags, tags: {version: v9}}
                    - {predicate: OmitPreviousPriorities, updateFrequency: 2}
                    hostSelectionMaxAttempts: 3
                  grpc: {numRetries: 1, retryOn: [Canceled, DeadlineExceeded, Internal, ResourceExhausted, Unavailable]}
            ---
            type: MeshCircuitBreaker
            name: all
            spec:
              to:
              - targetRef: {kind: Mesh}
                default:
                  connectionLimits: {maxConnections: 100, maxConnectionPools: 10, maxPendingRequests: 100, maxRetries: 10, maxRequests: 100}
                  outlierDetection:
                    interval: 5s
                    baseEjectionTime: 30s
                    maxEjectionPercent: 20
                    splitExternalAndLocalErrors: true
                    healthyPanicThreshold: "12.5"
                    detectors:
                      totalFailures: {consecutive: 10}
                      gatewayFailures: {consecutive: 10}
                      localOriginFailures: {consecutive: 10}
                      successRate: {minimumHosts: 5, requestVolume: 10, standardDeviationFactor: "1.9"}
                      failurePercentage: {minimumHosts: 5, requestVolume: 10, threshold: 85}
            ---
            type: MeshCircuitBreaker
            name: all-in
            spec: {rules: [{default: {connectionLimits: {maxConnections: 1000}}}]}
            ---
            type: MeshLoadBalancingStrategy
            name: orders
            spec:
              to:
              - targetRef: {kind: MeshService, name: orders}
                default:
                  loadBalancer: {type: RingHash, ringHash: {minRingSize: 100, maxRingSize: 1000, hashFunction: MurmurHash2}}
                  hashPolicies:
                  - {type: Header, terminal: true, header: {name: x-user}}
                  - {type: Cookie, cookie: {name: user, ttl: 1h, path: /}}
                  - {type: Connection, connection: {sourceIP: true}}
                  - {type: QueryParameter, queryParameter: {name: user}}
                  - {type: FilterState, filterState: {key: user}}
                  localityAwareness:
                    localZone: {affinityTags: [{key: version, weight: 9}]}
                    crossZone: {failover: [{to: {type: Any}}], failoverThreshold: {percentage: 70}}
            ---
            type: MeshLoadBalancingStrategy
            name: shadow
            spec:
              to:
              - targetRef: {kind: MeshService, name: shadow}
                default: {loadBalancer: {type: LeastRequest, leastRequest: {choiceCount: 3, activeRequestBias: "1.5"}}}
              - targetRef: {kind: MeshService, name: legacy}
                default: {loadBalancer: {type: Maglev, maglev: {tableSize: 251}}}
            ---
            type: MeshHealthCheck
            name: all
            spec:
              to:
              - targetRef: {kind: Mesh}
                default:
                  interval: 10s
                  timeout: 2s
                  unhealthyThreshold: 3
                  healthyThreshold: 1
                  initialJitter: 1s
                  intervalJitter: 1s
                  intervalJitterPercent: 10
                  failTrafficOnPanic: true
                  noTrafficInterval: 10s
                  eventLogPath: /dev/null
                  alwaysLogHealthCheckFailures: true
                  reuseConnection: false
                  http:
                    path: /health
                    requestHeadersToAdd: {add: [{name: x-check, value: a}], set: [{name: x-from, value: b}]}
                    expectedStatuses: [200, 423]
                  tcp: {send: ping, receive: [pong]}
                  grpc: {serviceName: all, authority: all}
            ---
            type: MeshRateLimit
            name: legacy
            spec:
              targetRef: {kind: MeshService, name: legacy}
              rules:
              - default:
                  local:
                    http:
                      requestRate: {num: 1, interval: 10m}
                      onRateLimit: {status: 423, headers: {set: [{name: x-limited, value: "yes"}], add: [{name: x-more, value: a}]}}
                    tcp: {connectionRate: {num: 1000, interval: 1s}}
              - matches: [{spiffeID: {type: Prefix, value: "spiffe://default/somebody"}}]
                default: {local: {http: {requestRate: {num: 2, interval: 10m}}}}
            ---
            type: MeshFaultInjection
            name: legacy
            spec:
              targetRef: {kind: MeshService, name: legacy}
              rules:
              - default:
                  http:
                  - delay: {value: 1ms, percentage: 50}
                  - responseBandwidth: {limit: 1Gbps, percentage: "12.5"}
              - matches: [{spiffeID: {type: Exact, value: "spiffe://default/nobody"}}]
                default: {http: [{abort: {httpStatus: 500, percentage: "0.0001"}}]}
            ---
            type: MeshAccessLog
            name: orders
            spec:
              to:
              - targetRef: {kind: MeshService, name: orders}
                default:
                  backends:
                  - type: File
                    file:
                      path: %s
                      format: {type: Plain, plain: "%%KUMA_SOURCE_SERVICE%% -> %%KUMA_DESTINATION_SERVICE%% %%RESPONSE_CODE%%"}
                  - {type: File, file: {path: /dev/null, format: {type: Json, json: [{key: mesh, value: "%%KUMA_MESH%%"}]}}}
            ---
            type: MeshAccessLog
            name: all-in
            spec: {rules: [{default: {backends: [{type: File, file: {path: /dev/null}}]}}]}
            ---
            type: MeshTCPRoute
            name: shadow
            spec:
              to:
              - targetRef: {kind: MeshService, name: shadow}
                rules: [{default: {backendRefs: [{kind: MeshService, name: shadow, weight: 3}, {kind: MeshService, name: orders}]}}]
            ---
            type: MeshOpenTelemetryBackend
            name: collector
            spec: {endpoint: {address: localhost, port: 443}, protocol: http}
            ---
            type: MeshTrace
            name: callers
            spec:
              targetRef: {kind: MeshService, name: client}
              default:
                sampling: {overall: 80, client: 40, random: "0.5"}
                tags: [{name: team, literal: core}, {name: env, header: {name: x-env, default: prod}}]
                backends: [{type: OpenTelemetry, openTelemetry: {backendRef: {kind: MeshOpenTelemetryBackend, labels: {kuma.io/display-name: collector}}}}]
            ---
            type: MeshTrace
            name: called
            spec:
              targetRef: {kind: MeshService, name: legacy}
              default: {backends: [{type: Datadog, datadog: {url: "http://127.0.0.1:1", splitService: true}}]}
            ---
            type: MeshTrace
            name: zipkin
            spec:
              targetRef: {kind: MeshService, name: client-2}
              default: {backends: [{type: Zipkin, zipkin: {url: "http://localhost:1/api/v2/spans", traceId128bit: true, apiVersion: httpProto}}]}
            """;

    private static final String FILTERS = """
            apiVersion: kuma.io/v1alpha1
            kind: MeshHTTPRoute
            metadata: {name: all-of-it, namespace: shop, labels: {kuma.io/mesh: default}}
            spec:
              to:
              - targetRef: {kind: MeshService, name: nowhere}
                rules:
                - matches: [{path: {type: PathPrefix, value: /}}]
                  default: {backendRefs: [{kind: MeshService, name: nowhere, port: 80}]}
              - targetRef: {kind: MeshService, labels: {kuma.io/display-name: shadow}}
                rules:
                - matches: [{path: {type: RegularExpression, value: "/regex/[0-9]+"}}]
                  default: {backendRefs: [{kind: MeshServiceSubset, name: orders, tags: {version: v2}}]}
              - targetRef: {kind: MeshService, name: orders}
                rules:
                - matches: [{path: {type: Exact, value: /headers}}]
                  default:
                    filters:
                    - type: RequestHeaderModifier
                      requestHeaderModifier:
                        set: [{name: x-set, value: ours}]
                        add: [{name: x-add, value: more}]
                        remove: [x-old]
                    - type: ResponseHeaderModifier
                      responseHeaderModifier: {set: [{name: x-answer, value: 100% ours}]}
                    backendRefs:
                    - {kind: MeshServiceSubset, name: orders, tags: {version: v1}}
                - matches: [{path: {type: PathPrefix, value: /old}}]
                  default:
                    filters:
                    - type: RequestRedirect
                      requestRedirect:
                        scheme: https
                        hostname: new.example.com
                        port: 8443
                        statusCode: 301
                        path: {type: ReplacePrefixMatch, replacePrefixMatch: /new}
                - matches: [{path: {type: Exact, value: /moved}}]
                  default:
                    filters:
                    - type: RequestRedirect
                      requestRedirect: {path: {type: ReplaceFullPath, replaceFullPath: /elsewhere}}
                - matches: [{path: {type: PathPrefix, value: /api}}]
                  default:
                    filters:
                    - type: URLRewrite
                      urlRewrite:
                        hostname: backend.internal
                        path: {type: ReplacePrefixMatch, replacePrefixMatch: /}
                    backendRefs: [{kind: MeshServiceSubset, name: orders, tags: {version: v1}}]
                - matches: [{path: {type: PathPrefix, value: /v1}}]
                  default:
                    filters:
                    - type: URLRewrite
                      urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /v2}}
                    backendRefs: [{kind: MeshServiceSubset, name: orders, tags: {version: v1}}]
                - matches: [{path: {type: PathPrefix, value: /full}}]
                  default:
                    filters:
                    - type: URLRewrite
                      urlRewrite: {path: {type: ReplaceFullPath, replaceFullPath: '/a\\1b'}}
                    backendRefs: [{kind: MeshServiceSubset, name: orders, tags: {version: v1}}]
                - matches: [{path: {type: Exact, value: /mirrored}}]
                  default:
                    filters:
                    - type: RequestMirror
                      requestMirror: {percentage: 100, backendRef: {kind: MeshService, name: shadow}}
                    - type: RequestMirror
                      requestMirror: {percentage: "0.5", backendRef: {kind: MeshService, name: unknown}}
                    backendRefs: [{kind: MeshServiceSubset, name: orders, tags: {version: v1}}]
                - matches:
                  - path: {type: Exact, value: /match}
                    headers: [{type: Exact, name: x-exact, value: "yes"}]
                  - path: {type: Exact, value: /match}
                    headers: [{type: Prefix, name: x-prefix, value: "yes"}]
                  - path: {type: Exact, value: /match}
                    headers: [{type: RegularExpression, name: x-regex, value: "[abc]+"}, {type: Absent, name: x-absent}]
                  - path: {type: Exact, value: /match}
                    headers: [{type: Present, name: x-present}]
                  - path: {type: Exact, value: /match}
                    method: GET
                    queryParams: [{type: Exact, name: q, value: "1"}, {type: RegularExpression, name: r, value: "2+"}]
                  default:
                    backendRefs: [{kind: MeshServiceSubset, name: orders, tags: {version: v2}}]
                - matches: [{path: {type: PathPrefix, value: /}}]
                  default:
                    backendRefs: [{kind: MeshServiceSubset, name: orders, tags: {version: v1}}]
            """;
}
