package io.weft.dataplane;

import static io.weft.dataplane.Fixture.NO_HEADERS;
import static io.weft.dataplane.Policies.*;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.weft.dataplane.Exchange.Failure;
import io.weft.dataplane.Exchange.Step;
import io.weft.policy.model.HedgePolicy;
import io.weft.policy.model.OutlierDetection;
import io.weft.policy.model.OutlierDetection.Consecutive;
import io.weft.policy.model.OutlierDetection.EjectionTime;
import io.weft.policy.model.OutlierDetection.FailurePercentage;
import io.weft.policy.model.OutlierDetection.SuccessRate;
import io.weft.policy.model.Resending;
import io.weft.policy.model.RetryPolicy;
import io.weft.policy.model.RetryPolicy.BackOff;
import io.weft.policy.model.RetryPolicy.Conditions;
import io.weft.policy.model.RetryPolicy.HostSelection;
import io.weft.policy.model.RetryPolicy.On;
import io.weft.policy.model.RetryPolicy.PerTry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

/** A slow attempt gets another beside it; the first good response counts. As in Envoy, in simulated time. */
class HedgeTest {
    private static final Duration PER_TRY = Duration.ofMillis(100);
    private static final Duration BACK_OFF = Duration.ofMillis(1);

    /** A client that can have several attempts at once. */
    private static class Hedgeable extends Request {
        final List<HedgedAttempt> further = new ArrayList<>();
        int aborts;

        Hedgeable() {
            super("GET", "orders", "/");
        }

        @Override
        protected boolean canHedge() {
            return true;
        }

        @Override
        protected void hedge(HedgedAttempt attempt) {
            further.add(attempt);
        }

        @Override
        protected void abort() {
            aborts++;
        }
    }

    private static Resending hedged(int retries, On... on) {
        RetryPolicy retry = new RetryPolicy(
                Conditions.on(on), retries, new PerTry(PER_TRY, Duration.ZERO), new BackOff(BACK_OFF, BACK_OFF), Optional.empty(),
                new HostSelection(true, false, List.of(), 10));
        return Resending.of(retry).with(new HedgePolicy(true));
    }

    private static Fixture mesh(Resending resending) {
        return Fixture.with(snapshot()
                .routes(host("orders", route(any(), forward("orders", resending, Duration.ofSeconds(3)))))
                .cluster("orders", 1, 2, 3));
    }

    private static <R extends Request> R sent(Fixture mesh, R request) {
        mesh.dialled(request);
        assertThat(request.connected()).isTrue();
        return request;
    }

    private static HedgedAttempt sent(HedgedAttempt attempt) {
        assertThat(attempt.next()).isEqualTo(Step.DIAL);
        assertThat(attempt.connected()).isTrue();
        return attempt;
    }

    /** One attempt is too slow, and the next is on its way. */
    private static HedgedAttempt further(Fixture mesh, Hedgeable request) {
        int before = request.further.size();
        mesh.time.advance(PER_TRY);
        mesh.time.advance(BACK_OFF);
        assertThat(request.further).hasSize(before + 1);
        return sent(request.further.get(before));
    }

    private static ClusterStats stats(Fixture mesh) {
        return mesh.dataPlane.stats().get(0);
    }

    private static void assertAllReleased(Fixture mesh) {
        assertThat(stats(mesh).active()).isZero();
        assertThat(stats(mesh).activeRetries()).isZero();
        assertThat(stats(mesh).endpoints()).allMatch(endpoint -> endpoint.active() == 0);
    }

    @Test
    void theFurtherAttemptWins() {
        Fixture mesh = mesh(hedged(2, On.SERVER_ERROR_5XX));
        Hedgeable request = sent(mesh, new Hedgeable());
        HedgedAttempt further = further(mesh, request);

        assertThat(request.aborts).as("the slow one goes on").isZero();
        assertThat(Fixture.port(further)).isNotEqualTo(Fixture.port(request));
        assertThat(stats(mesh).active()).isEqualTo(2);
        assertThat(stats(mesh).activeRetries()).isEqualTo(1);

        assertThat(further.onResponse(200, NO_HEADERS)).isFalse();
        assertThat(further.isOutdone()).isFalse();
        assertThat(request.isOutdone()).isTrue();
        assertThat(request.onFailure(Failure.CANCELLED)).isFalse();
        request.takeOver(further, NO_HEADERS);
        assertThat(request.isOutdone()).isFalse();
        assertThat(request.upstreamAddress()).isEqualTo(further.upstreamAddress());
        further.end();
        request.end();

        assertAllReleased(mesh);
        assertThat(stats(mesh).successes()).isEqualTo(1);
        assertThat(stats(mesh).failures()).as("nobody failed").isZero();
        assertThat(stats(mesh).retries()).isEqualTo(1);
    }

