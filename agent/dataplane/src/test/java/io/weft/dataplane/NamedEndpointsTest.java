package io.weft.dataplane;

import static io.weft.dataplane.Policies.any;
import static io.weft.dataplane.Policies.host;
import static io.weft.dataplane.Policies.route;
import static io.weft.dataplane.Policies.snapshot;
import static io.weft.dataplane.Policies.to;
import static org.assertj.core.api.Assertions.assertThat;

import io.weft.dataplane.Policies.SnapshotBuilder;
import io.weft.policy.model.Cluster;
import io.weft.policy.model.Cluster.AddressFamily;
import io.weft.policy.model.Cluster.Resolution;
import io.weft.policy.model.EndpointAssignment;
import io.weft.policy.model.EndpointAssignment.Health;
import io.weft.policy.model.EndpointAssignment.LbEndpoint;
import io.weft.policy.model.EndpointAssignment.LocalityEndpoints;
import io.weft.policy.model.HostPort;
import io.weft.policy.model.Resending;
import io.weft.policy.model.RouteAction;
import io.weft.policy.model.RouteAction.ClusterChoice;
import io.weft.policy.model.RouteAction.HostOfEndpoint;
import io.weft.policy.model.RouteAction.Rewrite;
import io.weft.policy.model.RouteAction.Timeouts;
import io.weft.policy.model.RouteAction.WeightedCluster;
import io.weft.policy.model.RoutingPriority;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Clusters whose endpoints are names. */
class NamedEndpointsTest {
    private static final Resolution HOW = new Resolution(
            Duration.ofSeconds(5), Duration.ZERO, Duration.ofSeconds(5), Duration.ofSeconds(5), AddressFamily.ALL);

    /** They come with the cluster. */
    private static final LbEndpoint[] NONE = {};

    private final List<Runnable> lookups = new ArrayList<>();
    private String answer = "10.0.0.1 10.0.0.2";

    private static EndpointAssignment named(String... hosts) {
        List<LbEndpoint> endpoints = new ArrayList<>();
        for (String host : hosts) {
            endpoints.add(new LbEndpoint(new HostPort(host, 80), "", 1, Health.HEALTHY, Map.of(), Map.of()));
        }
        return new EndpointAssignment(
                "orders", List.of(new LocalityEndpoints(EndpointAssignment.Locality.UNKNOWN, 0, 0, endpoints)), 140, false);
    }

    private InetAddress[] lookup(String host) throws UnknownHostException {
        List<InetAddress> addresses = new ArrayList<>();
        for (String address : answer.split(" ")) {
            addresses.add(InetAddress.getByName(address));
        }
        return addresses.toArray(new InetAddress[0]);
    }

    private Fixture mesh() {
        Fixture mesh = new Fixture();
        mesh.dataPlane.resolveBy(this::lookup, lookups::add);
        return mesh;
    }

    private static SnapshotBuilder policy(Cluster.Discovery discovery) {
        return snapshot().routes(host("orders", to("orders"))).cluster(Policies.cluster("orders").with(discovery), NONE);
    }

    private void answerAll() {
        List<Runnable> waiting = List.copyOf(lookups);
        lookups.clear();
        waiting.forEach(Runnable::run);
    }

    private static Set<String> reached(Fixture mesh) {
        Set<String> reached = new HashSet<>();
        for (int i = 0; i < 20; i++) {
            Request request = mesh.dialled(Request.get("orders", "/"));
            reached.add(request.endpoint().address().getAddress().getHostAddress());
            request.onResponse(200, Fixture.NO_HEADERS);
            request.end();
        }
        return reached;
    }

    @Test
    void everyAddressOfANameIsAnEndpointAndAPolicyWaitsForThem() {
        Fixture mesh = mesh();
        mesh.apply(policy(new Cluster.StrictDns(named("orders.local"), HOW)));
        assertThat(mesh.dataPlane.generation()).as("not in force").isEqualTo(-1);
        answerAll();
        assertThat(reached(mesh)).containsExactlyInAnyOrder("10.0.0.1", "10.0.0.2");

        answer = "10.0.0.3";
        mesh.time.advance(Duration.ofSeconds(5));
        answerAll();
        assertThat(reached(mesh)).containsExactly("10.0.0.3");
    }

