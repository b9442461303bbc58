package io.weft.controlplane.xds;

import com.google.protobuf.Any;
import com.google.protobuf.Message;
import io.envoyproxy.controlplane.cache.Resources;
import io.envoyproxy.controlplane.server.DefaultExecutorGroup;
import io.envoyproxy.controlplane.server.V3DiscoveryServer;
import io.envoyproxy.controlplane.server.exception.RequestException;
import io.envoyproxy.controlplane.server.serializer.ProtoResourcesSerializer;
import io.envoyproxy.envoy.config.core.v3.Node;
import io.envoyproxy.envoy.service.discovery.v3.AggregatedDiscoveryServiceGrpc.AggregatedDiscoveryServiceImplBase;
import io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryRequest;
import io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryResponse;
import io.envoyproxy.envoy.service.discovery.v3.DiscoveryRequest;
import io.envoyproxy.envoy.service.discovery.v3.DiscoveryResponse;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.weft.controlplane.identity.Admission;
import io.weft.controlplane.port.Connection;
import io.weft.controlplane.port.PortLimits;
import io.weft.controlplane.registry.ClientNode;
import io.weft.controlplane.registry.NodeReader;
import io.weft.controlplane.registry.Registry;
import io.weft.controlplane.registry.Registry.StreamId;
import io.weft.controlplane.token.Bearer;
import io.weft.controlplane.token.Proof;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The aggregated discovery service: incremental and state of the world. Thread-safe.
 *
 * <p>Every stream of the state of the world gets a {@link V3DiscoveryServer} of its own, an object of a few fields, because
 * java-control-plane tells its watchers the node of a request but not its stream, and most requests carry no node.
 */
public final class AdsServer extends AggregatedDiscoveryServiceImplBase {

    private static final Logger LOG = LoggerFactory.getLogger(AdsServer.class);

    /** Of the memory that there may be. */
    private static final int SHARE_UNDER_WAY = 8;

    private final Registry registry;
    private final ScheduledExecutorService scheduler;
    private final Admission admission;
    private final Runnable joined;
    private final PortLimits limits;
    private final Set<NodeStream> streams = ConcurrentHashMap.newKeySet();
    private final AtomicLong lastStream = new AtomicLong();
    private final NodeStream.StreamEvents events = new Events();
    private final Pushes pushes;

    /** @param joined called when a stream has said who it is and has got nothing yet */
    public AdsServer(
            Registry registry, Admission admission, PortLimits limits, ScheduledExecutorService scheduler, Runnable joined) {
        this.registry = registry;
        this.admission = admission;
        this.scheduler = scheduler;
        pushes = new Pushes(Runtime.getRuntime().maxMemory() / SHARE_UNDER_WAY, scheduler);
        this.limits = limits;
        this.joined = joined;
    }

    /**
     * Brings every stream to the state that the compiler of its mesh yields. One whose mesh has none joined after the meshes
     * were listed: it is left alone, as nothing is known for it yet; told "nothing", it would drop what it has. One that would not
     * be admitted any more is turned away. What fails for one stream changes nothing for the others.
     */
    public void publish(Map<String, MeshCompiler> compilers) {
        for (NodeStream stream : streams) {
            stream.node().ifPresent(node -> {
                try {
                    publish(stream, node, compilers);
                } catch (RuntimeException e) {
                    LOG.error("{} could not be told what changed; it keeps what it has. Please report this", node.id(), e);
                }
            });
        }
    }

    private void publish(NodeStream stream, ClientNode node, Map<String, MeshCompiler> compilers) {
        ClientNode known;
        try {
            known = admission.admit(stream.bearer(), node);
        } catch (Admission.RefusedException e) {
            stream.turnAway(e.status());
            return;
        }
        MeshCompiler compiler = compilers.get(known.mesh());
        if (compiler != null) {
            stream.publish(compiler.configFor(known, stream.takesVirtualHosts()));
        }
    }

    /** The meshes of the data planes that are connected. */
    public Set<String> meshes() {
        Set<String> meshes = ConcurrentHashMap.newKeySet();
        streams.forEach(stream -> stream.node().ifPresent(node -> meshes.add(node.mesh())));
        return meshes;
    }

    /** The ids of the data planes that are connected. */
    public Set<String> nodes() {
        Set<String> nodes = ConcurrentHashMap.newKeySet();
        streams.forEach(stream -> stream.node().ifPresent(node -> nodes.add(node.id())));
        return nodes;
    }