    @Test
    void theSlowOneWins() {
        Fixture mesh = mesh(hedged(2, On.SERVER_ERROR_5XX));
        Hedgeable request = sent(mesh, new Hedgeable());
        HedgedAttempt further = further(mesh, request);

        assertThat(request.onResponse(200, NO_HEADERS)).isFalse();
        assertThat(request.isOutdone()).isFalse();
        assertThat(further.isOutdone()).isTrue();
        assertThat(further.onFailure(Failure.CANCELLED)).isFalse();
        further.end();
        request.end();
        assertAllReleased(mesh);
    }

    @Test
    void aBadResponseCountsOnlyWhenNoOtherAttemptIsLeft() {
        Fixture mesh = mesh(hedged(1, On.SERVER_ERROR_5XX));
        Hedgeable request = sent(mesh, new Hedgeable());
        HedgedAttempt further = further(mesh, request);

        assertThat(request.onResponse(503, NO_HEADERS)).as("it has been tried again already").isFalse();
        assertThat(request.isOutdone()).isTrue();
        request.end();
        assertThat(further.onResponse(502, NO_HEADERS)).isFalse();
        assertThat(further.isOutdone()).isFalse();
        request.takeOver(further, NO_HEADERS);
        assertThat(request.responseCode()).isEqualTo(502);
        further.end();
        request.end();
        assertAllReleased(mesh);
    }

    @Test
    void aResponseThatIsNotTriedAgainCountsAtOnce() {
        Fixture mesh = mesh(hedged(1, On.SERVER_ERROR_5XX));
        Hedgeable request = sent(mesh, new Hedgeable());
        HedgedAttempt further = further(mesh, request);

        assertThat(further.onResponse(404, NO_HEADERS)).isFalse();
        assertThat(further.isOutdone()).isFalse();
    }

    @Test
    void afterAResetTheOtherIsWaitedFor() {
        Fixture mesh = mesh(hedged(1, On.SERVER_ERROR_5XX));
        Hedgeable request = sent(mesh, new Hedgeable());
        HedgedAttempt further = further(mesh, request);

        assertThat(request.onFailure(Failure.RESET)).isFalse();
        assertThat(request.isOutdone()).isTrue();
        assertThat(further.onFailure(Failure.RESET)).isFalse();
        assertThat(further.isOutdone()).as("now there is no other").isFalse();
        request.takeOver(further, null);
        further.end();
        request.end();
        assertAllReleased(mesh);
    }

    @Test
    void theFurtherAttemptIsTriedAgainByItself() {
        Fixture mesh = mesh(hedged(2, On.SERVER_ERROR_5XX));
        Hedgeable request = sent(mesh, new Hedgeable());
        HedgedAttempt further = further(mesh, request);

        assertThat(further.onResponse(503, NO_HEADERS)).isTrue();
        sent(further);
        assertThat(further.attemptCount()).isEqualTo(3);
        assertThat(further.onResponse(503, NO_HEADERS)).as("three attempts in all").isFalse();
        assertThat(further.isOutdone()).as("the slow one may still come").isTrue();
        assertThat(request.onResponse(200, NO_HEADERS)).isFalse();
        assertThat(request.isOutdone()).isFalse();
    }

    @Test
    void everySlowAttemptGetsAnotherUntilThereAreNone() {
        Fixture mesh = mesh(hedged(2, On.SERVER_ERROR_5XX));
        Hedgeable request = sent(mesh, new Hedgeable());
        further(mesh, request);
        HedgedAttempt third = further(mesh, request);

        assertThat(third.attemptCount()).isEqualTo(3);
        mesh.time.advance(PER_TRY);
        mesh.time.advance(BACK_OFF);
        assertThat(request.further).as("as many as the policy says").hasSize(2);
        assertThat(request.aborts).isZero();
        assertThat(stats(mesh).active()).isEqualTo(3);
    }

    @Test
    void whatIsTooLateForAllEndsAll() {
        Fixture mesh = mesh(hedged(1, On.SERVER_ERROR_5XX));
        Hedgeable request = sent(mesh, new Hedgeable());
        HedgedAttempt further = further(mesh, request);
        List<String> aborted = new ArrayList<>();
        further.abortBy(() -> aborted.add("further"));

        mesh.time.advance(Duration.ofSeconds(3));
        assertThat(request.aborts).isEqualTo(1);
        assertThat(aborted).hasSize(1);
        assertThat(further.onFailure(Failure.RESET)).isTrue();
        assertThat(further.next()).isEqualTo(Step.REPLY);
        assertThat(further.isOutdone()).isFalse();
        assertThat(request.onFailure(Failure.RESET)).isFalse();
        assertThat(request.isOutdone()).isTrue();
        request.takeOver(further, null);
        assertThat(request.reply().status()).isEqualTo(504);
        further.end();
        request.end();
        assertAllReleased(mesh);
    }

