package io.weft.it.harness;

import com.google.protobuf.Any;
import com.google.protobuf.Message;
import io.envoyproxy.envoy.config.core.v3.Node;
import io.envoyproxy.envoy.service.discovery.v3.AggregatedDiscoveryServiceGrpc.AggregatedDiscoveryServiceImplBase;
import io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryRequest;
import io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryResponse;
import io.envoyproxy.envoy.service.discovery.v3.DiscoveryRequest;
import io.envoyproxy.envoy.service.discovery.v3.DiscoveryResponse;
import io.envoyproxy.envoy.service.discovery.v3.Resource;
import io.grpc.BindableService;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerDomainSocketChannel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Serves the same policy to every data plane by ADS under the rules of one kind of control plane, which are stricter than xDS is, and
 * keeps what it hears. Thread-safe; all but the gate happens on one thread.
 */
abstract class RecordingControlPlane implements AutoCloseable {
    static final Metadata.Key<String> AUTHORIZATION = Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

    /** What comes when it is closed is nobody's any more. */
    private final ScheduledExecutorService thread = new ScheduledThreadPoolExecutor(1, new ThreadPoolExecutor.DiscardPolicy());
    private final Server server;
    private final URI uri;
    /** Null: the server has its own. */
    private final EventLoopGroup loops;

    private final List<Node> dataPlanes = new CopyOnWriteArrayList<>();
    private final List<String> refusals = new CopyOnWriteArrayList<>();
    private final List<String> turnedAway = new CopyOnWriteArrayList<>();

    // The thread's own.
    private final List<Stream> streams = new ArrayList<>();
    private Map<String, Map<String, Any>> resources = Map.of();
    private long nonces;

    /** Listens on loopback, in plaintext: that is not how they differ. */
    RecordingControlPlane(List<BindableService> more) {
        loops = null;
        NettyServerBuilder builder = NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        more.forEach(builder::addService);
        server = start(builder);
        uri = URI.create("grpc://127.0.0.1:" + server.getPort());
    }

    /** Listens on a socket of this machine. */
    RecordingControlPlane(Path socket) {
        loops = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
        server = start(NettyServerBuilder.forAddress(UnixDomainSocketAddress.of(socket))
                .channelType(NioServerDomainSocketChannel.class).bossEventLoopGroup(loops).workerEventLoopGroup(loops));
        uri = URI.create("unix:" + socket);
    }

