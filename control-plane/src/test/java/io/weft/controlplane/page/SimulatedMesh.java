package io.weft.controlplane.page;

import com.google.protobuf.Duration;
import io.envoyproxy.envoy.config.core.v3.Address;
import io.envoyproxy.envoy.config.core.v3.Node;
import io.envoyproxy.envoy.config.core.v3.SocketAddress;
import io.envoyproxy.envoy.config.endpoint.v3.ClusterStats;
import io.envoyproxy.envoy.config.endpoint.v3.EndpointLoadMetricStats;
import io.envoyproxy.envoy.config.endpoint.v3.UpstreamEndpointStats;
import io.envoyproxy.envoy.config.endpoint.v3.UpstreamLocalityStats;
import io.envoyproxy.envoy.service.load_stats.v3.LoadReportingServiceGrpc;
import io.envoyproxy.envoy.service.load_stats.v3.LoadStatsRequest;
import io.envoyproxy.envoy.service.load_stats.v3.LoadStatsResponse;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import io.weft.controlplane.ControlPlane;
import io.weft.controlplane.rollout.FolderRoutes;
import io.weft.controlplane.token.TokenKey;
import io.weft.controlplane.xds.DeltaClient;
import io.weft.controlplane.xds.Nodes;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * A real control plane with its page, and data planes that speak xDS and report load to it as agents do; only the requests that they
 * report are made up.
 */
final class SimulatedMesh implements AutoCloseable {

    private static final List<Double> BOUNDS = List.of(0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0);

    final ControlPlane controlPlane;
    final PageServer page;
    final Path folder;
    private final List<AutoCloseable> opened = new ArrayList<>();

    SimulatedMesh(Path folder) throws IOException {
        this(folder, new InetSocketAddress("127.0.0.1", 0));
    }

    private SimulatedMesh(Path folder, InetSocketAddress listen) throws IOException {
        this.folder = folder;
        controlPlane = ControlPlane.start(ControlPlane.Settings.of(folder, new InetSocketAddress("127.0.0.1", 0)));
        page = PageServer.start(
                new PageServer.Settings(listen, Set.of("mesh.example"), Optional.empty(), controlPlane::isOperator),
                controlPlane,
                Optional.of(new FolderRoutes(folder)));
    }

    String token() throws IOException {
        return TokenKey.in(folder.resolve(".weft"), Clock.systemUTC()).issueForOperator(java.time.Duration.ofHours(1));
    }

    /** A service's instance, connected until the mesh is closed. */
    DeltaClient instance(String service, String suffix, int port, String version, String... refused) {
        return instance(Nodes.agent(service, suffix, port, version), refused);
    }

    DeltaClient instance(Node node, String... refused) {
        DeltaClient client = new DeltaClient(controlPlane.port(), node, "", refused);
        opened.add(client);
        return client;
    }

    /** Of one node. */
    Reports reports(Node node) throws InterruptedException {
        Reports reports = new Reports(controlPlane.port(), node);
        opened.add(reports);
        return reports;
    }

    @Override
    public void close() throws Exception {
        for (AutoCloseable each : opened) {
            each.close();
        }
        page.close();
        controlPlane.close();
    }

    /** The stream of one node's load reports, which has been asked for load. */
    static final class Reports implements AutoCloseable {
        private final ManagedChannel channel;
        private final StreamObserver<LoadStatsRequest> stream;

        Reports(int port, Node node) throws InterruptedException {
            channel = NettyChannelBuilder.forAddress("127.0.0.1", port).usePlaintext().build();
            CountDownLatch asked = new CountDownLatch(1);
            stream = LoadReportingServiceGrpc.newStub(channel).streamLoadStats(new StreamObserver<>() {
                @Override
                public void onNext(LoadStatsResponse value) {
                    asked.countDown();
                }

                @Override
                public void onError(Throwable error) {}

                @Override
                public void onCompleted() {}
            });
            stream.onNext(LoadStatsRequest.newBuilder().setNode(node).build());
            if (!asked.await(30, TimeUnit.SECONDS)) {
                throw new IllegalStateException("nobody asked for load");
            }
        }

