package io.weft.controlplane.page;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.weft.controlplane.PolicyDiff;
import io.weft.controlplane.policy.SourceText;
import io.weft.controlplane.xds.MeshDiff;
import java.io.OutputStream;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What other policies would change, for data planes that are connected to a real control plane. */
class DiffTest {

    private static final String IDENTITY = """
            type: MeshIdentity
            name: everyone
            mesh: default
            spec:
              selector: {dataplane: {matchLabels: {}}}
              provider: {type: Bundled, bundled: {autogenerate: {enabled: true}}}
            """;

    @TempDir
    private Path folder;

    private SimulatedMesh mesh;

    @BeforeAll
    static void patience() {
        Awaitility.setDefaultTimeout(Duration.ofSeconds(60));
    }

    @AfterAll
    static void impatience() {
        Awaitility.reset();
    }

    @BeforeEach
    void start() throws Exception {
        Files.writeString(folder.resolve("orders-canary.yaml"), SimulatedMesh.CANARY);
        mesh = new SimulatedMesh(folder);
        mesh.instance("orders", "1", 7201, "v1");
        mesh.instance("orders", "2", 7203, "v2");
        mesh.instance("shop", "1", 7101, "v1");
        await().until(() -> mesh.controlPlane.connected().size() == 3 && mesh.controlPlane.instances("default").size() == 3);
    }

    @AfterEach
    void stop() throws Exception {
        mesh.close();
    }

    @Test
    void theSamePoliciesChangeNothing() {
        assertThat(diff(SimulatedMesh.CANARY)).isEqualTo(new PolicyDiff(List.of(), List.of(), List.of()));
    }

    @Test
    void anotherWeightIsShownWhereItIs() {
        PolicyDiff diff = diff(SimulatedMesh.CANARY.replace("weight: 90", "weight: 60").replace("weight: 10", "weight: 40"));

        assertThat(diff.policies()).containsExactly("~ MeshHTTPRoute orders-canary (mesh default)");
        List<MeshDiff.Change> changes = diff.meshes().get(0).changes();
        assertThat(changes).singleElement().satisfies(change -> {
            assertThat(change.services()).containsExactly("orders", "shop");
            assertThat(change.resource()).isEqualTo("route outbound_80");
            assertThat(change.summary()).containsExactly(
                    "orders, shop → orders: 40 % of requests now go to v2 (were: 10 %), 60 % to v1 (were: 90 %)");
            assertThat(change.lines()).hasSize(2)
                    .anyMatch(line -> line.matches("~ virtual_hosts\\[.*orders.*].*weighted_clusters\\.clusters\\[.*weight.*: 90 → 60"))
                    .anyMatch(line -> line.endsWith(": 10 → 40"));
        });
        assertThat(mesh.controlPlane.policies().inForce()).as("nothing has been done").hasSize(1);
    }

    @Test
    void whatItMeansIsSaidInWords() {
        assertThat(summaries(SimulatedMesh.CANARY.replace("matches: [{path: {type: PathPrefix, value: /}}]",
                "matches: [{path: {type: PathPrefix, value: /}, headers: [{type: Exact, name: x-canary, value: 'yes'}]}]")))
                .containsExactlyInAnyOrder(
                        "orders, shop → orders: requests with header x-canary: yes now go 90 % to v1, 10 % to v2",
                        "orders, shop → orders: requests now go to all versions alike (before: 90 % to v1, 10 % to v2)");
        assertThat(summaries(SimulatedMesh.CANARY, """
                type: MeshTimeout
                name: short
                mesh: default
                spec:
                  to:
                  - targetRef: {kind: Mesh}
                    default: {connectionTimeout: 1s, http: {requestTimeout: 1500ms}}
                """)).contains(
                        "orders, shop → orders: timeout 15 s → 1500 ms",
                        "orders, shop → orders v2: timeout of a connect 5 s → 1 s");
        assertThat(summaries(SimulatedMesh.CANARY, """
                type: MeshRetry
                name: patient
                mesh: default
                spec:
                  to:
                  - targetRef: {kind: Mesh}
                    default: {http: {numRetries: 2, retryOn: [5xx], perTryTimeout: 2s}}
                """)).anySatisfy(sentence -> assertThat(sentence).startsWith("orders, shop → orders: tried again 5 times at most → 2 times at most"))
                .contains("orders, shop → orders: timeout of an attempt none → 2 s");
        assertThat(summaries(SimulatedMesh.CANARY, """
                type: MeshRateLimit
                name: gentle
                mesh: default
                spec:
                  targetRef: {kind: MeshSubset, tags: {kuma.io/service: orders}}
                  rules:
                  - default: {local: {http: {requestRate: {num: 100, interval: 10s}}}}
                """)).containsOnly("orders: each instance takes 100 requests per 10 s at most (were: any number of requests)");
        assertThat(summaries(SimulatedMesh.CANARY, """
                type: MeshCircuitBreaker
                name: few
                mesh: default
                spec:
                  to:
                  - targetRef: {kind: Mesh}
                    default: {connectionLimits: {maxRequests: 7}}
                """)).anySatisfy(sentence -> assertThat(sentence).matches("orders, shop → orders v1: most requests at once .* → 7"));
    }

