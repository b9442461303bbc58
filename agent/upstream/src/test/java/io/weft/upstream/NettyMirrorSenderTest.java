package io.weft.upstream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerMethodDefinition;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.netty.NettyServerBuilder;
import io.weft.dataplane.ClusterStats;
import io.weft.dataplane.DataPlane;
import io.weft.dataplane.Exchange;
import io.weft.dataplane.Exchange.Step;
import io.weft.dataplane.RequestCopy;
import io.weft.dataplane.Self;
import io.weft.dataplane.TimerThread;
import io.weft.policy.model.Cluster;
import io.weft.policy.model.EndpointAssignment;
import io.weft.policy.model.EndpointAssignment.Health;
import io.weft.policy.model.EndpointAssignment.LbEndpoint;
import io.weft.policy.model.EndpointAssignment.Locality;
import io.weft.policy.model.EndpointAssignment.LocalityEndpoints;
import io.weft.policy.model.FilterChain;
import io.weft.policy.model.FilterOverrides;
import io.weft.policy.model.HeaderChanges;
import io.weft.policy.model.HostPort;
import io.weft.policy.model.HttpConnectionManager;
import io.weft.policy.model.HttpVersion;
import io.weft.policy.model.Listener;
import io.weft.policy.model.LoadBalancing;
import io.weft.policy.model.MirrorPolicy;
import io.weft.policy.model.NameTable;
import io.weft.policy.model.PolicySnapshot;
import io.weft.policy.model.Resending;
import io.weft.policy.model.Resilience;
import io.weft.policy.model.Route;
import io.weft.policy.model.RouteAction;
import io.weft.policy.model.RouteConfiguration;
import io.weft.policy.model.RouteMatch;
import io.weft.policy.model.RoutingPriority;
import io.weft.policy.model.TransportSockets;
import io.weft.policy.model.VirtualHost;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Against real servers: the JDK's, grpc-java's, and a port where nobody answers. */
class NettyMirrorSenderTest {
    private static final InetAddress LOOPBACK = InetAddress.getLoopbackAddress();

    private final List<AutoCloseable> opened = new ArrayList<>();
    private final ConcurrentLinkedQueue<String> received = new ConcurrentLinkedQueue<>();
    private final Set<Integer> clientPorts = ConcurrentHashMap.newKeySet();

