package io.weft.driver;

import io.grpc.Attributes;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ConnectivityState;
import io.grpc.EquivalentAddressGroup;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.ForwardingClientCallListener.SimpleForwardingClientCallListener;
import io.grpc.Grpc;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.NameResolver;
import io.grpc.NameResolverProvider;
import io.grpc.NameResolverRegistry;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerMethodDefinition;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * gRPC with whatever transport is on the class path, as {@link ManagedChannelBuilder} finds it: reads one {@link Form} a line from standard
 * input and prints one a line. Messages are texts. Ends, and the process with it, when standard input ends.
 *
 * <p>Fields: {@code target}, as {@code own://ADDRESS/AUTHORITY} one of the app's own name resolver; {@code kind} ({@code UNARY}, {@code SERVER_STREAMING}, {@code CLIENT_STREAMING}, {@code BIDI_STREAMING});
 * {@code message}; {@code messages}, how often it is sent (1), each time with its number in place of {@code #}; {@code pause},
 * milliseconds before each further one; {@code wait}, so many answers are waited for before the call is half-closed; {@code deadline} in
 * milliseconds; {@code header.NAME}; {@code gzip}; {@code authority} of the call; {@code cancel}, milliseconds after which the app does;
 * {@code slow}, milliseconds after each message before the app asks for another;
 * {@code peer}, the app asks who that is when the call is over.
 * Of the channel: {@code override}, its authority; {@code tls}; {@code config}, how often the app's own service config lets it try;
 * {@code idle}, seconds; {@code inprocess}. Each makes another channel; they are kept.
 *
 * <p>The answer: {@code code}, {@code description}, {@code cause}, {@code body} (the messages, joined by {@code |}), {@code header.NAME},
 * {@code trailer.NAME}, {@code peer}, {@code seen}: what the app's two interceptors saw, in its order. With {@code times} a tally of
 * {@code code.CODE} and {@code body.TEXT}.
 *
 * <p>{@code do} instead of a call: {@code state}, {@code connect} (until it is ready), {@code authority}, {@code shutdown},
 * {@code shutdownNow}; the last two while a call is open.
 */
public final class GrpcClient {
    private static final long PATIENCE_SECONDS = 30;
    static final String SERVICE = "test.Echo";

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

    private static final CallOptions.Key<List<String>> SEEN = CallOptions.Key.createWithDefault("seen", new ArrayList<>());

    private final Map<List<String>, ManagedChannel> channels = new HashMap<>();
    private Server inProcess;

    private GrpcClient() {}

    public static void main(String[] args) throws Exception {
        NameResolverRegistry.getDefaultRegistry().register(new OwnResolver());
        GrpcClient client = new GrpcClient();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            System.out.println(Form.write(client.answer(Form.read(line))));
        }
        System.exit(0);
    }

    private Map<String, String> answer(Map<String, String> form) throws Exception {
        if (form.containsKey("do")) {
            return act(form);
        }
        return answer(channel(form), form);
    }

    /** Of calls by one channel. */
    static Map<String, String> answer(Channel channel, Map<String, String> form) throws Exception {
        int times = Integer.parseInt(form.getOrDefault("times", "0"));
        if (times == 0) {
            return call(channel, form).answer();
        }
        Map<String, Integer> tally = new TreeMap<>();
        for (int i = 0; i < times; i++) {
            Map<String, String> answer = call(channel, form).answer();
            tally.merge("code." + answer.get("code"), 1, Integer::sum);
            tally.merge("body." + answer.get("body"), 1, Integer::sum);
        }
        Map<String, String> answer = new LinkedHashMap<>();
        tally.forEach((what, count) -> answer.put(what, Integer.toString(count)));
        return answer;
    }

    static MethodDescriptor<String, String> method(MethodType type) {
        return MethodDescriptor.<String, String>newBuilder(TEXT, TEXT)
                .setType(type)
                .setFullMethodName(SERVICE + "/" + type)
                .build();
    }

    /** Of targets that lead to an address and say what is there. */
    private static final class OwnResolver extends NameResolverProvider {
        @Override
        protected boolean isAvailable() {
            return true;
        }

        @Override
        protected int priority() {
            return 5;
        }

        @Override
        public String getDefaultScheme() {
            return "own";
        }

        @Override
        public NameResolver newNameResolver(URI target, NameResolver.Args args) {
            return new NameResolver() {
                @Override
                public String getServiceAuthority() {
                    return target.getPath().substring(1);
                }

                @Override
                public void start(Listener2 listener) {
                    SocketAddress address = new InetSocketAddress(target.getHost(), target.getPort());
                    listener.onAddresses(List.of(new EquivalentAddressGroup(address)), Attributes.EMPTY);
                }

                @Override
                public void shutdown() {}
            };
        }
    }

    private ManagedChannel channel(Map<String, String> form) throws IOException {
        List<String> key = List.of(
                form.get("target"), form.getOrDefault("override", ""), form.getOrDefault("tls", ""), form.getOrDefault("config", ""),
                form.getOrDefault("idle", ""), form.getOrDefault("inprocess", ""));
        ManagedChannel known = channels.get(key);
        if (known != null && !known.isShutdown()) {
            return known;
        }
        ManagedChannelBuilder<?> builder =
                form.containsKey("inprocess") ? inProcess() : ManagedChannelBuilder.forTarget(form.get("target"));
        if (form.containsKey("tls")) {
            builder.useTransportSecurity();
        } else {
            builder.usePlaintext();
        }
        if (form.containsKey("override")) {
            builder.overrideAuthority(form.get("override"));
        }
        if (form.containsKey("idle")) {
            builder.idleTimeout(Long.parseLong(form.get("idle")), TimeUnit.SECONDS);
        }
        if (form.containsKey("config")) {
            builder.defaultServiceConfig(config(Double.parseDouble(form.get("config"))));
        }
        // The last one is the first that a call meets.
        builder.intercept(new Noting("second"), new Noting("first"));
        ManagedChannel made = builder.build();
        channels.put(key, made);
        return made;
    }

    private ManagedChannelBuilder<?> inProcess() throws IOException {
        if (inProcess == null) {
            ServerCallHandler<String, String> handler = (call, headers) -> {
                call.request(2);
                return new ServerCall.Listener<>() {
                    @Override
                    public void onHalfClose() {
                        call.sendHeaders(new Metadata());
                        call.sendMessage("in process");
                        call.close(Status.OK, new Metadata());
                    }
                };
            };
            inProcess = InProcessServerBuilder.forName("here")
                    .addService(ServerServiceDefinition.builder(SERVICE)
                            .addMethod(ServerMethodDefinition.create(method(MethodType.UNARY), handler))
                            .build())
                    .build()
                    .start();
        }
        return InProcessChannelBuilder.forName("here");
    }

    private static Map<String, Object> config(double attempts) {
        return Map.of("methodConfig", List.of(Map.of(
                "name", List.of(Map.of()),
                "retryPolicy", Map.of(
                        "maxAttempts", attempts, "initialBackoff", "0.01s", "maxBackoff", "0.01s", "backoffMultiplier", 1.0,
                        "retryableStatusCodes", List.of("UNAVAILABLE")))));
    }

    private Map<String, String> act(Map<String, String> form) throws Exception {
        ManagedChannel channel = channel(form);
        Map<String, String> answer = new LinkedHashMap<>();
        switch (form.get("do")) {
            case "state" -> answer.put("state", channel.getState(false).name());
            case "connect" -> answer.put("states", untilReady(channel));
            case "authority" -> answer.put("authority", channel.authority());
            case "shutdown" -> {
                Call open = call(channel, form);
                open.awaitMessage();
                channel.shutdown();
                answer.put("terminated", Boolean.toString(channel.awaitTermination(200, TimeUnit.MILLISECONDS)));
                Map<String, String> later = call(channel, Map.of("kind", "UNARY")).answer();
                answer.put("later", later.get("code") + " " + later.get("description"));
                open.halfClose();
                answer.put("open", open.answer().get("code") + " " + open.answer().get("body"));
                answer.put("terminated.then", Boolean.toString(channel.awaitTermination(PATIENCE_SECONDS, TimeUnit.SECONDS)));
            }
            case "shutdownNow" -> {
                Call open = call(channel, form);
                open.awaitMessage();
                channel.shutdownNow();
                answer.put("open", open.answer().get("code") + " " + open.answer().get("description"));
                answer.put("terminated.then", Boolean.toString(channel.awaitTermination(PATIENCE_SECONDS, TimeUnit.SECONDS)));
            }
            default -> throw new IllegalArgumentException("not to be done: " + form);
        }
        return answer;
    }

    private static String untilReady(ManagedChannel channel) throws Exception {
        List<String> states = new ArrayList<>();
        ConnectivityState state = channel.getState(true);
        while (true) {
            states.add(state.name());
            if (state == ConnectivityState.READY) {
                return String.join(",", states);
            }
            CompletableFuture<Void> changed = new CompletableFuture<>();
            channel.notifyWhenStateChanged(state, () -> changed.complete(null));
            changed.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
            state = channel.getState(true);
        }
    }

    private static Call call(Channel channel, Map<String, String> form) throws InterruptedException {
        Call call = new Call(MethodType.valueOf(form.getOrDefault("kind", "UNARY")));
        call.start(channel, form);
        return call;
    }

    /** One call and all that the app sees of it. */
    private static final class Call {
        private final MethodType type;
        private final CompletableFuture<Map<String, String>> answer = new CompletableFuture<>();
        private final LinkedBlockingQueue<String> arrived = new LinkedBlockingQueue<>();
        private final LinkedBlockingQueue<Boolean> ready = new LinkedBlockingQueue<>();
        private final List<String> messages = new ArrayList<>();
        private final List<String> seen = new ArrayList<>();
        private final Map<String, String> headers = new LinkedHashMap<>();
        private ClientCall<String, String> call;
        private Executor later;
        private boolean tellsPeer;

        Call(MethodType type) {
            this.type = type;
        }

        void start(Channel channel, Map<String, String> form) throws InterruptedException {
            CallOptions options = CallOptions.DEFAULT;
            if (form.containsKey("deadline")) {
                options = options.withDeadlineAfter(Long.parseLong(form.get("deadline")), TimeUnit.MILLISECONDS);
            }
            if (form.containsKey("authority")) {
                options = options.withAuthority(form.get("authority"));
            }
            if (form.containsKey("gzip")) {
                options = options.withCompression("gzip");
            }
            Metadata metadata = new Metadata();
            Form.below("header.", form).forEach((name, value) ->
                    metadata.put(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER), value));
            call = channel.newCall(method(type), options.withOption(SEEN, seen));
            tellsPeer = form.containsKey("peer");
            call.start(new Listener(), metadata);
            if (form.containsKey("slow")) {
                later = CompletableFuture.delayedExecutor(Long.parseLong(form.get("slow")), TimeUnit.MILLISECONDS);
                call.request(1);
            } else {
                call.request(Integer.MAX_VALUE);
            }
            send(form);
            if (form.containsKey("cancel")) {
                Thread.sleep(Long.parseLong(form.get("cancel")));
                call.cancel("enough", null);
            }
        }

        private void send(Map<String, String> form) throws InterruptedException {
            String message = form.getOrDefault("message", "hello");
            int times = Integer.parseInt(form.getOrDefault("messages", "1"));
            for (int i = 0; i < times; i++) {
                if (i > 0) {
                    Thread.sleep(Long.parseLong(form.getOrDefault("pause", "0")));
                }
                if (!type.clientSendsOneMessage() && !call.isReady()) {
                    ready.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
                }
                if (answer.isDone()) {
                    return;
                }
                call.sendMessage(message.replace("#", Integer.toString(i)));
            }
            for (int i = Integer.parseInt(form.getOrDefault("wait", "0")); i > 0; i--) {
                awaitMessage();
            }
            if (!form.containsKey("do")) {
                halfClose();
            }
        }

        void halfClose() {
            if (!answer.isDone()) {
                call.halfClose();
            }
        }

        void awaitMessage() throws InterruptedException {
            if (arrived.poll(PATIENCE_SECONDS, TimeUnit.SECONDS) == null) {
                throw new IllegalStateException("no answer: " + answer);
            }
        }

        Map<String, String> answer() throws InterruptedException, ExecutionException, TimeoutException {
            return answer.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        }

        private final class Listener extends ClientCall.Listener<String> {
            @Override
            public void onHeaders(Metadata received) {
                put("header.", received, headers);
            }

            @Override
            public void onMessage(String message) {
                messages.add(message);
                arrived.add(message);
                if (later != null) {
                    later.execute(() -> call.request(1));
                }
            }

            @Override
            public void onReady() {
                ready.add(true);
            }

            @Override
            public void onClose(Status status, Metadata trailers) {
                Map<String, String> form = new LinkedHashMap<>(headers);
                form.put("code", status.getCode().name());
                form.put("description", String.valueOf(status.getDescription()));
                form.put("cause", status.getCause() == null ? "" : status.getCause().getClass().getName());
                form.put("body", String.join("|", messages));
                put("trailer.", trailers, form);
                if (tellsPeer) {
                    InetSocketAddress peer = (InetSocketAddress) call.getAttributes().get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR);
                    form.put("peer", peer == null ? "" : peer.getAddress().getHostAddress() + ":" + peer.getPort());
                }
                form.put("seen", String.join(",", seen));
                arrived.add("");
                ready.add(true);
                answer.complete(form);
            }

            private void put(String prefix, Metadata metadata, Map<String, String> form) {
                for (String name : metadata.keys()) {
                    if (!name.endsWith(Metadata.BINARY_HEADER_SUFFIX)) {
                        form.put(prefix + name, metadata.get(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER)));
                    }
                }
            }
        }
    }

    /** Notes what passes it, and in which order. */
    private record Noting(String name) implements ClientInterceptor {
        @Override
        public <Q, A> ClientCall<Q, A> interceptCall(MethodDescriptor<Q, A> method, CallOptions options, Channel next) {
            List<String> seen = options.getOption(SEEN);
            return new SimpleForwardingClientCall<>(next.newCall(method, options)) {
                @Override
                public void start(Listener<A> listener, Metadata headers) {
                    seen.add(name + " starts");
                    super.start(
                            new SimpleForwardingClientCallListener<>(listener) {
                                @Override
                                public void onClose(Status status, Metadata trailers) {
                                    seen.add(name + " ends");
                                    super.onClose(status, trailers);
                                }
                            },
                            headers);
                }
            };
        }
    }
}
