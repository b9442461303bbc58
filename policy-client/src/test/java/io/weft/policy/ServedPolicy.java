package io.weft.policy;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import io.netty.handler.codec.http2.Http2Headers;
import io.weft.policy.ScriptedControlPlane.Call;
import io.weft.policy.ScriptedControlPlane.Script;
import io.weft.policy.ScriptedControlPlane.StreamScript;
import io.weft.policy.parse.ResourceType;
import io.weft.policy.proto.envoy.config.cluster.v3.Cluster;
import io.weft.policy.proto.envoy.config.core.v3.ControlPlane;
import io.weft.policy.proto.envoy.config.endpoint.v3.ClusterLoadAssignment;
import io.weft.policy.proto.envoy.config.listener.v3.Listener;
import io.weft.policy.proto.envoy.config.route.v3.RouteConfiguration;
import io.weft.policy.proto.envoy.config.route.v3.VirtualHost;
import io.weft.policy.proto.envoy.service.discovery.v3.DeltaDiscoveryRequest;
import io.weft.policy.proto.envoy.service.discovery.v3.DeltaDiscoveryResponse;
import io.weft.policy.proto.envoy.service.discovery.v3.DiscoveryRequest;
import io.weft.policy.proto.envoy.service.discovery.v3.DiscoveryResponse;
import io.weft.policy.proto.envoy.service.discovery.v3.Resource;
import java.io.UncheckedIOException;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/** A well-behaved control plane's answers in both variants of xDS; remembers what it was asked. Thread-safe. */
final class ServedPolicy {
    /** What istiod listens to; there is no answer. */
    static final String HEALTH = "type.googleapis.com/istio.v1.HealthInformation";

    private final Map<ResourceType, Map<String, MessageLite>> resources = new EnumMap<>(ResourceType.class);
    private final Map<ResourceType, Integer> versions = new EnumMap<>(ResourceType.class);
    private final List<Stream> streams = new CopyOnWriteArrayList<>();
    private final List<String> paths = new CopyOnWriteArrayList<>();
    private final List<DeltaDiscoveryRequest> deltaRequests = new CopyOnWriteArrayList<>();
    private final List<DiscoveryRequest> requests = new CopyOnWriteArrayList<>();
    private final AtomicInteger farewells = new AtomicInteger();
    /** What is asked for in vain. */
    private final Set<ResourceType> withheld = EnumSet.noneOf(ResourceType.class);
    private int nonces;

    ServedPolicy(MessageLite... initially) {
        for (ResourceType type : ResourceType.values()) {
            resources.put(type, new TreeMap<>());
            versions.put(type, 1);
        }
        for (MessageLite resource : initially) {
            put(resource);
        }
    }

    /** A service of one endpoint behind a listener with a route of its own. */
    static ServedPolicy of(String service, int port) {
        return new ServedPolicy(
                Resources.cluster(service), Resources.assignment(service, port),
                Resources.listener("outbound", "routes"), Resources.routes("routes", service, service));
    }

    synchronized void put(MessageLite resource) {
        ResourceType type = typeOf(resource);
        resources.get(type).put(nameOf(resource), resource);
        versions.merge(type, 1, Integer::sum);
    }

    synchronized void remove(ResourceType type, String name) {
        resources.get(type).remove(name);
        versions.merge(type, 1, Integer::sum);
    }

    /** Answers no request of that type until it is {@link #release}d. */
    synchronized ServedPolicy withhold(ResourceType type) {
        withheld.add(type);
        return this;
    }

    /** Answers the requests of that type on all open streams. By delta. */
    synchronized void release(ResourceType type) {
        withheld.remove(type);
        for (Stream stream : streams) {
            stream.call.stream().eventLoop().execute(() -> stream.answer(type));
        }
    }

    /** Sends what has changed on all open streams. */
    void push() {
        for (Stream stream : streams) {
            stream.call.stream().eventLoop().execute(stream::pushChanges);
        }
    }

    List<String> paths() {
        return paths;
    }

    List<DeltaDiscoveryRequest> deltaRequests() {
        return deltaRequests;
    }

    List<DiscoveryRequest> requests() {
        return requests;
    }

    /** How many streams the client has ended in good order. */
    int farewells() {
        return farewells.get();
    }

    Script script() {
        return ScriptedControlPlane.http2(Stream::new);
    }

    /** Like a control plane from before delta. */
    Script scriptWithoutDelta() {
        return ScriptedControlPlane.http2(() -> new Stream() {
            @Override
            public void headers(Call call, Http2Headers headers) {
                if (headers.path().toString().contains("Delta")) {
                    paths.add(headers.path().toString());
                    call.trailersOnly(12, "unknown method");
                } else {
                    super.headers(call, headers);
                }
            }
        });
    }

    class Stream implements StreamScript {
        private Call call;
        private boolean delta;
        private final Map<ResourceType, Set<String>> names = new EnumMap<>(ResourceType.class);
        private final Map<ResourceType, Map<String, String>> sent = new EnumMap<>(ResourceType.class);
        private final Map<ResourceType, Integer> sentVersions = new EnumMap<>(ResourceType.class);