        /** @param endpoints what became of the requests to each, by its port */
        void send(String cluster, List<Endpoint> endpoints, Map<String, Double> typicalMillis) {
            UpstreamLocalityStats.Builder locality = UpstreamLocalityStats.newBuilder();
            Map<String, Long> requests = new java.util.TreeMap<>();
            for (Endpoint endpoint : endpoints) {
                requests.merge(endpoint.version(), (long) endpoint.successes() + endpoint.errors(), Long::sum);
                UpstreamEndpointStats.Builder stats = UpstreamEndpointStats.newBuilder()
                        .setAddress(Address.newBuilder().setSocketAddress(
                                SocketAddress.newBuilder().setAddress("127.0.0.1").setPortValue(endpoint.port())))
                        .setTotalSuccessfulRequests(endpoint.successes())
                        .setTotalErrorRequests(endpoint.errors());
                if (endpoint.secured()) {
                    stats.addLoadMetricStats(metric("weft.mtls", 1));
                }
                if (endpoint.ejected()) {
                    stats.addLoadMetricStats(metric("weft.ejected", 1));
                }
                locality.addUpstreamEndpointStats(stats);
            }
            requests.forEach((version, count) -> {
                double typical = typicalMillis.getOrDefault(version, 5.0);
                latency(locality, version, typical, count * 60 / 100);
                latency(locality, version, typical * 2, count * 37 / 100);
                latency(locality, version, typical * 5, count - count * 60 / 100 - count * 37 / 100);
            });
            stream.onNext(LoadStatsRequest.newBuilder()
                    .addClusterStats(ClusterStats.newBuilder()
                            .setClusterName(cluster)
                            .addUpstreamLocalityStats(locality)
                            .setLoadReportInterval(Duration.newBuilder().setSeconds(5)))
                    .build());
        }

        /** What callers see of it, or, of {@code weft.inbound}, what the service says itself. */
        void send(String cluster, String metric, long requests) {
            stream.onNext(LoadStatsRequest.newBuilder()
                    .addClusterStats(ClusterStats.newBuilder()
                            .setClusterName(cluster)
                            .addUpstreamLocalityStats(UpstreamLocalityStats.newBuilder()
                                    .addUpstreamEndpointStats(UpstreamEndpointStats.getDefaultInstance())
                                    .addLoadMetricStats(metric(metric, requests))))
                    .build());
        }

        private static void latency(UpstreamLocalityStats.Builder locality, String version, double millis, long count) {
            if (count > 0) {
                String bound = BOUNDS.stream().filter(each -> each >= millis).findFirst()
                        .map(each -> each == Math.rint(each) ? Long.toString(each.longValue()) : each.toString()).orElse("inf");
                String suffix = version.isEmpty() ? "" : ",version=\"" + version + "\"";
                locality.addLoadMetricStats(metric("weft.latency_ms{le=\"" + bound + "\"" + suffix + "}", count));
            }
        }

        private static EndpointLoadMetricStats metric(String name, long requests) {
            return EndpointLoadMetricStats.newBuilder()
                    .setMetricName(name)
                    .setNumRequestsFinishedWithMetric(requests)
                    .setTotalMetricValue(requests)
                    .build();
        }

        @Override
        public void close() {
            channel.shutdownNow();
        }
    }

    record Endpoint(int port, String version, int successes, int errors, boolean secured, boolean ejected) {
        static Endpoint of(int port, String version, int successes, int errors) {
            return new Endpoint(port, version, successes, errors, true, false);
        }
    }

    static final String CANARY = """
            # Who changes this knows why: ask the orders team first.
            type: MeshHTTPRoute
            name: orders-canary
            mesh: default
            spec:
              targetRef: {kind: Mesh}
              to:
              - targetRef: {kind: MeshService, name: orders}
                rules:
                - matches: [{path: {type: PathPrefix, value: /}}]
                  default:
                    backendRefs:
                    - {kind: MeshServiceSubset, name: orders, tags: {version: v1}, weight: 90} # the one from March
                    - {kind: MeshServiceSubset, name: orders, tags: {version: v2}, weight: 10}
            """;

    /** Some shops' traffic, in which one version fails and one instance is left out. */
    static final class Shop implements AutoCloseable {
        final SimulatedMesh mesh;
        private final List<Reports> callers = new ArrayList<>();
        private int round;

