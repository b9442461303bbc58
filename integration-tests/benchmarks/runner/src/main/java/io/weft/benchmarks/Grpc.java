package io.weft.benchmarks;

import com.google.protobuf.Any;
import com.google.protobuf.UInt32Value;
import io.envoyproxy.envoy.config.core.v3.Locality;
import io.envoyproxy.envoy.config.endpoint.v3.ClusterLoadAssignment;
import io.envoyproxy.envoy.config.listener.v3.ApiListener;
import io.envoyproxy.envoy.config.listener.v3.Listener;
import io.weft.benchmarks.Pair.Window;
import io.weft.it.harness.JvmCommand;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.Routes;
import io.weft.it.harness.Testbed;
import java.net.InetSocketAddress;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/**
 * What it costs a client of gRPC-Java to be led by the agent, over what its own xDS costs it: unary calls, two clusters by weight, round robin in each, by the same
 * control plane. Beside both, a client without a mesh, whose app knows the servers.
 *
 * <p>At a fixed rate, a latency counting from when its call was due, so that a call that waits for another is not left out; and as fast as two threads can.
 * The CPU is the client's alone: the same server, without the agent, serves all.
 */
final class Grpc implements Benchmark {
    private static final double BUDGET = 1.0;
    private static final int RATE = 2_000;
    private static final int WARM_UP = 8;
    private static final int TURNS = 2;

    private static final int XDS = 0;
    private static final int WEFT = 1;
    private static final int PLAIN = 2;

    @Override
    public String name() {
        return "grpc";
    }

    @Override
    public String summary() {
        return "gRPC-Java led by the agent over its own xDS (proxyless): CPU of a call, p50 and p99 at a fixed rate; beside it without a mesh";
    }

    @Override
    public void run(Settings settings, Consumer<Figure> figures) throws Exception {
        SideBySide paced = new SideBySide();
        SideBySide flatOut = new SideBySide();
        for (int round = 0; round < settings.rounds(5, 1); round++) {
            try (Testbed testbed = new Testbed()) {
                JvmProcess server = Pair.jvm(testbed, "server", settings).module(Settings.grpc()).main("io.weft.benchmarks.grpc.EchoServer", "4");
                String ports = server.nextAnswer().get("ports");
                PolicyServer policies = testbed.policyServer();
                policies.serve(policy(Stream.of(ports.split(",")).map(port -> new InetSocketAddress("127.0.0.1", Integer.parseInt(port))).toArray(InetSocketAddress[]::new)));
                Pair xds = new Pair(
                        client(Pair.jvm(testbed, "client with xDS", settings).environment("GRPC_XDS_BOOTSTRAP_CONFIG", bootstrap(policies))), server, "xds:///orders");
                Pair weft = new Pair(client(Pair.jvm(testbed, "client with agent", settings).mesh(policies.uri(), "shop")), server, "orders");
                Pair plain = new Pair(client(Pair.jvm(testbed, "client", settings)), server, "listed:///" + ports);
                int calls = settings.times(10_000, 1_000);
                for (int warmUp = 0; warmUp < settings.times(WARM_UP, 1); warmUp++) {
                    Stream.of(xds, weft, plain).forEach(pair -> pair.send(calls));
                }
                Stream.of(xds, weft, plain).forEach(pair -> pair.send(calls, RATE));
                int turns = settings.times(TURNS, 1);
                paced.round(turns, () -> xds.send(calls, RATE), () -> weft.send(calls, RATE), () -> plain.send(calls, RATE));
                flatOut.round(turns, () -> xds.send(calls), () -> weft.send(calls), () -> plain.send(calls));
                if (settings.recordings().isPresent()) {
                    Stream.of(xds, weft, plain).forEach(pair -> pair.client().stop());
                }
            }
        }
        figures.accept(figure("", paced, Window::clientMicros));
        figures.accept(figure("-flat-out", flatOut, Window::clientMicros));
        figures.accept(figure("-p50", paced, Window::p50Micros));
        figures.accept(figure("-p99", paced, Window::p99Micros));
    }

    private Figure figure(String suffix, SideBySide clients, ToDoubleFunction<Window> quantity) {
        Distribution ratios = clients.ratios(WEFT, XDS, quantity);
        Map<String, Object> detail = new LinkedHashMap<>();
        detail.put("rounds", ratios.size());
        detail.put("least", Distribution.round(ratios.min(), 3));
        detail.put("most", Distribution.round(ratios.max(), 3));
        detail.put("microsXds", Distribution.round(clients.median(XDS, quantity), 1));
        detail.put("microsWeft", Distribution.round(clients.median(WEFT, quantity), 1));
        detail.put("microsWithoutMesh", Distribution.round(clients.median(PLAIN, quantity), 1));
        return new Figure(name() + suffix, Distribution.round(ratios.median(), 3), "ratio", BUDGET, detail);
    }

    /** What proxyless clients ask for by name, and the agent of the same. */
    private static Policy policy(InetSocketAddress... servers) {
        Policy clusters = Policy.empty().cluster("orders-v1", Pair::patient, servers[0], servers[1]).cluster("orders-v2", Pair::patient, servers[2], servers[3]);
        return weighted(clusters, "orders-v1", "orders-v2")
                .virtualHost("orders", Routes.split(Map.of("orders-v1", 90, "orders-v2", 10)))
                .listener(Listener.newBuilder()
                        .setName("orders")
                        .setApiListener(ApiListener.newBuilder().setApiListener(Any.pack(Policy.connectionManager("outbound:80"))))
                        .build());
    }

    /** gRPC uses no locality without a weight. */
    private static Policy weighted(Policy policy, String... clusters) {
        Policy weighted = policy;
        for (String cluster : clusters) {
            ClusterLoadAssignment.Builder assignment = policy.endpoints().get(cluster).toBuilder();
            assignment.getEndpointsBuilder(0).setLocality(Locality.newBuilder().setRegion("here")).setLoadBalancingWeight(UInt32Value.of(1));
            weighted = weighted.endpoints(assignment.build());
        }
        return weighted;
    }

    private static String bootstrap(PolicyServer policies) {
        return """
                {"xds_servers": [{"server_uri": "%s", "channel_creds": [{"type": "insecure"}], "server_features": ["xds_v3"]}], "node": {"id": "shop"}}"""
                .formatted(policies.uri().getAuthority());
    }

    private static JvmProcess client(JvmCommand command) {
        return command.module(Settings.grpc()).main("io.weft.benchmarks.grpc.CallClient");
    }

    /** With the agent in both, to {@link Overhead} of it. */
    static Apps apps() {
        return new Apps(Grpc::client, command -> command.module(Settings.grpc()).main("io.weft.benchmarks.grpc.EchoServer", "1"), authority -> authority);
    }
}
