package io.weft.it.client;

import static io.weft.it.harness.Routes.answer;
import static io.weft.it.harness.Routes.to;
import static io.weft.it.harness.Routes.whenPrefix;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.weft.driver.HttpCall.Way;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Policy;
import io.weft.it.harness.RecordedRequest;
import io.weft.it.harness.Upstream;
import io.weft.it.harness.Upstream.Reaction;
import io.weft.it.harness.Upstream.Respond;
import io.weft.it.harness.Upstream.Then;
import io.weft.it.server.Relay;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.Test;

/**
 * The app cannot tell. The same calls go to the same upstream twice: from an app in the mesh, whose policy sends them where their
 * URL says anyway, and from one without the agent. What arrives and what the app sees must be the same.
 */
abstract class TransparencyExpectations extends Expectations {
    private static final String LARGE = "0123456789abcdef".repeat(1 << 16);

    /** What can be observed of one call. */
    private record Observation(Map<String, String> answer, List<String> arrived) {}

    @Test
    void aHostThatNoPolicyNamesIsNotTouched() {
        stage().serve(Policy.empty().service("orders", b.address()));
        everyKindOfRequest();
        assertThat(b.requests()).isEmpty();
    }

    @Test
    void requestsGoOutAsTheyAre() {
        serve();
        everyKindOfRequest();
    }

    private void everyKindOfRequest() {
        String url = url("/a/b%20c;d?e=f%26g&h");
        alike(request -> a.ok(),
                Call.get(url), Call.get(url("")), Call.get(url("?q")),
                Call.get(url).header("X-One", "1").header("Accept", "text/plain").header("User-Agent", "app"),
                Call.get(url).method("HEAD"), Call.get(url).method("OPTIONS"), Call.get(url).method("DELETE"), Call.get(url).method("TRACE"),
                Call.get(url).method("PATCH"), Call.get(url).method("PUT").body("body"), Call.post(url, "bodyü"),
                Call.get(url).method("DELETE").body("body"), Call.get(url).method("POST"),
                Call.post(url, "one-shot").way(Way.STREAM), Call.post(url, "one-shot").way(Way.STREAM_FIXED),
                Call.post(url, LARGE), Call.post(url, LARGE).way(Way.STREAM));
    }

    @Test
    void aUrlMayHaveAnAddressOfIpv6() throws IOException {
        try (Relay there = Relay.overIpv6To(a.address().getPort())) {
            Call call = Call.get("http://[::1]:" + there.port() + "/x?y");
            stage().serve(Policy.empty());
            Map<String, String> without = stage().plain.ask(call.form());
            assertThat(without).containsEntry("body", "a");
            assertThat(stage().meshed.ask(call.form())).isEqualTo(without);

            stage().serve(Policy.empty().cluster("b", b.address()).virtualHost(there.port(),
                    VirtualHost.newBuilder().setName("named").addDomains("[::1]:" + there.port()).addRoutes(to("b")).build()));
            assertThat(stage().meshed.ask(call.form())).containsEntry("body", "b").containsEntry("seen.uri", without.get("seen.uri"));
            assertThat(b.requests().get(0).wire()).isEqualTo(a.requests().get(0).wire());
        }
    }

