package io.weft.controlplane.page;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.weft.controlplane.page.SimulatedMesh.Shop;
import io.weft.controlplane.rollout.PageWatch;
import io.weft.controlplane.rollout.Rollout.Observed;
import io.weft.controlplane.token.TokenKey;
import io.weft.controlplane.xds.Nodes;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The page's JSON interface, and who may use it, on a real control plane to which data planes report. */
class PageServerTest {

    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private Path folder;

    private SimulatedMesh mesh;
    private final HttpClient client = HttpClient.newHttpClient();

    @BeforeAll
    static void patience() {
        Awaitility.setDefaultTimeout(Duration.ofSeconds(60));
    }

    @AfterAll
    static void impatience() {
        Awaitility.reset();
    }

    @BeforeEach
    void start() throws IOException {
        mesh = new SimulatedMesh(folder);
    }

    @AfterEach
    void stop() throws Exception {
        mesh.close();
    }

    @Test
    void whatDataPlanesReportIsShown() throws Exception {
        Shop shop = new Shop(mesh);
        await().until(() -> {
            shop.report();
            return edge("storefront", "orders", "v2").path("requestsPerSecond").asDouble() > 0
                    && edge("orders", "mail", "v1").path("refused").asDouble() > 0
                    && service("mail").at("/refusedBy/permission").asDouble() > 0
                    && !service("stock").path("instances").path(1).path("ejectedBy").isEmpty();
        });

        JsonNode canary = edge("storefront", "orders", "v2");
        assertThat(canary.path("success").asDouble()).isBetween(0.90, 0.97);
        assertThat(canary.path("p99Millis").asDouble()).isBetween(100.0, 250.0);
        assertThat(canary.path("mutualTls").asDouble()).isEqualTo(1);
        assertThat(edge("storefront", "orders", "v1").path("success").asDouble()).isEqualTo(1);
        assertThat(edge("orders", "mail", "v1").path("mutualTls").asDouble()).isZero();
        assertThat(service("stock").path("instances").path(1).path("ejectedBy").path(0).asText()).isEqualTo("storefront");
        assertThat(service("batch").path("called").asBoolean()).isFalse();
        assertThat(view().path("problems").path(0).path("file").asText()).isEqualTo("broken.yaml");
        assertThat(view().at("/meshes/0/rollouts/0/weights/v2").asInt()).isEqualTo(10);
        assertThat(texts(view().at("/meshes/0/policies/0/actsOn"))).contains("storefront", "batch");

        Files.writeString(folder.resolve("other.yaml"), SimulatedMesh.CANARY.replace("orders-canary", "another-canary"));
        await().until(() -> view().at("/meshes/0/policies").size() == 2);
        assertThat(view().at("/meshes/0/policies/0/overriddenBy")).as("the alphabetically first counts").hasToString("[]");
        assertThat(view().at("/meshes/0/policies/1/overriddenBy")).hasToString("[\"another-canary\"]");

        Files.writeString(folder.resolve("wrong.yaml"),
                timeout("default", "batch") + timeout("default", "odrers") + timeout("defualt", "orders"));
        await().until(() -> view().at("/meshes/1/policies").size() == 1);
        assertThat(view().at("/meshes/1/policies/0/warnings")).singleElement().asString()
                .contains("nobody is in mesh defualt; there is default. Did you mean default?");
        JsonNode policies = view().at("/meshes/0/policies");
        assertThat(policies).hasSize(4);
        assertThat(policies.path(2).path("warnings")).as("who only calls others is somebody").isEmpty();
        assertThat(policies.path(3).path("warnings")).singleElement().asString()
                .contains("names service odrers, which nobody is an instance of now. Did you mean orders?");

        JsonNode refusing = edge("orders", "mail", "v1");
        assertThat(refusing.path("refused").asDouble()).as("no success, though below 500").isCloseTo(0.3, within(0.01));
        assertThat(refusing.path("success").asDouble()).isCloseTo(0.7, within(0.01));
        assertThat(service("mail").at("/refusedBy/rateLimit").asDouble()).isPositive();
        assertThat(service("orders").path("refused").asDouble()).isZero();

        JsonNode load = JSON.readTree(get("/api/load?service=orders").body());
        assertThat(load.path("versions").fieldNames()).toIterable().contains("v1", "v2");
        assertThat(load.at("/versions/v2/requests")).hasSizeGreaterThan(100);

        PageWatch watch = new PageWatch(uri("/"));
        assertThat(watch.versions("default", "orders")).containsExactly("v1", "v2");
        assertThat(watch.refusal("default", "orders")).isEmpty();
        long moment = watch.now() - 60_000;
        Observed observed = watch.since("default", "orders", "v2", moment);
        assertThat(observed.requests()).isPositive();
        assertThat(observed.errors()).isPositive();
        assertThat(observed.p99Millis()).isPresent();
        assertThat(observed.refused()).isZero();
        Observed refused = watch.since("default", "mail", "v1", moment);
        assertThat(refused.errors()).as("what the mesh refuses counts").isEqualTo(refused.refused()).isPositive();
        JsonNode mail = JSON.readTree(get("/api/load?service=mail").body()).at("/versions/v1");
        assertThat(mail.path("recentRefused").asDouble()).isCloseTo(0.3, within(0.01));
        assertThat(mail.path("recentClientErrors").asDouble()).isCloseTo(0.05, within(0.01));
        assertThat(mail.path("recentErrors").asDouble()).isZero();
        assertThat(watch.since("default", "orders", "v2", watch.now()).requests()).as("nothing is over since").isZero();
    }

