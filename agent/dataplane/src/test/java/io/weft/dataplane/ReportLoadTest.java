package io.weft.dataplane;

import static io.weft.dataplane.Policies.cluster;
import static io.weft.dataplane.Policies.endpoint;
import static io.weft.dataplane.Policies.host;
import static io.weft.dataplane.Policies.snapshot;
import static io.weft.dataplane.Policies.to;
import static org.assertj.core.api.Assertions.assertThat;

import io.weft.dataplane.InboundExchange.Step;
import io.weft.dataplane.load.Vitals;
import io.weft.policy.model.LoadBalancing.ClientSideWeightedRoundRobin;
import io.weft.policy.model.LoadBalancing.ZoneAware;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Load reports, from the caller that asks for one to the server that gives it. */
class ReportLoadTest {
    private static final Vitals IDLE = new Vitals() {
        @Override
        public long cpuNanos() {
            return 0;
        }

        @Override
        public int processors() {
            return 1;
        }

        @Override
        public long pauseMillis() {
            return 0;
        }

        @Override
        public double heapAfterCollection() {
            return 0.5;
        }
    };

    private static ResponseChanges served(Fixture app, Incoming request, ResponseHeaders headers) {
        Inbound.Port port = app.dataPlane.inbound().opened("test", new InetSocketAddress("0.0.0.0", 8080), false);
        port.enter(request);
        if (request.claimed()) {
            assertThat(request.next()).isEqualTo(Step.PROCEED);
            request.onResponse(200, headers);
        }
        request.end();
        port.close();
        return request.responseChanges();
    }

    private static Fixture measuring() {
        Fixture app = Fixture.with(snapshot());
        app.dataPlane.inbound().measureBy(IDLE, Runnable::run);
        served(app, asking("TEXT"), Fixture.NO_HEADERS);
        app.time.advance(Duration.ofSeconds(1));
        return app;
    }

    private static Incoming asking(String format) {
        return Incoming.get("/").with("endpoint-load-metrics-format", format);
    }

    @Test
    void whoAsksIsTold() {
        Fixture app = measuring();
        for (String format : List.of("TEXT", "json", "BIN")) {
            assertThat(served(app, asking(format), Fixture.NO_HEADERS).set()).singleElement()
                    .returns("endpoint-load-metrics", Map.Entry::getKey)
                    .satisfies(header -> assertThat(header.getValue()).startsWithIgnoringCase(format + " "));
        }
    }

    @Test
    void whoDoesNotAskIsNot() {
        Fixture app = measuring();
        Incoming request = Incoming.get("/");
        assertThat(served(app, request, Fixture.NO_HEADERS)).isSameAs(ResponseChanges.NONE);
        assertThat(request.claimed()).isFalse();
        assertThat(served(app, asking("yaml"), Fixture.NO_HEADERS)).isSameAs(ResponseChanges.NONE);
    }

    @Test
    void theAppsOwnReportStays() {
        assertThat(served(measuring(), asking("TEXT"), Fixture.headers("endpoint-load-metrics", "TEXT eps=1")))
                .isSameAs(ResponseChanges.NONE);
    }

    private static Fixture weighted() {
        return Fixture.with(snapshot()
                .routes(host("orders", to("orders")), host("users", to("users")))
                .cluster(cluster("orders").with(new ClientSideWeightedRoundRobin(
                        Duration.ofSeconds(10), Duration.ofSeconds(180), Duration.ofSeconds(1), 0, List.of(), ZoneAware.DEFAULT)),
                        endpoint(1))
                .cluster("users", 2));
    }

    private static String asked(Request request) {
        return request.requestChanges().set().stream()
                .filter(header -> header.getKey().equals("endpoint-load-metrics-format"))
                .map(Map.Entry::getValue)
                .findFirst().orElse(null);
    }

    private static Request sent(Fixture mesh, Request request) {
        mesh.dialled(request);
        request.onResponse(200, Fixture.headers("endpoint-load-metrics", "TEXT rps_fractional=10,cpu_utilization=0.5"));
        request.end();
        return request;
    }

    @Test
    void anEndpointIsAskedNowAndThenAndTheAppSeesNothingOfIt() {
        Fixture mesh = weighted();
        Request first = sent(mesh, Request.get("orders", "/"));
        assertThat(asked(first)).isEqualTo("TEXT");
        assertThat(first.responseChanges().remove()).containsExactly("endpoint-load-metrics");

        Request soon = sent(mesh, Request.get("orders", "/"));
        assertThat(asked(soon)).isNull();
        assertThat(soon.responseChanges()).isSameAs(ResponseChanges.NONE);

        mesh.time.advance(Duration.ofMillis(250));
        assertThat(asked(sent(mesh, Request.get("orders", "/")))).isEqualTo("TEXT");
    }

    @Test
    void whatTheAppAsksForItIsGiven() {
        Request request = sent(weighted(), Request.get("orders", "/").with("endpoint-load-metrics-format", "JSON"));
        assertThat(asked(request)).isNull();
        assertThat(request.responseChanges()).isSameAs(ResponseChanges.NONE);
    }

    @Test
    void otherClustersAreNotAsked() {
        Request request = sent(weighted(), Request.get("users", "/"));
        assertThat(asked(request)).isNull();
        assertThat(request.responseChanges()).isSameAs(ResponseChanges.NONE);
    }
}