        Shop(SimulatedMesh mesh) throws Exception {
            this.mesh = mesh;
            Files.writeString(mesh.folder.resolve("orders-canary.yaml"), CANARY);
            Files.writeString(mesh.folder.resolve("broken.yaml"),
                    "type: MeshHTTPRoute\nname: broken\nmesh: default\nspec: {to: [{targetRef: {kind: MeshService, name: stock}, rule: []}]}\n");
            mesh.instance("gateway", "1", 7001, "v3");
            mesh.instance("storefront", "1", 7101, "v1");
            mesh.instance("storefront", "2", 7102, "v1");
            mesh.instance("orders", "1", 7201, "v1");
            mesh.instance("orders", "2", 7202, "v1");
            mesh.instance("orders", "3", 7203, "v2");
            mesh.instance("stock", "1", 7301, "v1");
            mesh.instance("stock", "2", 7302, "v1");
            mesh.instance("stock", "3", 7303, "v2");
            mesh.instance("stock", "4", 7304, "v3");
            mesh.instance("payments", "1", 7401, "v5");
            mesh.instance("mail", "1", 7501, "v1");
            for (Node node : List.of(
                    Nodes.agent("gateway", "1", 7001, "v3"), Nodes.agent("storefront", "1", 7101, "v1"),
                    Nodes.agent("orders", "1", 7201, "v1"), Nodes.client("batch"),
                    Nodes.agent("mail", "1", 7501, "v1"))) {
                callers.add(mesh.reports(node));
            }
            opened(mesh);
        }

        private static void opened(SimulatedMesh mesh) {
            mesh.opened.add(new DeltaClient(mesh.controlPlane.port(), Nodes.client("batch"), ""));
        }

        /** Five seconds' worth, a little different each time. */
        void report() {
            int wave = (int) (20 * Math.sin(round++ / 7.0));
            String orders = "kri_msvc_default___orders_80";
            callers.get(0).send("kri_msvc_default___storefront_80", List.of(
                    Endpoint.of(7101, "v1", 640 + 4 * wave, 0), Endpoint.of(7102, "v1", 610 + 4 * wave, 0)), Map.of("v1", 20.0));
            callers.get(1).send(orders, List.of(
                    Endpoint.of(7201, "v1", 300 + 2 * wave, 0), Endpoint.of(7202, "v1", 295 + 2 * wave, 0),
                    Endpoint.of(7203, "v2", 60 + wave, 3)), Map.of("v1", 5.0, "v2", 45.0));
            callers.get(1).send("kri_msvc_default___stock_80", List.of(
                    Endpoint.of(7301, "v1", 410 + wave, 0), new Endpoint(7302, "v1", 2, 9, true, true),
                    Endpoint.of(7303, "v2", 120 + wave, 0), Endpoint.of(7304, "v3", 60 - wave, 0)), Map.of("v1", 2.0, "v2", 4.0, "v3", 20.0));
            callers.get(2).send("kri_msvc_default___payments_80", List.of(
                    Endpoint.of(7401, "v5", 120 + wave, 0)), Map.of("v5", 90.0));
            callers.get(2).send("kri_msvc_default___mail_80", List.of(
                    new Endpoint(7501, "v1", 40, 0, false, false)), Map.of("v1", 8.0));
            callers.get(2).send("kri_msvc_default___mail_80", "weft.answers_refused{version=\"v1\"}", 12);
            callers.get(2).send("kri_msvc_default___mail_80", "weft.answers_4xx{version=\"v1\"}", 2);
            callers.get(4).send("weft.inbound", "weft.refused{by=\"rate-limit\"}", 11);
            callers.get(4).send("weft.inbound", "weft.refused{by=\"permission\"}", 1);
            callers.get(3).send(orders, List.of(
                    Endpoint.of(7201, "v1", 30, 0), Endpoint.of(7203, "v2", 4, 0)), Map.of("v1", 5.0, "v2", 45.0));
        }

        @Override
        public void close() throws Exception {
            mesh.close();
        }
    }

    /** To look at: {@code FOLDER PORT}; ends with the process. */
    public static void main(String[] arguments) throws Exception {
        SimulatedMesh mesh = new SimulatedMesh(Path.of(arguments[0]), new InetSocketAddress("127.0.0.1", Integer.parseInt(arguments[1])));
        Shop shop = new Shop(mesh);
        System.out.println(mesh.token());
        while (true) {
            shop.report();
            Thread.sleep(5_000);
        }
    }
}