    @Test
    void whoRefusesAPolicyIsShownWithIt() throws Exception {
        Files.writeString(folder.resolve("orders-canary.yaml"), SimulatedMesh.CANARY);
        mesh.instance("orders", "1", 7201, "v1");
        mesh.instance("shop", "1", 7101, "v1", "outbound_80");

        await().until(() -> !view().at("/meshes/0/refusals/0/node").isMissingNode());

        assertThat(view().at("/meshes/0/refusals/0/node").asText()).isEqualTo("default.shop-1");
        assertThat(view().at("/meshes/0/refusals/0/service").asText()).isEqualTo("shop");
        assertThat(view().at("/meshes/0/refusals/0/message").asText()).isEqualTo("not this one");
    }

    @Test
    void whoHasAStreamIsListedWithWhatItSaysOfItself() throws Exception {
        Files.writeString(folder.resolve("orders-canary.yaml"), SimulatedMesh.CANARY);
        mesh.instance(Nodes.built(Nodes.agent("orders", "1", 7201, "v1"), "1.2.3", 4711));
        mesh.instance("shop", "1", 7101, "v1", "outbound_80");

        await().until(() -> agents().path(1).path("policy").asText().equals("refused") && agents().path(0).path("policy").asText().equals("current"));

        JsonNode orders = agents().path(0);
        assertThat(orders.path("node").asText()).isEqualTo("default.orders-1");
        assertThat(orders.path("service").asText()).isEqualTo("orders");
        assertThat(orders.path("kind").asText()).isEqualTo("agent");
        assertThat(orders.path("version").asText()).isEqualTo("1.2.3");
        assertThat(orders.path("pid").asLong()).isEqualTo(4711);
        assertThat(orders.path("identity").asBoolean()).isFalse();
        assertThat(orders.path("refused")).isEmpty();
        assertThat(agents().path(1).path("pid").isNull()).isTrue();
        assertThat(agents().path(1).at("/refused/0/message").asText()).isEqualTo("not this one");
    }

    private JsonNode agents() throws Exception {
        return JSON.readTree(get("/api/agents").body());
    }

    @Test
    void newsIsPushed() throws Exception {
        mesh.instance("orders", "1", 7201, "v1");
        HttpResponse<Stream<String>> events = client.send(
                HttpRequest.newBuilder(uri("/api/events?service=orders")).build(), HttpResponse.BodyHandlers.ofLines());
        assertThat(events.headers().firstValue("content-type")).hasValue("text/event-stream; charset=utf-8");
        try (Stream<String> lines = events.body()) {
            var iterator = lines.iterator();
            assertThat(iterator.next()).isEqualTo("event: mesh");
            Files.writeString(folder.resolve("orders-canary.yaml"), SimulatedMesh.CANARY);
            String line = "";
            while (!line.startsWith("data: ") || !line.contains("orders-canary")) {
                line = iterator.next();
            }
            assertThat(line).contains("\"weights\":{\"v1\":90,\"v2\":10}");
        }
    }

