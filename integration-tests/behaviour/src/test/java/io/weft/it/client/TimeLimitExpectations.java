package io.weft.it.client;

import static io.weft.it.harness.Routes.retried;
import static io.weft.it.harness.Routes.to;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.Duration;
import com.google.protobuf.util.Durations;
import io.envoyproxy.envoy.config.route.v3.RetryPolicy;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.config.route.v3.RouteAction;
import io.weft.driver.HttpAnswer;
import io.weft.driver.HttpCall.Way;
import io.weft.it.harness.JvmProcess.Tally;
import io.weft.it.harness.Policy;
import io.weft.it.harness.RecordedRequest;
import io.weft.it.harness.Upstream;
import io.weft.it.harness.Upstream.Then;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** The policy's time limits, as an app beside a proxy would see them: answers of the mesh, not exceptions of the library. */
abstract class TimeLimitExpectations extends Expectations {
    private static final Duration SHORT = Durations.fromMillis(300);

    @Test
    void aRequestThatTakesTooLongIsAnsweredWith504() {
        serve(limited(SHORT, action -> {}));
        a.react(request -> new Upstream.Hang());

        for (Call call : List.of(
                Call.get("http://orders/"), Call.post("http://orders/", "body"), Call.post("http://orders/", "once").way(Way.STREAM),
                Call.post("http://orders/", "once").way(Way.STREAM_FIXED))) {
            HttpAnswer answer = stage().send(call);

            assertThat(answer.status()).as("%s", call).isEqualTo(504);
            assertThat(answer.body()).isEqualTo("upstream request timeout");
            assertThat(answer.seen().get("uri")).isEqualTo("http://orders/");
        }
        assertThat(a.requests()).hasSize(4);
    }

    @Test
    void whatIsInTimeIsNotTouched() {
        serve(limited(Durations.fromMillis(700), action -> {}));
        a.react(request -> {
            sleep(100);
            return a.ok();
        });
        for (int i = 0; i < 9; i++) {
            assertThat(stage().send(Call.get("http://orders/")).body()).isEqualTo("a");
        }
        assertThat(a.connections()).as("kept alive").isEqualTo(1);
    }

    @Test
    void theTimeBeginsWhenTheRequestIsComplete() {
        serve(limited(SHORT, action -> {}));

        for (Way way : List.of(Way.STREAM, Way.STREAM_FIXED)) {
            assertThat(stage().send(Call.post("http://orders/", "late").way(way).way(Way.LATE)).body()).isEqualTo("a");
        }
        assertThat(a.requests().stream().map(RecordedRequest::text)).containsExactly("late", "late");
    }

    @Test
    void anAttemptThatTakesTooLongIsTriedElsewhere() {
        Route route = retried("5xx", 1, to("orders"));
        RetryPolicy perTry = route.getRoute().getRetryPolicy().toBuilder().setPerTryTimeout(SHORT).build();
        serve(route.toBuilder().setRoute(route.getRoute().toBuilder().setRetryPolicy(perTry)).build());
        a.react(request -> new Upstream.Hang());

        for (Call call : List.of(Call.get("http://orders/x"), Call.post("http://orders/x", "body"))) {
            for (int i = 0; i < 2; i++) {
                HttpAnswer answer = stage().send(call);
                assertThat(answer.status()).isEqualTo(200);
                assertThat(answer.body()).isEqualTo("b");
            }
        }
        assertThat(a.requests()).as("where some began").isNotEmpty();
        assertThat(b.requests()).hasSize(4);
        assertThat(b.requests().stream().map(RecordedRequest::text)).containsExactlyInAnyOrder("", "", "body", "body");
        await().untilAsserted(() -> assertThat(a.openConnections()).as("those on which it hangs").isZero());
    }

    @Test
    void anAttemptThatTakesTooLongWithAOneShotBodyIsAnsweredWith504() {
        Route route = retried("5xx", 3, to("orders"));
        RetryPolicy perTry = route.getRoute().getRetryPolicy().toBuilder().setPerTryTimeout(SHORT).build();
        serve(route.toBuilder().setRoute(route.getRoute().toBuilder().setRetryPolicy(perTry)).build());
        a.react(request -> new Upstream.Hang());
        b.react(request -> new Upstream.Hang());

        HttpAnswer answer = stage().send(Call.post("http://orders/", "once").way(Way.STREAM));

        assertThat(answer.status()).isEqualTo(504);
        assertThat(a.requests().size() + b.requests().size()).isEqualTo(1);
    }

    @Test
    void aResponseThatComesToAnEndTooLateBreaksOff() {
        serve(limited(SHORT, action -> {}));
        a.react(request -> half(Then.KEEP));

        Map<String, String> failure = stage().sendFailing(Call.get("http://orders/"));

        assertThat(failure.get("error")).contains("Exception");
        a.react(request -> a.ok());
        assertThat(stage().send(Call.get("http://orders/")).body()).isEqualTo("a");
    }

