package io.weft.dataplane;

import static io.weft.dataplane.Policies.cluster;
import static io.weft.dataplane.Policies.endpoint;
import static io.weft.dataplane.Policies.host;
import static io.weft.dataplane.Policies.snapshot;
import static io.weft.dataplane.Policies.to;
import static org.assertj.core.api.Assertions.assertThat;

import io.weft.dataplane.Exchange.Failure;
import io.weft.policy.model.EndpointAssignment.LbEndpoint;
import io.weft.policy.model.OutlierDetection;
import io.weft.policy.model.OutlierDetection.Consecutive;
import io.weft.policy.model.OutlierDetection.EjectionTime;
import io.weft.policy.model.OutlierDetection.FailurePercentage;
import io.weft.policy.model.OutlierDetection.SuccessRate;
import java.time.Duration;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class EjectionTest {
    private static final Duration INTERVAL = Duration.ofSeconds(10);
    private static final int FAILING = 1;

    private static final class Detection {
        int consecutive5xx;
        int consecutiveGateway;
        int consecutiveLocal;
        boolean split;
        SuccessRate successRate = SuccessRate.OFF;
        FailurePercentage failurePercentage = FailurePercentage.OFF;
        Duration jitter = Duration.ZERO;
        int enforcing = 100;
        int maxPercent = 100;
        boolean alwaysOne;

        OutlierDetection build() {
            return new OutlierDetection(
                    new Consecutive(consecutive5xx, enforcing),
                    new Consecutive(consecutiveGateway, enforcing),
                    new Consecutive(consecutiveLocal, enforcing),
                    successRate,
                    failurePercentage,
                    split,
                    INTERVAL,
                    new EjectionTime(Duration.ofSeconds(30), Duration.ofSeconds(100), jitter),
                    maxPercent,
                    alwaysOne,
                    true);
        }
    }

    private static Policies.SnapshotBuilder policy(int endpoints, Consumer<Detection> settings) {
        Detection detection = new Detection();
        settings.accept(detection);
        LbEndpoint[] all = new LbEndpoint[endpoints];
        for (int i = 0; i < endpoints; i++) {
            all[i] = endpoint(i + 1);
        }
        return snapshot().routes(host("orders", to("orders"))).cluster(cluster("orders").with(detection.build()), all);
    }

    /** Sends requests until the port got this many of them, which it answers so; the others succeed. */
    private static void answer(Fixture mesh, int port, int times, int status) {
        outcome(mesh, port, times, request -> request.onResponse(status, Fixture.NO_HEADERS));
    }

    private static void fail(Fixture mesh, int port, int times, Failure failure) {
        outcome(mesh, port, times, request -> request.onFailure(failure));
    }

    private static void outcome(Fixture mesh, int port, int times, Consumer<Request> outcome) {
        int left = times;
        for (int tries = 0; left > 0; tries++) {
            assertThat(tries).as("port " + port + " is in use").isLessThan(1_000);
            Request request = mesh.dialled(Request.get("orders", "/"));
            if (Fixture.port(request) == port) {
                outcome.accept(request);
                left--;
            } else {
                request.onResponse(200, Fixture.NO_HEADERS);
            }
            request.end();
        }
    }

    private static boolean used(Fixture mesh, int port) {
        return mesh.spread("orders", 40).containsKey(port);
    }

    @Test
    void failuresInARowEject() {
        Fixture mesh = Fixture.with(policy(3, detection -> detection.consecutive5xx = 3));

        answer(mesh, FAILING, 2, 500);
        assertThat(used(mesh, FAILING)).isTrue();
        answer(mesh, FAILING, 2, 500);
        assertThat(used(mesh, FAILING)).as("the successes between ended the row").isTrue();
        answer(mesh, FAILING, 3, 503);
        assertThat(used(mesh, FAILING)).isFalse();
    }

    /** An instance that always fails would never reach the new number again. */
    @Test
    void aRowThatIsTooLongForANewPolicyEjects() {
        Fixture mesh = Fixture.with(policy(3, detection -> detection.consecutive5xx = 5));
        answer(mesh, FAILING, 4, 500);
        mesh.apply(policy(3, detection -> detection.consecutive5xx = 2));
        answer(mesh, FAILING, 1, 500);
        assertThat(used(mesh, FAILING)).isFalse();
    }

    @Test
    void onlyGatewayErrorsCountAsSuch() {
        Fixture mesh = Fixture.with(policy(3, detection -> detection.consecutiveGateway = 2));

        answer(mesh, FAILING, 5, 500);
        answer(mesh, FAILING, 1, 502);
        answer(mesh, FAILING, 1, 500);
        answer(mesh, FAILING, 1, 504);
        assertThat(used(mesh, FAILING)).isTrue();
        answer(mesh, FAILING, 2, 503);
        assertThat(used(mesh, FAILING)).isFalse();
    }

    @ParameterizedTest
    @EnumSource(names = {"CONNECT", "RESET", "REFUSED", "TIMEOUT"})
    void failuresWithoutAResponseCountAsGatewayErrors(Failure failure) {
        Fixture mesh = Fixture.with(policy(3, detection -> detection.consecutiveGateway = 2));
        fail(mesh, FAILING, 2, failure);
        assertThat(used(mesh, FAILING)).isFalse();

        Fixture by5xx = Fixture.with(policy(3, detection -> detection.consecutive5xx = 2));
        fail(by5xx, FAILING, 1, failure);
        answer(by5xx, FAILING, 1, 500);
        assertThat(used(by5xx, FAILING)).isFalse();
    }

    @Test
    void splitErrorsCountApart() {
        Fixture mesh = Fixture.with(policy(3, detection -> {
            detection.split = true;
            detection.consecutive5xx = 3;
            detection.consecutiveLocal = 3;
        }));

        answer(mesh, FAILING, 2, 500);
        fail(mesh, FAILING, 2, Failure.CONNECT);
        assertThat(used(mesh, FAILING)).isTrue();
        fail(mesh, FAILING, 2, Failure.RESET);
        answer(mesh, FAILING, 1, 500);
        fail(mesh, FAILING, 1, Failure.CONNECT);
        assertThat(used(mesh, FAILING)).as("a response ends the row of local errors").isTrue();
        fail(mesh, FAILING, 3, Failure.CONNECT);
        assertThat(used(mesh, FAILING)).isFalse();
    }

    @Test
    void whatTheAppCancelsIsNotHeldAgainstTheEndpoint() {
        Fixture mesh = Fixture.with(policy(3, detection -> {
            detection.consecutive5xx = 1;
            detection.consecutiveGateway = 1;
        }));

        fail(mesh, FAILING, 10, Failure.CANCELLED);
        assertThat(used(mesh, FAILING)).isTrue();
    }

    private static void breakOff(Fixture mesh, int port, int times, Failure failure) {
        outcome(mesh, port, times, request -> {
            request.onResponse(200, Fixture.NO_HEADERS);
            request.onFailure(failure);
        });
    }

    /** As in Envoy the head has ended the row before the body's end begins another. */
    @ParameterizedTest
    @EnumSource(names = {"RESET", "REFUSED"})
    void aResponseThatBreaksOffIsAnErrorBesideItsHead(Failure failure) {
        Fixture mesh = Fixture.with(policy(3, detection -> detection.consecutive5xx = 2));
        breakOff(mesh, FAILING, 10, failure);
        assertThat(used(mesh, FAILING)).isTrue();
        breakOff(mesh, FAILING, 1, failure);
        answer(mesh, FAILING, 1, 500);
        assertThat(used(mesh, FAILING)).isFalse();

        Fixture one = Fixture.with(policy(3, detection -> detection.consecutiveGateway = 1));
        breakOff(one, FAILING, 1, failure);
        assertThat(used(one, FAILING)).isFalse();
    }

    @Test
    void halfOfWhatAnEndpointDoesIsToBreakOff() {
        Fixture mesh = Fixture.with(policy(4, detection -> detection.failurePercentage = new FailurePercentage(50, 3, 10, 100, 0)));
        breakOff(mesh, FAILING, 20, Failure.RESET);
        mesh.time.advance(INTERVAL);
        assertThat(used(mesh, FAILING)).isFalse();
    }

    @ParameterizedTest
    @EnumSource(names = {"CANCELLED", "TIMEOUT"})
    void aResponseThatTheAppGivesUpIsNotHeldAgainstTheEndpoint(Failure failure) {
        Fixture mesh = Fixture.with(policy(3, detection -> detection.consecutive5xx = 1));
        breakOff(mesh, FAILING, 10, failure);
        assertThat(used(mesh, FAILING)).isTrue();
    }

    @Test
    void withoutAPolicyNobodyIsEjected() {
        Fixture mesh = Fixture.with(snapshot().routes(host("orders", to("orders"))).cluster("orders", 1, 2, 3));

        fail(mesh, FAILING, 100, Failure.CONNECT);
        assertThat(used(mesh, FAILING)).isTrue();
    }

    private static void eject(Fixture mesh) {
        answer(mesh, FAILING, 1, 500);
        assertThat(used(mesh, FAILING)).isFalse();
    }

    private static void assertBackAfter(Fixture mesh, Duration ejection) {
        mesh.time.advance(ejection.minusMillis(1));
        assertThat(used(mesh, FAILING)).isFalse();
        // Hosts come back when an interval ends.
        mesh.time.advance(INTERVAL);
        assertThat(used(mesh, FAILING)).isTrue();
    }

    @Test
    void eachEjectionLastsLongerUpToTheMaximum() {
        Fixture mesh = Fixture.with(policy(3, detection -> detection.consecutive5xx = 1));

        for (int seconds : new int[] {30, 60, 90, 100, 100}) {
            eject(mesh);
            assertBackAfter(mesh, Duration.ofSeconds(seconds));
        }
    }

    @Test
    void goodConductIsRewarded() {
        Fixture mesh = Fixture.with(policy(3, detection -> detection.consecutive5xx = 1));
        eject(mesh);
        assertBackAfter(mesh, Duration.ofSeconds(30));
        eject(mesh);
        assertBackAfter(mesh, Duration.ofSeconds(60));

        mesh.time.advance(INTERVAL.multipliedBy(2));
        eject(mesh);
        assertBackAfter(mesh, Duration.ofSeconds(30));
    }

    @Test
    void theRowStartsAnewAfterAnEjection() {
        Fixture mesh = Fixture.with(policy(3, detection -> {
            detection.consecutive5xx = 3;
            detection.consecutiveGateway = 2;
        }));
        answer(mesh, FAILING, 2, 503);
        assertThat(used(mesh, FAILING)).isFalse();
        assertBackAfter(mesh, Duration.ofSeconds(30));

        answer(mesh, FAILING, 1, 503);
        assertThat(used(mesh, FAILING)).isTrue();
    }

    @Test
    void onlyAPartOfTheClusterIsEjectedButOneIfThePolicySaysSo() {
        Fixture mesh = Fixture.with(policy(10, detection -> {
            detection.consecutive5xx = 1;
            detection.maxPercent = 25;
        }));
        answer(mesh, 1, 1, 500);
        answer(mesh, 2, 1, 500);
        answer(mesh, 3, 1, 500);
        assertThat(mesh.spread("orders", 80)).doesNotContainKeys(1, 2).containsKey(3).hasSize(8);

        Fixture one = Fixture.with(policy(3, detection -> {
            detection.consecutive5xx = 1;
            detection.maxPercent = 0;
            detection.alwaysOne = true;
        }));
        answer(one, 1, 1, 500);
        answer(one, 2, 1, 500);
        assertThat(one.spread("orders", 30)).containsOnlyKeys(2, 3);

        Fixture none = Fixture.with(policy(3, detection -> {
            detection.consecutive5xx = 1;
            detection.maxPercent = 30;
        }));
        answer(none, 1, 1, 500);
        assertThat(used(none, 1)).as("one of three is more than 30 percent").isTrue();
    }

    @Test
    void whenTooManyAreEjectedThePanicThresholdUsesThemAll() {
        Fixture mesh = Fixture.with(policy(4, detection -> detection.consecutive5xx = 1));
        answer(mesh, 1, 1, 500);
        answer(mesh, 2, 1, 500);
        assertThat(mesh.spread("orders", 40)).containsOnlyKeys(3, 4);

        answer(mesh, 3, 1, 500);
        assertThat(mesh.spread("orders", 40)).containsOnlyKeys(1, 2, 3, 4);
    }

    @Test
    void ejectionsSurviveASnapshot() {
        Fixture mesh = Fixture.with(policy(3, detection -> detection.consecutive5xx = 1));
        eject(mesh);

        mesh.apply(policy(4, detection -> detection.consecutive5xx = 2));
        assertThat(mesh.spread("orders", 30)).containsOnlyKeys(2, 3, 4);
        assertBackAfter(mesh, Duration.ofSeconds(30));
    }

    @Test
    void anEndpointThatWasAwayIsNewAndNoLongerCounts() {
        Fixture mesh = Fixture.with(policy(3, detection -> {
            detection.consecutive5xx = 1;
            detection.maxPercent = 0;
            detection.alwaysOne = true;
        }));
        answer(mesh, 3, 1, 500);
        assertThat(used(mesh, 3)).isFalse();

        mesh.apply(policy(2, detection -> {
            detection.consecutive5xx = 1;
            detection.maxPercent = 0;
            detection.alwaysOne = true;
        }));
        eject(mesh);
        mesh.apply(policy(3, detection -> {
            detection.consecutive5xx = 1;
            detection.maxPercent = 0;
            detection.alwaysOne = true;
        }));
        assertThat(mesh.spread("orders", 30)).containsOnlyKeys(2, 3);
    }

    @Test
    void withoutThePolicyAllAreBack() {
        Fixture mesh = Fixture.with(policy(3, detection -> detection.consecutive5xx = 1));
        eject(mesh);

        mesh.apply(snapshot().routes(host("orders", to("orders"))).cluster("orders", 1, 2, 3));
        assertThat(used(mesh, FAILING)).isTrue();
    }

    private static boolean ejected(Fixture mesh, int port) {
        return mesh.dataPlane.stats().get(0).endpoints().stream()
                .anyMatch(endpoint -> endpoint.address().getPort() == port && endpoint.ejected());
    }

    @Test
    void anIdleClustersHostsComeBackToo() {
        Fixture mesh = Fixture.with(policy(3, detection -> detection.consecutive5xx = 1));
        answer(mesh, FAILING, 1, 500);
        assertThat(ejected(mesh, FAILING)).isTrue();

        mesh.time.advance(Duration.ofSeconds(29));
        assertThat(ejected(mesh, FAILING)).isTrue();
        mesh.time.advance(Duration.ofSeconds(1));
        assertThat(ejected(mesh, FAILING)).isFalse();
        mesh.time.advance(Duration.ofHours(1));
        assertThat(mesh.time.pending()).as("nothing is left to do").isZero();
    }

    @Test
    void notAllComeBackAtOnce() {
        Fixture mesh = Fixture.with(policy(3, detection -> {
            detection.consecutive5xx = 1;
            detection.jitter = Duration.ofSeconds(60);
        }));
        boolean[] late = new boolean[2];
        for (int i = 0; i < 20; i++) {
            answer(mesh, FAILING, 1, 500);
            mesh.time.advance(Duration.ofSeconds(40));
            late[ejected(mesh, FAILING) ? 1 : 0] = true;
            mesh.time.advance(Duration.ofMinutes(10));
            assertThat(ejected(mesh, FAILING)).isFalse();
        }
        assertThat(late).containsExactly(true, true);
    }

    @Test
    void someOfThemAreOnlySeen() {
        Fixture mesh = Fixture.with(policy(3, detection -> {
            detection.consecutive5xx = 1;
            detection.enforcing = 50;
        }));
        int ejections = 0;
        for (int i = 0; i < 100; i++) {
            answer(mesh, FAILING, 1, 500);
            ejections += ejected(mesh, FAILING) ? 1 : 0;
            mesh.time.advance(Duration.ofMinutes(5));
        }
        assertThat(ejections).isBetween(30, 70);
    }

    /** Ten times as many requests as there are endpoints, of which the failing one answers some with an error. */
    private static void interval(Fixture mesh, int endpoints, int errors) {
        int failed = 0;
        for (int i = 0; i < 10 * endpoints; i++) {
            Request request = mesh.dialled(Request.get("orders", "/"));
            boolean fails = Fixture.port(request) == FAILING && failed < errors;
            failed += fails ? 1 : 0;
            request.onResponse(fails ? 500 : 200, Fixture.NO_HEADERS);
            request.end();
        }
        mesh.time.advance(INTERVAL);
    }

    @Test
    void whoFailsMoreOftenThanTheOthersIsEjected() {
        Fixture mesh = Fixture.with(policy(5, detection -> detection.successRate = new SuccessRate(5, 10, 1_900, 100, 0)));
        interval(mesh, 5, 0);
        assertThat(ejected(mesh, FAILING)).isFalse();
        interval(mesh, 5, 5);
        assertThat(ejected(mesh, FAILING)).as("mean 90, deviation 20, so below 52").isTrue();

        Fixture lenient = Fixture.with(policy(5, detection -> detection.successRate = new SuccessRate(5, 10, 2_001, 100, 0)));
        interval(lenient, 5, 5);
        assertThat(ejected(lenient, FAILING)).isFalse();
    }

    @Test
    void ratesNeedEnoughHostsAndRequests() {
        Fixture hosts = Fixture.with(policy(5, detection -> detection.successRate = new SuccessRate(6, 10, 1_900, 100, 0)));
        interval(hosts, 5, 10);
        assertThat(ejected(hosts, FAILING)).isFalse();

        Fixture requests = Fixture.with(policy(5, detection -> detection.successRate = new SuccessRate(5, 11, 1_900, 100, 0)));
        interval(requests, 5, 10);
        assertThat(ejected(requests, FAILING)).isFalse();
    }

    @Test
    void whoFailsTooOftenIsEjected() {
        Fixture mesh = Fixture.with(policy(
                5, detection -> detection.failurePercentage = new FailurePercentage(60, 5, 10, 100, 0)));
        interval(mesh, 5, 5);
        assertThat(ejected(mesh, FAILING)).isFalse();
        interval(mesh, 5, 6);
        assertThat(ejected(mesh, FAILING)).isTrue();
    }

    @Test
    void localErrorsHaveARateOfTheirOwn() {
        Fixture mesh = Fixture.with(policy(3, detection -> {
            detection.split = true;
            detection.failurePercentage = new FailurePercentage(50, 3, 10, 0, 100);
        }));
        answer(mesh, FAILING, 20, 500);
        mesh.time.advance(INTERVAL);
        assertThat(ejected(mesh, FAILING)).as("what it answers is not local").isFalse();

        fail(mesh, FAILING, 10, Failure.CONNECT);
        answer(mesh, FAILING, 10, 200);
        mesh.time.advance(INTERVAL);
        assertThat(ejected(mesh, FAILING)).isTrue();
    }

    @Test
    void aCallThatFailedBeforeItsFirstMessageCountsAsWhatItIs() {
        Fixture mesh = Fixture.with(policy(3, detection -> detection.consecutiveGateway = 1));
        for (String status : new String[] {"5", "0", "2"}) {
            Request request = mesh.dialled(Request.get("orders", "/").with("content-type", "application/grpc"));
            request.onResponse(200, Fixture.headers("grpc-status", status));
            request.end();
        }
        assertThat(mesh.spread("orders", 30)).hasSize(3);

        Request noCall = mesh.dialled(Request.get("orders", "/"));
        noCall.onResponse(200, Fixture.headers("grpc-status", "14"));
        assertThat(mesh.spread("orders", 30)).hasSize(3);
        Request unavailable = mesh.dialled(Request.get("orders", "/").with("content-type", "application/grpc"));
        unavailable.onResponse(200, Fixture.headers("grpc-status", "14"));
        assertThat(mesh.spread("orders", 30)).hasSize(2);
    }
}