    @Test
    void aTokenLetsItsBearerWrite() throws Exception {
        Files.writeString(folder.resolve("orders-canary.yaml"), SimulatedMesh.CANARY);
        String body = "{\"mesh\":\"default\",\"service\":\"orders\",\"weights\":{\"v1\":40,\"v2\":60}}";

        assertThat(post(body, "authorization", "Bearer " + mesh.token()).statusCode()).isEqualTo(200);

        assertThat(Files.readString(folder.resolve("orders-canary.yaml"))).isEqualTo(
                SimulatedMesh.CANARY.replace("weight: 90", "weight: 40").replace("weight: 10", "weight: 60"));
        await().until(() -> view().at("/meshes/0/rollouts/0/weights/v2").asInt() == 60);
    }

    @Test
    void whoeverHasNoRightToWriteDoesNot() throws Exception {
        Files.writeString(folder.resolve("orders-canary.yaml"), SimulatedMesh.CANARY);
        String body = "{\"mesh\":\"default\",\"service\":\"orders\",\"weights\":{\"v1\":40,\"v2\":60}}";
        String dataPlane = TokenKey.in(folder.resolve(".weft"), Clock.systemUTC()).issue("default", "orders", Duration.ofHours(1));
        String expired = TokenKey.in(folder.resolve(".weft"), Clock.systemUTC()).issueForOperator(Duration.ofHours(-1));

        assertThat(post(body).statusCode()).isEqualTo(401);
        assertThat(post(body, "authorization", "Bearer nonsense").statusCode()).isEqualTo(401);
        assertThat(post(body, "authorization", "Bearer " + dataPlane).statusCode()).as("a service is no operator").isEqualTo(401);
        assertThat(post(body, "authorization", "Bearer " + expired).statusCode()).isEqualTo(401);
        assertThat(post(body, "authorization", "Bearer " + mesh.token(), "origin", "http://evil.example").statusCode()).isEqualTo(403);
        assertThat(post(body, "authorization", "Bearer " + mesh.token(), "content-type", "text/plain").statusCode()).isEqualTo(415);
        assertThat(Files.readString(folder.resolve("orders-canary.yaml"))).isEqualTo(SimulatedMesh.CANARY);
    }

