package io.weft.it.client;

import static io.weft.it.harness.Routes.answer;
import static io.weft.it.harness.Routes.retried;
import static io.weft.it.harness.Routes.to;
import static io.weft.it.harness.Routes.whenHeader;
import static io.weft.it.harness.Routes.whenPrefix;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.weft.driver.HttpAnswer;
import io.weft.driver.SpringRestClient;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Library;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.RecordedRequest;
import io.weft.it.harness.Testbed;
import io.weft.it.harness.Upstream;
import io.weft.it.harness.Upstream.Respond;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Spring's RestClient and RestTemplate, which tell Reactor Netty of their headers late, in an app that has no WebFlux. */
class SpringRestClientIT {
    @RegisterExtension
    final Testbed testbed = new Testbed();

    private final Upstream a = testbed.upstream("a");
    private final Upstream b = testbed.upstream("b");

    @ParameterizedTest
    @ValueSource(strings = {"spring-rest-client-6.1", "spring-rest-client-7"})
    void routesByItsHeadersAndIsOtherwiseAsWithoutTheMesh(String spring) {
        int port = a.address().getPort();
        String named = "http://127.0.0.1:" + port + "/x";
        PolicyServer policies = testbed.policyServer();
        policies.serve(Policy.empty()
                .cluster("a", a.address())
                .cluster("b", b.address())
                .virtualHost(port, VirtualHost.newBuilder().setName("a").addDomains("*").addRoutes(to("b")).build())
                .virtualHost("orders", whenPrefix("/ready", answer(200, "ready")), whenHeader("x-canary", "yes", retried("5xx", 1, to("b"))), to("a")));
        Library reactorNetty = Library.named("reactor-netty-1.3");
        JvmProcess plain = testbed.jvm("without", Jdks.newest()).classPath(reactorNetty).classPath(Library.named(spring)).driver(SpringRestClient.class);
        JvmProcess app = testbed.jvm("in the mesh", Jdks.newest()).classPath(reactorNetty).classPath(Library.named(spring))
                .mesh(policies.uri(), "shop").driver(SpringRestClient.class);
        await().until(() -> "ready".equals(app.ask(Call.get("http://orders/ready").form()).get("body")));

        for (String client : List.of("client", "template")) {
            Call get = Call.get("http://orders/").header("X-Client", client);
            assertThat(send(app, get).body()).as(client).isEqualTo("a");
            assertThat(send(app, get.header("X-Canary", "yes")).body()).as(client).isEqualTo("b");
            Call post = Call.post("http://orders/", "the body").header("X-Client", client).header("X-Canary", "yes");
            assertThat(send(app, post).body()).as(client).isEqualTo("b");
            assertThat(b.requests()).as(client).last().extracting(RecordedRequest::text).isEqualTo("the body");

            b.forgetRequests();
            AtomicInteger calls = new AtomicInteger();
            b.react(request -> calls.getAndIncrement() == 0 ? new Respond(503, Map.of(), "busy") : b.ok());
            assertThat(send(app, get.header("X-Canary", "yes")).status()).as(client).isEqualTo(200);
            assertThat(b.requests()).as(client).hasSize(2);
            assertThat(b.requests().stream().map(RecordedRequest::wire).distinct()).as(client + ": twice the same").hasSize(1);

            b.react(request -> b.ok());
            Stream.of(a, b).forEach(Upstream::forgetRequests);
            for (Call call : List.of(Call.get(named), Call.post(named, "the body"))) {
                Call asked = call.header("X-Client", client).header("X-Tenant", "blue");
                Map<String, String> without = plain.ask(asked.form());
                assertThat(without).as(client).containsEntry("body", "a");
                assertThat(app.ask(asked.form())).as(client).containsEntry("body", "b").containsOnlyKeys(without.keySet());
            }
            assertThat(b.requests().stream().map(RecordedRequest::wire).toList()).as(client + ": on the wire, too").isEqualTo(a.requests().stream().map(RecordedRequest::wire).toList());
        }
        assertThat(policies.refusals()).isEmpty();
    }

    private static HttpAnswer send(JvmProcess app, Call call) {
        return HttpAnswer.of(app.ask(call.form()));
    }
}
