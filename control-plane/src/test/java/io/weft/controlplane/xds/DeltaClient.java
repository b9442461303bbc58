package io.weft.controlplane.xds;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.rpc.Status;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.core.v3.HealthStatus;
import io.envoyproxy.envoy.config.core.v3.Node;
import io.envoyproxy.envoy.config.endpoint.v3.ClusterLoadAssignment;
import io.envoyproxy.envoy.config.listener.v3.Listener;
import io.envoyproxy.envoy.config.route.v3.RouteConfiguration;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.Secret;
import io.envoyproxy.envoy.service.discovery.v3.AggregatedDiscoveryServiceGrpc;
import io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryRequest;
import io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryResponse;
import io.envoyproxy.envoy.service.discovery.v3.Resource;
import io.grpc.ClientInterceptor;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;

/** A data plane over the wire, by incremental xDS: accepts everything and asks for the endpoints and routes that it is told of. */
public final class DeltaClient implements AutoCloseable {

    private final ManagedChannel channel;
    private final StreamObserver<DeltaDiscoveryRequest> requests;
    private final Map<ResourceType, Map<String, Resource>> resources = new ConcurrentHashMap<>();
    private final List<DeltaDiscoveryResponse> responses = new CopyOnWriteArrayList<>();
    private volatile Throwable failure;
    private volatile Set<String> refused = Set.of();

    public DeltaClient(int port, Node node) {
        this(port, node, Map.of(), Optional.empty());
    }

    /** @param refused names of the resources that it refuses from the first on */
    public DeltaClient(int port, Node node, String token, String... refused) {
        this(port, node, Map.of(), Optional.of(token), refused);
    }

    DeltaClient(int port, Node node, Map<ResourceType, Map<String, String>> had) {
        this(port, node, had, Optional.empty());
    }

    private DeltaClient(
            int port, Node node, Map<ResourceType, Map<String, String>> had, Optional<String> token, String... refused) {
        this(NettyChannelBuilder.forAddress("127.0.0.1", port).usePlaintext(), node, had, token, refused);
    }

    public DeltaClient(NettyChannelBuilder channel, Node node, String token) {
        this(channel, node, Map.of(), Optional.of(token));
    }

    /** @param had versions by name and type, from an earlier stream */
    private DeltaClient(
            NettyChannelBuilder builder,
            Node node,
            Map<ResourceType, Map<String, String>> had,
            Optional<String> token,
            String... refused) {
        refuse(refused);
        channel = builder.intercept(bearing(token)).build();
        for (ResourceType type : ResourceType.values()) {
            resources.put(type, new ConcurrentHashMap<>());
        }
        requests = AggregatedDiscoveryServiceGrpc.newStub(channel).deltaAggregatedResources(new StreamObserver<>() {
            @Override
            public void onNext(DeltaDiscoveryResponse response) {
                accept(response);
            }

            @Override
            public void onError(Throwable error) {
                failure = error;
            }

            @Override
            public void onCompleted() {}
        });
        synchronized (this) {
            requests.onNext(first(ResourceType.CLUSTER, had).setNode(node).build());
            requests.onNext(first(ResourceType.LISTENER, had).build());
        }
    }