    private Server start(NettyServerBuilder builder) {
        try {
            return builder.permitKeepAliveTime(1, TimeUnit.SECONDS)
                    .permitKeepAliveWithoutCalls(true)
                    .intercept(new Gate())
                    .addService(new Service())
                    .build().start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What a call is answered at once; empty: it is let in. On any thread. */
    abstract Optional<Status> objection(String method, Metadata headers);

    /** Why a data plane is turned away; empty: it is not. */
    abstract Optional<String> objection(Node node);

    /** For how long one who refuses something hears nothing. */
    abstract Duration restAfterRefusal();

    /** @return whether a request is no question for resources, but something that this kind of control plane is told */
    boolean isTold(String type, String problem) {
        return false;
    }

    /** What the real one would hold for a mistake. */
    void mistake(String what) {}

    public URI uri() {
        return uri;
    }

    public void serve(Policy policy) {
        serve(policy, List.of());
    }

    /** @param more resources that no policy has, each with the name empty */
    void serve(Policy policy, List<Any> more) {
        Map<String, Map<String, Any>> fresh = new HashMap<>();
        for (Map<String, ? extends Message> ofType : List.of(
                policy.clusters(), policy.endpoints(), policy.listeners(), policy.routes(), policy.secrets())) {
            ofType.forEach((name, resource) -> {
                Any packed = Any.pack(resource);
                fresh.computeIfAbsent(packed.getTypeUrl(), type -> new TreeMap<>()).put(name, packed);
            });
        }
        more.forEach(resource -> fresh.put(resource.getTypeUrl(), Map.of("", resource)));
        thread.execute(() -> {
            resources = fresh;
            List.copyOf(streams).forEach(Stream::changed);
        });
    }

    /** Ends each stream, as a connection that breaks. */
    public void dropStreams() {
        thread.execute(() -> List.copyOf(streams).forEach(Stream::drop));
    }

    /** Who has been let in, in order. */
    public List<Node> dataPlanes() {
        return List.copyOf(dataPlanes);
    }

    /** The message of each NACK, in order. */
    public List<String> refusals() {
        return List.copyOf(refusals);
    }

    /** Why calls and streams were ended, in order. */
    public List<String> turnedAway() {
        return List.copyOf(turnedAway);
    }

    @Override
    public void close() {
        try {
            server.shutdownNow().awaitTermination(10, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        } finally {
            thread.shutdownNow();
            if (loops != null) {
                loops.shutdownGracefully(0, 0, TimeUnit.SECONDS);
            }
        }
    }

    private Map<String, Any> ofType(String type) {
        return resources.getOrDefault(type, Map.of());
    }

    private static String version(Any resource) {
        return Integer.toHexString(resource.hashCode());
    }

    private final class Gate implements ServerInterceptor {
        @Override
        public <Q, A> ServerCall.Listener<Q> interceptCall(ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
            Optional<Status> objection = objection(call.getMethodDescriptor().getBareMethodName(), headers);
            if (objection.isPresent()) {
                if (objection.get().getCode() != Status.Code.UNIMPLEMENTED) {
                    turnedAway.add(String.valueOf(objection.get().getDescription()));
                }
                call.close(objection.get(), new Metadata());
                return new ServerCall.Listener<>() {};
            }
            return next.startCall(call, headers);
        }
    }

    private final class Service extends AggregatedDiscoveryServiceImplBase {
        @Override
        public StreamObserver<DeltaDiscoveryRequest> deltaAggregatedResources(StreamObserver<DeltaDiscoveryResponse> responses) {
            return new DeltaStream(responses);
        }

        @Override
        public StreamObserver<DiscoveryRequest> streamAggregatedResources(StreamObserver<DiscoveryResponse> responses) {
            return new WorldStream(responses);
        }
    }

    private abstract class Stream {
        private final StreamObserver<?> responses;
        private String node = "";
        private boolean over;
        private boolean isResting;

        Stream(StreamObserver<?> responses) {
            this.responses = responses;
            ((ServerCallStreamObserver<?>) responses).setOnCancelHandler(() -> thread.execute(this::ended));
        }

        /** Says what there is to say. */
        abstract void tell();

        void changed() {
            if (!over && !isResting && !node.isEmpty()) {
                tell();
            }
        }

        /** @return whether there is any more to do about the request */
        boolean isLetIn(Node said) {
            if (over || !node.isEmpty()) {
                return !over;
            }
            Optional<String> objection = objection(said);
            if (objection.isPresent()) {
                turnAway(objection.get());
            } else {
                node = said.getId();
                streams.add(this);
                dataPlanes.add(said);
            }
            return !over;
        }

        private void turnAway(String why) {
            over = true;
            turnedAway.add(why);
            responses.onError(Status.UNKNOWN.withDescription(why).asRuntimeException());
        }

        void refused(String message) {
            refusals.add(message);
            isResting = true;
            thread.schedule(() -> {
                isResting = false;
                changed();
            }, restAfterRefusal().toMillis(), TimeUnit.MILLISECONDS);
        }

        void drop() {
            responses.onError(Status.UNAVAILABLE.withDescription("the connection is gone").asRuntimeException());
            ended();
        }

        void ended() {
            if (!over) {
                over = true;
                streams.remove(this);
            }
        }
    }

    private final class DeltaStream extends Stream implements StreamObserver<DeltaDiscoveryRequest> {
        private final StreamObserver<DeltaDiscoveryResponse> responses;
        private final Map<String, Watch> watches = new HashMap<>();

        /** Of one type. */
        private static final class Watch {
            final Set<String> names = new HashSet<>();
            /** By name: what the data plane is known to hold. */
            final Map<String, String> held = new HashMap<>();
            boolean wildcard;
            boolean isFirst = true;
            /** Of the response that is to be answered yet; empty: there is none. */
            String pending = "";

            boolean wants(String name) {
                return wildcard || names.contains(name);
            }
        }

        DeltaStream(StreamObserver<DeltaDiscoveryResponse> responses) {
            super(responses);
            this.responses = responses;
        }

        @Override
        public void onNext(DeltaDiscoveryRequest request) {
            thread.execute(() -> {
                if (isLetIn(request.getNode()) && !isTold(request.getTypeUrl(), request.getErrorDetail().getMessage())) {
                    heard(request);
                }
            });
        }

        private void heard(DeltaDiscoveryRequest request) {
            Watch watch = watches.computeIfAbsent(request.getTypeUrl(), type -> {
                Watch fresh = new Watch();
                fresh.wildcard = request.getResourceNamesSubscribeCount() == 0;
                fresh.held.putAll(request.getInitialResourceVersionsMap());
                return fresh;
            });
            boolean changes = watch.names.addAll(request.getResourceNamesSubscribeList())
                    | request.getResourceNamesUnsubscribeCount() > 0 | watch.isFirst;
            if (!changes && request.getResponseNonce().isEmpty()) {
                mistake("a request that changes nothing: " + request.getTypeUrl());
            }
            request.getResourceNamesUnsubscribeList().forEach(name -> {
                watch.names.remove(name);
                watch.held.remove(name);
            });
            if (!request.getResponseNonce().isEmpty() && request.getResponseNonce().equals(watch.pending)) {
                watch.pending = "";
                if (request.hasErrorDetail()) {
                    refused(request.getErrorDetail().getMessage());
                }
            }
            changed();
        }

        @Override
        void tell() {
            watches.forEach((type, watch) -> {
                if (watch.pending.isEmpty()) {
                    tell(type, watch);
                }
            });
        }

        private void tell(String type, Watch watch) {
            DeltaDiscoveryResponse.Builder response = DeltaDiscoveryResponse.newBuilder().setTypeUrl(type);
            ofType(type).forEach((name, resource) -> {
                if (watch.wants(name) && !version(resource).equals(watch.held.put(name, version(resource)))) {
                    response.addResources(Resource.newBuilder().setName(name).setVersion(version(resource)).setResource(resource));
                }
            });
            for (String name : Set.copyOf(watch.held.keySet())) {
                if (!ofType(type).containsKey(name) || !watch.wants(name)) {
                    watch.held.remove(name);
                    response.addRemovedResources(name);
                }
            }
            boolean asked = watch.isFirst && watch.wildcard;
            watch.isFirst = false;
            if (asked || response.getResourcesCount() + response.getRemovedResourcesCount() > 0) {
                watch.pending = Long.toString(++nonces);
                responses.onNext(response.setNonce(watch.pending).build());
            }
        }

        @Override
        public void onError(Throwable gone) {
            thread.execute(this::ended);
        }

        @Override
        public void onCompleted() {
            thread.execute(() -> {
                ended();
                responses.onCompleted();
            });
        }
    }

    private final class WorldStream extends Stream implements StreamObserver<DiscoveryRequest> {
        private final StreamObserver<DiscoveryResponse> responses;
        /** The latest of each type that has not been answered. */
        private final Map<String, DiscoveryRequest> open = new TreeMap<>();
        private final Map<String, String> nonceOf = new HashMap<>();

        WorldStream(StreamObserver<DiscoveryResponse> responses) {
            super(responses);
            this.responses = responses;
        }

        @Override
        public void onNext(DiscoveryRequest request) {
            thread.execute(() -> {
                boolean isStale = !request.getResponseNonce().isEmpty()
                        && !request.getResponseNonce().equals(nonceOf.get(request.getTypeUrl()));
                if (isLetIn(request.getNode()) && !isTold(request.getTypeUrl(), request.getErrorDetail().getMessage()) && !isStale) {
                    open.put(request.getTypeUrl(), request);
                    if (request.hasErrorDetail()) {
                        refused(request.getErrorDetail().getMessage());
                    }
                    changed();
                }
            });
        }

        @Override
        void tell() {
            for (DiscoveryRequest request : List.copyOf(open.values())) {
                Map<String, Any> all = ofType(request.getTypeUrl());
                String version = Integer.toHexString(all.hashCode());
                Set<String> names = new HashSet<>(request.getResourceNamesList());
                boolean isWhole = names.isEmpty() || names.containsAll(all.keySet());
                if (isWhole && !version.equals(request.getVersionInfo())) {
                    open.remove(request.getTypeUrl());
                    String nonce = Long.toString(++nonces);
                    nonceOf.put(request.getTypeUrl(), nonce);
                    responses.onNext(DiscoveryResponse.newBuilder().setTypeUrl(request.getTypeUrl()).setVersionInfo(version)
                            .setNonce(nonce).addAllResources(all.values()).build());
                }
            }
        }

        @Override
        public void onError(Throwable gone) {
            thread.execute(this::ended);
        }

        @Override
        public void onCompleted() {
            thread.execute(() -> {
                ended();
                responses.onCompleted();
            });
        }
    }
}
