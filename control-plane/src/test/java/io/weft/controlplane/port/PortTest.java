package io.weft.controlplane.port;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import io.envoyproxy.envoy.config.core.v3.Node;
import io.envoyproxy.envoy.service.discovery.v3.AggregatedDiscoveryServiceGrpc;
import io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryRequest;
import io.envoyproxy.envoy.service.discovery.v3.DiscoveryRequest;
import io.envoyproxy.envoy.service.load_stats.v3.LoadReportingServiceGrpc;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import io.weft.controlplane.ControlPlane;
import io.weft.controlplane.ca.Pem;
import io.weft.controlplane.ca.Root;
import io.weft.controlplane.ca.RootFile;
import io.weft.controlplane.token.TokenKey;
import io.weft.controlplane.xds.DeltaClient;
import io.weft.controlplane.xds.Nodes;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.lang.management.ThreadMXBean;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The port of a control plane that demands tokens: what others can take of it. */
class PortTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String STRANGER = "127.0.0.2";
    private static final int FLOOD = 500;
    private static final int PLACES = 40;
    private static final int HANDSHAKES = 8;
    /** A flood has taken 1 MiB, the test's own end of it included. */
    private static final long HEAP = 8 << 20;
    private static final int INSTANCES = 3;
    private static final PortLimits LIMITS =
            new PortLimits(2 * PLACES, PLACES, PLACES, FLOOD, FLOOD / 2, Duration.ofSeconds(4), Duration.ofSeconds(2), INSTANCES);

    @TempDir
    private Path folder;

    private ControlPlane controlPlane;
    private TokenKey tokens;
    private final List<AutoCloseable> opened = new ArrayList<>();

    @BeforeEach
    void start() throws IOException {
        Files.writeString(folder.resolve("identity.yaml"), """
                type: MeshIdentity
                name: all
                mesh: default
                spec:
                  selector: {dataplane: {matchLabels: {}}}
                  provider: {type: Bundled, bundled: {autogenerate: {enabled: true}}}
                """);
        start(LIMITS, Optional.empty());
        tokens = TokenKey.in(folder.resolve(".weft"), Clock.systemUTC());
    }

    private void start(PortLimits limits, Optional<ControlPlane.Tls> tls) throws IOException {
        ControlPlane.Settings usual = ControlPlane.Settings.of(folder, new InetSocketAddress("127.0.0.1", 0));
        controlPlane = ControlPlane.start(
                new ControlPlane.Settings(usual.origin(), usual.listen(), usual.grace(), usual.tokens(), tls, limits));
    }

    private void restartWithTls(PortLimits limits) throws Exception {
        controlPlane.close();
        Root root = new RootFile(folder.resolve("port"), "port").at(Instant.now(), Duration.ofDays(1)).signing();
        Path chain = Files.writeString(folder.resolve("port.pem"), Pem.of(root.chain().get(0)));
        Path key = Files.writeString(folder.resolve("port.key"), Pem.of(root.key()));
        start(limits, Optional.of(new ControlPlane.Tls(chain, key)));
    }

    @AfterEach
    void stop() throws Exception {
        for (AutoCloseable each : opened) {
            each.close();
        }
        controlPlane.close();
    }

    private <T extends AutoCloseable> T open(T resource) {
        opened.add(resource);
        return resource;
    }

    private ManagedChannel channel(String from) {
        ManagedChannel channel = NettyChannelBuilder.forAddress("127.0.0.1", controlPlane.port())
                .usePlaintext()
                .localSocketPicker(new NettyChannelBuilder.LocalSocketPicker() {
                    @Override
                    public InetSocketAddress createSocketAddress(java.net.SocketAddress remote, io.grpc.Attributes attributes) {
                        return new InetSocketAddress(from, 0);
                    }
                })
                .build();
        opened.add(channel::shutdownNow);
        return channel;
    }

    /** Who hears how a stream ended. */
    private record Ending<T>(CompletableFuture<Status> status) implements StreamObserver<T> {
        Ending() {
            this(new CompletableFuture<>());
        }

        @Override
        public void onNext(T value) {}

        @Override
        public void onError(Throwable error) {
            status.complete(Status.fromThrowable(error));
        }

        @Override
        public void onCompleted() {
            status.complete(Status.OK);
        }

        Status get() throws Exception {
            return status.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        }
    }

    /** What is in use of it, the sockets of this test included. */
    private static long heap() {
        System.gc();
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }

    private static boolean hasListener(DeltaClient client, int port) {
        return client.listener("self_inbound_dp_" + port) != null;
    }

    @Test
    void aFloodOfStrangersKeepsNobodyFromItsPolicies() throws Exception {
        String token = tokens.issue("default", "orders", Duration.ofHours(1));
        DeltaClient before = open(new DeltaClient(controlPlane.port(), Nodes.agent("orders", "1", 8081, "v1"), token));
        await().atMost(PATIENCE).until(() -> hasListener(before, 8081));

        long heapBefore = heap();
        List<SocketChannel> flood = new ArrayList<>();
        for (int i = 0; i < FLOOD; i++) {
            SocketChannel socket = connected(STRANGER);
            socket.configureBlocking(false);
            flood.add(socket);
        }
        // Each that is served is greeted by HTTP/2's settings; those that are neither served nor in line are closed.
        Set<SocketChannel> greeted = new HashSet<>();
        Set<SocketChannel> closed = new HashSet<>();
        await().atMost(PATIENCE).until(() -> {
            look(flood, greeted, closed);
            return greeted.size() >= PLACES && closed.size() >= FLOOD - PLACES - FLOOD / 2;
        });
        assertThat(greeted).as("served before the first of them had to go").hasSize(PLACES);
        assertThat(heap() - heapBefore).as("what %d connections take of it", FLOOD).isLessThan(HEAP);

        Files.writeString(folder.resolve("timeout.yaml"), """
                type: MeshTimeout
                name: all
                spec: {to: [{targetRef: {kind: Mesh}, default: {http: {requestTimeout: 7s}}}]}
                """);
        int told = before.responses().size();
        await().atMost(LIMITS.introduction().dividedBy(2)).until(() -> before.responses().size() > told);
        DeltaClient during = open(new DeltaClient(controlPlane.port(), Nodes.agent("orders", "2", 8082, "v1"), token));
        await().atMost(PATIENCE).until(() -> hasListener(during, 8082));
        look(flood, greeted, closed);
        assertThat(closed).as("strangers are still there").hasSizeLessThan(FLOOD);

        await().atMost(PATIENCE).until(() -> {
            look(flood, greeted, closed);
            return closed.size() == FLOOD;
        });
        assertThat(before.failure()).isNull();
        assertThat(during.failure()).isNull();
    }

    private SocketChannel connected(String from) throws IOException {
        SocketChannel socket = open(SocketChannel.open());
        socket.bind(new InetSocketAddress(from, 0));
        socket.connect(new InetSocketAddress("127.0.0.1", controlPlane.port()));
        return socket;
    }

    /** What a client says first; anybody may say the same as often as he likes, and it costs only the other side. */
    private static ByteBuffer hello() throws Exception {
        SSLEngine client = SSLContext.getDefault().createSSLEngine();
        client.setUseClientMode(true);
        SSLParameters parameters = client.getSSLParameters();
        parameters.setApplicationProtocols(new String[] {"h2"});
        client.setSSLParameters(parameters);
        ByteBuffer hello = ByteBuffer.allocate(client.getSession().getPacketBufferSize());
        client.wrap(ByteBuffer.allocate(0), hello);
        return hello.flip();
    }

    private SocketChannel saysHello(String from) throws Exception {
        SocketChannel socket = connected(from);
        ByteBuffer hello = hello();
        while (hello.hasRemaining()) {
            socket.write(hello);
        }
        socket.configureBlocking(false);
        return socket;
    }

    /** More than 0: it was answered; less: it was closed. */
    private static int heard(SocketChannel socket) {
        try {
            return socket.read(ByteBuffer.allocate(1024));
        } catch (IOException e) {
            return -1;
        }
    }

    @Test
    void ofOneAddressFewShakeHandsAtOnce() throws Exception {
        restartWithTls(new PortLimits(
                2 * PLACES, PLACES, HANDSHAKES, FLOOD, FLOOD / 2, PATIENCE, PATIENCE.dividedBy(2), INSTANCES));
        List<SocketChannel> silent = new ArrayList<>();
        for (int i = 0; i < HANDSHAKES; i++) {
            silent.add(connected(STRANGER));
        }
        SocketChannel next = saysHello(STRANGER);
        SocketChannel other = saysHello("127.0.0.3");
        await().atMost(PATIENCE).until(() -> heard(other) > 0);
        assertThat(heard(next)).as("it waits for one of the first").isZero();
        silent.get(0).close();
        await().atMost(PATIENCE).until(() -> heard(next) > 0);
    }

    @Test
    void handshakesKeepNobodyFromItsPolicies() throws Exception {
        restartWithTls(new PortLimits(
                2 * PLACES, PLACES, HANDSHAKES, FLOOD, FLOOD / 2, LIMITS.introduction(), LIMITS.firstRequest(), INSTANCES));
        SocketChannel silent = connected(STRANGER);
        silent.configureBlocking(false);
        await().atMost(PATIENCE).until(() -> heard(silent) < 0);

        String token = tokens.issue("default", "orders", Duration.ofHours(1));
        DeltaClient before = open(new DeltaClient(secured(), Nodes.agent("orders", "1", 8081, "v1"), token));
        await().atMost(PATIENCE).until(() -> hasListener(before, 8081));
        AtomicBoolean over = new AtomicBoolean();
        AtomicInteger shaken = new AtomicInteger();
        ByteBuffer hello = hello();
        List<Thread> flood = new ArrayList<>();
        for (int i = 0; i < 2 * HANDSHAKES; i++) {
            Thread thread = new Thread(() -> shakeHands(hello, over, shaken));
            thread.start();
            flood.add(thread);
        }
        try {
            await().atMost(PATIENCE).until(() -> shaken.get() > HANDSHAKES);
            int told = before.responses().size();
            Files.writeString(folder.resolve("timeout.yaml"), """
                    type: MeshTimeout
                    name: all
                    spec: {to: [{targetRef: {kind: Mesh}, default: {http: {requestTimeout: 7s}}}]}
                    """);
            await().atMost(PATIENCE).until(() -> before.responses().size() > told);
            DeltaClient during = open(new DeltaClient(secured(), Nodes.agent("orders", "2", 8082, "v1"), token));
            await().atMost(PATIENCE).until(() -> hasListener(during, 8082));
            assertThat(during.failure()).isNull();
        } finally {
            over.set(true);
            for (Thread thread : flood) {
                thread.join();
            }
        }
        assertThat(cpu("weft-ads")).as("the threads of those who were let in shook no hands").isLessThan(cpu("weft-tls"));
        assertThat(before.failure()).isNull();
    }

    private NettyChannelBuilder secured() throws Exception {
        return NettyChannelBuilder.forAddress("127.0.0.1", controlPlane.port())
                .sslContext(GrpcSslContexts.forClient().trustManager(InsecureTrustManagerFactory.INSTANCE).build());
    }

    private void shakeHands(ByteBuffer hello, AtomicBoolean over, AtomicInteger shaken) {
        while (!over.get()) {
            try (SocketChannel socket = SocketChannel.open()) {
                socket.bind(new InetSocketAddress(STRANGER, 0));
                socket.connect(new InetSocketAddress("127.0.0.1", controlPlane.port()));
                socket.write(hello.duplicate());
                if (socket.read(ByteBuffer.allocate(1024)) > 0) {
                    shaken.incrementAndGet();
                }
            } catch (Exception e) {
                // Who floods takes what he gets.
                Thread.onSpinWait();
            }
        }
    }

    /** Nanoseconds of the threads that are called so. */
    private static long cpu(String name) {
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        long all = 0;
        for (ThreadInfo thread : threads.getThreadInfo(threads.getAllThreadIds())) {
            if (thread != null && thread.getThreadName().startsWith(name)) {
                all += Math.max(0, threads.getThreadCpuTime(thread.getThreadId()));
            }
        }
        return all;
    }

    private static void look(List<SocketChannel> sockets, Set<SocketChannel> greeted, Set<SocketChannel> closed) {
        ByteBuffer buffer = ByteBuffer.allocate(1024);
        for (SocketChannel socket : sockets) {
            try {
                int read = closed.contains(socket) ? 0 : socket.read(buffer.clear());
                if (read > 0) {
                    greeted.add(socket);
                } else if (read < 0) {
                    closed.add(socket);
                }
            } catch (IOException e) {
                closed.add(socket);
            }
        }
    }

    /** As many as a connection may have, of which none says a word, and others that say what proves nothing. */
    @Test
    void streamsOfStrangersEndAndSayWhy() throws Exception {
        String token = tokens.issue("default", "orders", Duration.ofHours(1));
        ManagedChannel channel = channel(STRANGER);
        List<Ending<?>> silent = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            Ending<io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryResponse> delta = new Ending<>();
            Ending<io.envoyproxy.envoy.service.discovery.v3.DiscoveryResponse> whole = new Ending<>();
            Ending<io.envoyproxy.envoy.service.load_stats.v3.LoadStatsResponse> load = new Ending<>();
            StreamObserver<DeltaDiscoveryRequest> first = AggregatedDiscoveryServiceGrpc.newStub(channel).deltaAggregatedResources(delta);
            StreamObserver<DiscoveryRequest> second = AggregatedDiscoveryServiceGrpc.newStub(channel).streamAggregatedResources(whole);
            assertThat(first).isNotEqualTo(second);
            LoadReportingServiceGrpc.newStub(channel).streamLoadStats(load);
            silent.addAll(List.of(delta, whole, load));
        }
        for (Ending<?> each : silent) {
            Status status = each.get();
            assertThat(status.getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
            assertThat(status.getDescription()).contains("came within 2 s");
        }
        Ending<io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryResponse> unproved = new Ending<>();
        AggregatedDiscoveryServiceGrpc.newStub(channel).deltaAggregatedResources(unproved)
                .onNext(DeltaDiscoveryRequest.newBuilder().setNode(Nodes.client("orders")).build());
        assertThat(unproved.get().getCode()).isEqualTo(Status.Code.UNAUTHENTICATED);
        assertThat(unproved.get().getDescription()).contains("weft token --policies FOLDER --mesh default --service orders");
        DeltaClient good = open(new DeltaClient(controlPlane.port(), Nodes.agent("orders", "1", 8081, "v1"), token));
        await().atMost(PATIENCE).until(() -> hasListener(good, 8081));
    }

    /** It would be one more mesh to make policies for, for each name that somebody thinks of. */
    @Test
    void nobodyIsNobodyInAMeshThatNobodySpeaksOf() {
        DeltaClient elsewhere = open(new DeltaClient(controlPlane.port(), Nodes.inMesh("elsewhere", Nodes.client("orders"))));
        await().atMost(PATIENCE).until(() -> elsewhere.failure() != null);
        assertThat(Status.fromThrowable(elsewhere.failure()).getCode()).isEqualTo(Status.Code.UNAUTHENTICATED);
        assertThat(controlPlane.connected()).isEmpty();
    }

    @Test
    void oneTokenHasSoManyInstances() {
        String token = tokens.issue("default", "orders", Duration.ofHours(1));
        List<DeltaClient> instances = new ArrayList<>();
        for (int i = 1; i <= INSTANCES; i++) {
            instances.add(open(new DeltaClient(controlPlane.port(), Nodes.agent("orders", "" + i, 8080 + i, "v1"), token)));
        }
        await().atMost(PATIENCE).until(() -> controlPlane.connected().size() == INSTANCES);
        DeltaClient more = open(new DeltaClient(controlPlane.port(), Nodes.agent("orders", "9", 8089, "v1"), token));
        await().atMost(PATIENCE).until(() -> more.failure() != null);
        assertThat(Status.fromThrowable(more.failure()).getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
        assertThat(more.failure()).hasMessageContaining("of service orders has 3 instances").hasMessageContaining("--instances-per-token");
        DeltaClient other = open(new DeltaClient(controlPlane.port(), Nodes.agent("orders", "9", 8089, "v1"),
                tokens.issue("default", "orders", Duration.ofHours(1))));
        await().atMost(PATIENCE).until(() -> hasListener(other, 8089));
        assertThat(instances).allSatisfy(each -> assertThat(each.failure()).isNull());
    }

    @Test
    void oneTokenHasSoManyConnections() {
        String token = tokens.issue("default", "orders", Duration.ofHours(1));
        List<DeltaClient> clients = new ArrayList<>();
        for (int i = 0; i < LIMITS.connectionsOfOneToken(); i++) {
            clients.add(open(new DeltaClient(controlPlane.port(), Nodes.agent("orders", "1", 8081, "v1"), token)));
        }
        await().atMost(PATIENCE).until(() -> clients.stream().allMatch(each -> hasListener(each, 8081)));
        DeltaClient more = open(new DeltaClient(controlPlane.port(), Nodes.agent("orders", "1", 8081, "v1"), token));
        await().atMost(PATIENCE).until(() -> more.failure() != null);
        assertThat(more.failure()).hasMessageContaining("has 12 connections");
        clients.get(0).close();
        await().atMost(PATIENCE).until(() -> {
            DeltaClient again = open(new DeltaClient(controlPlane.port(), Nodes.agent("orders", "1", 8081, "v1"), token));
            await().atMost(PATIENCE).until(() -> again.failure() != null || hasListener(again, 8081));
            return again.failure() == null;
        });
    }

    /** Many such, or one that is never whole, would fill the memory. */
    @Test
    void requestsGetAShareOfTheMemory() throws Exception {
        // A quarter of an eighth is for one address.
        int share = 128 << 10;
        try (Connections connections = new Connections(LIMITS, share * 32)) {
            NettyServerBuilder port = NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", 0));
            connections.guard(port, Runnable::run);
            Server server = port.addService(new AggregatedDiscoveryServiceGrpc.AggregatedDiscoveryServiceImplBase() {
                        @Override
                        public StreamObserver<DiscoveryRequest> streamAggregatedResources(
                                StreamObserver<io.envoyproxy.envoy.service.discovery.v3.DiscoveryResponse> responses) {
                            return new StreamObserver<>() {
                                @Override
                                public void onNext(DiscoveryRequest request) {
                                    responses.onCompleted();
                                }

                                @Override
                                public void onError(Throwable error) {}

                                @Override
                                public void onCompleted() {}
                            };
                        }
                    })
                    .intercept(connections.interceptor())
                    .build()
                    .start();
            try {
                for (int round = 0; round < 20; round++) {
                    assertThat(sent(server.getPort(), share / 2).getCode()).isEqualTo(Status.Code.OK);
                }
                assertThat(sent(server.getPort(), share * 2).getCode()).isEqualTo(Status.Code.UNAVAILABLE);
                await().atMost(PATIENCE).until(() -> connections.served() == 0);
                assertThat(sent(server.getPort(), share / 2).getCode()).isEqualTo(Status.Code.OK);
            } finally {
                server.shutdownNow().awaitTermination();
            }
        }
    }

    private static Status sent(int port, int size) throws Exception {
        ManagedChannel channel = NettyChannelBuilder.forAddress("127.0.0.1", port).usePlaintext().build();
        try {
            Ending<io.envoyproxy.envoy.service.discovery.v3.DiscoveryResponse> ending = new Ending<>();
            AggregatedDiscoveryServiceGrpc.newStub(channel).streamAggregatedResources(ending)
                    .onNext(DiscoveryRequest.newBuilder().setVersionInfo("x".repeat(size)).build());
            return ending.get();
        } finally {
            channel.shutdownNow();
        }
    }

    @Test
    void aNodeIsNoLongerThanAName() {
        Node node = Nodes.client("batch");
        Struct large = Struct.newBuilder()
                .putFields("x", Value.newBuilder().setStringValue("x".repeat(600 << 10)).build()).build();
        for (Node bad : List.of(
                node.toBuilder().setId("default." + "x".repeat(512)).build(),
                node.toBuilder().setId("default.b\u00e4tch").build(),
                node.toBuilder().setId("default.a batch").build(),
                node.toBuilder().setCluster("x".repeat(513)).build(),
                node.toBuilder().setMetadata(large).build())) {
            DeltaClient client = open(new DeltaClient(controlPlane.port(), bad, tokens.issue("default", "batch", Duration.ofHours(1))));
            await().atMost(PATIENCE).until(() -> client.failure() != null);
            assertThat(Status.fromThrowable(client.failure()).getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
            assertThat(client.failure()).isInstanceOf(StatusRuntimeException.class).hasMessageContaining("node");
        }
        assertThat(Optional.of(controlPlane.connected())).hasValue(List.of());
    }
}
