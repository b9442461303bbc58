package io.weft.it.client;

import static io.weft.it.harness.Routes.retried;
import static io.weft.it.harness.Routes.to;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.UInt32Value;
import com.google.protobuf.util.Durations;
import io.envoyproxy.envoy.config.cluster.v3.OutlierDetection;
import io.envoyproxy.envoy.config.route.v3.RetryPolicy;
import io.envoyproxy.envoy.config.route.v3.RetryPolicy.RateLimitedRetryBackOff;
import io.envoyproxy.envoy.config.route.v3.RetryPolicy.ResetHeader;
import io.envoyproxy.envoy.config.route.v3.RetryPolicy.ResetHeaderFormat;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.weft.driver.HttpAnswer;
import io.weft.driver.HttpCall.Way;
import io.weft.it.harness.JvmProcess.Tally;
import io.weft.it.harness.Policy;
import io.weft.it.harness.RecordedRequest;
import io.weft.it.harness.Upstream;
import io.weft.it.harness.Upstream.Reaction;
import io.weft.it.harness.Upstream.Respond;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The mesh tries again where the policy says so, and only with what the library can give again. */
abstract class RetryExpectations extends Expectations {

    private static final int A_MOMENT_MILLIS = 100;

    private static final Reaction NO_HTTP = Upstream.send(Upstream.Then.CLOSE, "", "SSH-2.0-OpenSSH");
    private static final Reaction NO_STATUS = Upstream.send(Upstream.Then.CLOSE, "", "HTTP/1.1 good", "Content-Length: 0");

    /** Apache HttpClient 4.4 keeps no cookies of a name without a dot. */
    private static final String WITH_COOKIES = "orders.example";

    @Test
    void aDeadEndpointCostsNoRequest() {
        // as often as there may be connections that were open when it died
        serve("reset", 3);
        stage().meshed.load("http://orders/", Map.of(), 10, 2);
        a.die();

        Tally tally = stage().meshed.load("http://orders/", Map.of(), 50, 2);

        assertThat(tally.body("b")).as(tally.toString()).isEqualTo(50);
        assertThat(b.requests()).extracting(RecordedRequest::wire).as("before and after").containsOnly(b.requests().get(0).wire());
    }

    /** Helidon has a thread that waits at an idle connection, and tells who comes next what that has met. */
    @Test
    void idleConnectionsThatAreResetCostNoRequest() throws InterruptedException {
        // as often as there may be connections that are reset
        serve("reset", 4);
        stage().meshed.load("http://orders/", Map.of(), 10, 2);
        Thread.sleep(A_MOMENT_MILLIS);
        a.resetConnections();
        b.resetConnections();
        Thread.sleep(A_MOMENT_MILLIS);

        Tally tally = stage().meshed.load("http://orders/", Map.of(), 10, 2);

        assertThat(tally.status(200)).as(tally.toString()).isEqualTo(10);
    }

    @Test
    void whatGoesElsewhereIsWhatWouldHaveGoneToTheFirst() {
        b.react(request -> new Respond(200, Map.of("Set-Cookie", "session=1; Path=/"), "b"));
        stage().serve(Policy.empty().cluster("orders", b.address()).virtualHost("orders", to("orders")));
        stage().send(Call.get("http://orders/").way(Way.COOKIES));
        List<Call> calls = List.of(
                Call.get("http://orders/x?y").header("X-Tenant", "blue").way(Way.COOKIES),
                Call.post("http://orders/x", "the body"),
                Call.post("http://orders/x", "only once").way(Way.STREAM),
                Call.post("http://orders/x", "only once").way(Way.STREAM_FIXED));
        List<Observation> untroubled = calls.stream().map(this::sendToB).toList();
        a.die();
        serve("connect-failure", 1);

        for (int i = 0; i < calls.size(); i++) {
            // One of two in a row begins where nobody is.
            assertThat(List.of(sendToB(calls.get(i)), sendToB(calls.get(i)))).as("%s", calls.get(i)).containsOnly(untroubled.get(i));
        }
    }

    /**
     * What arrived, and what the app was told of it.
     *
     * @param heard by listeners to whom connections are nothing
     */
    private record Observation(List<String> arrived, Map<String, String> heard) {}

