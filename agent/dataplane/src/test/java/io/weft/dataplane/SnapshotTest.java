package io.weft.dataplane;

import static io.weft.dataplane.Policies.addition;
import static io.weft.dataplane.Policies.any;
import static io.weft.dataplane.Policies.cluster;
import static io.weft.dataplane.Policies.endpoint;
import static io.weft.dataplane.Policies.forward;
import static io.weft.dataplane.Policies.host;
import static io.weft.dataplane.Policies.limits;
import static io.weft.dataplane.Policies.route;
import static io.weft.dataplane.Policies.snapshot;
import static io.weft.dataplane.Policies.to;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.weft.dataplane.ClusterStats.EndpointStats;
import io.weft.dataplane.Exchange.Step;
import io.weft.dataplane.Policies.SnapshotBuilder;
import io.weft.dataplane.authorize.AccessStats;
import io.weft.dataplane.dns.Names;
import io.weft.dataplane.filter.FilterCompiler;
import io.weft.dataplane.format.ProcessInfo;
import io.weft.dataplane.health.HealthProber;
import io.weft.dataplane.jwt.KeySets;
import io.weft.dataplane.route.Listeners;
import io.weft.policy.model.CircuitBreakers;
import io.weft.policy.model.EndpointAssignment;
import io.weft.policy.model.EndpointAssignment.Health;
import io.weft.policy.model.HeaderChanges;
import io.weft.policy.model.HeaderChanges.Action;
import io.weft.policy.model.HostPort;
import io.weft.policy.model.Listener;
import io.weft.policy.model.NameTable;
import io.weft.policy.model.PolicySnapshot;
import io.weft.policy.model.RetryPolicy.On;
import io.weft.policy.model.RouteAction.WeightedCluster;
import io.weft.policy.model.RouteConfiguration;
import io.weft.policy.model.Secret;
import io.weft.policy.model.TlsContext;
import io.weft.policy.model.TransportSocket;
import io.weft.policy.model.TransportSockets;
import io.weft.policy.model.VirtualHost;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.Test;

class SnapshotTest {

    @Test
    void anExchangeKeepsToThePolicyUnderWhichItWasClaimed() {
        Fixture mesh = Fixture.with(snapshot().routes(host("orders", to("orders"))).cluster("orders", 1));
        Request before = mesh.claimed(Request.get("orders", "/"));

        mesh.apply(snapshot().routes(host("orders", to("orders"))).cluster("orders", 2));
        Request after = mesh.dialled(Request.get("orders", "/"));
        assertThat(before.next()).isEqualTo(Step.DIAL);

        assertThat(Fixture.port(before)).isEqualTo(1);
        assertThat(Fixture.port(after)).isEqualTo(2);
        assertThat(before.onResponse(200, Fixture.NO_HEADERS)).isFalse();
        before.end();
    }

    @Test
    void whatIsNoLongerNamedIsNoLongerTouched() {
        Fixture mesh = Fixture.with(snapshot().routes(host("orders", to("orders"))).cluster("orders", 1));
        mesh.apply(snapshot());

        assertThat(mesh.dataPlane.claims(Request.get("orders", "/"))).isFalse();
        assertThat(mesh.dataPlane.stats()).isEmpty();
    }

    @Test
    void aRemovedEndpointFinishesWhatItHas() {
        Fixture mesh = Fixture.with(snapshot().routes(host("orders", to("orders"))).cluster("orders", 1, 2));
        List<Request> underWay = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            underWay.add(mesh.dialled(Request.get("orders", "/")));
        }
        mesh.apply(snapshot().routes(host("orders", to("orders"))).cluster("orders", 2));