    @Test
    void aResponseThatBeginsBeforeItsRequestIsCompleteBreaksOff() {
        serve(limited(SHORT, action -> {}));
        a.answerBeforeTheBody();
        a.react(request -> half(Then.KEEP));

        Map<String, String> failure = stage().sendFailing(Call.post("http://orders/", "late").way(Way.STREAM).way(Way.LATE));

        assertThat(failure.get("error")).contains("Exception");
    }

    /** For which some libraries stop sending. */
    @Test
    void aRefusalThatBeginsBeforeItsRequestIsCompleteBreaksOff() {
        serve(limited(SHORT, action -> {}));
        a.answerBeforeTheBody();
        a.react(request -> half("HTTP/1.1 413 Too large", Then.KEEP));

        Map<String, String> failure = stage().sendFailing(Call.post("http://orders/", "late").way(Way.STREAM).way(Way.LATE));

        assertThat(failure.get("error")).contains("Exception");
    }

    @Test
    void aStreamOnWhichNothingMovesIsEnded() {
        serve(limited(Durations.ZERO, action -> action.setIdleTimeout(SHORT)));
        a.react(request -> new Upstream.Hang());

        assertThat(stage().send(Call.get("http://orders/")).body()).isEqualTo("stream timeout");

        a.react(request -> half(Then.KEEP));
        stage().sendFailing(Call.get("http://orders/"));
    }

    @Test
    void aStreamThatMovesIsNotIdle() {
        serve(limited(Durations.ZERO, action -> action.setIdleTimeout(Durations.fromMillis(500))));
        a.react(request -> new Upstream.Trickle("slowly but surely it comes", 60));

        HttpAnswer answer = stage().send(Call.get("http://orders/"));

        assertThat(answer.body()).isEqualTo("slowly but surely it comes");
    }

    @Test
    void aConnectionThatDoesNotComeIsTriedElsewhere() throws IOException {
        Call once = Call.post("http://orders/", "once").way(Way.STREAM);
        stage().serve(Policy.empty().cluster("orders", b.address()).virtualHost("orders", to("orders")));
        stage().send(once);
        List<Socket> waiting = new ArrayList<>();
        try (ServerSocket deaf = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            InetSocketAddress address = new InetSocketAddress(deaf.getInetAddress(), deaf.getLocalPort());
            // with its queue full the system answers nobody
            for (int i = 0; i < 3; i++) {
                Socket socket = new Socket();
                waiting.add(socket);
                connectOrGiveUp(socket, address);
            }
            stage().serve(Policy.empty()
                    .cluster("orders", cluster -> cluster.setConnectTimeout(SHORT), address, b.address())
                    .virtualHost("orders", retried("connect-failure", 1, to("orders"))));

            for (int i = 0; i < 2; i++) {
                assertThat(stage().send(once).body()).isEqualTo("b");
            }
            assertThat(b.requests()).extracting(RecordedRequest::wire)
                    .as("as without the one that does not come").hasSize(3).containsOnly(b.requests().get(0).wire());

            stage().serve(Policy.empty()
                    .cluster("deaf", cluster -> cluster.setConnectTimeout(SHORT), address)
                    .virtualHost("orders", to("deaf")));
            Map<String, String> failure = stage().sendFailing(Call.get("http://orders/"));
            // Some wrap it.
            assertThat(failure.get("error") + "," + failure.get("causes")).containsAnyOf("Timeout", "ConnectException");
        } finally {
            for (Socket socket : waiting) {
                socket.close();
            }
        }
    }

    /** The endpoint, which is well, has no part in it. */
    @Test
    @Takes(Trait.MAKES_REQUESTS_WAIT_FOR_CONNECTIONS)
    void waitingForOneOfTheAppsConnectionsIsNotConnecting() {
        stage().serve(Policy.empty()
                .cluster("orders", cluster -> cluster.setConnectTimeout(SHORT), a.address())
                .virtualHost("orders", to("orders")));
        Map<String, String> call = Call.get("http://orders/").way(Way.FEW_CONNECTIONS).form();
        // What is done for the first time takes its time, connecting too.
        stage().meshed.load(call, 8, 8);
        a.react(request -> {
            sleep(400);
            return a.ok();
        });

        Tally tally = stage().meshed.load(call, 8, 8);

        assertThat(tally.body("a")).as(tally.toString()).isEqualTo(8);
        assertThat(a.connections()).as("as few as the app wants").isLessThan(8);
    }

    private static void connectOrGiveUp(Socket socket, InetSocketAddress address) {
        try {
            socket.connect(address, 200);
        } catch (IOException full) {
            return;
        }
    }

    /** Upstream a alone, where the route says nothing of retries; else both. */
    private void serve(Route route) {
        Policy policy = Policy.empty();
        stage().serve((route.getRoute().hasRetryPolicy()
                        ? policy.cluster("orders", a.address(), b.address())
                        : policy.cluster("orders", a.address()))
                .virtualHost("orders", route));
    }

    private static Route limited(Duration timeout, Consumer<RouteAction.Builder> more) {
        RouteAction.Builder action = to("orders").getRoute().toBuilder().setTimeout(timeout);
        more.accept(action);
        return to("orders").toBuilder().setRoute(action).build();
    }

    private static void sleep(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
