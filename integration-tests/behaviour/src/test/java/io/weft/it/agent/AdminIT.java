package io.weft.it.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.protobuf.Any;
import io.envoyproxy.envoy.config.core.v3.Address;
import io.envoyproxy.envoy.config.core.v3.SocketAddress;
import io.envoyproxy.envoy.config.core.v3.TrafficDirection;
import io.envoyproxy.envoy.config.listener.v3.Filter;
import io.envoyproxy.envoy.config.listener.v3.FilterChain;
import io.envoyproxy.envoy.config.listener.v3.Listener;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.config.route.v3.RouteAction;
import io.envoyproxy.envoy.config.route.v3.RouteConfiguration;
import io.envoyproxy.envoy.config.route.v3.RouteMatch;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.envoyproxy.envoy.extensions.filters.http.router.v3.Router;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter;
import io.weft.driver.HttpAnswer;
import io.weft.driver.JavaNetHttp;
import io.weft.driver.JdkHttpServer;
import io.weft.it.harness.AdminPage;
import io.weft.it.harness.Build;
import io.weft.it.harness.EveryJdk;
import io.weft.it.harness.Jdk;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.Port;
import io.weft.it.harness.Routes;
import io.weft.it.harness.Testbed;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Metrics of both directions, the other pages of the admin socket, and why a request went where it went. */
class AdminIT {
    @RegisterExtension
    final Testbed testbed = new Testbed();

    private final Path sockets = testbed.temporaryFolder().resolve("sockets");

    /** On a port, where others may read. */
    private static void tellsWhatItHasAsAnEnvoyDoes(URI admin, int port) throws Exception {
        JsonNode dump = json(asked(admin.resolve("config_dump?include_eds"), "GET").body()).at("/configs");
        assertThat(dump).extracting(section -> section.path("@type").asText().replaceFirst(".*\\.", "")).containsExactly(
                "BootstrapConfigDump", "ClustersConfigDump", "EndpointsConfigDump", "ListenersConfigDump", "RoutesConfigDump", "SecretsConfigDump");
        assertThat(dump.at("/0/bootstrap/node/cluster").asText()).isEqualTo("shop");
        assertThat(dump.at("/1/dynamic_active_clusters")).anySatisfy(told -> {
            assertThat(told.at("/cluster/@type").asText()).isEqualTo("type.googleapis.com/envoy.config.cluster.v3.Cluster");
            assertThat(told.at("/cluster/name").asText()).isEqualTo("orders");
            assertThat(told.path("client_status").asText()).isEqualTo("ACKED");
        });
        assertThat(dump.at("/2/dynamic_endpoint_configs")).anySatisfy(told -> assertThat(
                told.at("/endpoint_config/endpoints/0/lb_endpoints/0/endpoint/address/socket_address/port_value").asInt()).isEqualTo(port));
        assertThat(asked(admin.resolve("clusters?format=json"), "GET").body()).contains("\"cluster_statuses\"");
        assertThat(asked(admin.resolve("ready"), "GET").body()).isEqualTo("LIVE\n");
        for (String change : new String[] {"logging?level=debug", "drain"}) {
            assertThat(asked(admin.resolve(change), "POST").statusCode()).isEqualTo(404);
        }
    }

    private static HttpResponse<String> asked(URI page, String method) throws Exception {
        return HttpClient.newHttpClient().send(
                HttpRequest.newBuilder(page).method(method, HttpRequest.BodyPublishers.noBody()).build(), HttpResponse.BodyHandlers.ofString());
    }

