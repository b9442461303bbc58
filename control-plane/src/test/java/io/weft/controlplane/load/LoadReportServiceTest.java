package io.weft.controlplane.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

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
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import io.weft.controlplane.ControlPlane;
import io.weft.controlplane.token.TokenKey;
import io.weft.controlplane.xds.DeltaClient;
import io.weft.controlplane.xds.Nodes;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Envoy's load reporting service over the wire: who may report, and what is taken of it. */
class LoadReportServiceTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String ORDERS = "kri_msvc_default___orders_80";
    private static final Edge EDGE = new Edge("default", "shop", "orders", "");

    @TempDir
    private Path folder;

    private ControlPlane controlPlane;

    @BeforeEach
    void start() throws IOException {
        Files.writeString(folder.resolve("identity.yaml"), """
                type: MeshIdentity
                name: everyone
                mesh: default
                spec:
                  selector: {dataplane: {matchLabels: {}}}
                  provider: {type: Bundled, bundled: {autogenerate: {enabled: true}}}
                """);
        controlPlane = ControlPlane.start(ControlPlane.Settings.of(folder, new InetSocketAddress("127.0.0.1", 0)));
    }

    @AfterEach
    void stop() throws IOException {
        controlPlane.close();
    }

    @Test
    void whoHasItsTokenIsAskedForAllThatThereIs() throws Exception {
        try (DeltaClient orders = new DeltaClient(controlPlane.port(), Nodes.agent("orders", "1", 7201, "v1"), token("orders"));
                DeltaClient shop = new DeltaClient(controlPlane.port(), Nodes.client("shop"), token("shop"));
                Call call = new Call(Optional.of(token("shop")))) {
            await().atMost(PATIENCE).until(() -> shop.responses().stream()
                    .anyMatch(response -> response.getResourcesList().stream().anyMatch(cluster -> cluster.getName().equals(ORDERS))));
            call.send(Nodes.client("shop"));
            await().atMost(PATIENCE).until(() -> !call.asked.isEmpty());
            assertThat(call.asked.get(0).getSendAllClusters()).isTrue();
            assertThat(call.asked.get(0).getReportEndpointGranularity()).isTrue();
            assertThat(call.asked.get(0).getLoadReportingInterval().getSeconds()).isEqualTo(LoadWindow.STEP.toSeconds());

            // What a cluster stands for is known a moment after it has been sent.
            await().atMost(PATIENCE).until(() -> {
                call.send("no-such-cluster", 100);
                call.send(ORDERS, 7, "weft.latency_ms{le=\"5\"}", "weft.latency_ms{le=\"inf\"}", "weft.latency_ms{le=\"1.2.3\"}", "other");
                return total().successes() > 0;
            });

            assertThat(controlPlane.load().edges("default")).containsExactly(EDGE);
            Load total = total();
            long reports = total.successes() / 7;
            assertThat(total.successes()).isEqualTo(7 * reports);
            assertThat(total.latencies()[Latencies.bucket(5)]).isEqualTo(reports);
            assertThat(total.latencies()[Latencies.BUCKETS - 1]).as("without a bound, and with none that is a number")
                    .isEqualTo(2 * reports);
        }
    }

    /** A service that has been taken over may say what it likes, but not in terms that nobody else could check or hold. */
    @Test
    void whatThereIsNotAndWhatCannotBeIsNotTaken() throws Exception {
        try (DeltaClient orders = new DeltaClient(controlPlane.port(), Nodes.agent("orders", "1", 7201, "v1"), token("orders"));
                DeltaClient shop = new DeltaClient(controlPlane.port(), Nodes.client("shop"), token("shop"));
                Call call = new Call(Optional.of(token("shop")))) {
            await().atMost(PATIENCE).until(() -> shop.responses().stream()
                    .anyMatch(response -> response.getResourcesList().stream().anyMatch(cluster -> cluster.getName().equals(ORDERS))));
            call.send(Nodes.client("shop"));
            // Before a good one, so that they have been read once that has.
            await().atMost(PATIENCE).until(() -> {
                call.send(ClusterStats.newBuilder()
                        .addUpstreamLocalityStats(UpstreamLocalityStats.newBuilder()
                                .addUpstreamEndpointStats(endpoint("127.0.0.1", 7201, -1, Long.MAX_VALUE))
                                .addUpstreamEndpointStats(endpoint("10.9.9.9", 80, 0, 1))
                                .addLoadMetricStats(EndpointLoadMetricStats.newBuilder()
                                        .setMetricName("weft.latency_ms{le=\"5\",version=\"v-made-up\"}")
                                        .setNumRequestsFinishedWithMetric(1)))
                        .setTotalDroppedRequests(-5));
                call.send(ORDERS, 7);
                return total().successes() > 0;
            });

            assertThat(controlPlane.load().edges("default"))
                    .containsExactly(EDGE, new Edge("default", "shop", "orders", "v1"));
            assertThat(controlPlane.load().instances("default")).containsOnlyKeys("127.0.0.1:7201");
            Load said = controlPlane.load().instances("default").get("127.0.0.1:7201").load();
            assertThat(said.successes()).isZero();
            assertThat(said.errors()).isBetween(1L, 1_000_000_000L);
            assertThat(total().dropped()).isZero();
        }
    }

    @Test
    void aNameThatWouldFillTheMemoryIsRefused() throws Exception {
        try (Call call = new Call(Optional.of(token("shop")))) {
            call.send(Nodes.client("shop").toBuilder().setId("default." + "x".repeat(10_000)).build());
            await().atMost(PATIENCE).until(() -> call.failure != null);
            assertThat(Status.fromThrowable(call.failure).getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
        }
    }

    private static UpstreamEndpointStats endpoint(String host, int port, long successes, long errors) {
        return UpstreamEndpointStats.newBuilder()
                .setAddress(Address.newBuilder().setSocketAddress(SocketAddress.newBuilder().setAddress(host).setPortValue(port)))
                .setTotalSuccessfulRequests(successes)
                .setTotalErrorRequests(errors)
                .build();
    }

    private Load total() {
        Load sum = Load.NONE;
        for (Load load : controlPlane.load().series(EDGE, LoadWindow.LENGTH)) {
            sum = sum.plus(load);
        }
        return sum;
    }

    @Test
    void whoHasNoneOrAnothersIsRefused() throws Exception {
        try (Call without = new Call(Optional.empty()); Call other = new Call(Optional.of(token("orders")))) {
            without.send(Nodes.client("shop"));
            other.send(Nodes.client("shop"));
            await().atMost(PATIENCE).until(() -> without.failure != null && other.failure != null);

            assertThat(Status.fromThrowable(without.failure).getCode()).isEqualTo(Status.Code.UNAUTHENTICATED);
            assertThat(Status.fromThrowable(other.failure).getCode()).isEqualTo(Status.Code.PERMISSION_DENIED);
            assertThat(controlPlane.load().meshes()).isEmpty();
        }
    }

    @Test
    void whoDoesNotSayWhoItIsIsRefused() throws Exception {
        try (Call call = new Call(Optional.of(token("shop")))) {
            call.send(Node.getDefaultInstance());
            await().atMost(PATIENCE).until(() -> call.failure != null);
            assertThat(Status.fromThrowable(call.failure).getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
        }
    }

    private String token(String service) throws IOException {
        return TokenKey.in(folder.resolve(".weft"), Clock.systemUTC()).issue("default", service, Duration.ofHours(1));
    }

    private final class Call implements AutoCloseable {
        private final ManagedChannel channel;
        private final StreamObserver<LoadStatsRequest> stream;
        private final List<LoadStatsResponse> asked = new CopyOnWriteArrayList<>();
        private volatile Throwable failure;

        Call(Optional<String> token) {
            Metadata headers = new Metadata();
            token.ifPresent(text -> headers.put(
                    Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER), "Bearer " + text));
            channel = NettyChannelBuilder.forAddress("127.0.0.1", controlPlane.port()).usePlaintext()
                    .intercept(MetadataUtils.newAttachHeadersInterceptor(headers)).build();
            stream = LoadReportingServiceGrpc.newStub(channel).streamLoadStats(new StreamObserver<>() {
                @Override
                public void onNext(LoadStatsResponse response) {
                    asked.add(response);
                }

                @Override
                public void onError(Throwable error) {
                    failure = error;
                }

                @Override
                public void onCompleted() {}
            });
        }

        void send(Node node) {
            stream.onNext(LoadStatsRequest.newBuilder().setNode(node).build());
        }

        /** @param metrics each of one request */
        void send(String cluster, int successes, String... metrics) {
            UpstreamLocalityStats.Builder locality = UpstreamLocalityStats.newBuilder().setTotalSuccessfulRequests(successes);
            for (String metric : metrics) {
                locality.addLoadMetricStats(EndpointLoadMetricStats.newBuilder()
                        .setMetricName(metric).setNumRequestsFinishedWithMetric(1).setTotalMetricValue(1));
            }
            send(ClusterStats.newBuilder().setClusterName(cluster).addUpstreamLocalityStats(locality));
        }

        /** @param stats of {@link #ORDERS} if nothing else is said */
        void send(ClusterStats.Builder stats) {
            if (stats.getClusterName().isEmpty()) {
                stats.setClusterName(ORDERS);
            }
            stream.onNext(LoadStatsRequest.newBuilder().addClusterStats(stats).build());
        }

        @Override
        public void close() {
            channel.shutdownNow();
        }
    }
}
