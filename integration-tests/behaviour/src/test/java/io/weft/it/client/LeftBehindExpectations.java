package io.weft.it.client;

import static io.weft.it.harness.Routes.answer;
import static io.weft.it.harness.Routes.retried;
import static io.weft.it.harness.Routes.to;
import static io.weft.it.harness.Routes.whenPrefix;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.protobuf.Duration;
import com.google.protobuf.UInt32Value;
import com.google.protobuf.util.Durations;
import io.envoyproxy.envoy.config.cluster.v3.CircuitBreakers;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.config.route.v3.RouteAction;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.weft.driver.HttpCall.Way;
import io.weft.it.harness.AdminPage;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Policy;
import io.weft.it.harness.RecordedRequest;
import io.weft.it.harness.Upstream;
import io.weft.it.harness.Upstream.Reaction;
import io.weft.it.harness.Upstream.Then;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.awaitility.core.ConditionTimeoutException;
import org.junit.jupiter.api.Test;

/** What an app leaves unread or breaks off itself takes no place in the circuit breaker for good, and is asked for once. */
abstract class LeftBehindExpectations extends Expectations {
    private static final java.time.Duration PATIENCE = java.time.Duration.ofSeconds(60);
    private static final Call GET = Call.get("http://orders/");
    private static final int PLACES = 2;

    @Test
    @Takes(Trait.TAKES_IN_WHAT_NOBODY_READS)
    void aResponseThatNobodyReadsIsOverWhenItHasCome() {
        serve(Durations.ZERO);
        a.react(request -> new Upstream.Respond(200, Map.of(), "x".repeat(4_000)));

        for (int i = 0; i < 5 * PLACES; i++) {
            awaitAnswer(GET.way(Way.FORGET));
        }
    }

    /** Without a time limit a response whose end never comes is over with its connection object alone. */
    @Test
    @Takes(Trait.LETS_GO_OF_WHAT_IS_DROPPED)
    void aConnectionThatTheAppDropsIsOverWhenItIsGarbage() {
        serve(Durations.ZERO);
        a.react(request -> unfinished());
        occupy();
        assertThat(stage().send(GET).status()).as("every place is taken").isEqualTo(503);

        a.react(request -> a.ok());
        await().atMost(PATIENCE).until(() -> {
            stage().meshed.ask(Map.of("gc", ""));
            return stage().send(GET).status() == 200;
        });
    }

    @Test
    void aResponseThatNobodyReadsIsOverWithItsTimeLimit() {
        serve(Durations.fromSeconds(2));
        a.react(request -> unfinished());
        occupy();

        a.react(request -> a.ok());
        awaitAnswer(GET);
    }

    @Test
    @Takes(Trait.CANCELS)
    void whatTheAppCancelsIsOverForAllAndAskedForOnce() {
        isOverWhenCancelled(new Upstream.Hang());
    }

    @Test
    @Takes(Trait.CANCELS_A_RESPONSE)
    void aResponseThatTheAppCancelsIsOverForAllAndAskedForOnce() {
        isOverWhenCancelled(half(Then.KEEP));
    }

    /** The app hears of it what it hears without the mesh. */
    private void isOverWhenCancelled(Reaction reaction) {
        VirtualHost host = VirtualHost.newBuilder().setName("same").addDomains("*")
                .addRoutes(whenPrefix("/mesh", answer(200, "mesh")))
                .addRoutes(retried("5xx,reset,connect-failure", 2, to("same")))
                .build();
        stage().serve(Policy.empty().cluster("same", b.address()).virtualHost(b.address().getPort(), host));
        String url = "http://127.0.0.1:" + b.address().getPort();
        assertThat(stage().send(Call.get(url + "/mesh")).body()).as("named by a policy").isEqualTo("mesh");
        // Of the first request of a process the library may not have sent anything when it is cancelled.
        stage().plain.ask(Call.get("http://127.0.0.1:" + a.address().getPort() + "/").form());
        Path socket = AdminPage.usualSocket(stage().meshed);
        await().until(() -> AdminPage.isOpen(socket));

        Map<String, String> without = cancelled(stage().plain, url, reaction);
        assertThat(without).containsKey("error");
        assertThat(cancelled(stage().meshed, url, reaction)).isEqualTo(without);
        await().untilAsserted(() -> assertThat(AdminPage.sum(socket, "envoy_cluster_upstream_rq_active", "envoy_cluster_name=\"same\"")).isZero());
        b.react(request -> b.ok());
        assertThat(stage().send(Call.get(url + "/next")).body()).isEqualTo("b");
        assertThat(b.requests()).extracting(RecordedRequest::target).containsExactly("/cancelled", "/next");
    }