    private static String of(String kind, String spec) {
        return "type: " + kind + "\nname: more\nmesh: default\nspec: " + spec + "\n";
    }

    private List<String> with(String kind, String spec) {
        return summaries(SimulatedMesh.CANARY, of(kind, spec));
    }

    @Test
    void whatBecomesOfConnectionsIsSaidInWords() {
        assertThat(with("MeshHealthCheck", "{to: [{targetRef: {kind: Mesh}, default: {interval: 10s, timeout: 2s, http: {path: /health}}}]}"))
                .contains("orders, shop → orders v1: its instances are asked every 10 s how they are, and left out when they are not well");
        assertThat(with("MeshCircuitBreaker", """
                {to: [{targetRef: {kind: Mesh}, default: {outlierDetection: {interval: 1s, baseEjectionTime: 2s,
                  detectors: {totalFailures: {consecutive: 5}}}, connectionLimits: {maxPendingRequests: 3, maxConnections: 4, maxRetries: 5}}}]}"""))
                .contains("orders, shop → orders v1: an instance is left alone after 5 errors in a row (were: any number)")
                .anySatisfy(sentence -> assertThat(sentence).matches("orders, shop → orders v1: most requests that wait .* → 3"))
                .anySatisfy(sentence -> assertThat(sentence).matches("orders, shop → orders v1: most connections .* → 4"))
                .anySatisfy(sentence -> assertThat(sentence).matches("orders, shop → orders v1: most retries at once .* → 5"));
        assertThat(with("MeshLoadBalancingStrategy", "{to: [{targetRef: {kind: MeshService, name: orders}, default: {loadBalancer: {type: RingHash}, "
                + "hashPolicies: [{type: Header, header: {name: x-user}}]}}]}"))
                .contains("orders, shop → orders v1: balanced by round robin → ring hash",
                        "orders, shop → orders: requests stay with one instance by another property than before");
    }

    @Test
    void whatBecomesOfRequestsIsSaidInWords() {
        String filters = "filters: [{type: RequestMirror, requestMirror: {percentage: 5, backendRef: {kind: MeshServiceSubset, name: orders, "
                + "tags: {version: v2}}}}, {type: RequestHeaderModifier, requestHeaderModifier: {add: [{name: x-a, value: b}]}}]\n        backendRefs:";
        assertThat(summaries(SimulatedMesh.CANARY.replace("backendRefs:", filters))).contains(
                "orders, shop → orders: requests are copied elsewhere now",
                "orders, shop → orders: headers, path or host are changed on the way otherwise than before: see the fields");
        assertThat(summaries(SimulatedMesh.CANARY.replace("value: /}}]", "value: /api}, method: GET, queryParams: [{type: Exact, name: q, value: x}]}]")))
                .contains("orders, shop → orders: requests for /api and below it and by GET and with q=x in the query now go 90 % to v1, 10 % to v2");
        assertThat(with("MeshFaultInjection", "{targetRef: {kind: MeshSubset, tags: {kuma.io/service: orders}}, "
                + "rules: [{default: {http: [{abort: {httpStatus: 503, percentage: 5}}]}}]}"))
                .containsExactly("orders: delays or errors are put in on purpose: see the fields");
        assertThat(with("MeshAccessLog", "{targetRef: {kind: Mesh}, to: [{targetRef: {kind: Mesh}, default: {backends: [{type: File, file: {path: /dev/stdout}}]}}], "
                + "from: [{targetRef: {kind: Mesh}, default: {backends: [{type: File, file: {path: /dev/stdout}}]}}]}"))
                .contains("orders: requests that go out are logged", "shop: requests that go out are logged", "orders: requests that come in are logged");
        assertThat(with("MeshTrace", "{targetRef: {kind: Mesh}, default: {backends: [{type: OpenTelemetry, openTelemetry: {endpoint: collector:4317}}]}}"))
                .contains("shop: requests that go out are traced", "orders: requests that come in are traced");
    }

    @Test
    void whatIsNoLongerSaidIsSaidInWords() {
        assertThat(summaries("type: Mesh\nname: default\n")).containsExactlyInAnyOrder(
                "orders, shop → orders: requests now go to all versions alike (before: 90 % to v1, 10 % to v2)",
                "orders, shop → orders v1: is no destination any more", "orders, shop → orders v2: is no destination any more");
    }