    private Observation sendToB(Call call) {
        b.forgetRequests();
        Map<String, String> heard = new TreeMap<>(stage().send(call).seen());
        heard.keySet().removeIf(key -> !key.startsWith("listeners"));
        return new Observation(b.requests().stream().map(RecordedRequest::wire).toList(), heard);
    }

    @Test
    void aBodyThatCanBeReadOnceGoesToTheEndpointThatTakesTheConnection() {
        a.die();
        serve("connect-failure", 1);

        for (int i = 0; i < 4; i++) {
            HttpAnswer answer = stage().send(Call.post("http://orders/", "only once " + i).way(Way.STREAM));
            assertThat(answer.body()).isEqualTo("b");
        }

        assertThat(b.requests().stream().map(RecordedRequest::text))
                .containsExactly("only once 0", "only once 1", "only once 2", "only once 3");
    }

    @Test
    void aStatusIsRetriedWithTheSameBody() {
        serve("5xx", 1);
        firstFails();

        HttpAnswer answer = stage().send(Call.post("http://orders/x", "the body").header("X-Tenant", "blue"));

        assertThat(answer.status()).isEqualTo(200);
        assertThat(all()).hasSize(2).allSatisfy(request -> {
            assertThat(request.text()).isEqualTo("the body");
            assertThat(request.line()).isEqualTo("POST /x HTTP/1.1");
            assertThat(request.header("x-tenant")).hasValue("blue");
        });
        assertThat(all().get(0).wire()).isEqualTo(all().get(1).wire());
    }

    @Test
    void aResetIsRetried() {
        serve("reset", 1);
        List<Reaction> failures = new ArrayList<>(List.of(new Upstream.Reset()));
        if (stage().client.tellsWhatIsNoResponse()) {
            failures.addAll(List.of(NO_HTTP, NO_STATUS));
        }
        for (Reaction first : failures) {
            AtomicInteger calls = new AtomicInteger();
            Stream.of(a, b).forEach(upstream -> upstream.react(request -> calls.getAndIncrement() == 0 ? first : upstream.ok()));

            assertThat(stage().send(Call.get("http://orders/")).status()).isEqualTo(200);
            assertThat(calls).hasValue(2);
        }
    }

    @Test
    void whatCanBeReadOnceIsNeverSentTwice() {
        serve("5xx", 3);
        Stream.of(a, b).forEach(upstream -> upstream.answer(503));

        HttpAnswer chunked = stage().send(Call.post("http://orders/", "once, chunked").way(Way.STREAM));
        HttpAnswer fixed = stage().send(Call.post("http://orders/", "once, fixed").way(Way.STREAM_FIXED));

        assertThat(chunked.status()).isEqualTo(503);
        assertThat(fixed.status()).isEqualTo(503);
        assertThat(all().stream().map(RecordedRequest::text)).containsExactlyInAnyOrder("once, chunked", "once, fixed");
    }

    @Test
    void theLastAnswerIsTheAppsWhenNothingHelps() {
        serve("5xx", 2);
        AtomicInteger calls = new AtomicInteger();
        Stream.of(a, b).forEach(upstream ->
                upstream.react(request -> new Respond(503, Map.of("x-call", "" + calls.incrementAndGet()), "busy " + calls.get())));

        HttpAnswer answer = stage().send(Call.get("http://orders/"));

        assertThat(answer.status()).isEqualTo(503);
        assertThat(answer.body()).as(() -> "arrived: " + all()).isEqualTo("busy 3");
        assertThat(answer.headers()).containsEntry("x-call", "3");
    }

    @Test
    @Takes(Trait.LEAVES_WHAT_BREAKS_OFF)
    void aBrokenBodyIsTheAppsAndIsNotRetried() {
        serve("5xx", 3);
        Stream.of(a, b).forEach(upstream ->
                upstream.react(request -> half(Upstream.Then.CLOSE)));

        stage().sendFailing(Call.get("http://orders/"));

        assertThat(all()).hasSize(1);
    }

    /** As in Envoy, though its head was good. */
    @Test
    void anEndpointWhoseResponseBreaksOffIsLeftOut() {
        assertLeftOut("chunked", Upstream.send(Upstream.Then.CLOSE, "8\r\nhalf", "HTTP/1.1 200 OK", "Transfer-Encoding: chunked"));
        assertLeftOut("measured", Upstream.send(Upstream.Then.CLOSE, "half", "HTTP/1.1 200 OK", "Content-Length: 8"));
        if (stage().client.tellsWhatIsNoResponse()) {
            assertLeftOut("no-http", NO_HTTP);
            assertLeftOut("no-status", NO_STATUS);
        }
    }

