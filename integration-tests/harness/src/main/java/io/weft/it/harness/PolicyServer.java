package io.weft.it.harness;

import io.envoyproxy.controlplane.cache.v3.SimpleCache;
import io.envoyproxy.controlplane.cache.v3.Snapshot;
import io.envoyproxy.controlplane.server.DiscoveryServerCallbacks;
import io.envoyproxy.controlplane.server.V3DiscoveryServer;
import io.envoyproxy.envoy.config.core.v3.Node;
import io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryRequest;
import io.envoyproxy.envoy.service.discovery.v3.DiscoveryRequest;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.NettyServerBuilder;
import io.netty.handler.ssl.ClientAuth;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** Serves the same policy to every node by ADS, with java-control-plane, on loopback. Thread-safe. */
public final class PolicyServer implements AutoCloseable {
    private static final String EVERY_NODE = "every node";

    /** Which variants of ADS it has. */
    public enum Protocol { DELTA_AND_STATE_OF_THE_WORLD, STATE_OF_THE_WORLD }

    /**
     * What it shows and demands.
     *
     * @param client whose certificate alone is let in
     * @param token that each call must carry as a bearer token
     */
    public record Security(Identity own, Identity client, String token) {}

    private final Protocol protocol;
    private final Optional<Security> security;
    private final SimpleCache<String> cache = new SimpleCache<>(node -> EVERY_NODE);
    private final Observer observer = new Observer();
    private final AtomicLong version = new AtomicLong();
    private Server server;
    private int port;

    private PolicyServer(Protocol protocol, Optional<Security> security) {
        this.protocol = protocol;
        this.security = security;
    }

    /** Listens on loopback and has nothing to say until {@link #serve}. */
    public static PolicyServer start(Protocol protocol) {
        return start(new PolicyServer(protocol, Optional.empty()));
    }

    /** Like {@link #start(Protocol)}, with TLS. */
    public static PolicyServer start(Security security) {
        return start(new PolicyServer(Protocol.DELTA_AND_STATE_OF_THE_WORLD, Optional.of(security)));
    }

    private static PolicyServer start(PolicyServer server) {
        server.listen(Port.unused());
        return server;
    }

    public synchronized URI uri() {
        return URI.create((security.isPresent() ? "grpcs" : "grpc") + "://127.0.0.1:" + port);
    }

    /** From now on the nodes are told this, those that are connected at once. */
    public void serve(Policy policy) {
        cache.setSnapshot(
                EVERY_NODE,
                Snapshot.create(
                        policy.clusters().values(),
                        policy.endpoints().values(),
                        policy.listeners().values(),
                        policy.routes().values(),
                        policy.secrets().values(),
                        Long.toString(version.incrementAndGet())));
    }

    /** The node of each request that carried one, in order. */
    public List<Node> nodes() {
        return List.copyOf(observer.nodes);
    }

    /** The message of each NACK, in order. */
    public List<String> refusals() {
        return List.copyOf(observer.refusals);
    }

    /** The requests of delta streams, in order. */
    public List<DeltaDiscoveryRequest> deltaRequests() {
        return List.copyOf(observer.deltaRequests);
    }

    /** The requests of state-of-the-world streams, in order. */
    public List<DiscoveryRequest> requests() {
        return List.copyOf(observer.requests);
    }

    /** How many streams are open. */
    public int streams() {
        return observer.open.intValue();
    }

    /** Ends every stream and stops listening, as a control plane that dies. */
    public synchronized void stop() {
        try {
            server.shutdownNow().awaitTermination(10, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Listens again on the same port, with the policy that it had. */
    public synchronized void restart() {
        listen(port);
    }

    @Override
    public void close() {
        stop();
    }

    private synchronized void listen(int wanted) {
        V3DiscoveryServer discovery = new V3DiscoveryServer(observer, cache);
        NettyServerBuilder builder = NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), wanted))
                .permitKeepAliveTime(1, TimeUnit.SECONDS)
                .permitKeepAliveWithoutCalls(true)
                .addService(discovery.getAggregatedDiscoveryServiceImpl());
        if (protocol == Protocol.STATE_OF_THE_WORLD) {
            builder.intercept(new NoDelta());
        }
        try {
            if (security.isPresent()) {
                builder.sslContext(GrpcSslContexts.forServer(
                                security.get().own().certificate().toFile(), security.get().own().key().toFile())
                        .trustManager(security.get().client().certificate().toFile())
                        .clientAuth(ClientAuth.REQUIRE)
                        .build());
                builder.intercept(new Gate(security.get().token()));
            }
            server = builder.build().start();
            port = server.getPort();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A server that was built before delta ADS. */
    private static final class NoDelta implements ServerInterceptor {
        @Override
        public <Q, A> ServerCall.Listener<Q> interceptCall(ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
            if (call.getMethodDescriptor().getBareMethodName().startsWith("Delta")) {
                call.close(Status.UNIMPLEMENTED, new Metadata());
                return new ServerCall.Listener<>() {};
            }
            return next.startCall(call, headers);
        }
    }

    private record Gate(String token) implements ServerInterceptor {
        private static final Metadata.Key<String> AUTHORIZATION = Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

        @Override
        public <Q, A> ServerCall.Listener<Q> interceptCall(ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
            if (!("Bearer " + token).equals(headers.get(AUTHORIZATION))) {
                call.close(Status.UNAUTHENTICATED.withDescription("wrong token"), new Metadata());
                return new ServerCall.Listener<>() {};
            }
            return next.startCall(call, headers);
        }
    }

    private static final class Observer implements DiscoveryServerCallbacks {
        final List<Node> nodes = new CopyOnWriteArrayList<>();
        final List<String> refusals = new CopyOnWriteArrayList<>();
        final List<DeltaDiscoveryRequest> deltaRequests = new CopyOnWriteArrayList<>();
        final List<DiscoveryRequest> requests = new CopyOnWriteArrayList<>();
        final AtomicLong open = new AtomicLong();

        @Override
        public void onStreamOpen(long streamId, String typeUrl) {
            open.incrementAndGet();
        }

        @Override
        public void onStreamClose(long streamId, String typeUrl) {
            open.decrementAndGet();
        }

        @Override
        public void onStreamCloseWithError(long streamId, String typeUrl, Throwable error) {
            open.decrementAndGet();
        }

        @Override
        public void onV3StreamRequest(long streamId, DiscoveryRequest request) {
            requests.add(request);
            if (request.hasNode()) {
                nodes.add(request.getNode());
            }
            if (request.hasErrorDetail()) {
                refusals.add(request.getErrorDetail().getMessage());
            }
        }

        @Override
        public void onV3StreamDeltaRequest(long streamId, DeltaDiscoveryRequest request) {
            deltaRequests.add(request);
            if (request.hasNode()) {
                nodes.add(request.getNode());
            }
            if (request.hasErrorDetail()) {
                refusals.add(request.getErrorDetail().getMessage());
            }
        }
    }
}
