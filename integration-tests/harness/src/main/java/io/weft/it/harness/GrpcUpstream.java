package io.weft.it.harness;

import io.grpc.Attributes;
import io.grpc.HandlerRegistry;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerMethodDefinition;
import io.grpc.ServerTransportFilter;
import io.grpc.Status;
import io.grpc.netty.NettyServerBuilder;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.IdentityCipherSuiteFilter;
import io.netty.handler.ssl.JdkSslContext;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import javax.net.ssl.SSLContext;

/**
 * A real gRPC server on an ephemeral port of 127.0.0.1 that answers whatever method is called, whose kind is the end of its name, and
 * records each call. The answer to a message is the server's name, a colon and the message; of a call with one answer, to the last
 * one. To a call with one message and several answers there are three. With TLS it demands a certificate and HTTP/2 by ALPN. Thread-safe.
 */
public final class GrpcUpstream implements AutoCloseable {
    /**
     * @param number of this one, from 1
     * @param authority as it was sent
     */
    public record Received(int number, String path, String authority, Metadata headers, List<String> messages) {
        /** @return null when absent */
        public String header(String name) {
            return headers.get(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER));
        }
    }

    /** What becomes of a call. */
    public sealed interface Reaction {}

    /** @param trailers of both, names and values in turn */
    public record Answer(List<String> headers, List<String> trailers) implements Reaction {}

    /** @param afterHeaders else they are in one with the trailers */
    public record Fail(Status status, boolean afterHeaders) implements Reaction {}

    public record Hang() implements Reaction {}

    public static final Reaction OK = new Answer(List.of(), List.of());

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

    private final String name;
    private final Server server;
    private final InetSocketAddress address;
    private final AtomicInteger numbers = new AtomicInteger();
    private final AtomicInteger connections = new AtomicInteger();
    private final AtomicInteger openConnections = new AtomicInteger();
    private final AtomicInteger cancellations = new AtomicInteger();
    private final List<Received> calls = new CopyOnWriteArrayList<>();
    private volatile Function<Received, Reaction> reaction = received -> OK;

    private GrpcUpstream(String name, SSLContext tls) {
        this.name = name;
        NettyServerBuilder builder = NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", 0))
                .fallbackHandlerRegistry(new Registry())
                .addTransportFilter(new Connections());
        if (tls != null) {
            builder.sslContext(new JdkSslContext(tls, false, null, IdentityCipherSuiteFilter.INSTANCE,
                    new ApplicationProtocolConfig(
                            ApplicationProtocolConfig.Protocol.ALPN,
                            ApplicationProtocolConfig.SelectorFailureBehavior.NO_ADVERTISE,
                            ApplicationProtocolConfig.SelectedListenerFailureBehavior.ACCEPT,
                            "h2"),
                    ClientAuth.REQUIRE, null, false));
        }
        try {
            server = builder.build().start();
            address = new InetSocketAddress("127.0.0.1", server.getPort());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** In plaintext. */
    public static GrpcUpstream start(String name) {
        return new GrpcUpstream(name, null);
    }

    public static GrpcUpstream start(String name, SSLContext tls) {
        return new GrpcUpstream(name, tls);
    }

    public InetSocketAddress address() {
        return address;
    }

    /** Asked for each call from now on, when its headers have come. */
    public void react(Function<Received, Reaction> reaction) {
        this.reaction = reaction;
    }

    /** All so far whose headers have come, with the messages that have. */
    public List<Received> calls() {
        return List.copyOf(calls);
    }

    /** How many there were so far. */
    public int connections() {
        return connections.get();
    }

    public int openConnections() {
        return openConnections.get();
    }

    /** How many calls the client has given up. */
    public int cancellations() {
        return cancellations.get();
    }

    /** Lets what there is end, and takes nothing more. */
    public void drain() {
        server.shutdown();
    }

    @Override
    public void close() {
        server.shutdownNow();
        try {
            server.awaitTermination(30, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private final class Connections extends ServerTransportFilter {
        @Override
        public Attributes transportReady(Attributes attributes) {
            connections.incrementAndGet();
            openConnections.incrementAndGet();
            return attributes;
        }

        @Override
        public void transportTerminated(Attributes attributes) {
            openConnections.decrementAndGet();
        }
    }

    private final class Registry extends HandlerRegistry {
        @Override
        public ServerMethodDefinition<?, ?> lookupMethod(String method, String authority) {
            MethodType type = MethodType.valueOf(method.substring(method.lastIndexOf('/') + 1).replaceFirst("\\?.*", ""));
            ServerCallHandler<String, String> handler = (call, headers) -> handle(type, call, headers);
            return ServerMethodDefinition.create(
                    MethodDescriptor.<String, String>newBuilder(TEXT, TEXT).setType(type).setFullMethodName(method).build(), handler);
        }
    }

    private ServerCall.Listener<String> handle(MethodType type, ServerCall<String, String> call, Metadata headers) {
        List<String> messages = new CopyOnWriteArrayList<>();
        Received received = new Received(
                numbers.incrementAndGet(), "/" + call.getMethodDescriptor().getFullMethodName(), call.getAuthority(), headers, messages);
        calls.add(received);
        call.request(Integer.MAX_VALUE);
        Reaction wanted = reaction.apply(received);
        if (wanted instanceof Fail fail && !type.clientSendsOneMessage()) {
            fail(fail, call);
        }
        return new ServerCall.Listener<>() {
            private boolean headersSent;

            @Override
            public void onMessage(String message) {
                messages.add(message);
                if (wanted instanceof Answer answer && type == MethodType.BIDI_STREAMING) {
                    answer(answer, message);
                }
            }

            private void answer(Answer answer, String message) {
                if (!headersSent) {
                    headersSent = true;
                    call.sendHeaders(metadata(answer.headers()));
                }
                call.sendMessage(name + ":" + message);
            }

            @Override
            public void onHalfClose() {
                if (wanted instanceof Fail fail && type.clientSendsOneMessage()) {
                    fail(fail, call);
                }
                if (wanted instanceof Answer answer) {
                    String last = messages.isEmpty() ? "" : messages.get(messages.size() - 1);
                    int answers = type == MethodType.SERVER_STREAMING ? 3 : type == MethodType.BIDI_STREAMING ? 0 : 1;
                    for (int i = 0; i < answers; i++) {
                        answer(answer, last);
                    }
                    call.close(Status.OK, metadata(answer.trailers()));
                }
            }

            @Override
            public void onCancel() {
                cancellations.incrementAndGet();
            }
        };
    }

    private static void fail(Fail fail, ServerCall<String, String> call) {
        if (fail.afterHeaders()) {
            call.sendHeaders(new Metadata());
        }
        call.close(fail.status(), new Metadata());
    }

    private static Metadata metadata(List<String> namesAndValues) {
        Metadata metadata = new Metadata();
        for (int i = 0; i < namesAndValues.size(); i += 2) {
            metadata.put(Metadata.Key.of(namesAndValues.get(i), Metadata.ASCII_STRING_MARSHALLER), namesAndValues.get(i + 1));
        }
        return metadata;
    }
}