    /**
     * Returns when its connection is closed. On a busy machine the library may have sent nothing when it is cancelled, and Apache HttpClient 5 leaves a
     * connection open now and then, without the mesh, too.
     */
    private Map<String, String> cancelled(JvmProcess process, String url, Reaction reaction) {
        b.react(request -> reaction);
        for (int left = 2; ; left--) {
            b.forgetRequests();
            Map<String, String> answer;
            do {
                answer = process.ask(Call.get(url + "/cancelled").way(Way.CANCEL).form());
            } while (b.requests().isEmpty());
            try {
                await().atMost(15, TimeUnit.SECONDS).untilAsserted(() -> assertThat(b.openConnections()).isZero());
                return answer;
            } catch (ConditionTimeoutException e) {
                if (left == 0) {
                    throw e;
                }
                b.closeConnections();
            }
        }
    }

    @Test
    @Takes(Trait.HAS_BODY_HANDLERS)
    void aBodyHandlerThatThrowsIsAskedOnce() {
        serve(Durations.ZERO);
        Call throwing = GET.way(Way.HANDLER_THROWS);
        Call direct = Call.get("http://127.0.0.1:" + a.address().getPort() + "/").way(Way.HANDLER_THROWS);

        for (Reaction reaction : new Reaction[] {a.ok(), Upstream.send(Then.KEEP, "", "HTTP/1.1 204 No Content")}) {
            a.react(request -> reaction);
            Map<String, String> without = stage().plain.ask(direct.form());
            assertThat(without.get("message")).contains("asked 1 times");
            for (int i = 0; i < 2 * PLACES; i++) {
                assertThat(stage().sendFailing(throwing)).isEqualTo(without);
            }
        }
        a.react(request -> a.ok());
        assertThat(stage().send(GET).body()).isEqualTo("a");
        assertThat(stage().meshed.stderr()).noneMatch(line -> line.contains("read-body"));
    }

    /** Newer JDKs leave the app without a word now and then, with the agent or without. */
    @Test
    @Takes(Trait.HAS_BODY_HANDLERS)
    void aBodyHandlerThatGivesNothingFailsAsWithoutTheMesh() {
        assumeTrue(stage().jdk() < 21, "that the JDK says something is chance");
        serve(Durations.ZERO);
        Call direct = Call.get("http://127.0.0.1:" + a.address().getPort() + "/").way(Way.HANDLER_GIVES_NOTHING);

        for (Reaction reaction : new Reaction[] {a.ok(), unfinished(), Upstream.send(Then.KEEP, "", "HTTP/1.1 204 No Content")}) {
            a.react(request -> reaction);
            Map<String, String> without = stage().plain.ask(direct.form());
            assertThat(without.get("message")).contains("is null");
            for (int i = 0; i < 2 * PLACES; i++) {
                assertThat(stage().sendFailing(GET.way(Way.HANDLER_GIVES_NOTHING))).isEqualTo(without);
            }
        }
        a.react(request -> a.ok());
        assertThat(stage().send(GET).body()).isEqualTo("a");
    }

    @Test
    @Takes(Trait.ASKS_A_COOKIE_HANDLER_OF_THE_APPS)
    void aCookieJarThatThrowsLeavesNothingBehind() {
        serve(Durations.ZERO);

        for (int i = 0; i < 2 * PLACES; i++) {
            assertThat(stage().sendFailing(GET.way(Way.JAR_THROWS)).get("message")).isEqualTo("no cookies, please");
        }
        assertThat(stage().send(GET).body()).isEqualTo("a");
    }

    @Test
    @Takes(Trait.RUNS_ON_AN_EXECUTOR_OF_THE_APPS)
    void anExecutorThatRunsAtOnceHoldsUpNoTimeLimit() {
        serve(Durations.fromMillis(300));
        a.react(request -> new Upstream.Hang());

        assertThat(stage().send(GET.way(Way.INLINE)).status()).isEqualTo(504);
        assertThat(stage().send(GET).status()).as("the limits of others").isEqualTo(504);
    }

    /** Takes every place there is and reads nothing. */
    private void occupy() {
        for (int i = 0; i < PLACES; i++) {
            assertThat(stage().send(GET.way(Way.FORGET)).status()).isEqualTo(200);
        }
    }

    private static Reaction unfinished() {
        return Upstream.send(Then.KEEP, "4\r\nhalf\r\n", "HTTP/1.1 200 OK", "Transfer-Encoding: chunked");
    }

    private void awaitAnswer(Call call) {
        await().atMost(PATIENCE).until(() -> stage().send(call).status() == 200);
    }

    private void serve(Duration timeout) {
        RouteAction action = to("orders").getRoute().toBuilder().setTimeout(timeout).setIdleTimeout(Durations.ZERO).build();
        Route route = to("orders").toBuilder().setRoute(action).build();
        CircuitBreakers places = CircuitBreakers.newBuilder()
                .addThresholds(CircuitBreakers.Thresholds.newBuilder().setMaxRequests(UInt32Value.of(PLACES)))
                .build();
        stage().serve(Policy.empty()
                .cluster("orders", cluster -> cluster.setCircuitBreakers(places), a.address())
                .virtualHost("orders", route));
    }
}
