package io.weft.it.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

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
import io.envoyproxy.envoy.type.v3.Percent;
import io.weft.driver.JavaNetHttp;
import io.weft.driver.JdkHttpServer;
import io.weft.driver.TracedServer;
import io.weft.it.agent.SpanCollector.Span;
import io.weft.it.harness.EveryJdk;
import io.weft.it.harness.Jdk;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmCommand;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Library;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.RecordedRequest;
import io.weft.it.harness.Routes;
import io.weft.it.harness.Testbed;
import io.weft.it.harness.Upstream;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Spans of both sides in one trace, as a collector gets them, without a tracer in the app. */
class TracesIT {
    private static final String TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
    private static final String PARENT = "00f067aa0ba902b7";

    @RegisterExtension
    final Testbed testbed = new Testbed();

    private final SpanCollector collector = SpanCollector.start();
    private final Upstream failing = testbed.upstream("failing");

    @AfterEach
    void stop() {
        collector.close();
    }

    private JvmCommand jvm(String name, Jdk jdk, PolicyServer policies) {
        return testbed.jvm(name, jdk).mesh(policies.uri(), name).environment("WEFT_OTLP_ENDPOINT", collector.endpoint().toString());
    }

    @EveryJdk
    void aRequestIsOneTraceFromTheAppThatSendsItToTheAppThatServesIt(Jdk jdk) {
        PolicyServer policies = testbed.policyServer();
        policies.serve(Policy.empty());
        failing.answer(503);
        JvmProcess server = jvm("orders", jdk, policies).unguarded().driver(JdkHttpServer.class, "app");
        int port = server.awaitPort();
        policies.serve(Policy.empty()
                .listener(inbound(port))
                .service("orders", new InetSocketAddress("127.0.0.1", port))
                .cluster("failing", failing.address())
                .virtualHost("failing", Routes.retried("5xx", 1, Routes.to("failing"))));
        JvmProcess client = jvm("shop", jdk, policies).environment("WEFT_TRACES_SAMPLING", "0%").driver(JavaNetHttp.class);
        await().until(() -> client.get("http://orders/").status() == 200);
        // The server's policy may come later than the client's.
        Span serving = await().until(() -> serving(client), span -> span != null);

        Span calling = collector.await(1, span -> span.id().equals(serving.parent())).get(0);
        assertThat(calling.service()).isEqualTo("shop");
        assertThat(calling.kind()).isEqualTo(3);
        assertThat(calling.trace()).isEqualTo(TRACE);
        assertThat(calling.parent()).isEqualTo(PARENT);
        assertThat(calling.attributes()).containsEntry("http.response.status_code", "200").containsEntry("url.full", "http://orders/")
                .containsEntry("network.peer.port", Integer.toString(port));
        assertThat(calling.startNanos()).isLessThanOrEqualTo(calling.endNanos());
        assertThat(serving.kind()).isEqualTo(2);
        assertThat(serving.trace()).isEqualTo(TRACE);
        assertThat(serving.attributes()).containsEntry("http.response.status_code", "200").containsEntry("url.path", "/");

        String other = "a".repeat(32);
        assertThat(client.get("http://failing/", Map.of("x-b3-traceid", other, "x-b3-spanid", PARENT, "x-b3-sampled", "1")).status()).isEqualTo(503);
        List<Span> attempts = collector.await(2, span -> span.trace().equals(other));
        assertThat(attempts).allSatisfy(span -> {
            assertThat(span.parent()).isEqualTo(PARENT);
            assertThat(span.failed()).isTrue();
        });
        assertThat(failing.requests()).hasSize(2);
        assertThat(failing.requests().stream().map(request -> header(request, "x-b3-spanid"))).containsExactlyElementsOf(
                attempts.stream().map(Span::id).toList());
        assertThat(failing.requests()).allSatisfy(request -> assertThat(header(request, "x-b3-traceid")).isEqualTo(other));

        failing.forgetRequests();
        client.get("http://failing/");
        assertThat(failing.requests()).as("none begins a trace, and all hear of that").hasSize(2)
                .allSatisfy(request -> assertThat(header(request, "traceparent")).endsWith("-00"));

        client.get("http://failing/", Map.of("x-client-trace-id", "mine"));
        assertThat(collector.await(2, span -> span.parent() == null)).as("what asks for it is traced").hasSize(2)
                .allSatisfy(span -> assertThat(span.service()).isEqualTo("shop")).extracting(Span::trace).doesNotContain(TRACE, other).hasSize(2);
        assertThat(policies.refusals()).isEmpty();
    }

    /** That the class of a tracer is there says nothing: frameworks look for it. */
    @Test
    void whatComesInIsLeftToATracerOfTheAppsOnceItHasMadeOne() {
        PolicyServer policies = testbed.policyServer();
        JvmProcess server = jvm("orders", Jdks.newest(), policies).unguarded().classPath(Library.named("brave")).driver(TracedServer.class, "app");
        int port = server.awaitPort();
        // With a cluster, since the control plane of the tests says nothing of clusters as long as there are none.
        policies.serve(Policy.empty().listener(inbound(port)).service("orders", new InetSocketAddress("127.0.0.1", port)));
        JvmProcess client = testbed.jvm("shop", Jdks.newest()).driver(JavaNetHttp.class);
        String sent = "00-" + TRACE + "-" + PARENT + "-01";
        UnaryOperator<String> seen = path -> client.get("http://127.0.0.1:" + port + path, Map.of("traceparent", sent)).body();
        client.get("http://127.0.0.1:" + port + "/load", Map.of("traceparent", sent));
        await().untilAsserted(() -> assertThat(seen.apply("/")).as("that of a span of Weft's").startsWith("00-" + TRACE).isNotEqualTo(sent));

        client.get("http://127.0.0.1:" + port + "/trace", Map.of("traceparent", sent));
        assertThat(seen.apply("/")).isEqualTo(sent);
        server.awaitStderr(line -> line.contains("the app has a tracer of its own (brave.Tracing)"));
    }

    private Span serving(JvmProcess client) {
        client.get("http://orders/", Map.of("traceparent", "00-" + TRACE + "-" + PARENT + "-01"));
        return collector.spans().stream().filter(span -> "orders".equals(span.service()) && span.trace().equals(TRACE)).findFirst().orElse(null);
    }

    private static String header(RecordedRequest request, String name) {
        return request.header(name).orElseThrow();
    }

    private static Listener inbound(int port) {
        HttpConnectionManager manager = HttpConnectionManager.newBuilder()
                .setStatPrefix("inbound")
                .setTracing(HttpConnectionManager.Tracing.newBuilder().setRandomSampling(Percent.newBuilder().setValue(0)))
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
