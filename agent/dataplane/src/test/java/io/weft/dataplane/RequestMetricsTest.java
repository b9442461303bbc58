package io.weft.dataplane;

import static io.weft.dataplane.Policies.forward;
import static io.weft.dataplane.Policies.host;
import static io.weft.dataplane.Policies.retryOn;
import static io.weft.dataplane.Policies.route;
import static io.weft.dataplane.Policies.snapshot;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.weft.dataplane.Exchange.Replay;
import io.weft.dataplane.Exchange.Step;
import io.weft.dataplane.metrics.Durations;
import io.weft.dataplane.metrics.Peer;
import io.weft.dataplane.metrics.RequestStats;
import io.weft.dataplane.metrics.RequestStats.Direction;
import io.weft.policy.model.EndpointAssignment.Health;
import io.weft.policy.model.EndpointAssignment.LbEndpoint;
import io.weft.policy.model.HostPort;
import io.weft.policy.model.Listener;
import io.weft.policy.model.OutlierDetection;
import io.weft.policy.model.OutlierDetection.Consecutive;
import io.weft.policy.model.OutlierDetection.EjectionTime;
import io.weft.policy.model.OutlierDetection.FailurePercentage;
import io.weft.policy.model.OutlierDetection.SuccessRate;
import io.weft.policy.model.RetryPolicy.On;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What is counted of requests, by peer and outcome, and that none of it grows without bounds. */
class RequestMetricsTest {

    private static LbEndpoint endpoint(int port, Map<String, Object> labels) {
        return new LbEndpoint(new HostPort("127.0.0.1", port), "", 1, Health.HEALTHY, labels, Map.of());
    }

    private static void send(Fixture mesh, String authority, int status, Duration takes) {
        Request request = mesh.dialled(Request.get(authority, "/"));
        mesh.time.advance(takes);
        request.onResponse(status, Fixture.NO_HEADERS);
        request.end();
    }

    @Test
    void requestsAreCountedForTheWorkloadThatTheyWentTo() {
        Fixture mesh = Fixture.with(snapshot()
                .routes(host("orders", Policies.to("kri_msvc_default_zone_shop_orders_http")))
                .cluster(Policies.cluster("kri_msvc_default_zone_shop_orders_http"),
                        endpoint(1, Map.of("version", "v1", "app", "orders-app")), endpoint(2, Map.of("version", "v2", "app", "orders-app"))));
        for (int i = 0; i < 10; i++) {
            send(mesh, "orders", 200, Duration.ofMillis(3));
        }
        assertThat(mesh.dataPlane.requestStats()).extracting(RequestStats::peer).containsExactlyInAnyOrder(
                new Peer("orders", "orders-app", "shop", "v1", ""), new Peer("orders", "orders-app", "shop", "v2", ""));
        assertThat(mesh.dataPlane.requestStats()).allSatisfy(stats -> {
            assertThat(stats.direction()).isEqualTo(Direction.OUTBOUND);
            assertThat(stats.requests()).isEqualTo(5);
            assertThat(stats.durations().sumNanos()).isEqualTo(Duration.ofMillis(15).toNanos());
            assertThat(stats.durations().counts()[5]).as("up to 5 ms").isEqualTo(5);
        });
    }