    static ClientInterceptor bearing(Optional<String> token) {
        Metadata headers = new Metadata();
        token.ifPresent(text -> headers.put(
                Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER), "Bearer " + text));
        return MetadataUtils.newAttachHeadersInterceptor(headers);
    }

    private static DeltaDiscoveryRequest.Builder first(
            ResourceType type, Map<ResourceType, Map<String, String>> had) {
        return DeltaDiscoveryRequest.newBuilder()
                .setTypeUrl(type.typeUrl())
                .putAllInitialResourceVersions(had.getOrDefault(type, Map.of()));
    }

    private synchronized void accept(DeltaDiscoveryResponse response) {
        responses.add(response);
        ResourceType type = ResourceType.of(response.getTypeUrl());
        DeltaDiscoveryRequest.Builder answer = DeltaDiscoveryRequest.newBuilder()
                .setTypeUrl(response.getTypeUrl())
                .setResponseNonce(response.getNonce());
        if (response.getResourcesList().stream().anyMatch(resource -> refused.contains(resource.getName()))) {
            requests.onNext(answer.setErrorDetail(Status.newBuilder().setCode(3).setMessage("not this one")).build());
            return;
        }
        response.getResourcesList().forEach(resource -> resources.get(type).put(resource.getName(), resource));
        response.getRemovedResourcesList().forEach(resources.get(type)::remove);
        requests.onNext(answer.build());
        if (type == ResourceType.CLUSTER) {
            List<String> eds = response.getResourcesList().stream()
                    .map(Resource::getName)
                    .filter(name -> cluster(name).getType() == Cluster.DiscoveryType.EDS)
                    .toList();
            subscribe(ResourceType.ENDPOINT, eds, response.getRemovedResourcesList());
        } else if (type == ResourceType.LISTENER) {
            List<String> routes = response.getResourcesList().stream()
                    .map(Resource::getName)
                    .filter(name -> name.startsWith("outbound_"))
                    .toList();
            subscribe(ResourceType.ROUTE, routes, response.getRemovedResourcesList());
        } else if (type == ResourceType.ROUTE) {
            List<String> partial = response.getResourcesList().stream()
                    .map(Resource::getName)
                    .filter(name -> routes(name).hasVhds())
                    .toList();
            subscribe(ResourceType.VIRTUAL_HOST, partial, response.getRemovedResourcesList());
        }
    }

    public void askForSecret(String name) {
        subscribe(ResourceType.SECRET, List.of(name), List.of());
    }

    synchronized void subscribe(ResourceType type, Collection<String> names, Collection<String> noMore) {
        if (names.isEmpty() && noMore.isEmpty()) {
            return;
        }
        noMore.forEach(resources.get(type)::remove);
        requests.onNext(DeltaDiscoveryRequest.newBuilder()
                .setTypeUrl(type.typeUrl())
                .addAllResourceNamesSubscribe(names)
                .addAllResourceNamesUnsubscribe(noMore)
                .build());
    }

    /** @param had versions by name, from an earlier stream */
    synchronized void subscribe(ResourceType type, Map<String, String> had, Collection<String> names) {
        requests.onNext(DeltaDiscoveryRequest.newBuilder()
                .setTypeUrl(type.typeUrl())
                .putAllInitialResourceVersions(had)
                .addAllResourceNamesSubscribe(names)
                .build());
    }

    /** As the agent tells of a changed node: nothing else in the request. */
    public synchronized void update(Node node) {
        requests.onNext(DeltaDiscoveryRequest.newBuilder()
                .setTypeUrl(ResourceType.CLUSTER.typeUrl())
                .setNode(node)
                .build());
    }

    /** From now on responses with a resource of these names are refused, and no others. */
    final void refuse(String... names) {
        refused = Set.of(names);
    }

    public List<DeltaDiscoveryResponse> responses() {
        return responses;
    }

    /** Health by port, of each assignment that was sent for a cluster. */
    List<Map<Integer, HealthStatus>> history(String cluster) {
        List<Map<Integer, HealthStatus>> history = new ArrayList<>();
        for (DeltaDiscoveryResponse response : responses) {
            for (Resource resource : response.getResourcesList()) {
                if (resource.getName().equals(cluster) && resource.getResource().is(ClusterLoadAssignment.class)) {
                    Map<Integer, HealthStatus> health = new HashMap<>();
                    unpack(resource, ClusterLoadAssignment.class).getEndpointsList().forEach(locality ->
                            locality.getLbEndpointsList().forEach(endpoint -> health.put(
                                    endpoint.getEndpoint().getAddress().getSocketAddress().getPortValue(),
                                    endpoint.getHealthStatus())));
                    history.add(health);
                }
            }
        }
        return history;
    }

    public Throwable failure() {
        return failure;
    }

    public Collection<String> names(ResourceType type) {
        return resources.get(type).keySet();
    }

    Map<String, String> versions(ResourceType type) {
        Map<String, String> versions = new ConcurrentHashMap<>();
        resources.get(type).forEach((name, resource) -> versions.put(name, resource.getVersion()));
        return versions;
    }

    public Cluster cluster(String name) {
        return get(ResourceType.CLUSTER, name, Cluster.class);
    }

    public ClusterLoadAssignment endpoints(String name) {
        return get(ResourceType.ENDPOINT, name, ClusterLoadAssignment.class);
    }

    public Listener listener(String name) {
        return get(ResourceType.LISTENER, name, Listener.class);
    }

    public RouteConfiguration routes(String name) {
        return get(ResourceType.ROUTE, name, RouteConfiguration.class);
    }

    public VirtualHost virtualHost(String name) {
        return get(ResourceType.VIRTUAL_HOST, name, VirtualHost.class);
    }

    public Secret secret(String name) {
        return get(ResourceType.SECRET, name, Secret.class);
    }

    /** Null if there is none. */
    private <T extends Message> T get(ResourceType type, String name, Class<T> messageType) {
        Resource resource = resources.get(type).get(name);
        return resource == null ? null : unpack(resource, messageType);
    }

    private static <T extends Message> T unpack(Resource resource, Class<T> messageType) {
        try {
            return resource.getResource().unpack(messageType);
        } catch (InvalidProtocolBufferException e) {
            throw new AssertionError(e);
        }
    }

    /** Ends the stream in good order. */
    public synchronized void leave() throws InterruptedException {
        requests.onCompleted();
        channel.shutdown().awaitTermination(5, TimeUnit.SECONDS);
    }

    /** Breaks the connection. */
    @Override
    public void close() {
        channel.shutdownNow();
    }
}
