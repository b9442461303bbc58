package io.weft.it.kuma;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UInt32Value;
import com.google.protobuf.util.Durations;
import io.envoyproxy.envoy.config.core.v3.Address;
import io.envoyproxy.envoy.config.core.v3.SocketAddress;
import io.envoyproxy.envoy.config.endpoint.v3.ClusterLoadAssignment;
import io.envoyproxy.envoy.config.endpoint.v3.LbEndpoint;
import io.envoyproxy.envoy.config.listener.v3.Filter;
import io.envoyproxy.envoy.config.listener.v3.FilterChain;
import io.envoyproxy.envoy.config.listener.v3.Listener;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.config.route.v3.RouteAction;
import io.envoyproxy.envoy.extensions.access_loggers.file.v3.FileAccessLog;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.envoyproxy.envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy;
import io.weft.driver.JavaNetHttp;
import io.weft.it.harness.Authority;
import io.weft.it.harness.Certified;
import io.weft.it.harness.EveryJdk;
import io.weft.it.harness.Generations;
import io.weft.it.harness.Jdk;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.KumaConfiguration;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.Testbed;
import io.weft.it.harness.Upstream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** An app under the real jar does what a real kuma-cp asked of the data plane {@code demo-client}, over mesh TLS with certificates by SDS. */
class KumaOutboundIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Authority MESH = new Authority("mesh");
    private static final Certified CLIENT = MESH.certify("spiffe://envoyconfig/demo-client");
    private static final String OUTBOUND = "outbound:IP_REDACTED:80";
    private static final String CLUSTER = "envoyconfig_test-server__kuma-3_msvc_80";
    /** Of the range from which Kuma gives its services theirs. */
    private static final String VIP = "241.0.0.1";
    private static final String URL = "http://" + VIP + "/";

    @RegisterExtension
    final Testbed testbed = new Testbed();

    @TempDir
    Path directory;

    private final PolicyServer policies = testbed.policyServer();
    private final Upstream a = upstream("a");
    private final Upstream b = upstream("b");
    private final Generations generations = testbed.closeAfterwards(new Generations());
    private JvmProcess client;

    private Upstream upstream(String name) {
        return testbed.upstream(name, MESH.certify("spiffe://envoyconfig/test-server").trusting(MESH));
    }

    @EveryJdk
    void whatThePoliciesAskForIsDone(Jdk jdk) {
        client = testbed.jvm("demo-client", jdk).mesh(policies.uri(), "demo-client").driver(JavaNetHttp.class);
        serve(of("no-policies"));
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(bodies(10)).containsExactlyInAnyOrder("a", "b"));

        retries();
        hashes();
        limitsTime();
        logs();
        marksItsRequests();
        leadsWhatIsOnlyConnections();
        ejects();
        keepsWhatWasInForceWhenOneFieldIsBroken();
    }

    private void retries() {
        serve(of("meshretry-outbound", action -> action.toBuilder()
                // instead of three seconds
                .setRetryPolicy(action.getRetryPolicy().toBuilder().setRetryBackOff(action.getRetryPolicy().getRetryBackOff().toBuilder()
                        .setBaseInterval(Durations.fromMillis(1)).setMaxInterval(Durations.fromMillis(1))))
                .build()));
        AtomicInteger failures = new AtomicInteger(2);
        List.of(a, b).forEach(upstream -> {
            upstream.forgetRequests();
            upstream.react(request -> failures.getAndDecrement() > 0 ? new Upstream.Respond(503, Map.of(), "") : upstream.ok());
        });
        assertThat(client.get(URL).status()).isEqualTo(200);
        assertThat(a.requests().size() + b.requests().size()).isEqualTo(3);
        failures.set(3);
        assertThat(client.get(URL).status()).as("two retries").isEqualTo(503);
        List.of(a, b).forEach(upstream -> upstream.react(request -> upstream.ok()));
    }

    private void hashes() {
        serve(of("meshloadbalancingstrategy-outbound-ringhash"));
        Set<String> all = new HashSet<>();
        for (int i = 0; i < 30; i++) {
            Map<String, String> header = Map.of("x-header", "user-" + i);
            String first = client.get(URL + "test-route-1", header).body();
            assertThat(client.get(URL + "test-route-2/deeper", header).body()).isEqualTo(first);
            all.add(first);
        }
        assertThat(all).containsExactlyInAnyOrder("a", "b");
    }

    private void limitsTime() {
        // instead of 52 seconds
        serve(of("meshtimeout-outbound", action -> action.toBuilder().setTimeout(Durations.fromMillis(300)).build()));
        List.of(a, b).forEach(upstream -> upstream.react(request -> new Upstream.Hang()));
        long before = System.nanoTime();
        assertThat(client.get(URL).status()).isEqualTo(504);
        assertThat(Duration.ofNanos(System.nanoTime() - before)).as("less than what holds where nothing is said").isLessThan(Duration.ofSeconds(14));
        List.of(a, b).forEach(upstream -> upstream.react(request -> upstream.ok()));
    }

    private void logs() {
        Path file = directory.resolve("access.log");
        serve(changed("meshaccesslog-outbound", manager -> {
            // instead of standard output, which is the driver's
            Any.Builder log = manager.getAccessLogBuilder(0).getTypedConfigBuilder();
            log.setValue(log.build().unpack(FileAccessLog.class).toBuilder().setPath(file.toString()).build().toByteString());
        }));
        assertThat(client.get(URL, Map.of("X-Test", "said")).status()).isEqualTo(200);
        await().atMost(PATIENCE).ignoreExceptions().untilAsserted(() -> assertThat(Files.readAllLines(file)).anySatisfy(line -> assertThat(line)
                .matches("\\{\"Destination\":\"test-server\",\"HeaderCamel\":\"said\",\"HeaderCrazy\":\"said\",\"HeaderLower\":\"said\","
                        + "\"Source\":\"demo-client\",\"Start\":\"?[0-9]+\"?}")));
    }

    private void marksItsRequests() {
        serve(of("meshfaultinjection-inbound-rules"));
        a.forgetRequests();
        b.forgetRequests();
        String body = client.get(URL).body();
        assertThat((body.equals("a") ? a : b).requests()).singleElement()
                .satisfies(request -> assertThat(request.header("x-kuma-tags").orElse("")).contains("&kuma.io/service=demo-client&"));
    }

    /** Of a service whose protocol is TCP there is a listener without routes. */
    private void leadsWhatIsOnlyConnections() {
        Policy policy = of("no-policies");
        FilterChain.Builder chain = policy.listeners().get(OUTBOUND).getFilterChains(0).toBuilder().clearFilters();
        chain.addFilters(Filter.newBuilder().setName("envoy.filters.network.tcp_proxy").setTypedConfig(
                Any.pack(TcpProxy.newBuilder().setStatPrefix(CLUSTER).setCluster(CLUSTER).setMaxConnectAttempts(UInt32Value.of(5)).build())));
        Upstream gone = upstream("gone");
        serve(withEndpoints(policy.listener(policy.listeners().get(OUTBOUND).toBuilder().setFilterChains(0, chain).build()), a, b, gone));
        gone.close();
        assertThat(bodies(12)).containsExactlyInAnyOrder("a", "b");
    }

    private void ejects() {
        // At most a fifth of them may be out.
        serve(withEndpoints(of("meshcircuitbreaker-outbound"), a, b, upstream("c"), upstream("d"), upstream("e")));
        a.forgetRequests();
        a.answer(500);
        for (int i = 0; i < 200 && a.requests().size() < 10; i++) {
            client.get(URL);
        }
        assertThat(a.requests()).as("ten failures in a row").hasSize(10);
        assertThat(bodies(10)).containsExactlyInAnyOrder("b", "c", "d", "e");
        a.react(request -> a.ok());
    }

    private void keepsWhatWasInForceWhenOneFieldIsBroken() {
        Policy policy = of("meshretry-outbound", action -> action.toBuilder().setTimeout(Durations.fromSeconds(-1)).build());
        // The rest of the same policy is obeyed.
        serve(withEndpoints(policy, b));
        await().atMost(PATIENCE).until(() -> !policies.refusals().isEmpty());
        assertThat(policies.refusals()).allSatisfy(refusal -> assertThat(refusal)
                .contains("Listener '" + OUTBOUND + "'", "route_config.virtual_hosts[0].routes[0].route.timeout"));
        assertThat(bodies(10)).containsExactly("b");
    }

    private Set<String> bodies(int times) {
        Set<String> bodies = new HashSet<>();
        for (int i = 0; i < times; i++) {
            bodies.add(client.get(URL).body());
        }
        return bodies;
    }

    /** Returns when it is in force. */
    private void serve(Policy policy) {
        policies.serve(generations.next(policy));
        await().atMost(PATIENCE).ignoreExceptions().until(() -> generations.isObeyedBy(client));
    }

    private Policy of(String name) {
        return of(name, action -> action);
    }

    private Policy of(String name, UnaryOperator<RouteAction> change) {
        return changed(name, manager -> {
            for (Route.Builder route : manager.getRouteConfigBuilder().getVirtualHostsBuilder(0).getRoutesBuilderList()) {
                route.setRoute(change.apply(route.getRoute()));
            }
        });
    }

    private interface Change {
        void apply(HttpConnectionManager.Builder manager) throws InvalidProtocolBufferException;
    }

    private Policy changed(String name, Change change) {
        Policy policy = new KumaConfiguration(name, "demo-client").policy(MESH, CLIENT);
        Listener.Builder listener = policy.listeners().get(OUTBOUND).toBuilder().setAddress(address(VIP, 80));
        Any.Builder config = listener.getFilterChainsBuilder(0).getFiltersBuilder(0).getTypedConfigBuilder();
        try {
            HttpConnectionManager.Builder manager = config.build().unpack(HttpConnectionManager.class).toBuilder();
            change.apply(manager);
            config.setValue(manager.build().toByteString());
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalStateException(e);
        }
        // The first handshakes of a JVM take their time, on a machine that is busy.
        return withEndpoints(policy.listener(listener.build()), a, b)
                .cluster(policy.clusters().get(CLUSTER).toBuilder().setConnectTimeout(Durations.fromSeconds(60)).build());
    }

    /** As many as these, each otherwise like the one that Kuma names. */
    private static Policy withEndpoints(Policy policy, Upstream... upstreams) {
        ClusterLoadAssignment.Builder assignment = policy.endpoints().get(CLUSTER).toBuilder();
        LbEndpoint endpoint = assignment.getEndpoints(0).getLbEndpoints(0);
        assignment.getEndpointsBuilder(0).clearLbEndpoints();
        for (Upstream upstream : upstreams) {
            assignment.getEndpointsBuilder(0).addLbEndpoints(endpoint.toBuilder().setEndpoint(endpoint.getEndpoint().toBuilder()
                    .setAddress(address(upstream.address().getAddress().getHostAddress(), upstream.address().getPort()))));
        }
        return policy.endpoints(assignment.build());
    }

    private static Address address(String host, int port) {
        return Address.newBuilder().setSocketAddress(SocketAddress.newBuilder().setAddress(host).setPortValue(port)).build();
    }
}