    @Test
    void responsesComeInAsTheyAre() {
        serve();
        Map<String, Reaction> reactions = Map.ofEntries(
                Map.entry("/404", new Respond(404, Map.of("X-Why", "not there"), "no")),
                Map.entry("/500", new Respond(500, Map.of(), "broken")),
                Map.entry("/empty", new Respond(200, Map.of(), "")),
                Map.entry("/204", Upstream.send(Then.KEEP, "", "HTTP/1.1 204 No Content", "X-A: b")),
                Map.entry("/304", Upstream.send(Then.KEEP, "", "HTTP/1.1 304 Not Modified", "ETag: \"x\"")),
                Map.entry("/304-length", Upstream.send(Then.KEEP, "", "HTTP/1.1 304 Not Modified", "Content-Length: 12")),
                Map.entry("/205", Upstream.send(Then.KEEP, "", "HTTP/1.1 205 Reset Content", "Content-Length: 0")),
                Map.entry("/large", new Respond(200, Map.of(), LARGE)),
                Map.entry("/chunked", Upstream.send(Then.KEEP, "4\r\none \r\n3;ext=1\r\ntwo\r\n0\r\n\r\n", "HTTP/1.1 200 OK", "Transfer-Encoding: chunked")),
                Map.entry("/trailers", Upstream.send(Then.KEEP, "3\r\none\r\n0\r\nX-Trailer: t\r\n\r\n", "HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "Trailer: X-Trailer")),
                Map.entry("/until-close", Upstream.send(Then.CLOSE, "all there is", "HTTP/1.1 200 OK")),
                Map.entry("/http10", Upstream.send(Then.CLOSE, "old", "HTTP/1.0 200 Fine")),
                Map.entry("/close", Upstream.send(Then.CLOSE, "bye", "HTTP/1.1 200 OK", "Connection: close", "Content-Length: 3")),
                Map.entry("/reason", Upstream.send(Then.KEEP, "", "HTTP/1.1 299 As It Were", "Content-Length: 0")),
                Map.entry("/many", Upstream.send(Then.KEEP, "", "HTTP/1.1 200 OK", "X-A: 1", "x-b: 2", "X-A: 3", "Content-Length: 0", "X-Empty:")),
                Map.entry("/interim", Upstream.send(Then.KEEP, "ok", "HTTP/1.1 103 Early Hints", "Link: </x>\r\n\r\nHTTP/1.1 200 OK", "Content-Length: 2")));
        List<Call> calls = new ArrayList<>();
        // with patience where some wait for a body that does not come
        reactions.keySet().stream().filter(path -> !path.equals("/interim") && !(path.equals("/trailers") && stage().client.leavesTrailers())).sorted()
                .forEach(path -> calls.add(Call.get(url(path)).timeoutMillis(path.equals("/304-length") ? 500 : 0)));
        calls.add(Call.get(url("/404")).method("HEAD"));
        calls.add(Call.get(url("/large")).way(Way.ABANDON));
        calls.add(Call.post(url("/500"), "body"));
        calls.add(Call.post(url("/404"), "body").way(Way.STREAM));
        // last: some take an interim response for the final one, wait for its body, too, and leave the rest on the connection
        calls.add(Call.get(url("/interim")).timeoutMillis(500));
        alike(request -> reactions.get(request.target()), calls.toArray(Call[]::new));
    }

    @Test
    void failuresAreTheLibrarysOwn() {
        serve();
        Map<String, Reaction> reactions = Map.of(
                "/short", Upstream.send(Then.CLOSE, "half", "HTTP/1.1 200 OK", "Content-Length: 8"),
                "/short-chunked", Upstream.send(Then.CLOSE, "8\r\nhalf", "HTTP/1.1 200 OK", "Transfer-Encoding: chunked"),
                "/bad-chunk", Upstream.send(Then.CLOSE, "zz\r\nhalf", "HTTP/1.1 200 OK", "Transfer-Encoding: chunked"),
                "/nothing", Upstream.send(Then.CLOSE, "", "HTTP/1.1 200 OK", "X-Cut"),
                "/garbage", Upstream.send(Then.CLOSE, "", "SSH-2.0-OpenSSH"),
                "/bad-length", Upstream.send(Then.CLOSE, "", "HTTP/1.1 200 OK", "Content-Length: many"),
                "/closed", new Upstream.Send(new byte[0], Then.CLOSE));
        List<Call> calls = new ArrayList<>();
        reactions.keySet().stream().sorted().forEach(path -> calls.add(Call.get(url(path))));
        calls.add(Call.post(url("/closed"), "body").way(Way.STREAM));
        alike(request -> reactions.get(request.target()), calls.toArray(Call[]::new));
    }

    @Test
    void theAppsTimeoutsAreItsOwn() {
        serve();
        alikeOnceArrived(request -> new Upstream.Hang(), Call.get(url("/")).timeoutMillis(200), Call.post(url("/"), "body").timeoutMillis(200));
        alikeOnceArrived(request -> Upstream.send(Then.KEEP, "half", "HTTP/1.1 200 OK", "Content-Length: 8"),
                // java.net.http has no timeout for a body
                stage().client.driver.getSimpleName().equals("JavaNetHttp")
                        ? Call.get(url("/")).timeoutMillis(200).way(Way.ABANDON)
                        : Call.get(url("/")).timeoutMillis(200));
    }

    @Test
    void aRefusedConnectionIsTheLibrarysOwnException() {
        serve();
        a.die();
        alike(request -> a.ok(), Call.get(url("/")), Call.post(url("/"), "body"), Call.post(url("/"), "body").way(Way.STREAM));
    }

    @Test
    void redirectsAndChallengesAreTheLibrarysOwn() {
        serve();
        Function<RecordedRequest, Reaction> upstream = request -> switch (request.target()) {
            case "/301" -> new Respond(301, Map.of("Location", "/ok"), "moved");
            case "/302" -> new Respond(302, Map.of("Location", url("/ok?x")), "");
            case "/303" -> new Respond(303, Map.of("Location", "ok"), "see there");
            case "/307" -> new Respond(307, Map.of("Location", "/ok"), "");
            case "/308" -> new Respond(308, Map.of("Location", "/ok"), "");
            case "/loop" -> new Respond(302, Map.of("Location", "/loop"), "");
            case "/nowhere" -> new Respond(302, Map.of(), "");
            case "/secret" -> request.header("authorization").isPresent() ? a.ok()
                    : new Respond(401, Map.of("WWW-Authenticate", "Basic realm=\"r\""), "who are you?");
            case "/forbidden" -> new Respond(401, Map.of("WWW-Authenticate", "Basic realm=\"other\""), "never");
            default -> a.ok();
        };
        List<Call> calls = new ArrayList<>();
        for (String path : List.of("/301", "/302", "/303", "/307", "/308", "/nowhere")) {
            calls.add(Call.get(url(path)));
            calls.add(Call.get(url(path)).way(Way.FOLLOW_REDIRECTS));
            calls.add(Call.post(url(path), "body").way(Way.FOLLOW_REDIRECTS));
        }
        calls.add(Call.post(url("/307"), "once").way(Way.STREAM).way(Way.FOLLOW_REDIRECTS));
        if (!stage().client.followsForEver()) {
            calls.add(Call.get(url("/loop")).way(Way.FOLLOW_REDIRECTS));
        }
        calls.add(Call.get(url("/secret")));
        calls.add(Call.get(url("/secret")).way(Way.AUTHENTICATE));
        calls.add(Call.post(url("/secret"), "body").way(Way.AUTHENTICATE));
        calls.add(Call.post(url("/secret"), "once").way(Way.STREAM).way(Way.AUTHENTICATE));
        calls.add(Call.get(url("/forbidden")).way(Way.AUTHENTICATE));
        alike(upstream, calls.toArray(Call[]::new));
    }

    @Test
    void expectContinueIsTheLibrarysOwn() {
        serve();
        Call streamed = Call.post(url("/"), "body").way(Way.STREAM).way(Way.EXPECT_CONTINUE);
        Call fixed = Call.post(url("/"), LARGE).way(Way.STREAM_FIXED).way(Way.EXPECT_CONTINUE);
        alike(request -> a.ok(), streamed, fixed, Call.post(url("/"), "body").way(Way.EXPECT_CONTINUE));
        a.onExpectation(Upstream.send(Then.CLOSE, "", "HTTP/1.1 417 Expectation Failed", "Content-Length: 0", "Connection: close"));
        alike(request -> a.ok(), streamed, fixed);
    }

    @Test
    void cookiesAreTheLibrarysOwn() {
        serve();
        alike(request -> switch (request.target()) {
            case "/set" -> Upstream.send(Then.KEEP, "", "HTTP/1.1 200 OK", "Set-Cookie: a=1; Path=/", "Set-Cookie: b=2; Path=/x", "Content-Length: 0");
            case "/go" -> new Respond(302, Map.of("Location", "/x/y", "Set-Cookie", "c=3; Path=/"), "");
            default -> a.ok();
        },
                Call.get(url("/set")).way(Way.COOKIES),
                Call.get(url("/x/y")).way(Way.COOKIES),
                Call.get(url("/go")).way(Way.COOKIES).way(Way.FOLLOW_REDIRECTS),
                Call.get(url("/")).way(Way.COOKIES));
    }

    @Test
    void theAppsOwnProxyStaysInCharge() {
        serve();
        Upstream proxy = testbed.upstream("proxy");
        // Reactor Netty has a tunnel through it for plaintext, too.
        proxy.react(request -> request.line().startsWith("CONNECT ") ? Upstream.send(Then.KEEP, "", "HTTP/1.1 200 OK") : proxy.ok());
        List<List<String>> arrived = new ArrayList<>();
        for (JvmProcess process : List.of(stage().plain, stage().meshed)) {
            proxy.forgetRequests();
            Map<String, String> answer = process.ask(Call.get(url("/x")).proxy(proxy.address().getPort()).form());
            assertThat(answer).containsEntry("body", "proxy");
            arrived.add(proxy.requests().stream().map(RecordedRequest::wire).toList());
        }
        assertThat(arrived.get(1)).isEqualTo(arrived.get(0)).isNotEmpty();
        assertThat(a.requests()).isEmpty();
    }

    @Test
    void aConnectionThatTheUpstreamClosedMeanwhileIsReplaced() {
        serve();
        for (Call call : List.of(Call.get(url("/")), Call.post(url("/"), "body"), Call.post(url("/"), "once").way(Way.STREAM))) {
            alikeAfter(() -> {
                a.closeConnections();
                sleep(30);
            }, request -> a.ok(), Call.get(url("/")), call);
        }
    }

    @Test
    void connectionsAreReusedAsWithoutTheAgent() {
        serve();
        Call[] calls = new Call[12];
        for (int i = 0; i < calls.length; i++) {
            calls[i] = switch (i % 4) {
                case 0 -> Call.get(url("/" + i));
                case 1 -> Call.post(url("/" + i), "body");
                case 2 -> Call.post(url("/" + i), "body").way(Way.STREAM);
                default -> Call.get(url("/" + i)).method("HEAD");
            };
        }
        a.react(request -> a.ok());
        observe(stage().plain, () -> {}, calls);
        int without = a.connections();
        observe(stage().meshed, () -> {}, calls);

        int within = a.connections() - without;
        if (stage().client.answersFirst()) {
            assertThat(List.of(without, within)).allSatisfy(connections -> assertThat(connections).isBetween(1, calls.length / 3));
            return;
        }
        assertThat(within).isEqualTo(without).isEqualTo(stage().client.closesAfterHead() ? calls.length / 4 : 1);
    }

    /** The host and port of upstream a are named by a policy, which sends them there. */
    private void serve() {
        VirtualHost host = VirtualHost.newBuilder().setName("same").addDomains("*")
                .addRoutes(whenPrefix("/mesh", answer(200, "mesh")))
                .addRoutes(to("same"))
                .build();
        stage().serve(Policy.empty().cluster("same", a.address()).virtualHost(a.address().getPort(), host));
        assertThat(stage().send(Call.get(url("/mesh"))).body()).as("named by a policy").isEqualTo("mesh");
    }

    private String url(String target) {
        return "http://127.0.0.1:" + a.address().getPort() + target;
    }

    private void alike(Function<RecordedRequest, Reaction> reaction, Call... calls) {
        alikeAfter(() -> {}, reaction, calls);
    }

    /** The app may give up before the upstream's own thread has read what was sent to it. */
    private void alikeOnceArrived(Function<RecordedRequest, Reaction> reaction, Call... calls) {
        a.react(reaction);
        BiFunction<JvmProcess, Call, Map<String, String>> asking = (process, call) -> {
            Map<String, String> answer = process.ask(call.form());
            await().until(() -> !a.requests().isEmpty());
            return answer;
        };
        assertAlike(calls, observe(stage().plain, () -> {}, asking, calls), observe(stage().meshed, () -> {}, asking, calls));
    }

    /** @param between done before each call but the first */
    private void alikeAfter(Runnable between, Function<RecordedRequest, Reaction> reaction, Call... calls) {
        a.react(reaction);
        assertAlike(calls, observe(stage().plain, between, calls), observe(stage().meshed, between, calls));
    }

    private static void assertAlike(Call[] calls, List<Observation> without, List<Observation> within) {
        SoftAssertions soft = new SoftAssertions();
        for (int i = 0; i < calls.length; i++) {
            soft.assertThat(within.get(i)).as("%s", calls[i]).isEqualTo(without.get(i));
        }
        soft.assertAll();
    }

    private List<Observation> observe(JvmProcess process, Runnable between, Call... calls) {
        return observe(process, between, this::ask, calls);
    }

    private List<Observation> observe(
            JvmProcess process, Runnable between, BiFunction<JvmProcess, Call, Map<String, String>> asking, Call... calls) {
        List<Observation> observations = new ArrayList<>();
        for (Call call : calls) {
            if (!observations.isEmpty()) {
                between.run();
            }
            a.forgetRequests();
            Map<String, String> answer = asking.apply(process, call);
            observations.add(new Observation(answer, a.requests().stream().map(RecordedRequest::wire).toList()));
        }
        return observations;
    }

    /** Whether a library has noticed that its idle connection was closed is chance, without the agent, too: what did not arrive is asked once more. */
    private Map<String, String> ask(JvmProcess process, Call call) {
        Map<String, String> answer = process.ask(call.form());
        return answer.containsKey("error") && a.requests().isEmpty() ? process.ask(call.form()) : answer;
    }

    private static void sleep(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