    private void assertLeftOut(String cluster, Reaction breakingOff) {
        serveEjecting(cluster);
        AtomicInteger brokenOff = new AtomicInteger();
        a.react(request -> {
            brokenOff.incrementAndGet();
            return breakingOff;
        });
        a.forgetRequests();
        for (int i = 0; i < 2; i++) {
            stage().meshed.ask(Call.get("http://orders/").form());
        }
        assertThat(a.requests()).as(cluster).isNotEmpty();
        // In a moment: some libraries find it out on a thread of their own.
        await().untilAsserted(() -> {
            a.forgetRequests();
            for (int i = 0; i < 4; i++) {
                stage().meshed.ask(Call.get("http://orders/").form());
            }
            assertThat(a.requests()).as(cluster).isEmpty();
        });
        // Each of them counts, or nearly: one that is told too late is no chance that has to come.
        assertThat(brokenOff.get()).as(cluster).isLessThanOrEqualTo(10);
    }

    @Test
    @Takes(Trait.TELLS_WHO_CLOSES_A_CONNECTION)
    void anEndpointWhoseResponseTheAppDropsIsNotLeftOut() {
        serveEjecting("orders");
        Stream.of(a, b).forEach(upstream -> upstream.react(request -> new Respond(200, Map.of(), "x".repeat(1 << 20))));

        for (int i = 0; i < 4; i++) {
            stage().send(Call.get("http://orders/large").way(Way.ABANDON));
        }

        assertThat(List.of(a.requests().size(), b.requests().size())).containsExactly(2, 2);
    }

    /** One error is enough, and for all of the test; one of the two goes on. */
    private void serveEjecting(String cluster) {
        OutlierDetection detection = OutlierDetection.newBuilder()
                .setConsecutive5Xx(UInt32Value.of(1))
                .setMaxEjectionPercent(UInt32Value.of(50))
                .setBaseEjectionTime(Durations.fromSeconds(300))
                .build();
        stage().serve(Policy.empty()
                .cluster(cluster, builder -> builder.setOutlierDetection(detection), a.address(), b.address())
                .virtualHost("orders", to(cluster)));
    }

    @Test
    void theAppsOwnPatienceEndsTheRequest() {
        serve("5xx", 3);
        Stream.of(a, b).forEach(upstream -> upstream.react(request -> new Upstream.Hang()));

        Map<String, String> failure = stage().sendFailing(Call.get("http://orders/").timeoutMillis(300));

        assertThat(failure.get("error")).contains("Timeout");
        assertThat(all()).hasSize(1);
    }

    @Test
    @Takes(Trait.LIMITS_THE_WHOLE_REQUEST)
    void theAppsOwnPatienceEndsAPause() {
        serveBusy(120);

        for (Call call : List.of(Call.get("http://orders/"), Call.post("http://orders/", "body"))) {
            Map<String, String> failure = stage().sendFailing(call.timeoutMillis(500));
            assertThat(failure.get("error")).as("%s", call).contains("Timeout");
        }
        assertThat(all()).hasSize(2);
    }

    @Test
    @Takes(Trait.CLOSES_ITS_CLIENTS)
    void aClientThatIsClosedBetweenTwoAttemptsTellsItsCaller() {
        serveBusy(2);

        Map<String, String> failure = stage().sendFailing(Call.get("http://orders/").way(Way.CLOSE));

        assertThat(failure.get("error")).doesNotContain("weft");
        assertThat(all()).hasSize(1);
    }

    /** Whoever asks is to come again after so many seconds, or a little more. */
    private void serveBusy(int seconds) {
        Route route = retried("5xx", 1, to("orders"));
        RetryPolicy whenTheyLike = route.getRoute().getRetryPolicy().toBuilder()
                .setRateLimitedRetryBackOff(RateLimitedRetryBackOff.newBuilder()
                        .addResetHeaders(ResetHeader.newBuilder().setName("Retry-After").setFormat(ResetHeaderFormat.SECONDS)))
                .build();
        stage().serve(Policy.empty()
                .cluster("orders", a.address(), b.address())
                .virtualHost("orders", route.toBuilder().setRoute(route.getRoute().toBuilder().setRetryPolicy(whenTheyLike)).build()));
        Stream.of(a, b).forEach(upstream ->
                upstream.react(request -> new Respond(503, Map.of("Retry-After", Integer.toString(seconds)), "busy")));
    }

