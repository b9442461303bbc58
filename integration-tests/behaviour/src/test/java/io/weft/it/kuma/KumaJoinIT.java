package io.weft.it.kuma;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.Any;
import io.envoyproxy.envoy.config.core.v3.Address;
import io.envoyproxy.envoy.config.core.v3.DataSource;
import io.envoyproxy.envoy.config.core.v3.Node;
import io.envoyproxy.envoy.config.core.v3.Pipe;
import io.envoyproxy.envoy.config.core.v3.SocketAddress;
import io.envoyproxy.envoy.config.endpoint.v3.ClusterLoadAssignment;
import io.envoyproxy.envoy.config.endpoint.v3.LbEndpoint;
import io.envoyproxy.envoy.config.listener.v3.Filter;
import io.envoyproxy.envoy.config.listener.v3.FilterChain;
import io.envoyproxy.envoy.config.listener.v3.Listener;
import io.envoyproxy.envoy.config.route.v3.DirectResponseAction;
import io.envoyproxy.envoy.config.route.v3.HeaderMatcher;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.config.route.v3.RouteConfiguration;
import io.envoyproxy.envoy.config.route.v3.RouteMatch;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.envoyproxy.envoy.extensions.filters.http.router.v3.Router;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter;
import io.envoyproxy.envoy.type.matcher.v3.StringMatcher;
import io.weft.driver.JavaNetHttp;
import io.weft.driver.JdkHttpServer;
import io.weft.it.harness.Authority;
import io.weft.it.harness.Certified;
import io.weft.it.harness.EveryJdk;
import io.weft.it.harness.Jdk;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmCommand;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.KumaConfiguration;
import io.weft.it.harness.KumaControlPlane;
import io.weft.it.harness.KumaControlPlane.Variant;
import io.weft.it.harness.Policy;
import io.weft.it.harness.Testbed;
import io.weft.it.harness.Upstream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.Duration;
import java.util.Base64;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** An app under the real jar joins a mesh of Kuma by the rules of its control plane, with a configuration that a real one served. */
class KumaJoinIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String TOKEN = "eyJhbGciOiJSUzI1NiJ9.e30.c2ln";
    private static final Authority MESH = new Authority("mesh");
    private static final Certified CLIENT = MESH.certify("spiffe://envoyconfig/demo-client");
    private static final String OUTBOUND = "outbound:IP_REDACTED:80";
    private static final String CLUSTER = "envoyconfig_test-server__kuma-3_msvc_80";
    private static final String VIP = "241.0.0.1";
    private static final String HOST = "test-server.svc.mesh.local";

    @RegisterExtension
    final Testbed testbed = new Testbed();

    @EveryJdk
    void findsAServiceByItsNameOfTheMesh(Jdk jdk) {
        for (Variant variant : Variant.values()) {
            Upstream upstream = testbed.upstream(variant.name(), MESH.certify("spiffe://envoyconfig/test-server").trusting(MESH));
            KumaControlPlane kuma = start(variant);
            kuma.serve(reaching(upstream, names(HOST, VIP)));
            JvmProcess client = member(jdk, kuma, "demo-client").driver(JavaNetHttp.class);

            assertThat(client.get("http://" + HOST + "/").body()).as(variant.name()).isEqualTo(variant.name());
            assertThat(client.get("http://" + VIP + "/").body()).isEqualTo(variant.name());

            // What is wrong with one thing is said, and the rest of what was said before stays.
            kuma.serve(reaching(upstream, "nonsense"));
            await().atMost(PATIENCE).until(() -> !kuma.refusals().isEmpty());
            assertThat(kuma.refusals().get(0)).contains("_kuma:dynamicconfig", "direct_response.body", "is not the JSON of /dns");
            assertThat(client.get("http://" + HOST + "/").body()).isEqualTo(variant.name());
            assertThat(kuma.turnedAway()).isEmpty();
        }
    }

    /** Its first request says that it has no port yet: the app opens one later, and nobody would hear of it on the same stream. */
    @EveryJdk
    void aPortThatIsOpenedIsRegistered(Jdk jdk) {
        KumaControlPlane kuma = start(Variant.DELTA);
        kuma.serve(Policy.empty());
        JvmProcess server = member(jdk, kuma, "test-server").unguarded().driver(JdkHttpServer.class, "test-server");
        int port = server.awaitPort();

        await().atMost(PATIENCE).until(() -> kuma.registered().stream().anyMatch(dataPlane -> dataPlane.contains("\"port\":" + port)));
        assertThat(kuma.dataPlanes()).last().satisfies(node -> {
            assertThat(node.getId()).startsWith("default.test-server-");
            assertThat(node.getMetadata().getFieldsOrThrow("features").toString()).contains("feature-embedded-dns");
        });
        assertThat(kuma.registered()).last().asString()
                .contains("\"labels\":{\"kuma.io/workload\":\"test-server\"}", "\"kuma.io/service\":\"test-server\"");
        assertThat(kuma.turnedAway()).isEmpty();

        // What it leaves behind is in callers' lists for ten seconds, unless it says that it is not to be called.
        String called = kuma.dataPlanes().get(kuma.dataPlanes().size() - 1).getId();
        server.stop();
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(kuma.unhealthy()).containsExactly(called));
    }

    /** To wait until it is forgotten would mean to be missing from callers' lists in between. */
    @EveryJdk
    void whoseStreamBreaksComesBackByAnotherName(Jdk jdk) {
        Upstream upstream = testbed.upstream("after", MESH.certify("spiffe://envoyconfig/test-server").trusting(MESH));
        KumaControlPlane kuma = start(Variant.DELTA);
        kuma.serve(Policy.empty());
        JvmProcess client = member(jdk, kuma, "demo-client").driver(JavaNetHttp.class);
        client.getFailing("http://" + HOST + "/");
        await().atMost(PATIENCE).until(() -> kuma.dataPlanes().size() == 1);

        kuma.dropStreams();
        await().atMost(PATIENCE).until(() -> kuma.dataPlanes().size() == 2);
        kuma.serve(reaching(upstream, names(HOST, VIP)));

        await().atMost(PATIENCE).ignoreExceptions().until(() -> client.get("http://" + HOST + "/").body().equals("after"));
        assertThat(kuma.turnedAway()).singleElement().asString().contains("already an active stream");
        String first = kuma.dataPlanes().get(0).getId();
        assertThat(kuma.dataPlanes()).extracting(Node::getId).containsExactly(first, first + "-1");
        assertThat(kuma.registered()).last().asString().contains("\"name\":\"" + first.substring("default.".length()) + "-1\"");
    }

    /** In Kubernetes mode kuma-cp makes the Dataplane of the pod, which the token of its service account names; it goes by no other name. */
    @Test
    void aPodIsKnownByItsToken() throws IOException {
        String token = "e30." + Base64.getUrlEncoder().withoutPadding().encodeToString("""
                {"sub": "system:serviceaccount:shop:orders", "kubernetes.io": {"namespace": "shop", "pod": {"name": "orders-5d4-x", "uid": "u"}}}"""
                .getBytes(StandardCharsets.UTF_8)) + ".c2ln";
        Upstream upstream = testbed.upstream("pod", MESH.certify("spiffe://envoyconfig/test-server").trusting(MESH));
        KumaControlPlane kuma = testbed.closeAfterwards(KumaControlPlane.startInCluster(token, "orders-5d4-x.shop"));
        kuma.serve(reaching(upstream, names(HOST, VIP)));
        JvmProcess client = member(Jdks.newest(), kuma, "orders", token).driver(JavaNetHttp.class);

        assertThat(client.get("http://" + HOST + "/").body()).isEqualTo("pod");
        kuma.dropStreams();
        await().atMost(PATIENCE).until(() -> kuma.dataPlanes().size() == 2);
        assertThat(kuma.dataPlanes()).extracting(Node::getId).containsOnly("default.orders-5d4-x.shop");
        assertThat(kuma.turnedAway()).isEmpty();
    }

    private KumaControlPlane start(Variant variant) {
        return testbed.closeAfterwards(KumaControlPlane.start(variant, TOKEN));
    }

    private JvmCommand member(Jdk jdk, KumaControlPlane kuma, String service) {
        return member(jdk, kuma, service, TOKEN);
    }

    private JvmCommand member(Jdk jdk, KumaControlPlane kuma, String service, String token) {
        try {
            return testbed.jvm(service, jdk).mesh(kuma.uri(), service)
                    .environment("WEFT_CONTROL_PLANE_KIND", "kuma")
                    .environment("WEFT_CONTROL_PLANE_TOKEN_FILE",
                            Files.writeString(testbed.temporaryFolder().resolve("token"), token).toString());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String names(String host, String address) {
        return "{\"records\":[{\"name\":\"" + host + "\",\"ips\":[\"" + address + "\"]}],\"ttl\":30,\"extraLabels\":{}}";
    }

    /** Kuma's, with addresses of this test, and with what it says of names, which the recorded one was not asked for. */
    private static Policy reaching(Upstream upstream, String names) {
        Policy policy = new KumaConfiguration("no-policies", "demo-client").policy(MESH, CLIENT);
        Listener listener = policy.listeners().get(OUTBOUND).toBuilder().setAddress(address(VIP, 80)).build();
        ClusterLoadAssignment.Builder assignment = policy.endpoints().get(CLUSTER).toBuilder();
        LbEndpoint endpoint = assignment.getEndpoints(0).getLbEndpoints(0);
        assignment.getEndpointsBuilder(0).clearLbEndpoints().addLbEndpoints(endpoint.toBuilder().setEndpoint(endpoint.getEndpoint().toBuilder()
                .setAddress(address(upstream.address().getAddress().getHostAddress(), upstream.address().getPort()))));
        return policy.listener(listener).endpoints(assignment.build()).listener(dynamicConfiguration(names));
    }

    private static Listener dynamicConfiguration(String names) {
        Route unchanged = Route.newBuilder().setMatch(RouteMatch.newBuilder().setPath("/dns").addHeaders(HeaderMatcher.newBuilder()
                        .setName("If-None-Match").setStringMatch(StringMatcher.newBuilder().setExact("hash"))))
                .setDirectResponse(DirectResponseAction.newBuilder().setStatus(304)).build();
        Route told = Route.newBuilder().setMatch(RouteMatch.newBuilder().setPath("/dns"))
                .setDirectResponse(DirectResponseAction.newBuilder().setStatus(200).setBody(DataSource.newBuilder().setInlineString(names)))
                .build();
        HttpConnectionManager manager = HttpConnectionManager.newBuilder().setStatPrefix("dynamicconfig")
                .setRouteConfig(RouteConfiguration.newBuilder().addVirtualHosts(
                        VirtualHost.newBuilder().setName("config").addDomains("*").addRoutes(unchanged).addRoutes(told)))
                .addHttpFilters(HttpFilter.newBuilder().setName("router").setTypedConfig(Any.pack(Router.getDefaultInstance())))
                .build();
        return Listener.newBuilder().setName("_kuma:dynamicconfig")
                .setAddress(Address.newBuilder().setPipe(Pipe.newBuilder().setPath("/tmp/kuma-mm.sock")))
                .addFilterChains(FilterChain.newBuilder().addFilters(Filter.newBuilder().setName("http").setTypedConfig(Any.pack(manager))))
                .build();
    }

    private static Address address(String host, int port) {
        return Address.newBuilder().setSocketAddress(SocketAddress.newBuilder().setAddress(host).setPortValue(port)).build();
    }
}
