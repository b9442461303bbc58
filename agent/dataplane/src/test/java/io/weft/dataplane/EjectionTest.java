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
        int maxPercent = 100;

        OutlierDetection build() {
            return new OutlierDetection(
                    consecutive5xx,
                    consecutiveGateway,
                    consecutiveLocal,
                    split,
                    INTERVAL,
                    Duration.ofSeconds(30),
                    Duration.ofSeconds(100),
                    maxPercent);
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
    void onlyAPartOfTheClusterIsEjectedButAlwaysOne() {
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
        }));
        answer(one, 1, 1, 500);
        answer(one, 2, 1, 500);
        assertThat(one.spread("orders", 30)).containsOnlyKeys(2, 3);
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
        }));
        answer(mesh, 3, 1, 500);
        assertThat(used(mesh, 3)).isFalse();

        mesh.apply(policy(2, detection -> {
            detection.consecutive5xx = 1;
            detection.maxPercent = 0;
        }));
        eject(mesh);
        mesh.apply(policy(3, detection -> {
            detection.consecutive5xx = 1;
            detection.maxPercent = 0;
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
}
