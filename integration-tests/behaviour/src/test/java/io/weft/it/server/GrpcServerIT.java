package io.weft.it.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.reflection.v1alpha.ServerReflectionGrpc;
import io.grpc.reflection.v1alpha.ServerReflectionRequest;
import io.grpc.reflection.v1alpha.ServerReflectionResponse;
import io.grpc.reflection.v1alpha.ServiceResponse;
import io.grpc.stub.StreamObserver;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ApplicationProtocolConfig.Protocol;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectedListenerFailureBehavior;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectorFailureBehavior;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import io.weft.it.GrpcLibrary;
import io.weft.it.harness.Authority;
import io.weft.it.harness.Certified;
import io.weft.it.harness.Inbounds;
import io.weft.it.harness.Jdk;
import io.weft.it.harness.JvmCommand;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.Testbed;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.AfterTestExecutionCallback;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ArgumentsSource;

/** gRPC-Java as a server that has interceptors, reflection and health, with the transports that are Netty's, in their oldest and their newest version. */
@ParameterizedClass(name = "{arguments}")
@ArgumentsSource(GrpcLibrary.Servers.class)
class GrpcServerIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String ECHO = "test.Echo";
    private static final String FORBIDDEN = "/" + ECHO + "/CLIENT_STREAMING";
    private static final List<MethodType> PERMITTED = List.of(MethodType.UNARY, MethodType.SERVER_STREAMING, MethodType.BIDI_STREAMING);

    private static final Authority MESH = new Authority("mesh");
    private static final Certified ORDERS = MESH.certify("spiffe://mesh/orders");
    private static final Certified SHOP = MESH.certify("spiffe://mesh/shop");
    private static final Policy OTHERS = Policy.empty().service("other", new InetSocketAddress("127.0.0.1", 1));

    private static final MethodDescriptor.Marshaller<String> TEXT = new MethodDescriptor.Marshaller<>() {
        @Override
        public InputStream stream(String text) {
            return new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
        }

        @Override
        public String parse(InputStream stream) {
            try {
                return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    };

    @Parameter(0)
    Jdk jdk;

    @Parameter(1)
    GrpcLibrary library;

    private static Testbed stage;
    private static PolicyServer policies;
    private static Inbounds inbounds;
    /** To the server without the agent, and to the one in the mesh in plaintext and by mesh TLS. */
    private static ManagedChannel without;
    private static ManagedChannel plaintext;
    private static ManagedChannel secured;

    @RegisterExtension
    final Testbed testbed = new Testbed();

    @RegisterExtension
    final AfterTestExecutionCallback report = context -> {
        if (context.getExecutionException().isPresent()) {
            stage.report();
        }
    };

    @BeforeParameterizedClassInvocation
    static void start(Jdk jdk, GrpcLibrary library) throws SSLException {
        stage = new Testbed();
        policies = stage.policyServer();
        policies.serve(OTHERS);
        JvmProcess plain = app(stage.jvm("without the agent", jdk), library);
        JvmProcess meshed = app(stage.jvm("in the mesh", jdk).mesh(policies.uri(), "orders").unguarded(), library);
        without = plaintext(stage, plain.awaitPort());
        int port = meshed.awaitPort();
        plaintext = plaintext(stage, port);
        secured = secured(stage, port);
        inbounds = Inbounds.of(port, MESH, ORDERS);
        control();
    }

    @AfterParameterizedClassInvocation
    static void stop() throws Exception {
        stage.close();
    }

    private static void control() {
        policies.serve(OTHERS.listener(inbounds.controlled(FORBIDDEN)));
        await().atMost(PATIENCE).until(() -> call(plaintext, MethodType.CLIENT_STREAMING).code() == Status.Code.PERMISSION_DENIED);
        await().atMost(PATIENCE).until(() -> call(secured, MethodType.CLIENT_STREAMING).code() == Status.Code.PERMISSION_DENIED);
    }

    private static JvmProcess app(JvmCommand jvm, GrpcLibrary library) {
        return jvm.classPath(library.jars()).classPath(library.services())
                .driver("io.weft.driver.GrpcServicesServer", "v1");
    }

    private static ManagedChannel plaintext(Testbed testbed, int port) {
        return closed(testbed, NettyChannelBuilder.forAddress("127.0.0.1", port).usePlaintext());
    }

    /** As a sidecar of Kuma's would: by its protocol. */
    private static ManagedChannel secured(Testbed testbed, int port) throws SSLException {
        return closed(testbed, NettyChannelBuilder.forAddress("127.0.0.1", port)
                .sslContext(SslContextBuilder.forClient()
                        .sslProvider(SslProvider.JDK)
                        .keyManager(SHOP.key(), SHOP.certificate())
                        .trustManager(InsecureTrustManagerFactory.INSTANCE)
                        .applicationProtocolConfig(new ApplicationProtocolConfig(
                                Protocol.ALPN, SelectorFailureBehavior.NO_ADVERTISE, SelectedListenerFailureBehavior.ACCEPT, "kuma", "h2"))
                        .build()));
    }

    private static ManagedChannel closed(Testbed testbed, NettyChannelBuilder builder) {
        ManagedChannel channel = builder.build();
        testbed.closeAfterwards(() -> channel.shutdownNow().awaitTermination(30, TimeUnit.SECONDS));
        return channel;
    }

    @Test
    void interceptorsSeeWhatTheySeeWithoutTheMeshInTheirOrder() {
        for (MethodType type : PERMITTED) {
            Answer expected = call(without, type, "a", "b");
            assertThat(expected.messages()).as(type.name()).isNotEmpty();
            assertThat(expected.trailer("seen")).isEqualTo("outer starts,inner starts,inner closes,outer closes");
            for (Channel channel : List.of(plaintext, secured)) {
                Answer answer = call(channel, type, "a", "b");
                assertThat(answer.code()).as(type.name()).isEqualTo(Status.Code.OK);
                assertThat(answer.messages()).isEqualTo(expected.messages());
                for (String what : List.of("seen", "attributes", "session")) {
                    assertThat(anyPort(answer.trailer(what))).as(what + " of " + type).isEqualTo(anyPort(expected.trailer(what)));
                }
                assertThat(answer.trailer("peer")).startsWith("127.0.0.1:");
            }
            assertThat(call(plaintext, type, "a").trailer("headers")).isEqualTo(call(without, type, "a").trailer("headers"));
            assertThat(call(secured, type, "a").trailer("headers")).contains("x-forwarded-client-cert");
        }
    }

    /** Of another connection, in another JVM. */
    private static String anyPort(String text) {
        return text.replaceAll(":\\d+", ":port").replaceAll("\\$\\$Lambda\\S+", " lambda").replaceAll("@[0-9a-f]+", "@hash");
    }

    @Test
    void reflectionListsTheServices() throws Exception {
        List<String> expected = reflected(without);
        assertThat(expected).contains("grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection");
        assertThat(reflected(plaintext)).isEqualTo(expected);
        assertThat(reflected(secured)).isEqualTo(expected);
    }

    /** What is there of those that have a description, and the size of what describes the health service. */
    private static List<String> reflected(Channel channel) throws Exception {
        Received<ServerReflectionResponse> received = new Received<>();
        StreamObserver<ServerReflectionRequest> requests =
                ServerReflectionGrpc.newStub(channel).withDeadlineAfter(30, TimeUnit.SECONDS).serverReflectionInfo(received);
        requests.onNext(ServerReflectionRequest.newBuilder().setListServices("").build());
        List<String> services = new ArrayList<>(received.next().getListServicesResponse().getServiceList().stream().map(ServiceResponse::getName).sorted().toList());
        requests.onNext(ServerReflectionRequest.newBuilder().setFileContainingSymbol("grpc.health.v1.Health").build());
        received.next().getFileDescriptorResponse().getFileDescriptorProtoList().forEach(file -> services.add("bytes: " + file.size()));
        requests.onCompleted();
        received.end();
        return services;
    }

    @Test
    void healthIsCheckedAndWatched() throws Exception {
        for (ManagedChannel channel : List.of(without, plaintext, secured)) {
            var health = HealthGrpc.newBlockingStub(channel).withDeadlineAfter(30, TimeUnit.SECONDS);
            HealthCheckRequest echo = HealthCheckRequest.newBuilder().setService(ECHO).build();
            assertThat(health.check(echo).getStatus()).isEqualTo(ServingStatus.SERVING);
            Status.Code unknown = Status.Code.OK;
            try {
                health.check(HealthCheckRequest.newBuilder().setService("nobody").build());
            } catch (StatusRuntimeException e) {
                unknown = e.getStatus().getCode();
            }
            assertThat(unknown).isEqualTo(Status.Code.NOT_FOUND);

            var watched = health.watch(echo);
            assertThat(watched.next().getStatus()).isEqualTo(ServingStatus.SERVING);
            for (ServingStatus status : List.of(ServingStatus.NOT_SERVING, ServingStatus.SERVING)) {
                assertThat(call(channel, MethodType.UNARY, headers("health", status.name()), "a").code()).isEqualTo(Status.Code.OK);
                assertThat(watched.next().getStatus()).isEqualTo(status);
            }
        }
    }

    @Test
    void strictServesTheMeshWhollyAndNobodyElse() throws Exception {
        List<String> services = reflected(without);
        policies.serve(OTHERS.listener(inbounds.strict()));
        try {
            await().atMost(PATIENCE).until(() -> call(plaintext, MethodType.UNARY, "a").code() == Status.Code.UNAVAILABLE);
            await().atMost(PATIENCE).until(() -> call(secured, MethodType.CLIENT_STREAMING, "a").code() == Status.Code.OK);
            for (MethodType type : MethodType.values()) {
                if (type != MethodType.UNKNOWN) {
                    Answer answer = call(secured, type, "a", "b");
                    assertThat(answer.messages()).as(type.name()).isEqualTo(call(without, type, "a", "b").messages()).isNotEmpty();
                    assertThat(answer.trailer("session")).isEqualTo("null");
                }
            }
            assertThat(reflected(secured)).isEqualTo(services);
            assertThat(HealthGrpc.newBlockingStub(secured).withDeadlineAfter(30, TimeUnit.SECONDS)
                    .check(HealthCheckRequest.getDefaultInstance()).getStatus()).isEqualTo(ServingStatus.SERVING);
        } finally {
            control();
        }
        assertThat(policies.refusals()).isEmpty();
    }

    @Test
    void whoMayNotCallIsDeniedBeforeTheAppHearsOfIt() {
        for (Channel channel : List.of(plaintext, secured)) {
            int before = count(channel);
            for (int i = 0; i < 3; i++) {
                Answer denied = call(channel, MethodType.CLIENT_STREAMING, "a", "b");
                assertThat(denied.code()).isEqualTo(Status.Code.PERMISSION_DENIED);
                assertThat(denied.status().getDescription()).isEqualTo("RBAC: access denied");
                assertThat(denied.trailer("seen")).isNull();
            }
            assertThat(count(channel)).isEqualTo(before + 1);
        }
    }

    private static int count(Channel channel) {
        return Integer.parseInt(call(channel, MethodType.UNARY, "a").trailer("count"));
    }

    @Test
    void aLimitIsKept() {
        List<Status.Code> codes = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            codes.add(call(secured, MethodType.UNARY, headers("x-control", "limited"), "a").code());
        }
        assertThat(codes).containsExactly(Status.Code.OK, Status.Code.OK, Status.Code.RESOURCE_EXHAUSTED, Status.Code.RESOURCE_EXHAUSTED);
    }

    @Test
    void faultsAbortAndDelay() {
        for (Channel channel : List.of(plaintext, secured)) {
            Answer aborted = call(channel, MethodType.BIDI_STREAMING, headers("x-control", "aborted"), "a");
            assertThat(aborted.code()).isEqualTo(Status.Code.UNAVAILABLE);
            assertThat(aborted.status().getDescription()).isEqualTo("fault filter abort");
            assertThat(aborted.trailer("seen")).isNull();
            for (MethodType type : PERMITTED) {
                long start = System.nanoTime();
                Answer delayed = call(channel, type, headers("x-control", "delayed"), "a");
                assertThat(delayed.messages()).containsExactly("v1:a");
                assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThanOrEqualTo(Inbounds.DELAY);
            }
        }
    }

    @Test
    void onSigtermCallersAreToldAndNoCallIsLost() throws Exception {
        PolicyServer own = testbed.policyServer();
        own.serve(OTHERS);
        JvmProcess process = app(testbed.jvm("drained", jdk).mesh(own.uri(), "orders").unguarded().environment("WEFT_DRAIN_DELAY", "500ms"), library);
        int port = process.awaitPort();
        own.serve(OTHERS.listener(Inbounds.of(port, MESH, ORDERS).permissive()));
        ManagedChannel channel = secured(testbed, port);
        await().atMost(PATIENCE).until(() -> call(channel, MethodType.UNARY, "a").code() == Status.Code.OK);
        await().atMost(PATIENCE).until(() -> instance(own).contains("\"port\":" + port));

        Call bidi = new Call(channel, MethodType.BIDI_STREAMING, new Metadata());
        Call upload = new Call(channel, MethodType.CLIENT_STREAMING, new Metadata());
        bidi.send("a");
        upload.send("b");
        assertThat(bidi.arrived.poll(30, TimeUnit.SECONDS)).isEqualTo("v1:a");
        assertThat(channel.getState(false)).isEqualTo(ConnectivityState.READY);
        process.handle().destroy();
        await().atMost(PATIENCE).pollInterval(Duration.ofMillis(5)).until(() -> channel.getState(false) == ConnectivityState.IDLE);
        List<Answer> meanwhile = new ArrayList<>();
        while (!instance(own).contains("\"state\":\"NotReady\"")) {
            meanwhile.add(call(channel, MethodType.UNARY, "c"));
        }

        bidi.send("d");
        assertThat(bidi.end().messages()).containsExactly("v1:a", "v1:d");
        assertThat(upload.end().messages()).containsExactly("v1:b");
        assertThat(meanwhile).allSatisfy(answer -> assertThat(answer.messages()).containsExactly("v1:c"));
        assertThat(process.awaitExit()).isEqualTo(143);
        assertThat(process.stderr()).noneMatch(line -> line.contains("in flight"));
    }

    /** What the instance says of itself. */
    private static String instance(PolicyServer policies) {
        var nodes = policies.nodes();
        return nodes.isEmpty() ? "" : nodes.get(nodes.size() - 1).getMetadata().getFieldsOrThrow("dataplane.resource").getStringValue();
    }

    private static Metadata headers(String name, String value) {
        Metadata headers = new Metadata();
        headers.put(key(name), value);
        return headers;
    }

    private static Metadata.Key<String> key(String name) {
        return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
    }

    private static Answer call(Channel channel, MethodType type, String... messages) {
        return call(channel, type, new Metadata(), messages);
    }

    /** Of one message in all where the kind of the call has no more. */
    private static Answer call(Channel channel, MethodType type, Metadata headers, String... messages) {
        Call call = new Call(channel, type, headers);
        for (String message : type.clientSendsOneMessage() ? List.of(messages).subList(0, Math.min(1, messages.length)) : List.of(messages)) {
            call.send(message);
        }
        return call.end();
    }

    /** @param messages that came back */
    private record Answer(Status status, List<String> messages, Metadata trailers) {
        Status.Code code() {
            return status.getCode();
        }

        /** Null: there is none. */
        String trailer(String name) {
            return trailers.get(key(name));
        }
    }

    private static final class Call extends ClientCall.Listener<String> {
        final BlockingQueue<String> arrived = new LinkedBlockingQueue<>();
        private final List<String> messages = new ArrayList<>();
        private final CompletableFuture<Answer> answer = new CompletableFuture<>();
        private final ClientCall<String, String> call;

        Call(Channel channel, MethodType type, Metadata headers) {
            MethodDescriptor<String, String> method = MethodDescriptor.<String, String>newBuilder(TEXT, TEXT)
                    .setType(type).setFullMethodName(ECHO + "/" + type).build();
            call = channel.newCall(method, CallOptions.DEFAULT.withDeadlineAfter(30, TimeUnit.SECONDS));
            call.start(this, headers);
            call.request(Integer.MAX_VALUE);
        }

        void send(String message) {
            call.sendMessage(message);
        }

        Answer end() {
            call.halfClose();
            return answer.join();
        }

        @Override
        public void onMessage(String message) {
            messages.add(message);
            arrived.add(message);
        }

        @Override
        public void onClose(Status status, Metadata trailers) {
            answer.complete(new Answer(status, List.copyOf(messages), trailers));
        }
    }

    private static final class Received<T> implements StreamObserver<T> {
        private final BlockingQueue<T> received = new LinkedBlockingQueue<>();
        private final CompletableFuture<Void> end = new CompletableFuture<>();

        T next() throws InterruptedException {
            T next = received.poll(30, TimeUnit.SECONDS);
            assertThat(next).as("the next of " + end).isNotNull();
            return next;
        }

        void end() throws Exception {
            end.get(30, TimeUnit.SECONDS);
        }

        @Override
        public void onNext(T value) {
            received.add(value);
        }

        @Override
        public void onError(Throwable failure) {
            end.completeExceptionally(failure);
        }

        @Override
        public void onCompleted() {
            end.complete(null);
        }
    }
}
