package io.weft.it.client;

import static io.weft.it.harness.Routes.retried;
import static io.weft.it.harness.Routes.to;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.util.Durations;
import io.envoyproxy.envoy.config.route.v3.HedgePolicy;
import io.envoyproxy.envoy.config.route.v3.RetryPolicy.RetryBackOff;
import io.envoyproxy.envoy.config.route.v3.RetryPolicy.RetryHostPredicate;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.weft.driver.HttpAnswer;
import io.weft.it.harness.Policy;
import io.weft.it.harness.RecordedRequest;
import io.weft.it.harness.Upstream;
import io.weft.it.harness.Upstream.Hang;
import io.weft.it.harness.Upstream.Reaction;
import io.weft.it.harness.Upstream.Respond;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiFunction;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** An attempt that takes too long gets another, and the app gets one good response. */
abstract class HedgeExpectations extends Expectations {

    private void serve(int retries) {
        serve(retries, Durations.fromMillis(1));
    }

    /** @param backOff at most, before an attempt that is not the first */
    private void serve(int retries, com.google.protobuf.Duration backOff) {
        Route.Builder route = retried("5xx", retries, to("orders")).toBuilder();
        route.getRouteBuilder()
                .setHedgePolicy(HedgePolicy.newBuilder().setHedgeOnPerTryTimeout(true))
                .setTimeout(Durations.fromSeconds(60))
                .getRetryPolicyBuilder()
                .setPerTryTimeout(Durations.fromMillis(150))
                .setRetryBackOff(RetryBackOff.newBuilder().setBaseInterval(backOff).setMaxInterval(backOff))
                .setHostSelectionRetryMaxAttempts(10)
                .addRetryHostPredicate(RetryHostPredicate.newBuilder().setName("envoy.retry_host_predicates.previous_hosts"));
        stage().serve(Policy.empty().virtualHost("orders", route.build()).cluster("orders", a.address(), b.address()));
    }

    /** @param reaction to a request and its number, beginning with 1, whichever of the two gets it */
    private void react(BiFunction<Upstream, Integer, Reaction> reaction) {
        AtomicInteger calls = new AtomicInteger();
        Stream.of(a, b).forEach(upstream -> upstream.react(request -> reaction.apply(upstream, calls.incrementAndGet())));
    }

    private List<RecordedRequest> all() {
        return Stream.of(a, b).flatMap(upstream -> upstream.requests().stream()).toList();
    }

    private static void reached(CountDownLatch latch) {
        try {
            if (!latch.await(30, TimeUnit.SECONDS)) {
                throw new AssertionError("what is waited for did not come");
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private void assertNobodyWaits(int connections) {
        await().pollInterval(Duration.ofMillis(10))
                .until(() -> a.openConnections() + b.openConnections() <= connections);
    }

    @Test
    void aSlowAttemptGetsAnother() {
        serve(1);
        react((upstream, call) -> call == 1 ? new Hang() : upstream.ok());

        HttpAnswer answer = stage().send(Call.post("http://orders/x", "the body").header("X-Tenant", "blue"));

        assertThat(answer.status()).isEqualTo(200);
        assertThat(a.requests()).as("one each").hasSize(1);
        assertThat(all()).hasSize(2).allSatisfy(request -> {
            assertThat(request.line()).isEqualTo("POST /x HTTP/1.1");
            assertThat(request.text()).isEqualTo("the body");
            assertThat(request.header("x-tenant")).hasValue("blue");
        });
        assertNobodyWaits(1);
    }

    @Test
    void noConnectionOfALoserIsLeft() {
        serve(1);
        react((upstream, call) -> call % 2 == 1 ? new Hang() : upstream.ok());

        for (int i = 0; i < 10; i++) {
            assertThat(stage().send(Call.get("http://orders/" + i)).status()).isEqualTo(200);
        }

        assertThat(all()).hasSize(20);
        assertNobodyWaits(2);
    }

    @Test
    void theLastAttemptIsWaitedFor() {
        serve(1);
        react((upstream, call) -> {
            if (call == 1) {
                return new Hang();
            }
            pause(400);
            return new Respond(200, Map.of("x-call", "" + call), "late");
        });

        HttpAnswer answer = stage().send(Call.get("http://orders/"));

        assertThat(answer.body()).isEqualTo("late");
        assertThat(all()).hasSize(2);
    }

    private static void pause(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    @Takes(Trait.SEVERAL_ATTEMPTS_AT_ONCE)
    void theSlowOneMayStillWin() {
        serve(1);
        CountDownLatch second = new CountDownLatch(1);
        react((upstream, call) -> {
            if (call == 2) {
                second.countDown();
                return new Hang();
            }
            reached(second);
            return new Respond(200, Map.of(), "slow");
        });

        assertThat(stage().send(Call.post("http://orders/", "body")).body()).isEqualTo("slow");
        assertThat(all()).hasSize(2);
        assertNobodyWaits(1);
    }

    @Test
    @Takes(Trait.SEVERAL_ATTEMPTS_AT_ONCE)
    void aBadResponseIsDroppedWhileAnotherMayCome() {
        serve(1);
        CountDownLatch second = new CountDownLatch(1);
        react((upstream, call) -> {
            if (call == 2) {
                second.countDown();
                return new Respond(503, Map.of(), "bad");
            }
            reached(second);
            // The other's answer is on its way by then, though perhaps not there.
            pause(100);
            return new Respond(200, Map.of(), "good");
        });

        assertThat(stage().send(Call.get("http://orders/")).body()).isEqualTo("good");
    }

    @Test
    void theAppsOwnPatienceEndsAllAttempts() {
        serve(1);
        react((upstream, call) -> new Hang());

        assertThat(stage().sendFailing(Call.get("http://orders/").timeoutMillis(1_000)).get("error")).contains("Timeout");

        assertNobodyWaits(0);
    }

    /** Mostly the slow one has failed by the time that the other begins. */
    @Test
    @Takes(Trait.SEVERAL_ATTEMPTS_AT_ONCE)
    void theAppsOwnPatienceEndsOneThatBeganWhenNoneWasLeft() {
        serve(1, Durations.fromSeconds(1));
        react((upstream, call) -> {
            if (call == 2) {
                return new Hang();
            }
            pause(250);
            return new Respond(503, Map.of(), "bad");
        });

        assertThat(stage().sendFailing(Call.get("http://orders/").timeoutMillis(3_000)).get("error")).contains("Timeout");

        assertNobodyWaits(1);
    }
}