    @EveryJdk
    void aRequestIsSeenFromBothSides(Jdk jdk) throws Exception {
        PolicyServer policies = testbed.policyServer();
        policies.serve(Policy.empty());
        JvmProcess server = testbed.jvm("orders", jdk).mesh(policies.uri(), "orders").environment("WEFT_ADMIN_DIR", sockets.toString())
                .environment("WEFT_DEBUG_HEADER", "true").unguarded().driver(JdkHttpServer.class, "app");
        int port = server.awaitPort();
        policies.serve(Policy.empty()
                .listener(inbound(port))
                .service("orders", new InetSocketAddress("127.0.0.1", port))
                .cluster("nobody")
                .virtualHost("nobody", Routes.to("nobody")));
        int asked = Port.unused();
        JvmProcess client = testbed.jvm("client", jdk).mesh(policies.uri(), "shop").environment("WEFT_ADMIN_DIR", sockets.toString())
                .environment("WEFT_ADMIN_LOOPBACK", Integer.toString(asked))
                .environment("WEFT_DEBUG_HEADER", "true").environment("WEFT_METRICS_ADDRESS", "0").driver(JavaNetHttp.class);
        await().until(() -> client.get("http://orders/").status() == 200);
        await().until(() -> client.get("http://nobody/").status() == 503);
        await().until(() -> AdminPage.isOpen(socket(client)) && AdminPage.isOpen(socket(server)));

        await().until(() -> client.get("http://orders/").status() == 200
                && page(server, "GET", "/stats/prometheus").contains("istio_requests_total{reporter=\"destination\""));

        HttpAnswer told = client.get("http://orders/", Map.of("x-weft-debug", "1"));
        assertThat(told.headers().get("x-weft-debug").toString())
                .contains("\"reporter\":\"source\"", "\"cluster\":\"orders\"", "\"endpoint\":\"127.0.0.1:" + port + "\"")
                .contains("\"reporter\":\"destination\"", "\"details\":\"via_upstream\"");

        String outbound = page(client, "GET", "/stats/prometheus");
        assertThat(outbound)
                .containsPattern("istio_requests_total\\{reporter=\"source\",source_workload=\"shop\"[^\\n]*destination_service=\"orders\""
                        + "[^\\n]*response_code=\"200\"[^\\n]*response_flags=\"-\",connection_security_policy=\"none\"\\} [1-9]")
                .containsPattern("istio_requests_total[^\\n]*destination_service=\"nobody\"[^\\n]*response_code=\"503\"[^\\n]*response_flags=\"UH\"")
                .containsPattern("istio_request_duration_milliseconds_bucket\\{reporter=\"source\"[^\\n]*le=\"\\+Inf\"\\} [1-9]")
                .containsPattern("envoy_cluster_upstream_rq_total\\{envoy_cluster_name=\"orders\"\\} [1-9]")
                .containsPattern("envoy_cluster_upstream_cx_none_healthy\\{envoy_cluster_name=\"nobody\"\\} [1-9]")
                .contains("envoy_control_plane_connected_state 1\n");
        assertThat(page(server, "GET", "/stats/prometheus")).containsPattern(
                "istio_requests_total\\{reporter=\"destination\",source_workload=\"unknown\"[^\\n]*destination_workload=\"orders\""
                        + "[^\\n]*response_code=\"200\"[^\\n]*\\} [1-9]");

        assertThat(page(client, "GET", "/stats?filter=upstream_rq_2xx")).matches("cluster\\.orders\\.upstream_rq_2xx: [1-9]\\d*\\n");
        assertThat(page(client, "GET", "/clusters")).contains("orders::127.0.0.1:" + port + "::health_flags::healthy\n");
        assertThat(json(page(client, "GET", "/clusters?format=json")).at("/cluster_statuses/1/host_statuses/0/address/socket_address/port_value").asInt())
                .isEqualTo(port);
        assertThat(json(page(client, "GET", "/config_dump")).at("/clusters")).extracting(cluster -> cluster.get("name").asText())
                .containsExactly("nobody", "orders");
        assertThat(json(page(client, "GET", "/certs")).has("certificates")).isTrue();
        assertThat(page(client, "POST", "/logging?level=debug")).isEqualTo("level: debug\n");

        tellsWhatItHasAsAnEnvoyDoes(URI.create("http://127.0.0.1:" + asked + "/"), port);

        String listening = client.awaitStderr(line -> line.contains("metrics at http://"));
        String scraped = client.get(listening.substring(listening.indexOf("http://"))).body();
        assertThat(scraped).contains("istio_requests_total{");

        JvmProcess explain = testbed.jvm("explain", jdk).jar(Build.agent(), "explain", Long.toString(client.pid()), "GET", "http://orders/x",
                "-H", "a: b", "--dir", sockets.toString());
        assertThat(explain.awaitExit()).as(explain::report).isZero();
        assertThat(String.join("\n", explain.stdout())).contains("cluster      orders, plaintext", "endpoint   127.0.0.1:" + port + ", plaintext, healthy");

        assertThat(page(server, "GET", "/ready")).isEqualTo("LIVE\n");
        assertThat(page(server, "POST", "/drain")).isEqualTo("OK\n");
        await().untilAsserted(() -> assertThat(page(server, "GET", "/ready")).isEqualTo("DRAINING\n"));
        assertThat(policies.refusals()).isEmpty();
    }

    private Path socket(JvmProcess process) {
        return sockets.resolve(process.pid() + ".sock");
    }

    private static JsonNode json(String text) throws IOException {
        return new ObjectMapper().readTree(text);
    }

    private String page(JvmProcess process, String method, String path) throws IOException {
        return AdminPage.ask(socket(process), method, path);
    }

    private static Listener inbound(int port) {
        HttpConnectionManager manager = HttpConnectionManager.newBuilder()
                .setStatPrefix("inbound")
                .setRouteConfig(RouteConfiguration.newBuilder().setName("inbound").addVirtualHosts(VirtualHost.newBuilder()
                        .setName("app").addDomains("*").addRoutes(Route.newBuilder()
                                .setMatch(RouteMatch.newBuilder().setPrefix("/")).setRoute(RouteAction.newBuilder().setCluster("app")))))
                .addHttpFilters(HttpFilter.newBuilder().setName("router").setTypedConfig(Any.pack(Router.getDefaultInstance())))
                .build();
        return Listener.newBuilder()
                .setName("inbound")
                .setTrafficDirection(TrafficDirection.INBOUND)
                .setAddress(Address.newBuilder().setSocketAddress(SocketAddress.newBuilder().setAddress("127.0.0.1").setPortValue(port)))
                .addFilterChains(FilterChain.newBuilder().addFilters(Filter.newBuilder()
                        .setName("envoy.filters.network.http_connection_manager").setTypedConfig(Any.pack(manager))))
                .build();
    }
}