    @Test
    void whatNoEndpointIsLeftForCountsForNone() {
        OutlierDetection atOnce = new OutlierDetection(
                new Consecutive(1, 100), Consecutive.OFF, Consecutive.OFF, SuccessRate.OFF, FailurePercentage.OFF, false,
                Duration.ofSeconds(10), new EjectionTime(Duration.ofSeconds(30), Duration.ofSeconds(30), Duration.ZERO), 100, true, true);
        Fixture mesh = Fixture.with(snapshot()
                .routes(host("orders", route(Policies.any(), forward("orders", retryOn(1, On.SERVER_ERROR_5XX), Duration.ZERO))))
                .cluster(Policies.cluster("orders").panicBelow(0).with(atOnce), endpoint(1, Map.of("version", "v1"))));
        Request request = mesh.dialled(Request.get("orders", "/"));
        assertThat(request.onResponse(503, Fixture.NO_HEADERS)).isTrue();
        assertThat(request.next()).as("it is ejected").isEqualTo(Step.REPLY);

        assertThat(mesh.dataPlane.requestStats()).singleElement().satisfies(stats -> {
            assertThat(stats.peer()).isEqualTo(new Peer("orders", "orders", "", "", ""));
            assertThat(stats.outcome().code()).isEqualTo(503);
            assertThat(stats.outcome().flagNames()).isEqualTo("UH");
        });
    }

    @Test
    void istiosClustersAreNamedByTheirHost() {
        String cluster = "outbound|80|v2|reviews.shop.svc.cluster.local";
        Fixture mesh = Fixture.with(snapshot().routes(host("reviews", Policies.to(cluster))).cluster(cluster, 1));
        send(mesh, "reviews", 200, Duration.ZERO);
        assertThat(mesh.dataPlane.requestStats()).singleElement().extracting(RequestStats::peer)
                .isEqualTo(new Peer("reviews.shop.svc.cluster.local", "reviews", "shop", "v2", ""));
    }

    @Test
    void whatComesInIsCountedForItsCaller() {
        Fixture mesh = served();
        serve(mesh, Peers.tls("spiffe://mesh/ns/shop/sa/storefront"), 200);
        serve(mesh, Peers.tls("spiffe://mesh/ns/shop/sa/storefront"), 200);
        serve(mesh, Peers.tls("spiffe://default.default.mesh.local/workload/batch"), 500);
        serve(mesh, Peers.plaintext(), 200);
        assertThat(mesh.dataPlane.requestStats())
                .extracting(stats -> stats.peer() + " " + stats.outcome().code() + " " + stats.outcome().secured() + " " + stats.requests())
                .containsExactlyInAnyOrder(
                        new Peer("storefront", "storefront", "shop", "", "spiffe://mesh/ns/shop/sa/storefront") + " 200 true 2",
                        new Peer("batch", "batch", "", "", "spiffe://default.default.mesh.local/workload/batch") + " 500 true 1",
                        Peer.UNKNOWN + " 200 false 1");
    }

    private static Fixture served() {
        return Fixture.with(snapshot().listener(
                "inbound", Listener.Kind.INBOUND, new HostPort("0.0.0.0", 8080), List.of(),
                Policies.routes(host("*", route(Policies.any(), forward("local"))))));
    }

    private static void serve(Fixture mesh, Connection connection, int status) {
        Inbound.Port port = mesh.dataPlane.inbound().opened("test", new InetSocketAddress("0.0.0.0", 8080), false);
        Incoming request = Incoming.get("/").over(connection);
        port.enter(request);
        request.next();
        request.onResponse(status, Fixture.NO_HEADERS);
        request.end();
        port.close();
    }

    @Test
    void aPortThatNoPolicyNamesIsTheAppsOwnBusiness() {
        Fixture mesh = Fixture.with(snapshot());
        serve(mesh, Peers.plaintext(), 200);
        assertThat(mesh.dataPlane.requestStats()).isEmpty();
    }

    private static ResponseHeaders length(String value) {
        return name -> name.equals("content-length") ? value : null;
    }

    private static RequestStats only(Fixture mesh) {
        assertThat(mesh.dataPlane.requestStats()).hasSize(1);
        return mesh.dataPlane.requestStats().get(0);
    }