    private final ConcurrentLinkedQueue<Throwable> faults = new ConcurrentLinkedQueue<>();

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable resource : opened) {
            resource.close();
        }
        assertThat(faults).isEmpty();
    }

    private void fault(String where, Throwable fault) {
        faults.add(fault);
    }

    private static EndpointAssignment assignment(String cluster, int port) {
        LbEndpoint endpoint =
                new LbEndpoint(new HostPort(LOOPBACK.getHostAddress(), port), "", 1, Health.HEALTHY, Map.of(), Map.of());
        return new EndpointAssignment(
                cluster,
                List.of(new LocalityEndpoints(Locality.UNKNOWN, 0, 0, List.of(endpoint))),
                EndpointAssignment.DEFAULT_OVERPROVISIONING_FACTOR,
                false);
    }

    private static Cluster cluster(String name, HttpVersion http) {
        return new Cluster(
                name, new Cluster.Eds(name), LoadBalancing.of(LoadBalancing.RoundRobin.DEFAULT), Resilience.DEFAULT,
                TransportSockets.PLAINTEXT, http, false, Map.of());
    }

    /** What goes to {@code orders}, where nobody needs to be, is mirrored to the port. */
    private DataPlane mesh(int port, HttpVersion http, Duration timeout) {
        RouteAction.Forward forward = new RouteAction.Forward(
                RouteAction.ClusterChoice.of(RouteAction.WeightedCluster.of("orders", 1)),
                RouteAction.Rewrite.NONE,
                Resending.of(MirrorPolicy.to("shadow")),
                RouteAction.Timeouts.of(timeout),
                List.of(),
                Map.of(),
                RoutingPriority.DEFAULT);
        Route route = new Route(
                "",
                new RouteMatch(new RouteMatch.Prefix("/"), true, List.of(), List.of(), Optional.empty(), false),
                forward,
                HeaderChanges.NONE,
                FilterOverrides.NONE);
        VirtualHost host = new VirtualHost(
                "orders", List.of("orders"), List.of(route), false, VirtualHost.AttemptCount.NOWHERE, Resending.NONE, HeaderChanges.NONE,
                FilterOverrides.NONE);
        Listener listener = new Listener(
                "l", Listener.Kind.OUTBOUND, new HostPort("0.0.0.0", 80),
                List.of(FilterChain.plaintext(new HttpConnectionManager(
                        "", new HttpConnectionManager.Named("routes"), List.of(), HttpConnectionManager.Edge.NONE,
                        HttpConnectionManager.StreamLimits.NONE))));
        DataPlane mesh = DataPlane.start(
                Duration.ZERO,
                new TimerThread(this::fault),
                this::fault,
                Self.UNKNOWN);
        mesh.mirrorsBy(new NettyMirrorSender(new UpstreamThread()));
        mesh.apply(new PolicySnapshot(
                1,
                Map.of("l", listener),
                Map.of("routes", new RouteConfiguration("routes", List.of(host), false, false, HeaderChanges.NONE, FilterOverrides.NONE)),
                Map.of("orders", cluster("orders", HttpVersion.HTTP_1_1), "shadow", cluster("shadow", http)),
                Map.of("orders", assignment("orders", 9), "shadow", assignment("shadow", port)),
                Map.of(),
                NameTable.EMPTY,
                List.of()));
        return mesh;
    }

    private static void send(DataPlane mesh, String path, String body) {
        Original original = new Original(path, body);
        assertThat(mesh.claims(original)).isTrue();
        assertThat(original.next()).isEqualTo(Step.DIAL);
        original.end();
    }

    private static ClusterStats shadow(DataPlane mesh) {
        return mesh.stats().stream().filter(stats -> stats.name().equals("shadow")).findFirst().orElseThrow();
    }

    private static void awaitAnswers(DataPlane mesh, long successes, long failures) {
        await().atMost(Duration.ofSeconds(30)).untilAsserted(() -> {
            assertThat(shadow(mesh).successes()).isEqualTo(successes);
            assertThat(shadow(mesh).failures()).isEqualTo(failures);
            assertThat(shadow(mesh).active()).isZero();
        });
    }

    private int http(int status) throws Exception {
        HttpServer server = HttpServer.create(new InetSocketAddress(LOOPBACK, 0), 0);
        server.createContext("/", exchange -> {
            clientPorts.add(exchange.getRemoteAddress().getPort());
            received.add(exchange.getRequestMethod() + " " + exchange.getRequestURI() + " "
                    + exchange.getRequestHeaders().getFirst("host") + " " + exchange.getRequestHeaders().getFirst("x-a") + " "
                    + new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
            exchange.sendResponseHeaders(status, 100_000);
            exchange.getResponseBody().write(new byte[100_000]);
            exchange.close();
        });
        server.start();
        opened.add(() -> server.stop(0));
        return server.getAddress().getPort();
    }

    @Test
    void oneConnectionForOneAfterTheOther() throws Exception {
        DataPlane mesh = mesh(http(200), HttpVersion.HTTP_1_1, Duration.ofSeconds(30));
        for (int i = 1; i <= 5; i++) {
            send(mesh, "/" + i, "body " + i);
            awaitAnswers(mesh, i, 0);
        }

        assertThat(received).containsExactly(
                "POST /1 orders-shadow b body 1", "POST /2 orders-shadow b body 2", "POST /3 orders-shadow b body 3",
                "POST /4 orders-shadow b body 4", "POST /5 orders-shadow b body 5");
        assertThat(clientPorts).hasSize(1);
    }

    @Test
    void manyAtOnce() throws Exception {
        DataPlane mesh = mesh(http(503), HttpVersion.HTTP_1_1, Duration.ofSeconds(30));
        for (int i = 0; i < 100; i++) {
            send(mesh, "/" + i, "");
        }

        awaitAnswers(mesh, 0, 100);
        assertThat(received).hasSize(100);
    }

    @Test
    void nobodyThere() throws Exception {
        // Bound, so that nobody else listens there.
        Socket taken = new Socket();
        taken.bind(new InetSocketAddress(LOOPBACK, 0));
        opened.add(taken);
        int port = taken.getLocalPort();
        DataPlane mesh = mesh(port, HttpVersion.HTTP_1_1, Duration.ofSeconds(30));
        send(mesh, "/", "");
        awaitAnswers(mesh, 0, 1);

        DataPlane http2 = mesh(port, HttpVersion.HTTP_2, Duration.ofSeconds(30));
        send(http2, "/", "");
        awaitAnswers(http2, 0, 1);
    }

    @Test
    void whoNeverAnswersIsGivenUpInTheOriginalsTime() throws Exception {
        ServerSocket silent = new ServerSocket(0, 50, LOOPBACK);
        opened.add(silent);
        DataPlane mesh = mesh(silent.getLocalPort(), HttpVersion.HTTP_1_1, Duration.ofMillis(200));
        send(mesh, "/", "");
        awaitAnswers(mesh, 0, 1);

        DataPlane http2 = mesh(silent.getLocalPort(), HttpVersion.HTTP_2, Duration.ofMillis(200));
        send(http2, "/", "");
        awaitAnswers(http2, 0, 1);
    }

    @Test
    void http2OverOneConnection() throws Exception {
        var server = NettyServerBuilder.forAddress(new InetSocketAddress(LOOPBACK, 0))
                .addService(ServerServiceDefinition.builder("shop.Orders")
                        .addMethod(ServerMethodDefinition.create(
                                MethodDescriptor.<byte[], byte[]>newBuilder(Bytes.INSTANCE, Bytes.INSTANCE)
                                        .setType(MethodDescriptor.MethodType.UNARY)
                                        .setFullMethodName("shop.Orders/Take")
                                        .build(),
                                recording()))
                        .build())
                .build()
                .start();
        opened.add(server::shutdownNow);
        DataPlane mesh = mesh(server.getPort(), HttpVersion.HTTP_2, Duration.ofSeconds(30));
        // A gRPC message: not compressed, four bytes.
        String message = "\0\0\0\0\4take";
        for (int i = 0; i < 20; i++) {
            send(mesh, "/shop.Orders/Take", message);
        }

        awaitAnswers(mesh, 20, 0);
        assertThat(received).hasSize(20).allMatch("orders-shadow take b"::equals);
        assertThat(clientPorts).hasSize(1);
    }

    private ServerCallHandler<byte[], byte[]> recording() {
        return (call, headers) -> {
            clientPorts.add(((InetSocketAddress) call.getAttributes().get(io.grpc.Grpc.TRANSPORT_ATTR_REMOTE_ADDR)).getPort());
            call.request(2);
            return new ServerCall.Listener<>() {
                @Override
                public void onMessage(byte[] message) {
                    received.add(call.getAuthority() + " " + new String(message, StandardCharsets.UTF_8) + " "
                            + headers.get(Metadata.Key.of("x-a", Metadata.ASCII_STRING_MARSHALLER)));
                }

                @Override
                public void onHalfClose() {
                    call.sendHeaders(new Metadata());
                    call.sendMessage(new byte[200_000]);
                    call.close(Status.OK, new Metadata());
                }
            };
        };
    }

    private enum Bytes implements MethodDescriptor.Marshaller<byte[]> {
        INSTANCE;

        @Override
        public InputStream stream(byte[] value) {
            return new ByteArrayInputStream(value);
        }

        @Override
        public byte[] parse(InputStream stream) {
            try {
                return stream.readAllBytes();
            } catch (java.io.IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        }
    }

    private static final class Original extends Exchange {
        private final String path;
        private final byte[] body;

        Original(String path, String body) {
            this.path = path;
            this.body = body.getBytes(StandardCharsets.ISO_8859_1);
        }

        @Override
        public String method() {
            return "POST";
        }

        @Override
        public String scheme() {
            return "http";
        }

        @Override
        public String authority() {
            return "orders";
        }

        @Override
        public String path() {
            return path;
        }

        @Override
        public String header(String name) {
            return null;
        }

        @Override
        public Replay replay() {
            return Replay.REPEATABLE;
        }

        @Override
        protected RequestCopy copy(int maxBodyBytes) {
            return new RequestCopy(
                    List.of(
                            Map.entry("X-A", "b"), Map.entry("Content-Type", "application/grpc"), Map.entry("TE", "trailers"),
                            Map.entry("Host", "orders")),
                    body);
        }
    }
}