        @Override
        public void headers(Call call, Http2Headers headers) {
            this.call = call;
            paths.add(headers.path().toString());
            delta = headers.path().toString().contains("Delta");
            call.stream().closeFuture().addListener(done -> streams.remove(this));
            streams.add(this);
            call.respond();
        }

        @Override
        public void message(Call call, byte[] message) {
            synchronized (ServedPolicy.this) {
                try {
                    if (delta) {
                        delta(DeltaDiscoveryRequest.parseFrom(message));
                    } else {
                        stateOfTheWorld(DiscoveryRequest.parseFrom(message));
                    }
                } catch (InvalidProtocolBufferException e) {
                    throw new UncheckedIOException(e);
                }
            }
        }

        @Override
        public void halfClosed() {
            farewells.incrementAndGet();
        }

        private void pushChanges() {
            synchronized (ServedPolicy.this) {
                for (ResourceType type : ResourceType.values()) {
                    if (delta && sent.containsKey(type)) {
                        sendDelta(type, false);
                    } else if (!delta && names.containsKey(type) && !versions.get(type).equals(sentVersions.get(type))) {
                        sendAll(type);
                    }
                }
            }
        }

        private void delta(DeltaDiscoveryRequest request) {
            deltaRequests.add(request);
            if (request.getTypeUrl().equals(HEALTH)) {
                return;
            }
            ResourceType type = ResourceType.of(request.getTypeUrl()).orElseThrow();
            boolean first = !sent.containsKey(type);
            if (first) {
                sent.put(type, new HashMap<>(request.getInitialResourceVersionsMap()));
                names.put(type, new HashSet<>());
            }
            names.get(type).addAll(request.getResourceNamesSubscribeList());
            request.getResourceNamesUnsubscribeList().forEach(name -> {
                names.get(type).remove(name);
                sent.get(type).remove(name);
            });
            if (!withheld.contains(type) && (first || request.getResourceNamesSubscribeCount() > 0)) {
                sendDelta(type, first);
            }
        }

        private void answer(ResourceType type) {
            synchronized (ServedPolicy.this) {
                sendDelta(type, true);
            }
        }

        private void sendDelta(ResourceType type, boolean evenIfEmpty) {
            DeltaDiscoveryResponse.Builder response = DeltaDiscoveryResponse.newBuilder()
                    .setTypeUrl(type.typeUrl())
                    .setSystemVersionInfo(Integer.toString(versions.get(type)))
                    .setControlPlane(ControlPlane.newBuilder().setIdentifier("scripted"))
                    .setNonce("n" + ++nonces);
            Map<String, String> has = sent.get(type);
            resources.get(type).forEach((name, resource) -> {
                String version = Integer.toHexString(resource.toByteString().hashCode());
                if ((type.wildcard() || names.get(type).contains(type.askedFor(name))) && !version.equals(has.put(name, version))) {
                    response.addResources(Resource.newBuilder()
                            .setName(name).setVersion(version).setResource(Resources.any(resource)));
                }
            });
            for (String name : List.copyOf(has.keySet())) {
                if (!resources.get(type).containsKey(name)) {
                    response.addRemovedResources(name);
                    has.remove(name);
                }
            }
            if (evenIfEmpty || response.getResourcesCount() + response.getRemovedResourcesCount() > 0) {
                call.message(response.build().toByteArray());
            }
        }

        private void stateOfTheWorld(DiscoveryRequest request) {
            requests.add(request);
            if (request.getTypeUrl().equals(HEALTH)) {
                return;
            }
            ResourceType type = ResourceType.of(request.getTypeUrl()).orElseThrow();
            Set<String> now = Set.copyOf(request.getResourceNamesList());
            boolean known = request.getVersionInfo().equals(Integer.toString(versions.get(type)));
            boolean asksForMore = !now.equals(names.put(type, now));
            if (request.getResponseNonce().isEmpty() ? !known : asksForMore) {
                sendAll(type);
            }
        }

        private void sendAll(ResourceType type) {
            DiscoveryResponse.Builder response = DiscoveryResponse.newBuilder()
                    .setTypeUrl(type.typeUrl())
                    .setVersionInfo(Integer.toString(versions.get(type)))
                    .setControlPlane(ControlPlane.newBuilder().setIdentifier("scripted"))
                    .setNonce("n" + ++nonces);
            resources.get(type).forEach((name, resource) -> {
                if (type.wildcard() || names.get(type).contains(name)) {
                    response.addResources(Resources.any(resource));
                }
            });
            sentVersions.put(type, versions.get(type));
            call.message(response.build().toByteArray());
        }
    }

    private static ResourceType typeOf(MessageLite resource) {
        return ResourceType.of(Resources.any(resource).getTypeUrl()).orElseThrow();
    }

    private static String nameOf(MessageLite resource) {
        if (resource instanceof Cluster cluster) {
            return cluster.getName();
        } else if (resource instanceof ClusterLoadAssignment assignment) {
            return assignment.getClusterName();
        } else if (resource instanceof Listener listener) {
            return listener.getName();
        } else if (resource instanceof VirtualHost host) {
            return host.getName();
        }
        return ((RouteConfiguration) resource).getName();
    }
}