    @Test
    void whereNothingCanBeWrittenNothingIs() throws Exception {
        PageServer.Settings settings = new PageServer.Settings(
                new InetSocketAddress("127.0.0.1", 0), Set.of(), Optional.empty(), mesh.controlPlane::isOperator);
        try (PageServer readOnly = PageServer.start(settings, mesh.controlPlane, Optional.empty())) {
            URI page = URI.create("http://127.0.0.1:" + readOnly.port());
            JsonNode view = JSON.readTree(client.send(
                    HttpRequest.newBuilder(page.resolve("/api/mesh")).build(), HttpResponse.BodyHandlers.ofString()).body());
            assertThat(view.path("writable").asBoolean()).isFalse();
            for (String path : List.of("/api/rollout", "/api/diff")) {
                HttpRequest request = HttpRequest.newBuilder(page.resolve(path))
                        .header("content-type", "application/json")
                        .header("authorization", "Bearer " + mesh.token())
                        .POST(HttpRequest.BodyPublishers.ofString("{}"))
                        .build();
                assertThat(client.send(request, HttpResponse.BodyHandlers.ofString()).statusCode()).isEqualTo(403);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "", "[]", "{}", "{\"mesh\":\"default\",\"service\":\"orders\"}",
        "{\"mesh\":\"default\",\"service\":\"orders\",\"weights\":{}}",
        "{\"mesh\":\"default\",\"service\":\"orders\",\"weights\":{\"v1\":-1}}",
        "{\"mesh\":\"default\",\"service\":\"orders\",\"weights\":{\"v1\":0}}",
        "{\"mesh\":\"default\",\"service\":\"orders\",\"weights\":{\"v1\":\"x\"}}",
    })
    void whatCannotBeReadChangesNothing(String body) throws Exception {
        assertThat(post(body, "authorization", "Bearer " + mesh.token()).statusCode()).isEqualTo(400);
        assertThat(folder.resolve("orders-canary.yaml")).doesNotExist();
    }

    @ParameterizedTest
    @CsvSource({
        "127.0.0.1, 200", "localhost, 200", "LOCALHOST:80, 200", "[::1], 200", "mesh.example:1, 200", "evil.example, 421",
        "127.0.0.1.evil.example, 421", "'', 421",
    })
    void onlyUnderItsOwnNamesItIsReached(String host, int status) throws Exception {
        assertThat(status("/api/mesh", host)).startsWith("HTTP/1.1 " + status + " ");
    }

    /** The status line for what no client of the JDK would send. */
    private String status(String path, String host) throws IOException {
        try (Socket socket = new Socket("127.0.0.1", mesh.page.port())) {
            OutputStream out = socket.getOutputStream();
            out.write(("GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
            out.flush();
            return new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII)).readLine();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/", "/app.js", "/map.js", "/charts.js", "/format.js", "/style.css", "/icon.svg", "/api/mesh"})
    void nothingFromElsewhereMayRunInIt(String path) throws Exception {
        HttpResponse<String> response = get(path);
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.headers().firstValue("content-security-policy").orElseThrow())
                .startsWith("default-src 'none'; script-src 'self'; style-src 'self'").doesNotContain("unsafe");
        assertThat(response.headers().firstValue("x-content-type-options")).hasValue("nosniff");
        assertThat(response.body().replace("http://www.w3.org/2000/svg", "")).doesNotContain("http://").doesNotContain("https://");
    }

    @Test
    void whatIsNotThereIsNotFound() throws Exception {
        assertThat(get("/../../etc/passwd").statusCode()).isEqualTo(404);
        assertThat(get("/index.html").statusCode()).isEqualTo(404);
    }

    @ParameterizedTest
    @CsvSource({"/api/load?mesh=%zz, 400", "/api/load?mesh=%, 400", "/api/load?mesh=%e4&service=%00, 200", "/api/load?=&&a, 200"})
    void aQueryThatCannotBeReadIsTheSendersFault(String path, int status) throws Exception {
        assertThat(status(path, "localhost")).startsWith("HTTP/1.1 " + status + " ");
    }

    private static String timeout(String mesh, String service) {
        return "type: MeshTimeout\nname: to-" + service + "\nmesh: " + mesh + "\nspec: {to: [{targetRef: {kind: MeshService, name: " + service
                + "}, default: {connectionTimeout: 2s}}]}\n---\n";
    }

    private JsonNode view() throws Exception {
        return JSON.readTree(get("/api/mesh").body());
    }

    private JsonNode service(String name) throws Exception {
        return find(view().at("/meshes/0/services"), "name", name);
    }

    private JsonNode edge(String from, String to, String version) throws Exception {
        return StreamSupport.stream(view().at("/meshes/0/edges").spliterator(), false)
                .filter(edge -> edge.path("from").asText().equals(from) && edge.path("to").asText().equals(to)
                        && edge.path("version").asText().equals(version))
                .findFirst().orElse(JSON.missingNode());
    }

    private static JsonNode find(JsonNode list, String field, String value) {
        return StreamSupport.stream(list.spliterator(), false)
                .filter(each -> each.path(field).asText().equals(value))
                .findFirst().orElse(JSON.missingNode());
    }

    private static List<String> texts(JsonNode list) {
        return StreamSupport.stream(list.spliterator(), false).map(JsonNode::asText).toList();
    }

    private URI uri(String path) {
        return URI.create("http://127.0.0.1:" + mesh.page.port() + path);
    }

    private HttpResponse<String> get(String path) throws Exception {
        return client.send(HttpRequest.newBuilder(uri(path)).build(), HttpResponse.BodyHandlers.ofString());
    }

    private HttpResponse<String> post(String body, String... headers) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(uri("/api/rollout"))
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .setHeader("content-type", "application/json");
        for (int i = 0; i < headers.length; i += 2) {
            request.setHeader(headers[i], headers[i + 1]);
        }
        return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }
}
