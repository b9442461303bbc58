package io.weft.it.client;

import static io.weft.it.harness.Routes.retried;
import static io.weft.it.harness.Routes.to;
import static io.weft.it.harness.Routes.whenHeader;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.envoyproxy.envoy.config.core.v3.HeaderValue;
import io.envoyproxy.envoy.config.core.v3.HeaderValueOption;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.weft.it.harness.Build;
import io.weft.it.harness.Jdk;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmCommand;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.Port;
import io.weft.it.harness.RecordedRequest;
import io.weft.it.harness.Testbed;
import io.weft.it.harness.Upstream;
import io.weft.it.harness.Upstream.Respond;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What Spring has on top of the clients of {@link ClientIT}, with each generation of Spring Boot, and beside one of them what others have. */
class SpringClientsIT {
    private static final Pattern PORT = Pattern.compile("Netty started on port (\\d+)");
    private static final String URL = "http://orders/x";
    private static final int CALLS = 6;

    /** A body is written into what the client sends on as it comes: it is sent once. */
    private static final Set<String> STREAMS = Set.of("rest-template", "rest-client", "http-exchange", "feign", "jersey");

    private static final Set<String> TELLS_THE_URL = Set.of("web-client", "feign", "feign-ok-http");

    @RegisterExtension
    final Testbed testbed = new Testbed();

    private final Upstream a = testbed.upstream("a");
    private final Upstream b = testbed.upstream("b");
    private final HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final ObjectMapper json = new ObjectMapper();

    private enum Boot {
        BOOT_2("spring-clients-boot-2"),
        BOOT_3("spring-clients"),
        BOOT_4("spring-clients-boot-4");

        final String app;

        Boot(String app) {
            this.app = app;
        }

        Jdk jdk() {
            return this == BOOT_2 ? Jdks.matrix().get(0) : Jdks.newest();
        }

        /** Each with the exception that an app gets of a 503. */
        Map<String, String> clients() {
            Map<String, String> clients = new LinkedHashMap<>();
            clients.put("rest-template", "org.springframework.web.client.HttpServerErrorException$ServiceUnavailable");
            clients.put("web-client", "org.springframework.web.reactive.function.client.WebClientResponseException$ServiceUnavailable");
            clients.put("feign", "feign.FeignException$ServiceUnavailable");
            if (this != BOOT_2) {
                clients.put("rest-client", clients.get("rest-template"));
                clients.put("http-exchange", clients.get("rest-template"));
                clients.put("http-exchange-reactive", clients.get("web-client"));
            }
            if (this == BOOT_3) {
                clients.put("feign-ok-http", clients.get("feign"));
                clients.put("retrofit", "retrofit2.HttpException");
                clients.put("jersey", "jakarta.ws.rs.WebApplicationException");
                clients.put("vertx-web-client", "java.lang.IllegalStateException");
            }
            return clients;
        }

        List<String> balanced() {
            List<String> balanced = new ArrayList<>(List.of("rest-template-balanced", "web-client-balanced", "feign-balanced"));
            if (this != BOOT_2) {
                balanced.add("rest-client-balanced");
            }
            return balanced;
        }
    }

    @ParameterizedTest
    @EnumSource
    void eachObeysPolicyAndTheAppCannotTell(Boot boot) throws Exception {
        PolicyServer policies = testbed.policyServer();
        policies.serve(Policy.empty()
                .cluster("a", a.address())
                .cluster("b", b.address())
                .virtualHost(80, VirtualHost.newBuilder()
                        .setName("orders").addDomains("orders").addDomains("orders:80")
                        .addRoutes(marked(whenHeader("x-canary", "yes", retried("5xx", 1, to("b")))))
                        .addRoutes(marked(to("a")))
                        .build()));
        JvmProcess app = start(boot, jvm(boot, "with").mesh(policies.uri(), "shop").unguarded());
        JvmProcess without = start(boot, jvm(boot, "without"));
        int port = port(app);
        await().atMost(Duration.ofMinutes(1)).until(() -> "b".equals(send(port, "rest-template", URL, "yes", null).get("body")));

        for (Map.Entry<String, String> client : boot.clients().entrySet()) {
            routesRetriesAndFails(port, client.getKey(), client.getValue());
        }
        int portWithout = port(without);
        for (String client : boot.clients().keySet()) {
            isTheSameWithoutPolicy(port, portWithout, client);
        }
        keepsWhatTheAppHasChosen(boot, port);
        gatewayRoutesAndRetries(port);
        assertThat(policies.refusals()).isEmpty();
    }

    private void routesRetriesAndFails(int port, String client, String unavailable) throws Exception {
        b.react(request -> b.ok());
        b.forgetRequests();
        assertThat(send(port, client, URL, "no", null)).as(client).containsEntry("body", "a");
        assertThat(send(port, client, URL, "yes", null)).as(client)
                .containsEntry("status", "200").containsEntry("body", "b").containsEntry("x-mesh", "answered");
        assertThat(b.requests()).as(client).singleElement().satisfies(request -> {
            assertThat(request.line()).isEqualTo("GET /x HTTP/1.1");
            assertThat(request.header("host")).hasValue("orders");
            assertThat(request.header("x-mesh")).hasValue("asked");
        });

        String body = STREAMS.contains(client) ? null : "the body";
        busyAtFirst(b);
        assertThat(send(port, client, URL, "yes", body)).as(client).containsEntry("status", "200").containsEntry("body", "b");
        triedTwice(client);
        assertThat(b.requests()).as(client).allSatisfy(request -> assertThat(request.text()).isEqualTo(body == null ? "" : body));

        b.forgetRequests();
        b.react(request -> new Respond(503, Map.of(), "busy"));
        String error = send(port, client, URL, "yes", null).get("error");
        assertThat(error).as(client).startsWith(unavailable + ": ").contains("503");
        if (TELLS_THE_URL.contains(client)) {
            assertThat(error).as(client).contains(URL);
        }
        triedTwice(client);
        b.react(request -> b.ok());
    }

