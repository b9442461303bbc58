package io.weft.it.client;

import static io.weft.it.harness.Routes.to;
import static org.assertj.core.api.Assertions.assertThat;

import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.weft.driver.ArmeriaClient;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Library;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.RecordedRequest;
import io.weft.it.harness.Testbed;
import io.weft.it.harness.Upstream;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A client on Netty that the agent does not know goes on as without it, though the agent knows Netty's servers. */
class UnmeshedClientIT {
    @RegisterExtension
    final Testbed testbed = new Testbed();

    private final Upstream named = testbed.upstream("named");
    private final Upstream elsewhere = testbed.upstream("elsewhere");

    @ParameterizedTest
    @ValueSource(strings = {"armeria-1.26", "armeria-1.40"})
    void itsRequestsGoWhereTheirUrlSays(String library) {
        PolicyServer policies = testbed.policyServer();
        policies.serve(Policy.empty().cluster("elsewhere", elsewhere.address()).virtualHost(named.address().getPort(),
                VirtualHost.newBuilder().setName("named").addDomains("*").addRoutes(to("elsewhere")).build()));
        JvmProcess without = testbed.jvm(library + " without", Jdks.newest()).classPath(Library.named(library)).driver(ArmeriaClient.class);
        JvmProcess within = testbed.jvm(library + " in the mesh", Jdks.newest()).classPath(Library.named(library))
                .mesh(policies.uri(), "shop").driver(ArmeriaClient.class);
        String url = "http://127.0.0.1:" + named.address().getPort() + "/a?b=c";

        for (Call call : List.of(Call.get(url).header("x-one", "1"), Call.get(url).method("HEAD"), Call.post(url, "0123456789".repeat(100_000)))) {
            named.forgetRequests();
            Map<String, String> expected = without.ask(call.form());
            assertThat(expected).containsEntry("status", "200");
            assertThat(within.ask(call.form())).as("%s", call).isEqualTo(expected);
            assertThat(named.requests()).extracting(RecordedRequest::wire).hasSize(2).satisfies(wires -> assertThat(wires.get(0)).isEqualTo(wires.get(1)));
        }
        assertThat(elsewhere.requests()).isEmpty();
        assertThat(within.stderr()).as("nothing of it is woven wrongly").noneMatch(line -> line.contains("weft WARN"));
    }
}