    @Test
    @Takes(Trait.CANCELS_WHAT_BLOCKS)
    void whatTheAppCancelsInAPauseIsNotSentAgain() {
        Route route = retried("5xx", 1, to("orders"));
        RetryPolicy later = route.getRoute().getRetryPolicy().toBuilder()
                .setRateLimitedRetryBackOff(RateLimitedRetryBackOff.newBuilder()
                        .addResetHeaders(ResetHeader.newBuilder().setName("Retry-After").setFormat(ResetHeaderFormat.SECONDS)))
                .build();
        stage().serve(Policy.empty()
                .cluster("orders", a.address(), b.address())
                .virtualHost("orders", route.toBuilder().setRoute(route.getRoute().toBuilder().setRetryPolicy(later)).build()));
        Stream.of(a, b).forEach(upstream -> upstream.react(request -> new Respond(503, Map.of("Retry-After", "1"), "busy")));

        Map<String, String> failure = stage().sendFailing(Call.get("http://orders/").way(Way.CANCEL));

        assertThat(failure.get("error")).as(failure.toString())
                .isIn("java.io.IOException", "java.net.SocketException", "org.apache.http.impl.execchain.RequestAbortedException",
                        "org.apache.hc.client5.http.impl.classic.RequestFailedException");
        assertThat(all()).hasSize(1);
    }

    @Test
    @Takes(Trait.READS_PAST_INTERIM_RESPONSES)
    void aStatusAfterAnInterimResponseIsRetried() {
        serve("5xx", 1);
        AtomicInteger calls = new AtomicInteger();
        Reaction hints = Upstream.send(Upstream.Then.KEEP, "busy", "HTTP/1.1 103 Early Hints", "Link: </x>\r\n\r\nHTTP/1.1 503 Busy", "Content-Length: 4");
        Stream.of(a, b).forEach(upstream -> upstream.react(request -> calls.getAndIncrement() % 2 == 0 ? hints : upstream.ok()));

        for (Call call : List.of(Call.get("http://orders/"), Call.post("http://orders/", "body"))) {
            assertThat(stage().send(call.timeoutMillis(8_000)).status()).isEqualTo(200);
        }
        assertThat(all()).hasSize(4);
    }