    @Test
    void aPolicyDoesNotWaitForEver() {
        Fixture mesh = mesh();
        mesh.apply(policy(new Cluster.StrictDns(named("orders.local"), HOW)));
        mesh.time.advance(Duration.ofSeconds(5));
        assertThat(mesh.reply(Request.get("orders", "/")).status()).isEqualTo(503);
        answerAll();
        assertThat(reached(mesh)).hasSize(2);
    }

    @Test
    void theNewestOfTwoPoliciesThatWaitComes() {
        Fixture mesh = mesh();
        mesh.apply(policy(new Cluster.StrictDns(named("orders.local"), HOW)).generation(1));
        mesh.apply(policy(new Cluster.StrictDns(named("other.local"), HOW)).generation(2));
        answerAll();
        assertThat(mesh.dataPlane.generation()).isEqualTo(2);
        mesh.time.advance(Duration.ofSeconds(5));
        assertThat(mesh.dataPlane.generation()).isEqualTo(2);
    }

    @Test
    void policiesThatComeOneAfterTheOtherAreNotWaitedForForEver() {
        Fixture mesh = mesh();
        for (int generation = 1; generation <= 3; generation++) {
            mesh.apply(policy(new Cluster.StrictDns(named("orders.local"), HOW)).generation(generation));
            mesh.time.advance(Duration.ofSeconds(2));
        }
        assertThat(mesh.dataPlane.generation()).isEqualTo(3);

        mesh.apply(policy(new Cluster.StrictDns(named("other.local"), HOW)).generation(4));
        mesh.time.advance(Duration.ofMillis(4_999));
        assertThat(mesh.dataPlane.generation()).as("a time of its own").isEqualTo(3);
        mesh.time.advance(Duration.ofMillis(1));
        assertThat(mesh.dataPlane.generation()).isEqualTo(4);
    }

    @Test
    void ofALogicalNameOneAddressIsUsed() {
        Fixture mesh = mesh();
        mesh.apply(policy(new Cluster.LogicalDns(named("orders.local"), HOW)));
        answerAll();
        assertThat(reached(mesh)).containsExactly("10.0.0.1");
    }

    @Test
    void addressesAmongNamesAreNotAskedFor() {
        Fixture mesh = mesh();
        mesh.apply(policy(new Cluster.StrictDns(named("10.0.0.9"), HOW)));
        assertThat(lookups).isEmpty();
        assertThat(reached(mesh)).containsExactly("10.0.0.9");
    }

    private static RouteAction.Forward named(boolean forwarded) {
        return new RouteAction.Forward(
                ClusterChoice.of(WeightedCluster.of("orders", 1)),
                new Rewrite(Optional.empty(), Optional.of(new HostOfEndpoint()), forwarded),
                Resending.NONE, Timeouts.NONE, List.of(), Map.of(), RoutingPriority.DEFAULT);
    }

    @Test
    void anEndpointCanBeCalledByItsOwnName() {
        Fixture mesh = mesh();
        Cluster.Discovery dns = new Cluster.StrictDns(named("orders.local"), HOW);
        mesh.apply(snapshot().routes(host("orders", route(any(), named(true)))).cluster(Policies.cluster("orders").with(dns), NONE));
        answerAll();
        Request request = mesh.dialled(Request.get("orders", "/"));
        assertThat(request.requestChanges().authority()).isEqualTo("orders.local");
        assertThat(request.requestChanges().set()).containsExactly(Map.entry("x-forwarded-host", "orders"));
        assertThat(request.authority()).isEqualTo("orders");
        request.end();

        mesh.apply(snapshot().routes(host("orders", route(any(), named(false)))).cluster("orders", 1));
        Request nameless = mesh.dialled(Request.get("orders", "/"));
        assertThat(nameless.requestChanges()).isSameAs(RequestChanges.NONE);
    }
}
