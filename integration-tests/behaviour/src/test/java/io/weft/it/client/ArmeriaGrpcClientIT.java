package io.weft.it.client;

import static io.weft.it.harness.Routes.retried;
import static io.weft.it.harness.Routes.to;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.util.Durations;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.core.v3.TransportSocket;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext;
import io.grpc.Status;
import io.weft.driver.ArmeriaGrpcClient;
import io.weft.it.harness.Authority;
import io.weft.it.harness.GrpcUpstream;
import io.weft.it.harness.GrpcUpstream.Answer;
import io.weft.it.harness.GrpcUpstream.Fail;
import io.weft.it.harness.GrpcUpstream.Hang;
import io.weft.it.harness.GrpcUpstream.Received;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Library;
import io.weft.it.harness.MeshTlsSockets;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.Testbed;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** gRPC by Armeria's own client, which is a client of Armeria's as any other to the agent: real servers, the real agent. */
class ArmeriaGrpcClientIT {
    private static final Authority MESH = new Authority("mesh");
    private static final String ORDERS = "spiffe://mesh/orders";
    private static final List<String> KINDS = List.of("UNARY", "SERVER_STREAMING", "CLIENT_STREAMING", "BIDI_STREAMING");

    @RegisterExtension
    final Testbed testbed = new Testbed();

    private final PolicyServer policies = testbed.policyServer();
    private final GrpcUpstream a = testbed.grpcUpstream("a");
    private final GrpcUpstream b = testbed.grpcUpstream("b");
    private JvmProcess meshed;
    private int generation;

    /** Returns when the client obeys it. */
    private void serve(Consumer<Cluster.Builder> more, Route route, GrpcUpstream... endpoints) {
        InetSocketAddress[] addresses = Stream.of(endpoints).map(GrpcUpstream::address).toArray(InetSocketAddress[]::new);
        String newest = "generation-" + ++generation;
        policies.serve(Policy.empty().virtualHost("orders", route).virtualHost(newest, to("newest")).cluster("newest", a.address())
                .cluster("orders", more.andThen(cluster -> cluster.setConnectTimeout(Durations.fromSeconds(20))), addresses));
        await().atMost(Duration.ofSeconds(30)).until(() -> ask(meshed, "http://" + newest + "/").containsValue("a:hello"));
    }

    private static Map<String, String> ask(JvmProcess client, String target, String... more) {
        Map<String, String> form = new LinkedHashMap<>(Map.of("target", target));
        for (int i = 0; i < more.length; i += 2) {
            form.put(more[i], more[i + 1]);
        }
        return client.ask(form);
    }

    private Map<String, String> call(String... more) {
        return ask(meshed, "http://orders/", more);
    }

    private JvmProcess start(boolean inTheMesh) {
        var jvm = testbed.jvm(inTheMesh ? "in the mesh" : "without", Jdks.newest())
                .classPath(Library.named("armeria-1.24")).classPath(Library.named("armeria-grpc-1.24"));
        return (inTheMesh ? jvm.mesh(policies.uri(), "shop") : jvm).driver(ArmeriaGrpcClient.class);
    }

    @Test
    void callsAreLedSecuredAndRetriedAndTheAppSeesWhatItSawWithout() {
        JvmProcess plain = start(false);
        meshed = start(true);

        serve(cluster -> {}, to("orders"), a);
        a.react(received -> GrpcUpstream.OK);
        theAppSeesWhatItSawWithout(plain, "http://127.0.0.1:" + a.address().getPort() + "/");
        a.react(received -> GrpcUpstream.OK);

        serve(cluster -> {}, to("orders"), a, b);
        assertThat(call("times", "10")).containsEntry("body.a:hello", "5").containsEntry("body.b:hello", "5");
        assertThat(call("kind", "BIDI_STREAMING", "times", "4")).containsEntry("body.a:hello", "2").containsEntry("body.b:hello", "2");

        serve(cluster -> {}, retried("unavailable", 2, to("orders")), a, b);
        // The marker's own calls go there, too.
        a.react(received -> received.authority().equals("orders") ? new Fail(Status.UNAVAILABLE, false) : GrpcUpstream.OK);
        assertThat(call("times", "6")).as("what the library has all of is sent again").containsEntry("code.OK", "6");
        b.react(received -> new Fail(Status.NOT_FOUND.withDescription("no such order"), false));
        assertThat(call()).as("no condition of the policy's").containsEntry("code", "NOT_FOUND").containsEntry("description", "no such order");

        GrpcUpstream orders = testbed.grpcUpstream("orders", MESH.certify(ORDERS).trusting(MESH));
        GrpcUpstream neighbour = testbed.grpcUpstream("neighbour", MESH.certify("spiffe://mesh/users").trusting(MESH));
        serve(this::overTls, to("orders"), orders);
        for (String kind : KINDS) {
            assertThat(call("kind", kind).get("body")).as(kind).startsWith("orders:hello");
        }
        assertThat(orders.connections()).isEqualTo(1);
        serve(this::overTls, to("orders"), neighbour);
        assertThat(call()).containsEntry("code", "UNAVAILABLE");
        assertThat(neighbour.calls()).as("it is not who policy says").isEmpty();
        assertThat(policies.refusals()).isEmpty();
    }

    /** HTTP/2 by name, which gRPC's servers insist on. */
    private void overTls(Cluster.Builder cluster) {
        try {
            UpstreamTlsContext.Builder context = MeshTlsSockets.upstream(MESH, MESH.certify("spiffe://mesh/shop"), ORDERS).getTypedConfig()
                    .unpack(UpstreamTlsContext.class).toBuilder();
            context.getCommonTlsContextBuilder().clearAlpnProtocols().addAlpnProtocols("h2");
            cluster.setTransportSocket(TransportSocket.newBuilder()
                    .setName("envoy.transport_sockets.tls").setTypedConfig(Any.pack(context.build())));
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalStateException(e);
        }
    }

    private void theAppSeesWhatItSawWithout(JvmProcess plain, String directly) {
        List<GrpcUpstream.Reaction> reactions = List.of(
                GrpcUpstream.OK,
                new Answer(List.of("x-one", "1"), List.of("x-two", "2")),
                new Fail(Status.NOT_FOUND.withDescription("no such order: 7 %"), false),
                new Fail(Status.ABORTED, true));
        for (GrpcUpstream.Reaction reaction : reactions) {
            a.react(received -> reaction);
            for (String kind : KINDS) {
                Map<String, String> without = ask(plain, directly, "kind", kind, "header.x-mine", "7");
                assertThat(call("kind", kind, "header.x-mine", "7")).as("%s, %s", kind, reaction).isEqualTo(without);
                Received last = a.calls().get(a.calls().size() - 1);
                assertThat(last.authority()).isEqualTo("orders");
                assertThat(last.header("x-mine")).isEqualTo("7");
            }
        }
        a.react(received -> new Hang());
        for (String kind : KINDS) {
            assertThat(late(meshed, "http://orders/", kind)).as(kind).containsEntry("code", "DEADLINE_EXCEEDED").isEqualTo(late(plain, directly, kind));
        }
    }

    /** But for how late it is, to the nanosecond, and for the cause: the server keeps to the deadline, too, and may be first. */
    private static Map<String, String> late(JvmProcess client, String target, String kind) {
        Map<String, String> late = new LinkedHashMap<>(ask(client, target, "kind", kind, "deadline", "500"));
        late.remove("cause");
        late.computeIfPresent("description", (description, text) -> text.replaceFirst("[0-9]+ns", "ns"));
        return late;
    }
}
