package io.weft.upstream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ServerCalls;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.weft.dataplane.ClientConnections;
import io.weft.dataplane.ClientTls;
import io.weft.dataplane.health.HealthProber;
import io.weft.dataplane.health.HealthProber.Probe;
import io.weft.dataplane.health.HealthProber.Result;
import io.weft.it.harness.Authority;
import io.weft.it.harness.Certified;
import io.weft.policy.model.Format;
import io.weft.policy.model.HeaderChanges;
import io.weft.policy.model.HeaderChanges.Action;
import io.weft.policy.model.HeaderChanges.Addition;
import io.weft.policy.model.HealthCheck;
import io.weft.policy.model.HealthCheck.Intervals;
import io.weft.policy.model.HealthCheck.Jitter;
import io.weft.policy.model.HealthCheck.Payload;
import io.weft.policy.model.HealthCheck.Protocol;
import io.weft.policy.model.HealthCheck.Statuses;
import io.weft.policy.model.HttpVersion;
import io.weft.policy.model.StringMatch;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Against real servers: the JDK's, grpc-java's, and plain sockets. */
class NettyHealthProberTest {
    private static final InetAddress LOOPBACK = InetAddress.getLoopbackAddress();

    private final HealthProber prober = new NettyHealthProber(new UpstreamThread());
    private final List<AutoCloseable> opened = new ArrayList<>();

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable resource : opened) {
            resource.close();
        }
    }

    private static HealthCheck policy(Protocol protocol, boolean reuse) {
        Duration ten = Duration.ofSeconds(10);
        return new HealthCheck(ten, new Intervals(ten, ten, ten, ten, ten, ten, Jitter.NONE), 1, 1, reuse, 0, protocol);
    }

    private Probe probe(int port, Protocol protocol, boolean reuse) {
        return probe(port, null, protocol, reuse);
    }

    private Probe probe(int port, ClientTls tls, Protocol protocol, boolean reuse) {
        Probe probe = prober.open(new InetSocketAddress(LOOPBACK, port), () -> tls, policy(protocol, reuse), "orders");
        opened.add(probe::close);
        return probe;
    }

    private static Result ask(Probe probe) throws InterruptedException {
        BlockingQueue<Result> results = new LinkedBlockingQueue<>();
        probe.check(results::add);
        return results.poll(10, TimeUnit.SECONDS);
    }

    private Result ask(int port, Protocol protocol) throws InterruptedException {
        return ask(probe(port, protocol, true));
    }

    // Over TLS

    private static final Authority MESH = new Authority("mesh");
    private static final Certified ORDERS = MESH.certify("spiffe://mesh/orders");

    private static final class Tls implements ClientTls {
        private final SSLContext context = MESH.certify("spiffe://mesh/shop").trusting(MESH);

        @Override
        public String id() {
            return "test";
        }

        @Override
        public ClientConnections connections() {
            throw new UnsupportedOperationException("health checks keep theirs themselves");
        }

        @Override
        public SSLEngine engine(InetSocketAddress peer) {
            SSLEngine engine = context.createSSLEngine();
            engine.setUseClientMode(true);
            return engine;
        }

        @Override
        public SSLEngine http2Engine(InetSocketAddress peer) {
            SSLEngine engine = engine(peer);
            SSLParameters parameters = engine.getSSLParameters();
            parameters.setApplicationProtocols(new String[] {"h2"});
            engine.setSSLParameters(parameters);
            return engine;
        }

        @Override
        public SSLSocket layer(Socket connected, InetSocketAddress peer, long limitNanos) {
            throw new UnsupportedOperationException("health checks use engines");
        }

        @Override
        public SSLSocket http2Layer(Socket connected, InetSocketAddress peer, long limitNanos) {
            return layer(connected, peer, limitNanos);
        }
    }

    @Test
    void overTlsAConnectionIsOneWhenItsHandshakeIsDone() throws Exception {
        ServerSocket hangsUp = new ServerSocket(0, 5, LOOPBACK);
        opened.add(hangsUp);
        inBackground(() -> {
            try (Socket connection = hangsUp.accept()) {
                connection.getInputStream().read();
            }
        });
        HealthCheck.Tcp connect = new HealthCheck.Tcp(Payload.EMPTY, List.of());
        assertThat(ask(probe(hangsUp.getLocalPort(), new Tls(), connect, false))).isEqualTo(Result.UNREACHABLE);

        SSLServerSocket secured = (SSLServerSocket) ORDERS.trusting(MESH).getServerSocketFactory().createServerSocket(0, 5, LOOPBACK);
        opened.add(secured);
        inBackground(() -> {
            try (Socket connection = secured.accept()) {
                connection.getInputStream().read();
            }
        });
        assertThat(ask(probe(secured.getLocalPort(), new Tls(), connect, false))).isEqualTo(Result.HEALTHY);
    }

    private interface Work {
        void run() throws IOException;
    }

    private static void inBackground(Work work) {
        Thread thread = new Thread(() -> {
            try {
                work.run();
            } catch (IOException e) {
                // The client's side of it is what the test looks at.
                return;
            }
        });
        thread.setDaemon(true);
        thread.start();
    }

    /** A server of grpc-java insists on ALPN. */
    @Test
    void http2OverTlsIsNegotiated() throws Exception {
        Server server = NettyServerBuilder.forAddress(new InetSocketAddress(LOOPBACK, 0))
                .sslContext(GrpcSslContexts.configure(SslContextBuilder.forServer(ORDERS.key(), ORDERS.certificate()), SslProvider.JDK)
                        .build())
                .addService(health("orders"))
                .build()
                .start();
        opened.add(server::shutdownNow);
        assertThat(ask(probe(server.getPort(), new Tls(), call("orders", ""), true))).isEqualTo(Result.HEALTHY);
    }

    // HTTP/1.1

    private final Set<Integer> clients = ConcurrentHashMap.newKeySet();
    private volatile HttpExchange last;

    /** Answers what the path says: {@code /status/body}. */
    private int http() throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(LOOPBACK, 0), 0);
        server.createContext("/", this::answer);
        server.start();
        opened.add(() -> server.stop(0));
        return server.getAddress().getPort();
    }

    private void answer(HttpExchange exchange) throws IOException {
        clients.add(exchange.getRemoteAddress().getPort());
        last = exchange;
        String[] path = exchange.getRequestURI().getPath().split("/", -1);
        byte[] request = exchange.getRequestBody().readAllBytes();
        byte[] body = (path.length > 2 ? path[2] : new String(request, StandardCharsets.US_ASCII)).getBytes(StandardCharsets.US_ASCII);
        if (path.length > 3) {
            exchange.getResponseHeaders().add(path[3], "inventory-v1");
        }
        exchange.sendResponseHeaders(Integer.parseInt(path[1]), body.length == 0 ? -1 : body.length);
        exchange.getResponseBody().write(body);
        exchange.close();
    }

    private static HealthCheck.Http http(String path) {
        return http(path, "GET", Payload.EMPTY, List.of(), Optional.empty());
    }

    private static HealthCheck.Http http(
            String path, String method, Payload body, List<Payload> receive, Optional<StringMatch> service) {
        return new HealthCheck.Http(
                HttpVersion.HTTP_1_1, "", path, method, List.of(new Statuses(200, 300)), List.of(new Statuses(503, 504)),
                new HeaderChanges(
                        List.of(new Addition("x-check", Format.of("yes"), Action.APPEND_IF_EXISTS_OR_ADD, false)), List.of(), List.of(), List.of()),
                body, receive, 1024, service);
    }

    @Test
    void httpByStatus() throws Exception {
        int port = http();
        assertThat(ask(port, http("/204"))).isEqualTo(Result.HEALTHY);
        assertThat(ask(port, http("/404"))).isEqualTo(Result.UNHEALTHY);
        assertThat(ask(port, http("/503"))).isEqualTo(Result.UNHEALTHY_PERHAPS);
        assertThat(ask(port, http("/200/x/x-envoy-degraded"))).isEqualTo(Result.DEGRADED);
        assertThat(last.getRequestHeaders().getFirst("host")).isEqualTo("orders");
        assertThat(last.getRequestHeaders().getFirst("user-agent")).isEqualTo("Envoy/HC");
        assertThat(last.getRequestHeaders().getFirst("x-check")).isEqualTo("yes");
    }

    @Test
    void httpByBodyAndService() throws Exception {
        int port = http();
        List<Payload> parts = List.of(new Payload("al"), new Payload("ve"));
        assertThat(ask(port, http("/200/alive", "GET", Payload.EMPTY, parts, Optional.empty()))).isEqualTo(Result.HEALTHY);
        assertThat(ask(port, http("/200/dead", "GET", Payload.EMPTY, parts, Optional.empty()))).isEqualTo(Result.UNHEALTHY);
        assertThat(ask(port, http("/200", "POST", new Payload("alive"), parts, Optional.empty()))).isEqualTo(Result.HEALTHY);

        Optional<StringMatch> service = Optional.of(new StringMatch.Prefix("inventory", false));
        String named = "/200/x/x-envoy-upstream-healthchecked-cluster";
        assertThat(ask(port, http(named, "GET", Payload.EMPTY, List.of(), service))).isEqualTo(Result.HEALTHY);
        assertThat(ask(port, http("/200", "GET", Payload.EMPTY, List.of(), service))).isEqualTo(Result.UNHEALTHY);
    }

    @Test
    void aConnectionIsKeptIfThePolicySaysSo() throws Exception {
        int port = http();
        Probe kept = probe(port, http("/200/x"), true);
        for (int i = 0; i < 3; i++) {
            assertThat(ask(kept)).isEqualTo(Result.HEALTHY);
        }
        assertThat(clients).hasSize(1);
        Probe fresh = probe(port, http("/200/x"), false);
        for (int i = 0; i < 3; i++) {
            assertThat(ask(fresh)).isEqualTo(Result.HEALTHY);
        }
        assertThat(clients).hasSize(4);
    }

    @Test
    void whoCannotBeReachedOrDoesNotSpeakHttp() throws Exception {
        int port;
        try (ServerSocket free = new ServerSocket(0, 1, LOOPBACK)) {
            port = free.getLocalPort();
        }
        assertThat(ask(port, http("/200"))).isEqualTo(Result.UNREACHABLE);
        assertThat(ask(port, new HealthCheck.Tcp(Payload.EMPTY, List.of()))).isEqualTo(Result.UNREACHABLE);
        assertThat(ask(socket("nonsense\r\n\r\n"), http("/200"))).isEqualTo(Result.UNREACHABLE);
    }

    @Test
    void aCheckThatIsGivenUpSaysNothingAndTheNextOneCounts() throws Exception {
        List<Socket> accepted = new CopyOnWriteArrayList<>();
        ServerSocket silent = listen(accepted::add);
        Probe probe = probe(silent.getLocalPort(), new HealthCheck.Tcp(new Payload("?"), List.of(new Payload("!"))), true);
        BlockingQueue<Result> results = new LinkedBlockingQueue<>();
        probe.check(results::add);
        await().until(() -> accepted.size() == 1);
        probe.giveUp();
        assertThat(results.poll(200, TimeUnit.MILLISECONDS)).isNull();
        probe.check(results::add);
        await().until(() -> accepted.size() == 2);
        accepted.get(1).getOutputStream().write('!');
        assertThat(results.poll(10, TimeUnit.SECONDS)).isEqualTo(Result.HEALTHY);
    }

    // TCP

    private interface Accepted {
        void accept(Socket socket) throws IOException;
    }

    private ServerSocket listen(Accepted accepted) throws IOException {
        ServerSocket server = new ServerSocket(0, 16, LOOPBACK);
        opened.add(server);
        Thread thread = new Thread(() -> {
            while (!server.isClosed()) {
                try {
                    Socket socket = server.accept();
                    opened.add(socket);
                    accepted.accept(socket);
                } catch (IOException closed) {
                    return;
                }
            }
        });
        thread.setDaemon(true);
        thread.start();
        return server;
    }

    /** Says this to everybody at once. */
    private int socket(String greeting) throws IOException {
        return listen(socket -> socket.getOutputStream().write(greeting.getBytes(StandardCharsets.US_ASCII))).getLocalPort();
    }

    @Test
    void tcpByConnectingAndByWhatComes() throws Exception {
        int port = socket("220 ready to serve\r\n");
        assertThat(ask(port, new HealthCheck.Tcp(Payload.EMPTY, List.of()))).isEqualTo(Result.HEALTHY);
        assertThat(ask(port, new HealthCheck.Tcp(Payload.EMPTY, List.of(new Payload("220"), new Payload("serve")))))
                .isEqualTo(Result.HEALTHY);

        int echo = listen(socket -> {
            byte[] question = socket.getInputStream().readNBytes(4);
            socket.getOutputStream().write(question);
        }).getLocalPort();
        assertThat(ask(echo, new HealthCheck.Tcp(new Payload("PING"), List.of(new Payload("PING"))))).isEqualTo(Result.HEALTHY);
        int deaf = listen(Socket::close).getLocalPort();
        assertThat(ask(deaf, new HealthCheck.Tcp(new Payload("PING"), List.of(new Payload("PONG"))))).isEqualTo(Result.UNREACHABLE);
    }

    // gRPC, and HTTP/2 with it

    private volatile String service;
    private volatile String authority;

    private static final MethodDescriptor.Marshaller<byte[]> BYTES = new MethodDescriptor.Marshaller<>() {
        @Override
        public InputStream stream(byte[] value) {
            return new ByteArrayInputStream(value);
        }

        @Override
        public byte[] parse(InputStream stream) {
            try {
                return stream.readAllBytes();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    };

    /** The health service, by its wire format: a name in field 1, a status in field 1. */
    private ServerServiceDefinition health(String... serving) {
        MethodDescriptor<byte[], byte[]> check = MethodDescriptor.<byte[], byte[]>newBuilder()
                .setType(MethodDescriptor.MethodType.UNARY)
                .setFullMethodName("grpc.health.v1.Health/Check")
                .setRequestMarshaller(BYTES)
                .setResponseMarshaller(BYTES)
                .build();
        return ServerServiceDefinition.builder("grpc.health.v1.Health")
                .addMethod(check, ServerCalls.asyncUnaryCall((request, response) -> {
                    service = request.length == 0 ? "" : new String(request, 2, request.length - 2, StandardCharsets.UTF_8);
                    if (service.equals("unknown")) {
                        response.onError(Status.NOT_FOUND.asException());
                        return;
                    }
                    response.onNext(new byte[] {8, (byte) (List.of(serving).contains(service) ? 1 : 2)});
                    response.onCompleted();
                }))
                .build();
    }

    private int grpc(String... serving) throws IOException {
        Server server = NettyServerBuilder.forAddress(new InetSocketAddress(LOOPBACK, 0))
                .addService(health(serving))
                .intercept(new io.grpc.ServerInterceptor() {
                    @Override
                    public <Q, R> io.grpc.ServerCall.Listener<Q> interceptCall(
                            io.grpc.ServerCall<Q, R> call, io.grpc.Metadata headers, io.grpc.ServerCallHandler<Q, R> next) {
                        authority = call.getAuthority();
                        return next.startCall(call, headers);
                    }
                })
                .build()
                .start();
        opened.add(server::shutdownNow);
        return server.getPort();
    }

    private static HealthCheck.Grpc call(String service, String authority) {
        return new HealthCheck.Grpc(service, authority, HeaderChanges.NONE);
    }

    @Test
    void grpcByWhatTheServiceSays() throws Exception {
        int port = grpc("", "orders");
        assertThat(ask(port, call("", ""))).isEqualTo(Result.HEALTHY);
        assertThat(authority).isEqualTo("orders");
        assertThat(ask(port, call("orders", "a.example"))).isEqualTo(Result.HEALTHY);
        assertThat(service).isEqualTo("orders");
        assertThat(authority).isEqualTo("a.example");
        assertThat(ask(port, call("other", ""))).isEqualTo(Result.UNHEALTHY);
        assertThat(ask(port, call("unknown", ""))).isEqualTo(Result.UNHEALTHY);

        Probe probe = probe(port, call("orders", ""), true);
        for (int i = 0; i < 5; i++) {
            assertThat(ask(probe)).isEqualTo(Result.HEALTHY);
        }
    }

    @Test
    void http2ByStatus() throws Exception {
        int port = grpc();
        HealthCheck.Http http2 = new HealthCheck.Http(
                HttpVersion.HTTP_2, "", "/", "GET", List.of(new Statuses(200, 300)), List.of(), HeaderChanges.NONE, Payload.EMPTY,
                List.of(), 1024, Optional.empty());
        // A gRPC server turns down what is no POST of gRPC's content type.
        assertThat(ask(port, http2)).isEqualTo(Result.UNHEALTHY);
        HealthCheck.Http expected = new HealthCheck.Http(
                HttpVersion.HTTP_2, "", "/", "GET", List.of(new Statuses(400, 600)), List.of(), HeaderChanges.NONE, Payload.EMPTY,
                List.of(), 1024, Optional.empty());
        assertThat(ask(port, expected)).isEqualTo(Result.HEALTHY);
        assertThat(ask(http(), http2)).isEqualTo(Result.UNREACHABLE);
    }
}