    @Test
    void aBodyIsAsLongAsItsHeadSaysOrAsWhatGoesBy() {
        Fixture mesh = Fixture.with(snapshot().routes(host("orders", Policies.to("orders"))).cluster("orders", 1));
        Request announced = mesh.dialled(new Request("POST", "orders", "/").body("0123456789"));
        announced.bytesSent(10);
        announced.onResponse(200, length("1000"));
        announced.end();
        assertThat(only(mesh).requestSizes().sumBytes()).as("said beforehand").isEqualTo(10);
        assertThat(only(mesh).responseSizes().sumBytes()).isEqualTo(1_000);

        Request streamed = mesh.dialled(new Request("POST", "orders", "/").with(Replay.ONE_SHOT));
        streamed.bytesSent(70);
        streamed.bytesSent(30);
        streamed.onResponse(200, Fixture.NO_HEADERS);
        streamed.bytesReceived(5_000);
        streamed.bytesReceived(1);
        streamed.end();
        assertThat(only(mesh).requestSizes().sumBytes()).isEqualTo(10 + 100);
        assertThat(only(mesh).responseSizes().sumBytes()).isEqualTo(1_000 + 5_001);
        assertThat(only(mesh).responseSizes().counts()).as("up to 1 KiB, up to 16 KiB").containsExactly(0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0);

        Request unknown = mesh.dialled(new Request("POST", "orders", "/").with(Replay.ONE_SHOT));
        unknown.onResponse(200, length("many"));
        unknown.end();
        assertThat(only(mesh).requests()).isEqualTo(3);
        assertThat(only(mesh).requestSizes().count()).as("of what is not known nothing is said").isEqualTo(2);
        assertThat(only(mesh).responseSizes().count()).isEqualTo(2);

        Request withoutBody = mesh.dialled(new Request("HEAD", "orders", "/"));
        withoutBody.onResponse(200, length("777"));
        withoutBody.end();
        assertThat(only(mesh).requestSizes().count()).isEqualTo(3);
        assertThat(only(mesh).responseSizes().sumBytes()).isEqualTo(6_001);
        assertThat(only(mesh).responseSizes().count()).isEqualTo(3);
    }

    @Test
    void aBodyThatIsSentTwiceCountsOnceAndWhatIsDiscardedDoesNot() {
        Fixture mesh = Fixture.with(snapshot()
                .routes(host("orders", route(Policies.any(), forward("orders", retryOn(1, On.SERVER_ERROR_5XX), Duration.ZERO))))
                .cluster("orders", 1));
        Request request = mesh.dialled(new Request("POST", "orders", "/").body("0123456789"));
        request.bytesSent(10);
        assertThat(request.onResponse(503, length("4000"))).isTrue();
        mesh.time.advance(Duration.ofSeconds(1));
        assertThat(request.next()).isEqualTo(Step.DIAL);
        request.bytesSent(10);
        request.onResponse(200, length("3"));
        request.bytesReceived(3);
        request.end();
        assertThat(only(mesh).requestSizes().sumBytes()).isEqualTo(10);
        assertThat(only(mesh).responseSizes().sumBytes()).isEqualTo(3);
    }

    @Test
    void whatTheMeshAnswersItselfIsAsLongAsItIs() {
        Fixture mesh = Fixture.with(snapshot().routes(host("orders", Policies.to("orders"))).cluster("orders"));
        Request request = Request.get("orders", "/");
        mesh.reply(request);
        assertThat(only(mesh).responseSizes().sumBytes()).isEqualTo(request.reply().body().length).isPositive();
    }

    @Test
    void whatComesInIsAsLongAsItsHeadSaysAndItsAnswerAsTheServerSays() {
        Fixture mesh = served();
        Inbound.Port port = mesh.dataPlane.inbound().opened("test", new InetSocketAddress("0.0.0.0", 8080), false);
        Incoming request = new Incoming("POST", "/") {
            @Override
            protected long responseBytesWritten() {
                return 70_000;
            }
        }.with("content-length", "12");
        serve(port, request, 200, Fixture.NO_HEADERS);
        assertThat(only(mesh).requestSizes().sumBytes()).isEqualTo(12);
        assertThat(only(mesh).responseSizes().sumBytes()).isEqualTo(70_000);

        serve(port, Incoming.get("/"), 200, length("5"));
        serve(port, new Incoming("POST", "/").with("transfer-encoding", "chunked"), 200, Fixture.NO_HEADERS);
        assertThat(only(mesh).requests()).isEqualTo(3);
        assertThat(only(mesh).requestSizes().count()).as("of the chunked one it is not known").isEqualTo(2);
        assertThat(only(mesh).responseSizes().sumBytes()).isEqualTo(70_005);
        assertThat(only(mesh).responseSizes().count()).isEqualTo(2);
        port.close();
    }