    @Test
    void whatIsTooLateForTheBodyOfTheOneThatCountsIsSaidOfTheRequest() {
        Fixture mesh = mesh(hedged(1, On.SERVER_ERROR_5XX));
        Hedgeable request = sent(mesh, new Hedgeable());
        HedgedAttempt further = further(mesh, request);
        assertThat(further.onResponse(200, NO_HEADERS)).isFalse();
        request.onFailure(Failure.CANCELLED);
        request.takeOver(further, NO_HEADERS);

        mesh.time.advance(Duration.ofSeconds(3));
        further.onFailure(Failure.RESET);
        request.onFailure(Failure.RESET);
        assertThat(request.responseCodeDetails()).isEqualTo("response_timeout");
        assertAllReleased(mesh);
    }

    @Test
    void whoIsDecidedOnAfterTheEndDoesNotBegin() {
        Fixture mesh = mesh(hedged(1, On.SERVER_ERROR_5XX));
        Hedgeable request = sent(mesh, new Hedgeable());
        mesh.time.advance(PER_TRY);
        assertThat(stats(mesh).activeRetries()).as("it waits for its turn").isEqualTo(1);

        request.onResponse(200, NO_HEADERS);
        request.end();
        mesh.time.advance(BACK_OFF);
        assertThat(request.further).isEmpty();
        assertAllReleased(mesh);
    }

    @Test
    void itIsTheAppThatGivesUp() {
        Fixture mesh = mesh(hedged(1, On.SERVER_ERROR_5XX));
        Hedgeable request = sent(mesh, new Hedgeable());
        HedgedAttempt further = further(mesh, request);

        assertThat(request.onFailure(Failure.CANCELLED)).isFalse();
        assertThat(request.isOutdone()).as("its word counts").isFalse();
        assertThat(further.isOutdone()).isTrue();
        further.onFailure(Failure.CANCELLED);
        assertAllReleased(mesh);
    }

    @Test
    void theSlowOneIsHeldAgainstItsEndpoint() {
        Fixture mesh = Fixture.with(snapshot()
                .routes(host("orders", route(any(), forward("orders", hedged(1, On.SERVER_ERROR_5XX), Duration.ofSeconds(3)))))
                .cluster(cluster("orders").with(consecutive5xx(1)), endpoint(1), endpoint(2)));
        Hedgeable request = sent(mesh, new Hedgeable());
        int slow = Fixture.port(request);
        mesh.time.advance(PER_TRY);

        assertThat(stats(mesh).endpoints()).filteredOn(ClusterStats.EndpointStats::ejected)
                .extracting(endpoint -> endpoint.address().getPort())
                .containsExactly(slow);
    }

    @Test
    void withoutARetryPolicyNothingFollowsAndNothingEnds() {
        Fixture mesh = mesh(hedged(3));
        Hedgeable request = sent(mesh, new Hedgeable());
        mesh.time.advance(PER_TRY);
        mesh.time.advance(BACK_OFF);

        assertThat(request.further).isEmpty();
        assertThat(request.aborts).isZero();
        assertThat(request.onResponse(200, NO_HEADERS)).isFalse();
        assertThat(request.isOutdone()).isFalse();
    }

    @Test
    void aBodyThatCanBeReadOnceGetsNoOtherAttempt() {
        Fixture mesh = mesh(hedged(3, On.SERVER_ERROR_5XX));
        Hedgeable request = new Hedgeable();
        request.with(Exchange.Replay.ONE_SHOT);
        sent(mesh, request);
        request.requestSent();
        mesh.time.advance(PER_TRY);
        mesh.time.advance(BACK_OFF);

        assertThat(request.further).isEmpty();
        assertThat(request.aborts).isZero();
    }

    /** What was not sent then is sent now. */
    @Test
    void norDoesOneWhoseFirstAttemptHadNoConnection() {
        Fixture mesh = mesh(hedged(3, On.SERVER_ERROR_5XX, On.CONNECT_FAILURE));
        Hedgeable request = new Hedgeable();
        request.with(Exchange.Replay.ONE_SHOT);
        mesh.dialled(request);
        assertThat(request.onFailure(Failure.CONNECT)).isTrue();
        assertThat(request.next()).isEqualTo(Step.DIAL);
        assertThat(request.connected()).isTrue();
        request.requestSent();
        mesh.time.advance(PER_TRY);
        mesh.time.advance(BACK_OFF);

        assertThat(request.further).isEmpty();
        assertThat(request.aborts).isZero();
    }