    /** A response that is dropped is in nobody's way, however it goes on, and keeps neither a place in a pool nor its endpoint busy. */
    @Test
    void aDroppedResponseThatDoesNotEndHoldsUpNothing() {
        serve("5xx", 1);
        for (Reaction unfinished : List.of(
                half("HTTP/1.1 503 Busy", Upstream.Then.KEEP), Upstream.send(Upstream.Then.KEEP, "half", "HTTP/1.1 503 Busy", "Content-Length: 8"))) {
            AtomicInteger calls = new AtomicInteger();
            Stream.of(a, b).forEach(upstream -> upstream.react(request -> calls.getAndIncrement() == 0 ? unfinished : upstream.ok()));
            int closed = closed();

            long began = System.nanoTime();
            assertThat(stage().send(Call.get("http://orders/").timeoutMillis(8_000)).status()).isEqualTo(200);
            // Not when the app's own patience for the response that is dropped has come to its end.
            assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(4));
            await().atMost(Duration.ofSeconds(10)).untilAsserted(() -> assertThat(closed()).isGreaterThan(closed));
        }
    }

    private int closed() {
        return Stream.of(a, b).mapToInt(upstream -> upstream.connections() - upstream.openConnections()).sum();
    }

    /** As behind a proxy, whose connection to the app stays as it is. */
    @Test
    void policyCountsEveryAttempt() {
        serve("reset", 1);
        Stream.of(a, b).forEach(upstream -> upstream.react(request -> new Upstream.Reset()));

        for (Call call : List.of(Call.get("http://orders/"), Call.post("http://orders/", "body"))) {
            Stream.of(a, b).forEach(Upstream::forgetRequests);
            stage().sendFailing(call);
            assertThat(all()).as("%s", call).hasSize(2);
        }
    }

    @Test
    void cookiesOfADroppedResponseAreNotTheApps() {
        serve(WITH_COOKIES, "5xx", 1);
        AtomicInteger calls = new AtomicInteger();
        Stream.of(a, b).forEach(upstream -> upstream.react(request ->
                calls.getAndIncrement() == 0 ? new Respond(503, Map.of("Set-Cookie", "dropped=1; Path=/dropped"), "busy") : upstream.ok()));
        Call call = Call.get("http://" + WITH_COOKIES + "/dropped").way(Way.COOKIES);

        stage().send(call);
        stage().send(call);

        assertThat(all()).hasSize(3).noneMatch(request -> request.header("cookie").orElse("").contains("dropped"));
    }

    @Test
    void aLargeBodyIsSentAgainInWhole() {
        serve("5xx", 1);
        firstFails();
        String large = "0123456789abcdef".repeat(1 << 14);

        assertThat(stage().send(Call.post("http://orders/", large)).status()).isEqualTo(200);

        assertThat(all()).hasSize(2).allSatisfy(request -> assertThat(request.text()).isEqualTo(large));
    }

    @Test
    void aRetryKeepsWhatTheLibraryAdds() {
        serve(WITH_COOKIES, "5xx", 1);
        Stream.of(a, b).forEach(upstream -> upstream.react(request -> new Respond(200, Map.of("Set-Cookie", "session=1; Path=/"), "")));
        stage().send(Call.get("http://" + WITH_COOKIES + "/").way(Way.COOKIES));
        Stream.of(a, b).forEach(Upstream::forgetRequests);
        firstFails();

        assertThat(stage().send(Call.get("http://" + WITH_COOKIES + "/").way(Way.COOKIES)).status()).isEqualTo(200);

        assertThat(all()).hasSize(2).allSatisfy(request -> assertThat(request.header("cookie")).hasValue("session=1"));
    }

    /** JDK 17 says nothing more of such a request. */
    @Test
    @Takes(Trait.UPGRADES_TO_HTTP_2)
    void aStreamOfAConnectionThatEndsAsItBeginsIsNotLost() {
        int port = a.address().getPort();
        stage().serve(Policy.empty().cluster("orders", a.address()).virtualHost(port, VirtualHost.newBuilder()
                .setName("orders").addDomains("*").addRoutes(retried("reset", 1, to("orders"))).build()));
        a.react(request -> switch (request.method()) {
            case "GET" -> upgraded();
            case "PRI" -> new Upstream.Hang();
            default -> {
                a.closeConnections();
                yield a.ok();
            }
        });
        Call call = Call.get("http://127.0.0.1:" + port + "/");
        assertThat(stage().send(call).seen()).containsEntry("version", "HTTP_2");

        assertThat(stage().send(call.way(Way.HANG_UP)).status()).isEqualTo(200);
        assertThat(a.requests()).extracting(RecordedRequest::method).containsOnlyOnce("HANGUP");
    }

    /** What follows on the connection is the client's preface, which looks like a request. */
    private static Upstream.Reaction upgraded() {
        byte[] settings = {0, 0, 0, 4, 0, 0, 0, 0, 0};
        // ends its headers and the stream; of the static table the entry ":status: 200"
        byte[] answer = {0, 0, 1, 1, 4 | 1, 0, 0, 0, 1, (byte) 0x88};
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.writeBytes("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n".getBytes(StandardCharsets.ISO_8859_1));
        bytes.writeBytes(settings);
        bytes.writeBytes(answer);
        return new Upstream.Send(bytes.toByteArray(), Upstream.Then.KEEP);
    }

    private void serve(String retryOn, int retries) {
        serve("orders", retryOn, retries);
    }

    private void serve(String domain, String retryOn, int retries) {
        stage().serve(Policy.empty()
                .cluster("orders", a.address(), b.address())
                .virtualHost(domain, retried(retryOn, retries, to("orders"))));
    }

    private void firstFails() {
        AtomicInteger calls = new AtomicInteger();
        Stream.of(a, b).forEach(upstream ->
                upstream.react(request -> calls.getAndIncrement() == 0 ? new Respond(503, Map.of(), "busy") : upstream.ok()));
    }

    private List<RecordedRequest> all() {
        return Stream.of(a, b).flatMap(upstream -> upstream.requests().stream()).toList();
    }
}