    private static void serve(Inbound.Port port, Incoming request, int status, ResponseHeaders headers) {
        port.enter(request);
        request.next();
        request.onResponse(status, headers);
        request.end();
    }

    @Test
    void whoOnlyAsksForAnAddressSendsNothing() {
        Fixture mesh = Fixture.with(snapshot().routes(host("orders", Policies.to("orders"))).cluster("orders", 1));
        assertThat(mesh.dataPlane.pick("http", "orders", "GET", "/")).isNotNull();
        assertThat(mesh.dataPlane.requestStats()).isEmpty();
    }

    @Test
    void noLabelGrowsWithoutBounds() {
        Fixture mesh = served();
        for (int caller = 0; caller < 1_000; caller++) {
            serve(mesh, Peers.tls("spiffe://mesh/caller-" + caller), 200);
        }
        for (int code = 200; code < 900; code++) {
            serve(mesh, Peers.tls("spiffe://mesh/caller-0"), code);
        }
        List<RequestStats> stats = mesh.dataPlane.requestStats();
        assertThat(stats).hasSizeLessThan(400);
        assertThat(stats.stream().mapToLong(RequestStats::requests).sum()).isEqualTo(1_700);
        assertThat(stats).filteredOn(series -> series.outcome().overflow()).singleElement()
                .satisfies(series -> assertThat(series.requests()).isBetween(630L, 700L));
    }

    @Test
    void manyRequestsASecondAreTimedByChanceAndCountedAll() {
        Fixture mesh = Fixture.with(snapshot().routes(host("orders", Policies.to("orders"))).cluster("orders", 1));
        for (int i = 0; i < 50_000; i++) {
            send(mesh, "orders", 200, Duration.ZERO);
        }
        RequestStats rush = mesh.dataPlane.requestStats().get(0);
        assertThat(rush.requests()).isEqualTo(50_000);
        assertThat((double) rush.durations().count()).isCloseTo(50_000, within(5_000.0)).isNotEqualTo(50_000);

        mesh.time.advance(Duration.ofSeconds(3));
        for (int i = 0; i < 100; i++) {
            send(mesh, "orders", 200, Duration.ofMillis(100));
        }
        Durations.Snapshot calm = mesh.dataPlane.requestStats().get(0).durations();
        assertThat(calm.count() - rush.durations().count()).as("all of them").isEqualTo(100);
        assertThat(calm.sumNanos() - rush.durations().sumNanos()).isEqualTo(Duration.ofSeconds(10).toNanos());
    }

    @Test
    void aClusterIsCountedForAsLongAsItIsListed() {
        Policies.SnapshotBuilder orders = snapshot().routes(host("orders", Policies.to("orders"))).cluster("orders", 1);
        Fixture mesh = Fixture.with(orders);
        send(mesh, "orders", 200, Duration.ZERO);
        mesh.apply(snapshot().generation(2).routes(host("orders", Policies.to("orders"))).cluster("orders", 1, 2));
        send(mesh, "orders", 200, Duration.ZERO);
        assertThat(mesh.dataPlane.requestStats()).singleElement().extracting(RequestStats::requests).isEqualTo(2L);
        mesh.apply(snapshot().generation(3));
        assertThat(mesh.dataPlane.requestStats()).isEmpty();
    }
}