        assertThat(mesh.spread("orders", 10)).containsOnlyKeys(2);
        assertThat(stats(mesh).active()).isEqualTo(10);
        for (Request request : underWay) {
            assertThat(request.onResponse(200, Fixture.NO_HEADERS)).isFalse();
            request.end();
        }
        assertThat(stats(mesh).active()).isZero();
        assertThat(endpoint(mesh, 2).active()).isZero();
        assertThat(stats(mesh).successes()).as("what was under way counts, too").isEqualTo(20);
        mesh.apply(snapshot().routes(host("orders", to("orders"))).cluster("orders", 1));
        assertThat(stats(mesh).successes()).as("what is gone stays counted").isEqualTo(20);
        assertThat(endpoint(mesh, 1).successes()).as("a new endpoint").isZero();
    }

    @Test
    void anAttemptThatBeginsAtARemovedEndpointIsCounted() {
        Fixture mesh = Fixture.with(snapshot().routes(host("orders", to("orders"))).cluster("orders", 1));
        Request request = mesh.claimed(Request.get("orders", "/"));
        mesh.apply(snapshot().routes(host("orders", to("orders"))).cluster("orders", 2));
        assertThat(stats(mesh).successes()).isZero();

        assertThat(request.next()).isEqualTo(Step.DIAL);
        assertThat(Fixture.port(request)).isEqualTo(1);
        assertThat(request.onResponse(200, Fixture.NO_HEADERS)).isFalse();
        request.end();

        assertThat(stats(mesh).successes()).isEqualTo(1);
        mesh.time.advance(Duration.ofHours(1));
        assertThat(stats(mesh).successes()).isEqualTo(1);
    }

    private static ClusterStats stats(Fixture mesh) {
        assertThat(mesh.dataPlane.stats()).hasSize(1);
        return mesh.dataPlane.stats().get(0);
    }

    private static EndpointStats endpoint(Fixture mesh, int port) {
        return stats(mesh).endpoints().stream()
                .filter(endpoint -> endpoint.address().getPort() == port)
                .findFirst()
                .orElseThrow();
    }

    @Test
    void whatIsCountedAndUnderWaySurvivesASnapshot() {
        CircuitBreakers two = limits(1024, 1024, 2, 3);
        Fixture mesh = Fixture.with(snapshot()
                .routes(host("orders", to("orders")))
                .cluster(cluster("orders").with(two), Policies.endpoint(1)));
        mesh.send("orders", 200);
        mesh.send("orders", 500);
        mesh.dialled(Request.get("orders", "/"));
        Endpoint before = mesh.dialled(Request.get("orders", "/")).endpoint();

        mesh.apply(snapshot()
                .routes(host("orders", route(any(), forward("orders"))), host("other", to("orders")))
                .cluster(cluster("orders").with(two), Policies.endpoint(1, 5, Health.DEGRADED), Policies.endpoint(2)));

        mesh.reply(Request.get("orders", "/"));
        assertThat(stats(mesh))
                .returns(2, ClusterStats::active)
                .returns(1L, ClusterStats::successes)
                .returns(1L, ClusterStats::failures)
                .returns(1L, ClusterStats::overflows);
        assertThat(endpoint(mesh, 1))
                .isEqualTo(new EndpointStats(before.address(), 0, 5, Health.DEGRADED, 2, 1, 1, false, false, false, 0));
    }

    @Test
    void theRoundRobinGoesOnWhereItWas() {
        Fixture mesh = Fixture.with(snapshot().routes(host("orders", to("orders"))).cluster("orders", 1, 2, 3));
        for (int i = 0; i < 30; i++) {
            int last = mesh.send("orders", 200);
            mesh.apply(snapshot().routes(host("orders", to("orders"))).cluster("orders", 1, 2, 3));
            assertThat(mesh.send("orders", 200)).isEqualTo(last % 3 + 1);
        }
    }

    @Test
    void whatDidNotChangeIsNotCompiledAnew() {
        PolicyCompiler compiler = compiler(new SimulatedTime());
        Policy first = compiler.compile(snapshot()
                .routes(host("a", to("a")), host("b", to("b")))
                .cluster("a", 1)
                .cluster("b", 2)
                .build());
        Policy second = compiler.compile(snapshot()
                .routes(host("b", to("b")), host("a", to("b")))
                .cluster("a", 1)
                .cluster("b", 2, 3)
                .build());

        assertThat(second.listeners().find("b")).isSameAs(first.listeners().find("b"));
        assertThat(second.listeners().find("a")).isNotSameAs(first.listeners().find("a"));
        assertThat(second.clusters()[0]).isSameAs(first.clusters()[0]);
        assertThat(second.clusters()[1]).isNotSameAs(first.clusters()[1]);
        assertThat(second.clusters()[1].state()).isSameAs(first.clusters()[1].state());
    }

    @Test
    void namesThatComeAndGoLeaveNothingBehind() {
        Fixture mesh = new Fixture();
        PolicyCompiler compiler = compiler(mesh.time);
        for (int i = 0; i < 1_000; i++) {
            Policy policy = compiler.compile(snapshot()
                    .routes(host("orders", to("orders-" + i)))
                    .cluster("orders-" + i, 1)
                    .build());
            assertThat(policy.clusters()).hasSizeLessThan(100);
        }
    }

    @Test
    void whereDestinationsAreFoundIsMadeAnewOnlyWhenNamesListenersOrRoutesChange() {
        PolicyCompiler compiler = compiler(new SimulatedTime());
        PolicySnapshot first = snapshot()
                .listener("orders", Listener.Kind.OUTBOUND, new HostPort("10.0.0.1", 80), Policies.routes(host("*", to("orders"))))
                .names(Map.of("orders.shop", List.of("10.0.0.1"))).cluster("orders", 1).build();
        Listeners made = compiler.compile(first).listeners();
        PolicySnapshot scaled = snapshot().cluster("orders", 1, 2).build();
        assertThat(compiler.compile(changed(first, first.routeConfigurations(), scaled.assignments(), first.names())).listeners()).isSameAs(made);

        NameTable names = snapshot().names(Map.of("users.shop", List.of("10.0.0.1"))).build().names();
        Listeners renamed = compiler.compile(changed(first, first.routeConfigurations(), first.assignments(), names)).listeners();
        assertThat(renamed.find("users.shop")).isNotNull();
        assertThat(renamed.find("orders.shop")).isNull();
        Map<String, RouteConfiguration> others = Map.of("orders-routes", Policies.routes(host("only", to("orders"))));
        assertThat(compiler.compile(changed(first, others, first.assignments(), names)).listeners().find("users.shop")).isNull();
    }

    private static PolicySnapshot changed(
            PolicySnapshot from, Map<String, RouteConfiguration> routes, Map<String, EndpointAssignment> assignments, NameTable names) {
        return new PolicySnapshot(
                from.generation() + 1, from.listeners(), routes, from.clusters(), assignments, from.secrets(), names, from.unhonoured());
    }

    private static WeightedCluster marked(String cluster, long generation) {
        return WeightedCluster.of(
                cluster,
                1,
                new HeaderChanges(
                        List.of(addition("x-generation", Long.toString(generation), Action.OVERWRITE_IF_EXISTS_OR_ADD)),
                        List.of(),
                        List.of(),
                        List.of()));
    }

    /** Route, cluster and endpoint all say the generation: host {@code s}, port 10,000 + generation. */
    private static Policies.SnapshotBuilder generation(long generation) {
        VirtualHost[] hosts = new VirtualHost[20];
        for (int i = 0; i < hosts.length; i++) {
            hosts[i] = host("s" + i, route(any(), forward(marked("a", generation), marked("b", generation))));
        }
        int port = (int) (10_000 + generation);
        return snapshot().generation(generation).routes(hosts).cluster("a", port).cluster("b", port);
    }

    @Test
    void nobodySeesAMixOfTwoSnapshots() throws Exception {
        DataPlane dataPlane = DataPlane.start(Duration.ZERO, new SimulatedTime(), Fixture.NO_FAULTS, Self.UNKNOWN);
        dataPlane.apply(generation(0).build());
        AtomicBoolean over = new AtomicBoolean();
        Callable<Long> reader = () -> {
            long seen = 0;
            long last = -1;
            while (!over.get()) {
                Request request = Request.get("s" + seen % 20, "/");
                assertThat(dataPlane.claims(request)).isTrue();
                assertThat(request.next()).isEqualTo(Step.DIAL);
                long generation = Long.parseLong(request.requestChanges().set().get(0).getValue());
                assertThat(Fixture.port(request)).isEqualTo((int) (10_000 + generation));
                assertThat(generation).isGreaterThanOrEqualTo(last);
                last = generation;
                request.onResponse(seen % 7 == 0 ? 503 : 200, Fixture.NO_HEADERS);
                request.end();
                seen++;
            }
            return seen;
        };
        ExecutorService threads = Executors.newFixedThreadPool(3);
        try {
            List<Future<Long>> readers = List.of(threads.submit(reader), threads.submit(reader), threads.submit(reader));
            for (int generation = 1; generation <= 2_000; generation++) {
                dataPlane.apply(generation(generation).build());
            }
            over.set(true);
            for (Future<Long> result : readers) {
                assertThat(result.get()).isPositive();
            }
        } finally {
            over.set(true);
            threads.shutdownNow();
        }
        assertThat(dataPlane.generation()).isEqualTo(2_000);
        assertThat(dataPlane.stats()).allSatisfy(cluster -> {
            assertThat(cluster.active()).isZero();
            assertThat(cluster.endpoints()).hasSize(1);
        });
    }

    @Test
    void theStatsSayWhatHappened() {
        Fixture mesh = Fixture.with(snapshot()
                .routes(host(
                        "orders",
                        route(any(), forward("orders", Policies.retryOn(1, On.RESET), Duration.ZERO))))
                .cluster("orders", 1)
                .cluster("empty"));
        Request retried = mesh.dialled(Request.get("orders", "/"));
        retried.onFailure(Exchange.Failure.RESET);
        retried.next();
        retried.onResponse(200, Fixture.NO_HEADERS);
        mesh.dialled(Request.get("orders", "/")).onFailure(Exchange.Failure.CANCELLED);

        assertThat(mesh.dataPlane.stats()).extracting(ClusterStats::name).containsExactly("empty", "orders");
        assertThat(mesh.dataPlane.stats().get(1))
                .returns(1, ClusterStats::active)
                .returns(1L, ClusterStats::successes)
                .returns(1L, ClusterStats::failures)
                .returns(1L, ClusterStats::retries);
        assertThat(Map.of("empty", mesh.dataPlane.stats().get(0).endpoints())).containsEntry("empty", List.of());
    }

    private static final TransportSockets SECURED = new TransportSockets(List.of(), new TransportSocket.UpstreamTls(
            new TlsContext(
                    new TlsContext.Parameters(TlsContext.Version.TLS_1_2, TlsContext.Version.TLS_1_3, List.of()),
                    List.of(), Optional.empty(), new TlsContext.NoValidation()),
            "orders"));

    @Test
    void whatCannotBeSecuredIsOutOfReachAndTheRestOfThePolicyIsObeyed() {
        List<String> faults = new ArrayList<>();
        Fixture mesh = new Fixture((where, fault) -> faults.add(where));
        mesh.dataPlane.secureBy(new TransportSecurity() {
            @Override
            public Optional<ClientTls> client(TransportSocket.UpstreamTls socket, Map<String, Secret> secrets) {
                throw new IllegalArgumentException("this JDK cannot");
            }

            @Override
            public Optional<ServerTls> server(TransportSocket.DownstreamTls socket, Map<String, Secret> secrets) {
                throw new IllegalArgumentException("this JDK cannot");
            }
        });
        mesh.apply(snapshot()
                .routes(host("orders", route(any(), forward("orders"))), host("users", route(any(), forward("users"))))
                .cluster(Policies.cluster("orders").with(SECURED), Policies.endpoint(1))
                .cluster("users", 2));

        assertThat(mesh.reply(Request.get("orders", "/")).status()).isEqualTo(503);
        assertThat(mesh.send("users", 200)).isEqualTo(2);
        assertThat(faults).singleElement().asString().contains("'orders'");
    }

    private record Tls(ClientConnections connections) implements ClientTls {
        @Override
        public String id() {
            return "test";
        }

        @Override
        public SSLEngine engine(InetSocketAddress peer) {
            throw new AssertionError("no handshake here");
        }

        @Override
        public SSLEngine http2Engine(InetSocketAddress peer) {
            throw new AssertionError("no handshake here");
        }

        @Override
        public SSLSocket layer(Socket connected, InetSocketAddress peer, long limitNanos) {
            throw new AssertionError("no handshake here");
        }

        @Override
        public SSLSocket http2Layer(Socket connected, InetSocketAddress peer, long limitNanos) {
            return layer(connected, peer, limitNanos);
        }
    }

    private static TransportSecurity clientsBy(AtomicReference<ClientTls> tls) {
        return new TransportSecurity() {
            @Override
            public Optional<ClientTls> client(TransportSocket.UpstreamTls socket, Map<String, Secret> secrets) {
                return Optional.ofNullable(tls.get());
            }

            @Override
            public Optional<ServerTls> server(TransportSocket.DownstreamTls socket, Map<String, Secret> secrets) {
                return Optional.empty();
            }
        };
    }

    /** Adapters let go of what they keep for an endpoint that nobody refers to, with the requests that are there. */
    @Test
    void anAttemptHoldsItsEndpointWhenTheCertificateIsReplaced() {
        Fixture mesh = new Fixture();
        AtomicReference<ClientTls> tls = new AtomicReference<>(new Tls(new ClientConnections(mesh.time, Long.MAX_VALUE)));
        mesh.dataPlane.secureBy(clientsBy(tls));
        VirtualHost routes = host("orders", route(any(), forward("orders", Policies.retryOn(1, On.CONNECT_FAILURE), Duration.ZERO)));
        mesh.apply(snapshot().routes(routes).cluster(Policies.cluster("orders").with(SECURED), Policies.endpoint(1)));
        Request underWay = mesh.dialled(Request.get("orders", "/"));
        Endpoint before = underWay.endpoint();
        ClientTls replaced = tls.getAndSet(new Tls(new ClientConnections(mesh.time, Long.MAX_VALUE)));
        mesh.apply(snapshot().routes(routes).cluster(Policies.cluster("orders").with(SECURED), Policies.endpoint(1)));

        assertThat(underWay.endpoint()).isSameAs(before).returns(replaced, Endpoint::tls);
        assertThat(mesh.dialled(Request.get("orders", "/")).endpoint()).returns(tls.get(), Endpoint::tls);
        assertThat(underWay.onFailure(Exchange.Failure.CONNECT)).isTrue();
        assertThat(underWay.next()).isEqualTo(Step.DIAL);
        assertThat(underWay.endpoint()).as("of the next attempt").returns(tls.get(), Endpoint::tls);
    }

    @Test
    void whatIsPooledIsClosedOnceNoClusterIsSecuredLikeThat() {
        Fixture mesh = new Fixture();
        List<String> closed = new ArrayList<>();
        List<ClientConnection> pool = new ArrayList<>();
        AtomicReference<ClientTls> tls = new AtomicReference<>();
        mesh.dataPlane.secureBy(clientsBy(tls));
        for (String name : List.of("first", "second", "third")) {
            ClientTls before = tls.get();
            tls.set(new Tls(new ClientConnections(mesh.time, Long.MAX_VALUE)));
            mesh.apply(snapshot()
                    .cluster(Policies.cluster("orders").with(SECURED), Policies.endpoint(1))
                    .cluster(Policies.cluster("users").with(SECURED), Policies.endpoint(2)));
            ClientConnection kept = tls.get().connections().opened(() -> closed.add(name));
            pool.add(kept);
            assertThat(kept.giveBack()).isTrue();
            assertThat(before == null || before.connections().retired()).isTrue();
        }
        assertThat(closed).containsExactly("first", "second");

        mesh.apply(snapshot().cluster(Policies.cluster("users").with(SECURED), Policies.endpoint(2)));
        assertThat(closed).as("a cluster less").containsExactly("first", "second");
        tls.set(null);
        mesh.apply(snapshot().cluster(Policies.cluster("users").with(SECURED), Policies.endpoint(2)));
        assertThat(closed).as("without an identity").containsExactly("first", "second", "third");
    }

    @Test
    void afterAFaultNothingGoesOutThatWasToBeSecuredOrThatHasAnAnswer() {
        Fixture mesh = Fixture.with(snapshot()
                .routes(host("orders", route(any(), forward("orders"))), host("users", route(any(), forward("users"))))
                .cluster(Policies.cluster("orders").with(SECURED), Policies.endpoint(1))
                .cluster("users", 2));
        Request secured = mesh.claimed(Request.get("orders", "/"));
        assertThat(secured.mayFailOpen()).isFalse();
        assertThat(secured.next()).isEqualTo(Step.REPLY);
        assertThat(secured.mayFailOpen()).isFalse();

        Request plain = mesh.claimed(Request.get("users", "/"));
        assertThat(plain.mayFailOpen()).isTrue();
        plain.next();
        assertThat(plain.mayFailOpen()).isTrue();
    }

    @Test
    void afterAFaultBeforeTheClusterIsKnownNothingGoesOutThatMayBeToBeSecured() {
        SnapshotBuilder named = snapshot()
                .routes(host("orders", route(any(), forward("orders"))), host("users", route(any(), forward("users"))))
                .cluster("users", 2);
        Fixture plain = Fixture.with(named);
        assertThat(mayFailOpen(plain, new Faulty("orders", true))).isTrue();
        assertThat(mayFailOpen(plain, new Faulty("orders", false))).isTrue();

        Fixture mesh = Fixture.with(named.cluster(Policies.cluster("orders").with(SECURED), Policies.endpoint(1)));
        for (String authority : List.of("orders", "users")) {
            assertThat(mayFailOpen(mesh, new Faulty(authority, true))).as(authority).isFalse();
        }
        assertThat(mayFailOpen(mesh, new Faulty("elsewhere", true))).as("no policy names it").isTrue();
        assertThat(mayFailOpen(mesh, new Faulty("elsewhere", false))).as("nobody knows where it goes").isFalse();
    }

    @Test
    void ofAHostAloneItIsKnownWhetherARequestMayBeSecured() {
        SnapshotBuilder named = snapshot()
                .routes(host("orders", route(any(), forward("orders"))), host("users", route(any(), forward("users"))))
                .cluster("users", 2);
        assertThat(Fixture.with(named).dataPlane.mayBeSecured("orders")).isFalse();

        Fixture mesh = Fixture.with(named.cluster(Policies.cluster("orders").with(SECURED), Policies.endpoint(1)));
        assertThat(mesh.dataPlane.mayBeSecured("orders")).isTrue();
        assertThat(mesh.dataPlane.mayBeSecured("users")).as("some route of it may lead there").isTrue();
        assertThat(mesh.dataPlane.mayBeSecured("elsewhere")).isFalse();
        assertThat(mesh.dataPlane.mayBeSecured(null)).as("after a fault").isTrue();
    }

    @Test
    void afterAFaultInTheFirstQuestionTheNextOneDecides() {
        SnapshotBuilder named = snapshot().routes(host("orders", route(any(), forward("orders")))).cluster("orders", 1);
        Fixture plain = Fixture.with(named);
        assertThatThrownBy(() -> plain.dataPlane.names(null)).isInstanceOf(NullPointerException.class);

        Fixture mesh = Fixture.with(named.cluster(Policies.cluster("users").with(SECURED), Policies.endpoint(2)));
        assertThat(mesh.dataPlane.names(null)).isTrue();
        assertThat(mesh.dataPlane.names("elsewhere")).isFalse();
    }

    private static boolean mayFailOpen(Fixture mesh, Exchange request) {
        assertThatThrownBy(() -> mesh.dataPlane.claims(request)).isInstanceOf(IllegalStateException.class);
        return request.mayFailOpen();
    }

    /** A view of a request that fails: at first, and, where it does not recover, for good. */
    private static final class Faulty extends Request {
        private final boolean recovers;
        private boolean failed;

        Faulty(String authority, boolean recovers) {
            super("GET", authority, "/");
            this.recovers = recovers;
        }

        @Override
        public String authority() {
            if (!failed || !recovers) {
                failed = true;
                throw new IllegalStateException("a fault of the test's");
            }
            return super.authority();
        }
    }

    @Test
    void afterAFaultNothingGoesOutThatTheMeshIsToAnswer() {
        SnapshotBuilder answered = snapshot().routes(host("orders", route(any(), forward("none"))), host("users"));
        Fixture plain = Fixture.with(answered);
        Fixture mesh = Fixture.with(answered.cluster(Policies.cluster("secured").with(SECURED), Policies.endpoint(1)));
        for (String authority : List.of("orders", "users")) {
            assertThat(plain.claimed(Request.get(authority, "/")).mayFailOpen()).as(authority).isTrue();
            assertThat(mesh.claimed(Request.get(authority, "/")).mayFailOpen()).isFalse();
        }
    }

    private static PolicyCompiler compiler(SimulatedTime time) {
        SeededRandomness randomness = new SeededRandomness(1);
        Surroundings surroundings = new Surroundings(time, time, randomness, time, Fixture.NO_FAULTS, Self.UNKNOWN);
        KeySets noKeys = new KeySets((keys, onBody) -> onBody.accept(null), time, randomness, Fixture.NO_FAULTS);
        FilterCompiler filters = new FilterCompiler(
                surroundings, ProcessInfo.ofThisProcess(time, randomness), new Refusals.Relay(), new AccessStats(), noKeys, (path, line) -> {});
        Names names = new Names(time, randomness, Fixture.NO_FAULTS, () -> {});
        return new PolicyCompiler(
                surroundings, new HealthProber.Relay(), new TransportSecurity.Relay(Fixture.NO_FAULTS), names, filters);
    }
}
