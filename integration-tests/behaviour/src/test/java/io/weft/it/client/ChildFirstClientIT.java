package io.weft.it.client;

import static io.weft.it.harness.Routes.to;
import static org.assertj.core.api.Assertions.assertThat;

import io.weft.driver.ChildFirst;
import io.weft.driver.OkHttp;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Library;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.Testbed;
import io.weft.it.harness.Upstream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a loader brings counts, not what another version of the library has that is on the class path. */
class ChildFirstClientIT {
    @RegisterExtension
    final Testbed testbed = new Testbed();

    @Test
    void theLoadersOwnVersionIsInTheMesh() {
        Upstream orders = testbed.upstream("orders");
        PolicyServer policies = testbed.policyServer();
        policies.serve(Policy.empty().cluster("orders", orders.address()).virtualHost("orders", to("orders")));
        Stream<String> jars = Library.named("okhttp-5").jars().stream().map(Object::toString);
        JvmProcess app = testbed.jvm("shop", Jdks.newest()).classPath(Library.named("okhttp-3.12")).mesh(policies.uri(), "shop").driver(
                ChildFirst.class, Stream.concat(Stream.of(OkHttp.class.getName()), jars).toArray(String[]::new));

        assertThat(app.ask(Call.get("http://orders/").form())).containsEntry("status", "200");
        assertThat(orders.requests()).singleElement().satisfies(request -> assertThat(request.header("host")).hasValue("orders"));
        assertThat(app.stderr()).noneMatch(line -> line.contains("left without the mesh"));
    }
}
