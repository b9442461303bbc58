package io.weft.it.client;

import static io.weft.it.harness.Routes.to;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.UInt32Value;
import com.google.protobuf.util.Durations;
import io.envoyproxy.envoy.config.cluster.v3.CircuitBreakers;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.weft.driver.ApacheHttpAsyncClient5;
import io.weft.driver.ApacheHttpClient5;
import io.weft.driver.HttpCall.Way;
import io.weft.it.harness.Authority;
import io.weft.it.harness.Http2Upstream;
import io.weft.it.harness.Http2Upstream.Hang;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.JvmProcess.Tally;
import io.weft.it.harness.Library;
import io.weft.it.harness.MeshTlsSockets;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.Testbed;
import io.weft.it.harness.Upstream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the library has that others have not, in how an app lets go of a response and how a connection is made. */
class ApacheHttpClient5IT {
    private static final Authority MESH = new Authority("mesh");
    private static final String ORDERS = "spiffe://mesh/orders";
    private static final CircuitBreakers ONE_REQUEST = CircuitBreakers.newBuilder()
            .addThresholds(CircuitBreakers.Thresholds.newBuilder().setMaxRequests(UInt32Value.of(1)))
            .build();

    @RegisterExtension
    final Testbed testbed = new Testbed();

    private final PolicyServer policies = testbed.policyServer();

    @ParameterizedTest
    @ValueSource(strings = {"httpclient5-5.0", "httpclient5-5.6"})
    void anEntityThatIsClosedGivesThePlaceOfItsResponseBack(String library) {
        Upstream orders = testbed.upstream("orders");
        policies.serve(Policy.empty()
                .cluster("orders", cluster -> cluster.setCircuitBreakers(ONE_REQUEST), orders.address())
                .virtualHost("orders", to("orders")));
        JvmProcess client = client(library);

        for (int i = 0; i < 3; i++) {
            assertThat(client.ask(Call.get("http://orders/").way(Way.CLOSE_ENTITY).form())).containsEntry("status", "200");
        }
    }

    /** The library makes another one before it sends the request. */
    @ParameterizedTest
    @ValueSource(strings = {"httpclient5-5.0", "httpclient5-5.6"})
    void aConnectionThatIsMadeOnceMoreIsSecured(String library) {
        Upstream orders = testbed.upstream("orders", MESH.certify(ORDERS).trusting(MESH));
        policies.serve(Policy.empty()
                .cluster("orders", cluster -> cluster.setTransportSocket(MeshTlsSockets.upstream(MESH, MESH.certify("spiffe://mesh/shop"), ORDERS)), orders.address())
                .virtualHost("orders", to("orders")));
        Map<String, String> answer = client(library).ask(Call.get("http://orders/").header("X-Client", "closing").form());

        assertThat(answer).containsEntry("body", "orders");
        assertThat(orders.connections()).isEqualTo(2);
    }

    @ParameterizedTest
    @ValueSource(strings = {"httpclient5-5.0", "httpclient5-5.6"})
    void aStreamThatTheAppGivesUpIsEndedAndGivesItsPlaceBack(String library) {
        Http2Upstream orders = testbed.closeAfterwards(Http2Upstream.start("orders"));
        policies.serve(Policy.empty()
                .cluster("orders", cluster -> cluster.setCircuitBreakers(ONE_REQUEST), orders.address())
                .virtualHost("orders", to("orders")));
        JvmProcess client = client(library, ApacheHttpAsyncClient5.class);
        warmUp(client);
        int connections = orders.connections();
        int ended = orders.cancellations();
        orders.react(request -> new Hang());

        assertThat(client.ask(overHttp2().way(Way.CANCEL).form())).containsEntry("error", CancellationException.class.getName());
        await().untilAsserted(() -> assertThat(orders.cancellations()).isEqualTo(ended + 1));
        orders.react(request -> orders.ok());
        assertThat(client.ask(overHttp2().form())).containsEntry("body", "orders");
        assertThat(orders.connections()).isEqualTo(connections);
    }

