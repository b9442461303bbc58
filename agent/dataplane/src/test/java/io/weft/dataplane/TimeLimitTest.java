package io.weft.dataplane;

import static io.weft.dataplane.Policies.any;
import static io.weft.dataplane.Policies.host;
import static io.weft.dataplane.Policies.route;
import static io.weft.dataplane.Policies.snapshot;
import static org.assertj.core.api.Assertions.assertThat;

import io.weft.dataplane.Exchange.Failure;
import io.weft.dataplane.Exchange.Replay;
import io.weft.dataplane.Exchange.Step;
import io.weft.policy.model.HostPort;
import io.weft.policy.model.HttpConnectionManager;
import io.weft.policy.model.HttpConnectionManager.Edge;
import io.weft.policy.model.HttpConnectionManager.StreamLimits;
import io.weft.policy.model.Listener;
import io.weft.policy.model.Resending;
import io.weft.policy.model.RetryPolicy;
import io.weft.policy.model.RetryPolicy.BackOff;
import io.weft.policy.model.RetryPolicy.Conditions;
import io.weft.policy.model.RetryPolicy.HostSelection;
import io.weft.policy.model.RetryPolicy.On;
import io.weft.policy.model.RetryPolicy.PerTry;
import io.weft.policy.model.RouteAction;
import io.weft.policy.model.RouteAction.ClusterChoice;
import io.weft.policy.model.RouteAction.GrpcTimeout;
import io.weft.policy.model.RouteAction.Rewrite;
import io.weft.policy.model.RouteAction.StreamDuration;
import io.weft.policy.model.RouteAction.Timeouts;
import io.weft.policy.model.RouteAction.WeightedCluster;
import io.weft.policy.model.RouteConfiguration;
import io.weft.policy.model.RoutingPriority;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TimeLimitTest {
    private static final Duration SECOND = Duration.ofSeconds(1);

    /** What an adapter does when it is told to end something: here it only remembers. */
    private static class Limitable extends Request {
        private int aborts;

        Limitable() {
            this("orders");
        }

        Limitable(String authority) {
            super("POST", authority, "/");
            with(Replay.REPEATABLE);
        }

        @Override
        protected void abort() {
            aborts++;
        }
    }

    private static Timeouts idle(Duration idle) {
        return new Timeouts(Duration.ZERO, Optional.of(idle), Optional.empty(), Optional.empty());
    }

    private static Timeouts stream(Duration max, GrpcTimeout grpc) {
        return new Timeouts(
                SECOND,
                Optional.empty(),
                Optional.empty(),
                Optional.of(new StreamDuration(Optional.of(max), Optional.ofNullable(grpc))));
    }

    private static RetryPolicy retry(PerTry perTry, On... on) {
        return new RetryPolicy(Conditions.on(on), 2, perTry, BackOff.DEFAULT, Optional.empty(), HostSelection.ANY);
    }

    private static Fixture mesh(Timeouts timeouts) {
        return mesh(timeouts, Optional.empty());
    }

    private static Fixture mesh(Timeouts timeouts, RetryPolicy retry) {
        return mesh(timeouts, Optional.of(retry));
    }

    private static Fixture mesh(Timeouts timeouts, Optional<RetryPolicy> retry) {
        return Fixture.with(snapshot()
                .routes(host("orders", route(any(), new RouteAction.Forward(
                        ClusterChoice.of(WeightedCluster.of("orders", 1)), Rewrite.NONE, retry.map(Resending::of).orElse(Resending.NONE), timeouts,
                        List.of(), Map.of(), RoutingPriority.DEFAULT))))
                .cluster("orders", 1, 2));
    }

    private static void assertAnswered(Limitable request, int status, String text) {
        assertThat(request.aborts).as("ended by the limit").isPositive();
        assertThat(request.onFailure(Failure.RESET)).isTrue();
        assertThat(request.backoffNanos()).isZero();
        assertThat(request.next()).isEqualTo(Step.REPLY);
        assertThat(request.reply().status()).isEqualTo(status);
        assertThat(request.reply().body()).asString().isEqualTo(text);
    }

    @Test
    void aRequestWithoutAResponseIsAnsweredWhenItsTimeIsOver() {
        Fixture mesh = mesh(Timeouts.of(SECOND));
        Limitable request = mesh.dialled(new Limitable());
        assertThat(request.connected()).isTrue();

        mesh.time.advance(SECOND.minusMillis(1));
        assertThat(request.aborts).isZero();
        mesh.time.advance(Duration.ofMillis(1));
        assertThat(request.aborts).isEqualTo(1);
        assertAnswered(request, 504, "upstream request timeout");

        mesh.time.advance(SECOND.multipliedBy(5));
        assertThat(request.aborts).isEqualTo(1);
        assertThat(mesh.dataPlane.stats().get(0).active()).isZero();
    }

    private static Fixture managed(StreamLimits limits, Timeouts timeouts) {
        return Fixture.with(snapshot()
                .listener(
                        "outbound", Listener.Kind.OUTBOUND, new HostPort("0.0.0.0", 80),
                        new HttpConnectionManager("", new HttpConnectionManager.Named("outbound-routes"), List.of(), Edge.NONE, limits),
                        Policies.routes(host("orders", route(any(), new RouteAction.Forward(
                                ClusterChoice.of(WeightedCluster.of("orders", 1)), Rewrite.NONE, Resending.NONE, timeouts,
                                List.of(), Map.of(), RoutingPriority.DEFAULT)))))
                .cluster("orders", 1, 2));
    }

    @Test
    void whereTheRouteSaysNothingTheConnectionManagersLimitsCount() {
        Fixture mesh = managed(new StreamLimits(SECOND, Duration.ZERO, 0), Timeouts.NONE);
        Limitable idle = mesh.dialled(new Limitable());
        idle.connected();
        mesh.time.advance(SECOND);
        assertAnswered(idle, 504, "stream timeout");

        Fixture other = managed(new StreamLimits(Duration.ZERO, SECOND, 0), Timeouts.NONE);
        Limitable longer = other.dialled(new Limitable());
        longer.connected();
        other.time.advance(SECOND);
        assertAnswered(longer, 504, "downstream duration timeout");

        Limitable call = other.dialled(new Limitable());
        call.with("content-type", "application/grpc");
        call.connected();
        other.time.advance(SECOND);
        assertAnswered(call, 200, "");
        assertThat(call.reply().header("grpc-status")).as("deadline exceeded").isEqualTo("4");
        assertThat(call.reply().header("grpc-message")).isEqualTo("downstream duration timeout");
    }

    @Test
    void whatTheRouteSaysGoesBefore() {
        Fixture mesh = managed(new StreamLimits(SECOND, SECOND, 0), new Timeouts(
                Duration.ZERO, Optional.of(Duration.ZERO), Optional.empty(),
                Optional.of(new StreamDuration(Optional.of(Duration.ZERO), Optional.empty()))));
        Limitable request = mesh.dialled(new Limitable());
        request.connected();
        mesh.time.advance(Duration.ofHours(1));
        assertThat(request.aborts).isZero();

        Fixture other = managed(new StreamLimits(Duration.ofHours(1), SECOND, 0), stream(Duration.ofSeconds(3), null));
        Limitable longer = other.dialled(new Limitable());
        longer.connected();
        other.time.advance(Duration.ofSeconds(2));
        assertThat(longer.aborts).isZero();
        other.time.advance(SECOND);
        assertThat(longer.aborts).isEqualTo(1);
    }

    @Test
    void twoConnectionManagersWithTheSameRoutesHaveEachItsOwnLimits() {
        HttpConnectionManager unlimited =
                new HttpConnectionManager("", new HttpConnectionManager.Named("outbound-routes"), List.of(), Edge.NONE, StreamLimits.NONE);
        HttpConnectionManager limited = new HttpConnectionManager(
                "", new HttpConnectionManager.Named("outbound-routes"), List.of(), Edge.NONE, new StreamLimits(SECOND, Duration.ZERO, 0));
        RouteConfiguration routes = Policies.routes(host(List.of("orders", "orders:8080"), route(any(), new RouteAction.Forward(
                ClusterChoice.of(WeightedCluster.of("orders", 1)), Rewrite.NONE, Resending.NONE, Timeouts.NONE,
                List.of(), Map.of(), RoutingPriority.DEFAULT))));
        Fixture mesh = Fixture.with(snapshot()
                .listener("outbound", Listener.Kind.OUTBOUND, new HostPort("0.0.0.0", 80), unlimited, routes)
                .listener("8080", Listener.Kind.OUTBOUND, new HostPort("0.0.0.0", 8080), limited, routes)
                .cluster("orders", 1));
        Limitable first = mesh.dialled(new Limitable());
        first.connected();
        Limitable second = mesh.dialled(new Limitable("orders:8080"));
        second.connected();
        mesh.time.advance(SECOND);
        assertThat(first.aborts).isZero();
        assertThat(second.aborts).isEqualTo(1);
    }

    @Test
    void aResponseThatIsNotCompleteInTimeBreaksOff() {
        Fixture mesh = mesh(Timeouts.of(SECOND));
        Limitable request = mesh.dialled(new Limitable());
        assertThat(request.onResponse(200, Fixture.NO_HEADERS)).isFalse();

        mesh.time.advance(SECOND);
        assertThat(request.aborts).isEqualTo(1);
        assertThat(request.onFailure(Failure.RESET)).as("the app has the response").isFalse();
    }

    @Test
    void aDeliveredResponseThatNobodyEndsIsOverWithItsLimit() {
        Fixture mesh = mesh(Timeouts.of(SECOND));
        Limitable request = mesh.dialled(new Limitable());
        request.connected();
        request.onResponse(200, Fixture.NO_HEADERS);
        assertThat(mesh.dataPlane.stats().get(0).active()).isEqualTo(1);

        mesh.time.advance(SECOND);
        assertThat(request.aborts).isEqualTo(1);
        assertThat(mesh.dataPlane.stats().get(0).active()).isZero();

        assertThat(request.onFailure(Failure.RESET)).isFalse();
        request.end();
        assertThat(mesh.dataPlane.stats().get(0).active()).as("given back once").isZero();
        assertThat(mesh.time.pending()).as("nobody looks for it any more").isZero();
    }

    @Test
    void whatItsOwnerEndsIsNotReleasedTwice() {
        Fixture mesh = mesh(Timeouts.of(SECOND));
        Limitable request = mesh.dialled(new Limitable());
        request.connected();
        request.onResponse(200, Fixture.NO_HEADERS);
        request.end();

        mesh.time.advance(SECOND.multipliedBy(2));
        assertThat(request.aborts).isZero();
        assertThat(mesh.dataPlane.stats().get(0).active()).isZero();
    }

    @Test
    void aConnectionThatDoesNotComeIsGivenUpAndTheFailureStands() {
        Fixture mesh = mesh(Timeouts.of(Duration.ofMinutes(1)));
        Limitable request = mesh.dialled(new Limitable());
        assertThat(request.connecting()).isTrue();

        mesh.time.advance(Duration.ofNanos(request.connectTimeoutNanos() - 1));
        assertThat(request.aborts).isZero();
        mesh.time.advance(Duration.ofNanos(1));
        assertThat(request.aborts).isEqualTo(1);
        assertThat(request.isConnectionLate()).isTrue();
        assertThat(request.connected()).isFalse();
        assertThat(request.onFailure(Failure.RESET)).as("nothing to do next").isFalse();
    }

    @Test
    void whoOnlyWaitsForAPlaceInAPoolHasAllOfTheRequestsTime() {
        Fixture mesh = mesh(Timeouts.of(Duration.ofMinutes(1)));
        Limitable request = mesh.dialled(new Limitable());

        mesh.time.advance(Duration.ofSeconds(59));
        assertThat(request.aborts).isZero();
        assertThat(request.isTooLate()).isFalse();
        mesh.time.advance(Duration.ofSeconds(2));
        assertThat(request.isTooLate()).isTrue();
        assertThat(request.isConnectionLate()).isFalse();
        assertThat(request.onFailure(Failure.CONNECT)).as("a reply").isTrue();
        assertThat(request.next()).isEqualTo(Step.REPLY);
        assertThat(request.isTooLate()).isFalse();
    }

    @Test
    void aConnectionThatIsThereIsNotGivenUpHoweverLongTheAppTakesToWriteItsRequest() {
        Fixture mesh = mesh(Timeouts.of(Duration.ofMinutes(1)));
        Limitable request = mesh.dialled(new Limitable());
        request.connecting();
        assertThat(request.established()).isTrue();

        mesh.time.advance(Duration.ofSeconds(50));
        assertThat(request.aborts).isZero();
        mesh.time.advance(Duration.ofSeconds(10));
        assertThat(request.aborts).as("a limit of the whole goes on").isEqualTo(1);
        assertThat(request.connected()).isFalse();
    }

    @Test
    void aConnectionThatIsThereTooLateIsNotUsed() {
        Fixture mesh = mesh(Timeouts.of(Duration.ofMinutes(1)));
        Limitable request = mesh.dialled(new Limitable());
        request.connecting();

        mesh.time.advance(Duration.ofNanos(request.connectTimeoutNanos()));
        assertThat(request.established()).isFalse();
    }

    @Test
    void aConnectionThatDoesNotComeIsAFailureToConnect() {
        Fixture mesh = mesh(Timeouts.of(Duration.ofMinutes(1)), retry(PerTry.NO_LIMIT, On.CONNECT_FAILURE));
        Limitable request = mesh.dialled(new Limitable());
        request.connecting();

        mesh.time.advance(Duration.ofNanos(request.connectTimeoutNanos()));
        assertThat(request.onFailure(Failure.RESET)).as("retried").isTrue();
        assertThat(request.next()).isEqualTo(Step.DIAL);
        request.connecting();
        assertThat(request.connected()).isTrue();
        mesh.time.advance(Duration.ofSeconds(50));
        assertThat(request.aborts).as("connected in time").isEqualTo(1);
    }

    @Test
    void whatTheAppHasNotMadeReadyHasTimeFromItsEndOn() {
        Fixture mesh = mesh(Timeouts.of(SECOND));
        Limitable request = mesh.dialled(new Limitable() {
            @Override
            protected boolean isComplete() {
                return false;
            }
        });
        mesh.time.advance(SECOND.multipliedBy(10));
        request.connected();
        request.requestSent();

        mesh.time.advance(SECOND.minusMillis(1));
        assertThat(request.aborts).isZero();
        request.requestSent();
        mesh.time.advance(Duration.ofMillis(1));
        assertAnswered(request, 504, "upstream request timeout");
    }

    @Test
    void whatEndsInTimeIsNotEnded() {
        Fixture mesh = mesh(Timeouts.of(SECOND));
        List<Limitable> requests = new ArrayList<>();
        for (int i = 0; i < 1_000; i++) {
            Limitable request = mesh.dialled(new Limitable());
            mesh.time.advance(Duration.ofMillis(5));
            request.onResponse(200, Fixture.NO_HEADERS);
            request.end();
            requests.add(request);
        }
        assertThat(mesh.time.pending()).as("one look for all of them").isEqualTo(1);
        mesh.time.advance(SECOND);
        assertThat(mesh.time.pending()).as("nothing to look for").isZero();
        assertThat(requests).allMatch(request -> request.aborts == 0);
    }

    @Test
    void manyMayBeUnderWay() {
        Fixture mesh = mesh(Timeouts.of(SECOND));
        List<Limitable> requests = new ArrayList<>();
        for (int i = 0; i < 1_000; i++) {
            requests.add(mesh.dialled(new Limitable()));
        }
        mesh.time.advance(SECOND);
        assertThat(requests).allMatch(request -> request.aborts == 1);
    }

    @Test
    void theTimeBeginsWhenAOneShotBodyIsSent() {
        Fixture mesh = mesh(Timeouts.of(SECOND), retry(new PerTry(Duration.ofMillis(400), Duration.ZERO), On.RESET));
        Limitable request = new Limitable();
        request.with(Replay.ONE_SHOT);
        mesh.dialled(request);
        request.connected();

        mesh.time.advance(Duration.ofMinutes(1));
        assertThat(request.aborts).isZero();
        request.requestSent();
        mesh.time.advance(Duration.ofMillis(399));
        assertThat(request.aborts).isZero();
        mesh.time.advance(Duration.ofMillis(1));
        assertAnswered(request, 504, "upstream request timeout");
    }

    @Test
    void aResponseThatBeganBeforeItsRequestWasSentHasTheTimeOfTheWhole() {
        Fixture mesh = mesh(Timeouts.of(SECOND), retry(new PerTry(Duration.ofMillis(400), Duration.ZERO), On.RESET));
        Limitable request = new Limitable();
        request.with(Replay.ONE_SHOT);
        mesh.dialled(request);
        request.connected();
        assertThat(request.onResponse(200, Fixture.NO_HEADERS)).isFalse();
        mesh.time.advance(Duration.ofMinutes(1));
        request.requestSent();

        mesh.time.advance(Duration.ofMillis(999));
        assertThat(request.aborts).as("with the response head the attempt's time ends").isZero();
        mesh.time.advance(Duration.ofMillis(1));
        assertThat(request.aborts).isEqualTo(1);
    }

    @Test
    void anAttemptThatTakesTooLongIsTriedAgain() {
        Fixture mesh = mesh(Timeouts.of(SECOND), retry(new PerTry(Duration.ofMillis(200), Duration.ZERO), On.GATEWAY_ERROR));
        Limitable request = mesh.dialled(new Limitable());
        mesh.time.advance(Duration.ofMillis(300));
        assertThat(request.aborts).as("connecting is not yet the attempt's time").isZero();
        request.connected();

        mesh.time.advance(Duration.ofMillis(200));
        assertThat(request.aborts).isEqualTo(1);
        assertThat(request.onFailure(Failure.RESET)).isTrue();
        assertThat(request.next()).isEqualTo(Step.DIAL);
        request.connected();
        mesh.time.advance(Duration.ofMillis(100));
        assertThat(request.onResponse(200, Fixture.NO_HEADERS)).isFalse();
        mesh.time.advance(Duration.ofMillis(399));
        assertThat(request.aborts).as("with the response head the attempt's time ends").isEqualTo(1);
        mesh.time.advance(Duration.ofMillis(1));
        assertThat(request.aborts).as("the time of all together does not").isEqualTo(2);
    }

    @ParameterizedTest
    @CsvSource({"RETRIABLE_4XX, false", "CONNECT_FAILURE, false", "SERVER_ERROR_5XX, true", "RESET, true"})
    void onlySomeConditionsAreForAnAttemptThatTookTooLong(On on, boolean again) {
        Fixture mesh = mesh(Timeouts.NONE, retry(new PerTry(SECOND, Duration.ZERO), on));
        Limitable request = mesh.dialled(new Limitable());
        request.connected();
        mesh.time.advance(SECOND);

        if (again) {
            assertThat(request.onFailure(Failure.RESET)).isTrue();
            assertThat(request.next()).isEqualTo(Step.DIAL);
        } else {
            assertAnswered(request, 504, "upstream request timeout");
        }
    }

    @Test
    void aLimitForAnAttemptThatIsNoneForTheWholeIsLeftOut() {
        Fixture mesh = mesh(Timeouts.of(SECOND), retry(new PerTry(SECOND, Duration.ZERO), On.RESET));
        Limitable request = mesh.dialled(new Limitable());
        request.connected();
        mesh.time.advance(SECOND);
        assertAnswered(request, 504, "upstream request timeout");
    }

    @Test
    void anAttemptOfWhichNothingComesIsTriedAgain() {
        Fixture mesh = mesh(Timeouts.NONE, retry(new PerTry(Duration.ZERO, SECOND), On.RESET));
        Limitable request = mesh.dialled(new Limitable());
        request.connected();
        mesh.time.advance(SECOND);
        assertThat(request.onFailure(Failure.RESET)).isTrue();
        request.next();
        request.connected();
        request.onResponse(200, Fixture.NO_HEADERS);
        for (int i = 0; i < 10; i++) {
            mesh.time.advance(Duration.ofMillis(900));
            request.bytesReceived();
        }
        assertThat(request.aborts).isEqualTo(1);
        mesh.time.advance(SECOND);
        assertThat(request.aborts).isEqualTo(2);
        assertThat(request.onFailure(Failure.RESET)).isFalse();
    }

    /** As an app does that has a stream: how slowly it does so is not the endpoint's fault. */
    @Test
    void whileTheAppReadsNothingNobodyWaitsForTheEndpoint() {
        Fixture mesh = mesh(Timeouts.NONE, retry(new PerTry(Duration.ZERO, SECOND), On.RESET));
        Limitable request = mesh.dialled(new Limitable() {
            @Override
            protected boolean isRead() {
                return true;
            }
        });
        request.connected();
        request.onResponse(200, Fixture.NO_HEADERS);
        for (int i = 0; i < 3; i++) {
            mesh.time.advance(SECOND.multipliedBy(5));
            request.awaitsBytes();
            mesh.time.advance(SECOND.minusMillis(1));
            request.bytesReceived(1);
        }
        assertThat(request.aborts).isZero();
        request.awaitsBytes();
        mesh.time.advance(SECOND);
        assertThat(request.aborts).isEqualTo(1);
    }

    /** As an app does that is told of what has come, and asks for more when it likes. */
    @Test
    void whileTheAppAsksForNothingNobodyWaitsForTheEndpoint() {
        Fixture mesh = mesh(Timeouts.NONE, retry(new PerTry(Duration.ZERO, SECOND), On.RESET));
        Limitable request = mesh.dialled(new Limitable());
        request.connected();
        request.onResponse(200, Fixture.NO_HEADERS);
        for (int i = 0; i < 3; i++) {
            request.awaitsNothing();
            mesh.time.advance(SECOND.multipliedBy(5));
            request.awaitsBytes();
            mesh.time.advance(SECOND.minusMillis(1));
            request.bytesReceived(1);
        }
        assertThat(request.aborts).isZero();
        for (int i = 0; i < 4; i++) {
            mesh.time.advance(SECOND.dividedBy(4));
            // To ask again is no sign of life of the endpoint's.
            request.awaitsBytes();
        }
        assertThat(request.aborts).isEqualTo(1);
    }

    /** As one that asks for so many pieces at a time. */
    @Test
    void whileTheAppHasNoUseForMoreNobodyWaitsForTheEndpoint() {
        Fixture mesh = mesh(Timeouts.NONE, retry(new PerTry(Duration.ZERO, SECOND), On.RESET));
        Limitable request = mesh.dialled(new Limitable());
        Demand demand = new Demand(0);
        request.connected();
        request.onResponse(200, Fixture.NO_HEADERS);
        demand.tells(request, 0);
        demand.told(request);
        mesh.time.advance(SECOND.multipliedBy(5));
        demand.asks(request, 2);
        for (int piece = 0; piece < 2; piece++) {
            mesh.time.advance(SECOND.minusMillis(1));
            request.bytesReceived(1);
            demand.tells(request, 1);
            mesh.time.advance(SECOND.multipliedBy(5));
            demand.told(request);
        }
        mesh.time.advance(SECOND.multipliedBy(5));
        demand.asks(request, Long.MAX_VALUE);
        demand.tells(request, 1);
        demand.told(request);
        demand.pauses(request);
        mesh.time.advance(SECOND.multipliedBy(5));
        assertThat(request.aborts).isZero();

        demand.tells(request, 0);
        demand.asks(request, 1);
        mesh.time.advance(SECOND.multipliedBy(5));
        assertThat(request.aborts).as("it is busy with the piece before").isZero();
        demand.told(request);
        mesh.time.advance(SECOND);
        assertThat(request.aborts).isEqualTo(1);
    }

    @Test
    void aStreamOnWhichNothingHappensEnds() {
        Fixture mesh = mesh(idle(SECOND));
        Limitable request = mesh.dialled(new Limitable());
        for (int i = 0; i < 10; i++) {
            mesh.time.advance(Duration.ofMillis(900));
            request.bytesSent();
        }
        assertThat(request.aborts).isZero();
        mesh.time.advance(SECOND);
        assertAnswered(request, 504, "stream timeout");
        assertThat(mesh.dataPlane.stats().get(0).failures()).as("not the endpoint's fault").isZero();

        Limitable sending = new Limitable();
        sending.with(Replay.ONE_SHOT);
        mesh.dialled(sending);
        mesh.time.advance(SECOND);
        assertAnswered(sending, 408, "stream timeout");
    }

    @Test
    void aStreamLastsNoLongerThanItMay() {
        Fixture mesh = mesh(stream(Duration.ofSeconds(3), null));
        Limitable request = mesh.dialled(new Limitable());
        mesh.time.advance(Duration.ofMillis(2_999));
        assertThat(request.aborts).as("timeout has no meaning beside max_stream_duration").isZero();
        mesh.time.advance(Duration.ofMillis(1));
        assertAnswered(request, 504, "downstream duration timeout");
    }

    @ParameterizedTest
    @CsvSource({"2S, 2000", "9S, 5000", "100m, 100", "1u, 1", "0m, 5000", "x, 5000", "'', 5000", "123456789m, 5000", "1H, 5000"})
    void aGrpcRequestSaysHowLongItMayTake(String said, int millis) {
        GrpcTimeout max = new GrpcTimeout(Duration.ofSeconds(5), Duration.ZERO);
        Fixture mesh = mesh(new Timeouts(Duration.ofMinutes(1), Optional.empty(), Optional.of(max), Optional.empty()));
        Limitable request = new Limitable();
        request.with("content-type", "application/grpc+proto").with("grpc-timeout", said);
        mesh.dialled(request);

        mesh.time.advance(Duration.ofMillis(millis - 1));
        assertThat(request.aborts).isZero();
        mesh.time.advance(Duration.ofMillis(1));
        assertThat(request.aborts).isEqualTo(1);
    }

    @Test
    void whatWasEndedBeforeItHadAConnectionSendsNothing() {
        Fixture mesh = mesh(Timeouts.of(SECOND));
        Limitable request = mesh.dialled(new Limitable());
        mesh.time.advance(SECOND);

        assertThat(request.connected()).isFalse();
        assertAnswered(request, 504, "upstream request timeout");
    }

    @Test
    void aResponseThatComesTogetherWithTheEndOfItsTimeIsTooLate() {
        Fixture mesh = mesh(Timeouts.of(SECOND));
        Limitable request = mesh.dialled(new Limitable());
        mesh.time.advance(SECOND);

        assertThat(request.onResponse(200, Fixture.NO_HEADERS)).isTrue();
        assertThat(request.next()).isEqualTo(Step.REPLY);
    }

    @Test
    void whatIsOverWhileAResponseIsLookedAtIsNotTriedAgain() {
        Fixture mesh = mesh(Timeouts.of(SECOND), retry(PerTry.NO_LIMIT, On.GATEWAY_ERROR));
        Limitable request = mesh.dialled(new Limitable());

        assertThat(request.onResponse(503, readSlowly(mesh))).isTrue();
        assertThat(request.aborts).isEqualTo(1);
        assertThat(request.next()).isEqualTo(Step.REPLY);
        assertThat(request.reply().status()).isEqualTo(504);
        request.end();
        assertThat(mesh.dataPlane.stats().get(0))
                .returns(0, ClusterStats::active)
                .returns(0, ClusterStats::activeRetries);
    }

    @Test
    void whatIsOverWhileAResponseIsLookedAtBreaksOff() {
        Fixture mesh = mesh(Timeouts.of(SECOND), retry(PerTry.NO_LIMIT, On.ENVOY_RATELIMITED));
        Limitable request = mesh.dialled(new Limitable());

        assertThat(request.onResponse(200, readSlowly(mesh))).isFalse();
        assertThat(request.aborts).isEqualTo(1);
        assertThat(request.onFailure(Failure.RESET)).as("the app has the response").isFalse();
        request.end();
        assertThat(mesh.dataPlane.stats().get(0).active()).isZero();
    }

    /** The timer thread comes back for what it could not release while its owner was at it. */
    @Test
    void whatIsOverWhileAResponseIsLookedAtNobodyNeedsToEnd() {
        Fixture mesh = mesh(Timeouts.of(SECOND), retry(PerTry.NO_LIMIT, On.ENVOY_RATELIMITED));
        Limitable request = mesh.dialled(new Limitable());
        assertThat(request.onResponse(200, readSlowly(mesh))).isFalse();
        assertThat(mesh.dataPlane.stats().get(0).active()).isEqualTo(1);

        mesh.time.advance(SECOND);

        assertThat(mesh.dataPlane.stats().get(0).active()).isZero();
        assertThat(mesh.time.pending()).isZero();
    }

    /** Headers that a thread needs so long to look at that the timer thread comes in between. */
    private static ResponseHeaders readSlowly(Fixture mesh) {
        return name -> {
            mesh.time.advance(SECOND);
            return null;
        };
    }

    @Test
    void aLongLimitIsLateByNoMoreThanAHundredth() {
        Duration fifteen = Duration.ofSeconds(15);
        Fixture mesh = mesh(Timeouts.of(fifteen));
        Limitable first = mesh.dialled(new Limitable());
        mesh.time.advance(Duration.ofMillis(70));
        Limitable second = mesh.dialled(new Limitable());
        assertThat(mesh.time.pending()).as("one look for both").isEqualTo(1);

        mesh.time.advance(fifteen.minusMillis(71));
        assertThat(first.aborts).isZero();
        mesh.time.advance(fifteen.dividedBy(100).plusMillis(1));
        assertThat(first.aborts).isEqualTo(1);
        mesh.time.advance(Duration.ofMillis(70));
        assertThat(second.aborts).isEqualTo(1);
        assertAnswered(second, 504, "upstream request timeout");
    }

    /** To wake it costs a request microseconds. */
    @Test
    void whileRequestsComeTheTimerThreadLooksWithoutBeingWoken() {
        Fixture mesh = mesh(Timeouts.of(Duration.ofSeconds(15)));
        Duration look = Duration.ofMillis(100);
        for (int i = 0; i < 5; i++) {
            Limitable request = mesh.dialled(new Limitable());
            assertThat(mesh.time.pending()).isEqualTo(1);
            request.onResponse(200, Fixture.NO_HEADERS);
            request.end();
            mesh.time.advance(look);
            assertThat(mesh.time.pending()).as("it looks once more").isEqualTo(1);
        }
        mesh.time.advance(look);
        assertThat(mesh.time.pending()).as("nobody came").isZero();

        Limitable late = mesh.dialled(new Limitable());
        assertThat(mesh.time.pending()).isEqualTo(1);
        mesh.time.advance(Duration.ofSeconds(15).plus(look));
        assertThat(late.aborts).isEqualTo(1);
    }

    @Test
    void aLongLimitIsOverForARetryThatComesTooLate() {
        Duration fifteen = Duration.ofSeconds(15);
        Fixture mesh = mesh(Timeouts.of(fifteen), retry(PerTry.NO_LIMIT, On.GATEWAY_ERROR));
        Limitable request = mesh.dialled(new Limitable());
        assertThat(request.onResponse(503, Fixture.NO_HEADERS)).isTrue();
        mesh.time.advance(fifteen);

        assertThat(request.aborts).as("nothing is under way").isZero();
        assertThat(request.next()).isEqualTo(Step.REPLY);
        assertThat(request.reply().status()).isEqualTo(504);
    }

    @Test
    void aLongLimitOfIdlenessFollowsWhatMovesOn() {
        Duration minute = Duration.ofMinutes(1);
        Fixture mesh = mesh(idle(minute));
        Limitable request = mesh.dialled(new Limitable());
        for (int i = 0; i < 10; i++) {
            mesh.time.advance(Duration.ofSeconds(50));
            request.bytesSent();
        }
        request.onResponse(200, Fixture.NO_HEADERS);
        for (int i = 0; i < 10; i++) {
            mesh.time.advance(Duration.ofSeconds(50));
            request.bytesReceived();
        }
        assertThat(request.aborts).isZero();
        mesh.time.advance(minute.minusMillis(1));
        assertThat(request.aborts).as("not before its time").isZero();
        mesh.time.advance(Duration.ofMillis(101));
        assertThat(request.aborts).as("late by no more than a look").isEqualTo(1);
    }

    @Test
    void aPauseEndsWithTheTimeThatThereIs() {
        RetryPolicy slow = new RetryPolicy(
                Conditions.on(On.SERVER_ERROR_5XX), 9, PerTry.NO_LIMIT, new BackOff(Duration.ofHours(1), Duration.ofHours(1)),
                Optional.empty(), HostSelection.ANY);
        Fixture mesh = mesh(Timeouts.of(SECOND), slow);
        Limitable request = mesh.dialled(new Limitable());
        mesh.time.advance(Duration.ofMillis(300));

        assertThat(request.onResponse(500, Fixture.NO_HEADERS)).isTrue();
        assertThat(request.backoffNanos()).isEqualTo(Duration.ofMillis(700).toNanos());
        mesh.time.advance(Duration.ofNanos(request.backoffNanos()));
        assertThat(request.aborts).as("nothing is under way").isZero();
        assertThat(request.next()).isEqualTo(Step.REPLY);
        assertThat(request.reply().status()).isEqualTo(504);
        assertThat(mesh.dataPlane.stats().get(0).activeRetries()).isZero();
    }

    @Test
    void theAppsOwnEndGoesBeforeTheLimits() {
        Fixture mesh = mesh(Timeouts.of(SECOND));
        Limitable request = mesh.dialled(new Limitable());
        mesh.time.advance(SECOND);

        assertThat(request.onFailure(Failure.CANCELLED)).isFalse();
    }

    @Test
    void aRequestAsksForItsOwnTime() {
        Fixture mesh = mesh(Timeouts.of(SECOND));
        Limitable request = new Limitable();
        request.with("x-envoy-upstream-rq-timeout-ms", "5000").with("x-envoy-upstream-rq-per-try-timeout-ms", "70");
        mesh.dialled(request);
        assertThat(request.requestChanges().remove())
                .containsExactlyInAnyOrder("x-envoy-upstream-rq-timeout-ms", "x-envoy-upstream-rq-per-try-timeout-ms");
        request.connected();
        mesh.time.advance(Duration.ofMillis(70));
        assertAnswered(request, 504, "upstream request timeout");

        Limitable unlimited = new Limitable();
        unlimited.with("x-envoy-upstream-rq-timeout-ms", "0");
        mesh.dialled(unlimited);
        mesh.time.advance(SECOND.multipliedBy(60));
        assertThat(unlimited.aborts).isZero();
    }

    @Test
    void aRequestMayWantNoContentInPlaceOfATimeout() {
        Fixture mesh = mesh(Timeouts.of(SECOND));
        Limitable request = new Limitable();
        request.with("x-envoy-upstream-rq-timeout-alt-response", "1");
        mesh.dialled(request);
        mesh.time.advance(SECOND);
        assertAnswered(request, 204, "");
    }

    @Test
    void withoutLimitsNothingIsKeptOrScheduled() {
        Fixture mesh = mesh(Timeouts.NONE);
        Limitable request = mesh.dialled(new Limitable());
        assertThat(request.connected()).isTrue();
        assertThat(request.slots).isNull();
        assertThat(mesh.time.pending()).isZero();
    }
}