    /** Down to exception types and messages. */
    private void isTheSameWithoutPolicy(int with, int without, String client) throws Exception {
        String url = "http://127.0.0.1:" + a.address().getPort() + "/x?y=z";
        for (int status : List.of(200, 404, 503)) {
            a.react(request -> new Respond(status, Map.of("x-mesh", "none"), "own"));
            assertThat(send(with, client, url, "yes", "the body")).as(client)
                    .isEqualTo(send(without, client, url, "yes", "the body")).isNotEmpty();
        }
        a.react(request -> a.ok());
        String refused = "http://127.0.0.1:" + Port.unused() + "/x";
        assertThat(send(with, client, refused, "yes", null)).as(client).isEqualTo(send(without, client, refused, "yes", null)).containsKey("error");
    }

    /** Spring Cloud LoadBalancer puts an instance in the place of the name, above the client: what that is, is what the mesh sees. */
    private void keepsWhatTheAppHasChosen(Boot boot, int port) throws Exception {
        for (String client : boot.balanced()) {
            List<String> bodies = new ArrayList<>();
            for (int i = 0; i < CALLS; i++) {
                bodies.add(send(port, client, URL, "yes", null).get("body"));
            }
            assertThat(bodies).as(client + ", of instances by address").hasSize(CALLS).containsOnly("a", "b");
            for (int i = 0; i < CALLS; i++) {
                assertThat(send(port, client, "http://named/x", "yes", null)).as(client + ", of an instance by the name of the mesh")
                        .containsEntry("body", "b").containsEntry("x-mesh", "answered");
            }
        }
        List<String> bodies = new ArrayList<>();
        for (int i = 0; i < CALLS; i++) {
            bodies.add(gateway(port, "/balanced/x").body());
            assertThat(gateway(port, "/balanced-name/x").body()).isEqualTo("b");
        }
        assertThat(bodies).as("gateway, of instances by address").containsOnly("a", "b");
    }

    private void gatewayRoutesAndRetries(int port) throws Exception {
        b.forgetRequests();
        HttpResponse<String> answer = gateway(port, "/by-name/x");
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.body()).isEqualTo("b");
        assertThat(answer.headers().firstValue("x-mesh")).hasValue("answered");
        assertThat(b.requests()).singleElement().satisfies(request -> {
            assertThat(request.line()).isEqualTo("GET /x HTTP/1.1");
            assertThat(request.header("x-mesh")).hasValue("asked");
        });
        busyAtFirst(b);
        assertThat(gateway(port, "/by-name/x").body()).isEqualTo("b");
        triedTwice("gateway");
    }

    private void triedTwice(String client) {
        assertThat(b.requests()).as(client).hasSize(2);
        assertThat(b.requests().stream().map(RecordedRequest::wire).distinct().toList()).as(client + ": twice the same").hasSize(1);
    }

    private static void busyAtFirst(Upstream upstream) {
        AtomicInteger calls = new AtomicInteger();
        upstream.forgetRequests();
        upstream.react(request -> calls.getAndIncrement() == 0 ? new Respond(503, Map.of(), "busy") : upstream.ok());
    }

    private static Route marked(Route route) {
        return route.toBuilder()
                .addRequestHeadersToAdd(header("asked"))
                .addResponseHeadersToAdd(header("answered"))
                .build();
    }

    private static HeaderValueOption header(String value) {
        return HeaderValueOption.newBuilder().setHeader(HeaderValue.newBuilder().setKey("x-mesh").setValue(value)).build();
    }

    private JvmCommand jvm(Boot boot, String name) {
        return testbed.jvm(boot + " " + name, boot.jdk()).option("-XX:TieredStopAtLevel=1").option("-XX:+UseSerialGC").option("-Xmx160m");
    }

    private JvmProcess start(Boot boot, JvmCommand jvm) {
        String instances = "--spring.cloud.discovery.client.simple.instances.";
        return jvm.jar(Build.app(boot.app),
                instances + "orders[0].uri=http://127.0.0.1:" + a.address().getPort(),
                instances + "orders[1].uri=http://127.0.0.1:" + b.address().getPort(),
                instances + "named[0].uri=http://orders:80");
    }

    private static int port(JvmProcess app) {
        Matcher started = PORT.matcher(app.awaitStdout(line -> PORT.matcher(line).find()));
        assertThat(started.find()).isTrue();
        return Integer.parseInt(started.group(1));
    }

    private Map<String, String> send(int port, String client, String url, String canary, String body) throws IOException, InterruptedException {
        String query = "client=" + client + "&url=" + URLEncoder.encode(url, StandardCharsets.UTF_8) + "&canary=" + canary
                + (body == null ? "" : "&body=" + URLEncoder.encode(body, StandardCharsets.UTF_8));
        HttpResponse<String> answer = http.send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/send?" + query)).timeout(Duration.ofSeconds(60)).build(),
                HttpResponse.BodyHandlers.ofString());
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        return json.readValue(answer.body(), new TypeReference<>() {});
    }

    private HttpResponse<String> gateway(int port, String path) throws IOException, InterruptedException {
        return http.send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path)).timeout(Duration.ofSeconds(60)).header("x-canary", "yes").build(),
                HttpResponse.BodyHandlers.ofString());
    }
}