    /**
     * A connected data plane.
     *
     * @param build what it says of the program that it is
     * @param current it has accepted all that is meant for it now
     * @param rejections of each type of which it refuses something, by type URL, what it said of what it refused last
     */
    public record Connected(ClientNode node, ClientBuild build, boolean current, Map<String, String> rejections) {}

    public List<Connected> connected() {
        return streams.stream()
                .flatMap(stream -> stream.connected().stream())
                .toList();
    }

    @Override
    public StreamObserver<DeltaDiscoveryRequest> deltaAggregatedResources(
            StreamObserver<DeltaDiscoveryResponse> responses) {
        // Without one, to answer a stream that has just been cut would fail.
        ((ServerCallStreamObserver<DeltaDiscoveryResponse>) responses).setOnCancelHandler(() -> {});
        return new Incremental(open(responses, responses::onNext), responses);
    }

    @Override
    public StreamObserver<DiscoveryRequest> streamAggregatedResources(StreamObserver<DiscoveryResponse> responses) {
        NodeStream stream = open(responses, increment -> {
            throw new IllegalStateException("not an incremental stream");
        });
        return new Whole(
                stream, server(stream).getAggregatedDiscoveryServiceImpl().streamAggregatedResources(responses));
    }

    private NodeStream open(StreamObserver<?> responses, Consumer<DeltaDiscoveryResponse> increments) {
        NodeStream stream = new NodeStream(
                new StreamId(lastStream.incrementAndGet()),
                Bearer.current(),
                Connection.current(),
                status -> responses.onError(status.asRuntimeException()),
                increments,
                events,
                pushes,
                scheduler);
        streams.add(stream);
        stream.expectWithin(limits.firstRequest());
        return stream;
    }

    private static V3DiscoveryServer server(NodeStream stream) {
        return new V3DiscoveryServer(List.of(stream), stream, new DefaultExecutorGroup(), new Serialised());
    }

    /** Resources are kept as they go over the wire. */
    private static final class Serialised implements ProtoResourcesSerializer {
        @Override
        public Any serialize(Message resource, Resources.ApiVersion apiVersion) {
            return (Any) resource;
        }
    }

    private record Incremental(NodeStream stream, StreamObserver<DeltaDiscoveryResponse> responses)
            implements StreamObserver<DeltaDiscoveryRequest> {
        @Override
        public void onNext(DeltaDiscoveryRequest request) {
            try {
                stream.take(request);
            } catch (RequestException e) {
                stream.refuse(e);
            }
        }

        @Override
        public void onError(Throwable error) {
            stream.end(false);
        }

        @Override
        public void onCompleted() {
            if (stream.end(true)) {
                responses.onCompleted();
            }
        }
    }

    /** java-control-plane's stream is not safe against a response that is sent while a request is read. */
    private record Whole(NodeStream stream, StreamObserver<DiscoveryRequest> requests) implements StreamObserver<DiscoveryRequest> {
        @Override
        public void onNext(DiscoveryRequest request) {
            synchronized (stream) {
                requests.onNext(request);
            }
        }

        @Override
        public void onError(Throwable error) {
            synchronized (stream) {
                requests.onError(error);
            }
        }

        @Override
        public void onCompleted() {
            synchronized (stream) {
                requests.onCompleted();
            }
        }
    }

    private final class Events implements NodeStream.StreamEvents {
        @Override
        public ClientNode identified(NodeStream stream, Node sent)
                throws NodeReader.InvalidNodeException, Admission.RefusedException {
            ClientNode node = admission.admit(stream.bearer(), sent, registry.reader());
            stream.connection().admitted(stream.bearer());
            Optional<Proof> owner = stream.bearer().proof();
            registry.register(stream.id(), node, NodeReader.resource(sent), owner, new Registry.Gate<Admission.RefusedException>() {
                @Override
                public void succeeds(ClientNode holder) throws Admission.RefusedException {
                    admission.admitInPlaceOf(holder, node);
                }

                @Override
                public void joins(int others) throws Admission.RefusedException {
                    if (others >= limits.instances()) {
                        throw PortLimits.exceeded(owner.orElseThrow(), limits.instances(), "instances");
                    }
                }
            });
            joined.run();
            return node;
        }

        @Override
        public void secured(NodeStream stream, Set<ClientNode.Address> secured) {
            stream.node().ifPresent(node -> registry.secured(stream.id(), node.id(), secured));
        }

        @Override
        public void ended(NodeStream stream, boolean inGoodOrder) {
            streams.remove(stream);
            stream.node().ifPresent(node -> {
                if (inGoodOrder) {
                    registry.leave(stream.id(), node.id());
                } else {
                    registry.lose(stream.id(), node.id());
                }
            });
        }
    }
}
