package io.weft.it.client;

import static io.weft.it.harness.Routes.retried;
import static io.weft.it.harness.Routes.to;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.envoyproxy.envoy.config.route.v3.HeaderMatcher;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.type.matcher.v3.StringMatcher;
import io.weft.driver.HttpAnswer;
import io.weft.driver.HttpCall.Way;
import io.weft.driver.SpringWebClient;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Library;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.RecordedRequest;
import io.weft.it.harness.Testbed;
import io.weft.it.harness.Upstream;
import io.weft.it.harness.Upstream.Respond;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What Spring's WebClient, which tells Reactor Netty of its headers late, needs beside what {@link ClientIT} expects of that. */
class WebClientIT {
    @RegisterExtension
    final Testbed testbed = new Testbed();

    private final Upstream a = testbed.upstream("a");
    private final Upstream b = testbed.upstream("b");

    @Test
    void routesByItsHeadersAndCookiesAndTriesAgainWithItsBody() {
        PolicyServer policies = testbed.policyServer();
        Route retried = retried("5xx", 1, to("both"));
        policies.serve(Policy.empty()
                .cluster("a", a.address())
                .cluster("b", b.address())
                .cluster("both", a.address(), b.address())
                .virtualHost("orders", when("x-canary", "yes"), when("x-filter", "app", "/filtered"), when("cookie", "session=blue"), to("a"))
                .virtualHost("retried", retried));
        JvmProcess app = testbed.jvm("webclient", Jdks.newest())
                .classPath(Library.named("spring-webclient"))
                .mesh(policies.uri(), "shop")
                .driver(SpringWebClient.class);
        await().until(() -> "a".equals(app.ask(Call.get("http://orders/").form()).get("body")));

        assertThat(send(app, Call.get("http://orders/").header("X-Canary", "yes")).body()).isEqualTo("b");
        assertThat(send(app, Call.get("http://orders/filtered")).body()).isEqualTo("b");
        assertThat(send(app, Call.get("http://orders/").way(Way.COOKIES)).body()).isEqualTo("b");
        HttpAnswer streamed = send(app, Call.post("http://orders/", "one two three").way(Way.STREAM));
        assertThat(streamed.body()).isEqualTo("a");
        assertThat(a.requests()).last().extracting(RecordedRequest::text).isEqualTo("one two three");

        AtomicInteger calls = new AtomicInteger();
        Stream.of(a, b).forEach(Upstream::forgetRequests);
        Stream.of(a, b).forEach(upstream ->
                upstream.react(request -> calls.getAndIncrement() == 0 ? new Respond(503, Map.of(), "busy") : upstream.ok()));
        HttpAnswer answer = send(app, Call.post("http://retried/x", "the body").header("X-Tenant", "blue"));
        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.seen().get("uri")).isEqualTo("http://retried/x");
        assertThat(Stream.of(a, b).flatMap(upstream -> upstream.requests().stream()).map(RecordedRequest::wire).distinct().toList())
                .as("twice the same").hasSize(1);
        assertThat(calls).hasValue(2);
        assertThat(policies.refusals()).isEmpty();
    }

    private static HttpAnswer send(JvmProcess app, Call call) {
        return HttpAnswer.of(app.ask(call.form()));
    }

    private static Route when(String header, String value) {
        return when(header, value, "/");
    }

    private static Route when(String header, String value, String prefix) {
        Route b = to("b");
        return b.toBuilder()
                .setMatch(b.getMatch().toBuilder().setPrefix(prefix).addHeaders(HeaderMatcher.newBuilder()
                        .setName(header).setStringMatch(StringMatcher.newBuilder().setExact(value))))
                .build();
    }
}