    @Test
    void aVersionWithoutAnInstanceIsSaidToFail() {
        assertThat(summaries(SimulatedMesh.CANARY.replace("version: v2", "version: v3"))).contains(
                "orders, shop → orders v3: has NO INSTANCE, what goes there gets 503", "orders, shop → orders v2: is no destination any more")
                .noneMatch(sentence -> sentence.contains("see the fields") || sentence.contains("v2: 0 of"));
    }

    private List<String> summaries(String... documents) {
        PolicyDiff diff = diff(documents);
        assertThat(diff.problems()).isEmpty();
        return diff.meshes().get(0).changes().stream().flatMap(change -> change.summary().stream()).distinct().toList();
    }

    @Test
    void aPolicyForSomeIsShownForThemOnly() {
        PolicyDiff diff = diff(SimulatedMesh.CANARY.replace("targetRef: {kind: Mesh}",
                "targetRef: {kind: MeshSubset, tags: {kuma.io/service: shop}}"));

        assertThat(diff.meshes().get(0).changes()).isNotEmpty().allSatisfy(change ->
                assertThat(change.services()).as(change.resource()).containsExactly("orders"));
    }

    @Test
    void whatWouldBeRefusedLeavesWhatIsInForce() {
        PolicyDiff diff = diff(SimulatedMesh.CANARY.replace("weight: 90", "weight: many"));

        assertThat(diff.problems()).singleElement().satisfies(problem -> assertThat(problem.field()).endsWith("weight"));
        assertThat(diff.policies()).isEmpty();
        assertThat(diff.meshes()).isEmpty();
    }

    @Test
    void identitiesAreNotMadeToBeLookedAt() {
        PolicyDiff diff = diff(SimulatedMesh.CANARY, IDENTITY);

        assertThat(diff.policies()).containsExactly("+ MeshIdentity everyone (mesh default)");
        assertThat(diff.meshes()).singleElement().satisfies(each -> {
            assertThat(each.identities()).isTrue();
            assertThat(each.changes()).isEmpty();
        });
        assertThat(mesh.controlPlane.givesIdentities("default")).isFalse();
        assertThat(folder.resolve(".weft").resolve("ca")).doesNotExist();
    }

    @Test
    void whoAsksByThePageGetsTheSame() throws Exception {
        HttpResponse<String> response = send("{\"files\":[]}", "application/json");
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.body()).contains("- MeshHTTPRoute orders-canary (mesh default)");
        assertThat(send("{\"files\":[{\"name\":\"x\"}]}", "application/json").statusCode()).isEqualTo(400);
        assertThat(send("{\"files\":[]}", "text/plain").statusCode()).isEqualTo(415);
    }

    @Test
    void oneComparisonAtATimeHoldsAnythingInMemory() throws Exception {
        String body = "{\"files\":[]}";
        try (Socket slow = new Socket("127.0.0.1", mesh.page.port())) {
            OutputStream out = slow.getOutputStream();
            out.write(("POST /api/diff HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: "
                    + body.length() + "\r\n\r\n{").getBytes(StandardCharsets.US_ASCII));
            out.flush();
            // From when the head has come.
            await().until(() -> send(body, "application/json").statusCode() == 503);

            out.write(body.substring(1).getBytes(StandardCharsets.US_ASCII));
            out.flush();
            assertThat(new String(slow.getInputStream().readAllBytes(), StandardCharsets.UTF_8)).startsWith("HTTP/1.1 200");
        }
        await().until(() -> send(body, "application/json").statusCode() == 200);
    }

    @Test
    void noMoreIsReadThanAFileMayHave() throws Exception {
        String body = "{\"files\":[]}";
        String most = body + " ".repeat(PageServer.MAX_POLICY_BYTES - body.length());
        assertThat(send(most, "application/json").statusCode()).isEqualTo(200);
        assertThat(send(most + " ", "application/json").statusCode()).isEqualTo(413);
    }

    /** The JDK's server has none by itself. */
    @Test
    void requestsAndConnectionsHaveLimits() {
        assertThat(Long.getLong("sun.net.httpserver.maxReqTime")).as("seconds").isBetween(1L, 60L);
        assertThat(Long.getLong("jdk.httpserver.maxConnections")).as("more than event streams").isBetween(49L, 1_000L);
    }

    private HttpResponse<String> send(String body, String type) throws Exception {
        return HttpClient.newHttpClient().send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + mesh.page.port() + "/api/diff"))
                        .header("content-type", type)
                        .POST(HttpRequest.BodyPublishers.ofString(body))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    private PolicyDiff diff(String... documents) {
        List<SourceText> texts = new ArrayList<>();
        for (int i = 0; i < documents.length; i++) {
            texts.add(new SourceText(i == 0 ? "orders-canary.yaml" : i + ".yaml", Optional.of(documents[i]), Optional.empty()));
        }
        return mesh.controlPlane.diff(texts);
    }
}