    @ParameterizedTest
    @ValueSource(strings = {"httpclient5-5.0", "httpclient5-5.6"})
    void whatWaitsForAStreamForTooLongEndsNoConnection(String library) {
        Http2Upstream orders = testbed.closeAfterwards(Http2Upstream.start("orders", 2));
        Route.Builder route = to("orders").toBuilder();
        route.getRouteBuilder().setTimeout(Durations.fromMillis(400));
        policies.serve(Policy.empty().cluster("orders", orders.address()).virtualHost("orders", route.build()));
        JvmProcess client = client(library, ApacheHttpAsyncClient5.class);
        warmUp(client);
        int connections = orders.connections();
        orders.forgetRequests();
        orders.react(request -> new Hang());

        Tally tally = client.load("http://orders/", Map.of("X-Client", "http2"), 3, 3);
        assertThat(tally.status(504)).as(tally.toString()).isEqualTo(3);
        assertThat(orders.requests()).hasSize(2);
        orders.react(request -> orders.ok());
        await().untilAsserted(() -> assertThat(client.ask(overHttp2().form())).containsEntry("body", "orders"));
        assertThat(orders.connections()).isEqualTo(connections);
    }

    /** What is not known of them is how to end one alone. */
    @ParameterizedTest
    @ValueSource(strings = {"httpclient5-5.0", "httpclient5-5.6"})
    void aCoreWithOtherStreamsIsLedAllTheSame(String library, @TempDir Path folder) throws IOException {
        Upstream carts = testbed.upstream("carts");
        Http2Upstream orders = testbed.closeAfterwards(Http2Upstream.start("orders", MESH.certify(ORDERS).trusting(MESH)));
        policies.serve(Policy.empty()
                .cluster("carts", carts.address())
                .virtualHost("carts", to("carts"))
                .cluster("orders", cluster -> cluster.setTransportSocket(MeshTlsSockets.upstream(MESH, MESH.certify("spiffe://mesh/shop"), ORDERS)), orders.address())
                .virtualHost("orders", to("orders")));
        JvmProcess client = testbed.jvm("shop", Jdks.newest()).classPath(withOtherStreams(Library.named(library), folder))
                .mesh(policies.uri(), "shop").driver(ApacheHttpAsyncClient5.class);

        assertThat(client.ask(Call.get("http://carts/").form())).containsEntry("body", "carts");
        warmUp(client);
        orders.react(request -> new Hang());
        assertThat(client.ask(overHttp2().way(Way.CANCEL).form())).containsEntry("error", CancellationException.class.getName());
        orders.react(request -> orders.ok());
        assertThat(client.ask(overHttp2().form())).containsEntry("body", "orders");
        await().untilAsserted(() -> assertThat(client.stderr()).filteredOn(line -> line.contains("a request that is given up may go on")).hasSize(1));
    }

    /** As if the library's authors had called a field otherwise. */
    private static Library withOtherStreams(Library library, Path folder) throws IOException {
        List<Path> jars = new ArrayList<>();
        for (Path jar : library.jars()) {
            if (jar.getFileName().toString().startsWith("httpcore5-h2-")) {
                Path other = Files.copy(jar, folder.resolve(jar.getFileName()));
                try (FileSystem inside = FileSystems.newFileSystem(other)) {
                    Path stream = inside.getPath("org/apache/hc/core5/http2/impl/nio/AbstractH2StreamMultiplexer$H2StreamChannelImpl.class");
                    String bytes = Files.readString(stream, StandardCharsets.ISO_8859_1);
                    // As long as before, as class files want it; up to 5.3, and later.
                    String renamed = bytes.replace("localEndStream", "localStreamEnd").replace("localClosed", "closedLocal");
                    assertThat(renamed.equals(bytes)).isFalse();
                    Files.writeString(stream, renamed, StandardCharsets.ISO_8859_1);
                }
                jars.add(other);
            } else {
                jars.add(jar);
            }
        }
        return new Library(library.name(), jars);
    }

    /** The first request of a process may take longer than a limit, or an app, allows. */
    private static void warmUp(JvmProcess client) {
        await().untilAsserted(() -> assertThat(client.ask(overHttp2().form())).containsEntry("body", "orders"));
    }

    private static Call overHttp2() {
        return Call.get("http://orders/").header("X-Client", "http2");
    }

    private JvmProcess client(String library) {
        return client(library, ApacheHttpClient5.class);
    }

    private JvmProcess client(String library, Class<?> driver) {
        return testbed.jvm("shop", Jdks.newest()).classPath(Library.named(library)).mesh(policies.uri(), "shop").driver(driver);
    }
}
