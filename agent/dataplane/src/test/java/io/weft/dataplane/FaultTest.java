package io.weft.dataplane;

import static io.weft.dataplane.Policies.snapshot;
import static io.weft.dataplane.Policies.to;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.weft.dataplane.InboundExchange.Step;
import io.weft.policy.model.HeaderMatch;
import io.weft.policy.model.HostPort;
import io.weft.policy.model.HttpFilter.Abort;
import io.weft.policy.model.HttpFilter.Delay;
import io.weft.policy.model.HttpFilter.Fault;
import io.weft.policy.model.HttpFilter.ResponseRate;
import io.weft.policy.model.Listener;
import io.weft.policy.model.NamedFilter;
import io.weft.policy.model.RouteMatch.Fraction;
import io.weft.policy.model.StringMatch;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Delays, errors and slow responses, for whom they are meant, on what comes in and on what goes out. */
class FaultTest {
    private static final Fraction ALL = new Fraction(100, 100);
    private static final Optional<Delay> FIVE_SECONDS = Optional.of(new Delay(Optional.of(Duration.ofSeconds(5)), ALL));

    private static Fault fault(Optional<Delay> delay, Optional<Abort> abort) {
        return new Fault(delay, abort, Optional.empty(), "", List.of(), Set.of(), Integer.MAX_VALUE);
    }

    private static Optional<Abort> abort(int status, Fraction share) {
        return Optional.of(new Abort(status, -1, share));
    }

    @Test
    void aDelayComesBeforeAnAbort() {
        Served served = Served.with(fault(FIVE_SECONDS, abort(503, ALL)));
        Incoming request = served.enter(Incoming.get("/"));
        assertThat(request.next()).isEqualTo(Step.WAIT);
        StringBuilder resumed = new StringBuilder();
        request.afterDelay(() -> resumed.append(request.next()));
        served.mesh.time.advance(Duration.ofMillis(4_999));
        assertThat(resumed).isEmpty();
        served.mesh.time.advance(Duration.ofMillis(1));
        assertThat(resumed).hasToString("REPLY");
        assertThat(request.reply().status()).isEqualTo(503);
        assertThat(new String(request.reply().body(), StandardCharsets.UTF_8)).isEqualTo("fault filter abort");
    }

    @Test
    void onlyTheShareIsAborted() {
        Served served = Served.with(fault(Optional.empty(), abort(500, new Fraction(2_500, 10_000))));
        int aborted = 0;
        for (int i = 0; i < 10_000; i++) {
            aborted += served.serve(Incoming.get("/")) == 500 ? 1 : 0;
        }
        assertThat(aborted / 10_000.0).isCloseTo(0.25, within(0.02));
    }

    @Test
    void theRequestMaySayIt() {
        Served served = Served.with(fault(Optional.of(new Delay(Optional.empty(), ALL)), Optional.of(new Abort(0, -1, ALL))));
        assertThat(served.serve(Incoming.get("/"))).isEqualTo(200);
        assertThat(served.serve(Incoming.get("/").with("x-envoy-fault-abort-request", "418"))).isEqualTo(418);
        assertThat(served.serve(Incoming.get("/").with("x-envoy-fault-abort-request", "99"))).isEqualTo(200);
        assertThat(served.enter(Incoming.get("/").with("x-envoy-fault-abort-grpc-request", "14")).next())
                .as("with status 200 for who speaks no gRPC")
                .isEqualTo(Step.REPLY);
        assertThat(served.serve(Incoming.get("/")
                        .with("x-envoy-fault-abort-request", "418")
                        .with("x-envoy-fault-abort-request-percentage", "0")))
                .isEqualTo(200);
        Incoming delayed = served.enter(Incoming.get("/").with("x-envoy-fault-delay-request", "20"));
        assertThat(delayed.next()).isEqualTo(Step.WAIT);
    }

    @Test
    void aGrpcCallerGetsAGrpcStatus() {
        Served served = Served.with(fault(Optional.empty(), Optional.of(new Abort(0, 14, ALL))));
        Incoming call = served.enter(new Incoming("POST", "/").with("content-type", "application/grpc+proto"));
        assertThat(call.next()).isEqualTo(Step.REPLY);
        assertThat(call.reply().status()).isEqualTo(200);
        assertThat(call.reply().header("grpc-status")).isEqualTo("14");
    }

    @Test
    void onlyForWhomItIsMeant() {
        HeaderMatch canary = new HeaderMatch("x-canary", new HeaderMatch.Value(new StringMatch.Exact("yes", false)), false, false);
        Served served = Served.with(new Fault(
                Optional.empty(), abort(503, ALL), Optional.empty(), "local", List.of(canary), Set.of("shop"), Integer.MAX_VALUE));
        Incoming meant = Incoming.get("/").with("x-canary", "yes").with("x-envoy-downstream-service-node", "shop");
        assertThat(served.serve(meant)).isEqualTo(503);
        assertThat(served.serve(Incoming.get("/").with("x-canary", "yes"))).isEqualTo(200);
        assertThat(served.serve(Incoming.get("/").with("x-envoy-downstream-service-node", "shop"))).isEqualTo(200);
        Served other = Served.with(new Fault(
                Optional.empty(), abort(503, ALL), Optional.empty(), "other", List.of(), Set.of(), Integer.MAX_VALUE));
        assertThat(other.serve(Incoming.get("/"))).isEqualTo(200);
    }

    @Test
    void noMoreAtOnceThanMayBe() {
        Served served = Served.with(new Fault(FIVE_SECONDS, Optional.empty(), Optional.empty(), "", List.of(), Set.of(), 1));
        Incoming first = served.enter(Incoming.get("/"));
        assertThat(first.next()).isEqualTo(Step.WAIT);
        assertThat(served.serve(Incoming.get("/"))).isEqualTo(200);
        assertThat(first.next()).isEqualTo(Step.PROCEED);
        assertThat(served.enter(Incoming.get("/")).next()).isEqualTo(Step.PROCEED);
        first.end();
        assertThat(served.enter(Incoming.get("/")).next()).isEqualTo(Step.WAIT);
    }

    @Test
    void aResponseIsSlowedDown() {
        Served served = Served.with(new Fault(
                Optional.empty(), Optional.empty(), Optional.of(new ResponseRate(8, ALL)), "", List.of(), Set.of(), Integer.MAX_VALUE));
        Incoming request = served.enter(Incoming.get("/"));
        assertThat(request.next()).isEqualTo(Step.PROCEED);
        assertThat(request.responseBytesPerSecond()).isEqualTo(8 * 1024);
    }

    @Test
    void theSameOnWhatGoesOut() {
        Fixture mesh = Fixture.with(snapshot()
                .listener("outbound", Listener.Kind.OUTBOUND, new HostPort("0.0.0.0", 80),
                        List.of(new NamedFilter("f", fault(FIVE_SECONDS, abort(503, ALL)), false)),
                        Policies.routes(Policies.host("orders", to("orders"))))
                .cluster("orders", 1001));
        Request request = mesh.claimed(Request.get("orders", "/"));
        assertThat(request.next()).isEqualTo(Exchange.Step.WAIT);
        assertThat(request.backoffNanos()).isEqualTo(Duration.ofSeconds(5).toNanos());
        assertThat(request.next()).isEqualTo(Exchange.Step.REPLY);
        assertThat(request.reply().status()).isEqualTo(503);
        assertThat(mesh.dataPlane.stats().get(0).active()).isZero();
    }
}