    @Test
    void theAppGivesUpWhileTheOnlyAttemptThatIsLeftWaitsForItsNextTurn() {
        Fixture mesh = mesh(hedged(3, On.SERVER_ERROR_5XX));
        Hedgeable request = sent(mesh, new Hedgeable());
        HedgedAttempt further = further(mesh, request);
        assertThat(request.onResponse(503, NO_HEADERS)).isFalse();
        request.end();
        assertThat(further.onResponse(503, NO_HEADERS)).isTrue();

        assertThat(further.onFailure(Failure.CANCELLED)).isFalse();
        assertThat(further.isOutdone()).isFalse();
        request.takeOver(further, null);
        assertThat(request.responseCodeDetails()).isEqualTo("downstream_remote_disconnect");
        further.end();
        request.end();
        assertAllReleased(mesh);
    }

    @Test
    void aFaultOfTheAppsBodyEndsTheSlowOneAsWithoutHedging() {
        Fixture mesh = mesh(hedged(3, On.SERVER_ERROR_5XX));
        boolean[] faulty = {false};
        Hedgeable request = new Hedgeable() {
            @Override
            public Replay replay() {
                if (faulty[0]) {
                    throw new IllegalStateException("of the app's");
                }
                return super.replay();
            }
        };
        sent(mesh, request);
        faulty[0] = true;
        assertThatThrownBy(() -> mesh.time.advance(PER_TRY)).hasMessage("of the app's");
        assertThat(request.aborts).isEqualTo(1);
    }

    @Test
    void theRequestMaySayItself() {
        Fixture mesh = Fixture.with(snapshot()
                .routes(host("orders", route(any(), forward(
                        "orders", new Resending(hedged(1, On.SERVER_ERROR_5XX).retry(), Optional.empty(), List.of(),
                                OptionalLong.empty()), Duration.ofSeconds(3)))))
                .cluster("orders", 1, 2, 3));
        Hedgeable wishing = new Hedgeable();
        wishing.with("x-envoy-hedge-on-per-try-timeout", "true");
        sent(mesh, wishing);
        mesh.time.advance(PER_TRY);
        mesh.time.advance(BACK_OFF);
        assertThat(wishing.further).hasSize(1);
        assertThat(wishing.aborts).isZero();

        Hedgeable usual = sent(mesh, new Hedgeable());
        mesh.time.advance(PER_TRY);
        assertThat(usual.aborts).as("ended and tried again").isEqualTo(1);

        Hedgeable unwilling = new Hedgeable();
        unwilling.with("x-envoy-hedge-on-per-try-timeout", "false");
        sent(mesh(hedged(1, On.SERVER_ERROR_5XX)), unwilling);
        assertThat(unwilling.isHedged()).isFalse();
    }

    /** A library that has one attempt at a time. */
    @Test
    void whereTwoAtOnceCannotBeTheSlowOneEndsWhenAnotherMayFollow() {
        Fixture mesh = mesh(hedged(1, On.CONNECT_FAILURE));
        List<String> notices = new ArrayList<>();
        mesh.dataPlane.noticesTo(notices::add);
        int[] aborts = {0};
        class OneAtATime extends Request {
            OneAtATime() {
                super("GET", "orders", "/");
            }

            @Override
            protected void abort() {
                aborts[0]++;
            }
        }
        Request request = sent(mesh, new OneAtATime());
        mesh.time.advance(PER_TRY);
        assertThat(aborts[0]).isEqualTo(1);
        assertThat(request.onFailure(Failure.RESET)).as("whatever the policy retries").isTrue();
        assertThat(request.next()).isEqualTo(Step.DIAL);
        request.connected();

        mesh.time.advance(PER_TRY);
        assertThat(aborts[0]).as("the last goes on").isEqualTo(1);
        assertThat(request.onResponse(200, NO_HEADERS)).isFalse();
        request.end();
        sent(mesh, new OneAtATime());
        mesh.time.advance(PER_TRY);
        assertThat(notices).hasSize(1);
        assertThat(notices.get(0)).contains("two attempts at once");
        assertThat(stats(mesh).activeRetries()).isZero();
    }

    private static OutlierDetection consecutive5xx(int count) {
        Consecutive off = new Consecutive(0, 0);
        return new OutlierDetection(
                new Consecutive(count, 100), off, off, SuccessRate.OFF, FailurePercentage.OFF, false, Duration.ofSeconds(10),
                new EjectionTime(Duration.ofSeconds(30), Duration.ofSeconds(100), Duration.ZERO), 100, false, true);
    }
}
