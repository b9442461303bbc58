package io.weft.controlplane.xds;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import io.envoyproxy.controlplane.cache.Resources;
import io.envoyproxy.envoy.config.core.v3.Node;
import io.envoyproxy.envoy.config.endpoint.v3.ClusterLoadAssignment;
import io.envoyproxy.envoy.service.discovery.v3.AggregatedDiscoveryServiceGrpc;
import io.envoyproxy.envoy.service.discovery.v3.DiscoveryRequest;
import io.envoyproxy.envoy.service.discovery.v3.DiscoveryResponse;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/** A data plane over the wire, by state of the world; its node goes with its first request only. */
public final class WholeClient implements AutoCloseable {

    private final ManagedChannel channel;
    private final StreamObserver<DiscoveryRequest> requests;
    private final Map<ResourceType, DiscoveryResponse> latest = new ConcurrentHashMap<>();
    private final Map<ResourceType, List<String>> asked = new ConcurrentHashMap<>();
    private final List<DiscoveryResponse> responses = new CopyOnWriteArrayList<>();
    private volatile Throwable failure;

    public WholeClient(int port, Node node) {
        channel = NettyChannelBuilder.forAddress("127.0.0.1", port).usePlaintext().build();
        requests = AggregatedDiscoveryServiceGrpc.newStub(channel).streamAggregatedResources(new StreamObserver<>() {
            @Override
            public void onNext(DiscoveryResponse response) {
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
            requests.onNext(DiscoveryRequest.newBuilder()
                    .setTypeUrl(ResourceType.CLUSTER.typeUrl())
                    .setNode(node)
                    .build());
            requests.onNext(DiscoveryRequest.newBuilder().setTypeUrl(ResourceType.LISTENER.typeUrl()).build());
        }
    }

    private synchronized void accept(DiscoveryResponse response) {
        responses.add(response);
        ResourceType type = ResourceType.of(response.getTypeUrl());
        latest.put(type, response);
        requests.onNext(ack(type).build());
        if (type == ResourceType.CLUSTER) {
            ask(ResourceType.ENDPOINT, names(type).stream().filter(name -> name.startsWith("kri_")).toList());
        } else if (type == ResourceType.LISTENER) {
            ask(ResourceType.ROUTE, names(type).stream().filter(name -> name.startsWith("outbound_")).toList());
        }
    }

    private DiscoveryRequest.Builder ack(ResourceType type) {
        DiscoveryRequest.Builder request = DiscoveryRequest.newBuilder()
                .setTypeUrl(type.typeUrl())
                .addAllResourceNames(asked.getOrDefault(type, List.of()));
        DiscoveryResponse response = latest.get(type);
        return response == null
                ? request
                : request.setVersionInfo(response.getVersionInfo()).setResponseNonce(response.getNonce());
    }

    private void ask(ResourceType type, List<String> names) {
        if (!names.equals(asked.put(type, names))) {
            requests.onNext(ack(type).build());
        }
    }

    /** As the agent tells of a changed node: its last acknowledgement once more. */
    public synchronized void update(Node node) {
        requests.onNext(ack(ResourceType.CLUSTER).setNode(node).build());
    }

    public List<String> names(ResourceType type) {
        DiscoveryResponse response = latest.get(type);
        return response == null
                ? List.of()
                : response.getResourcesList().stream().map(Resources::getResourceName).sorted().toList();
    }

    public Map<Integer, String> endpoints(String cluster) {
        Map<Integer, String> endpoints = new ConcurrentHashMap<>();
        DiscoveryResponse response = latest.get(ResourceType.ENDPOINT);
        if (response != null) {
            for (Any any : response.getResourcesList()) {
                ClusterLoadAssignment assignment = unpack(any);
                if (assignment.getClusterName().equals(cluster)) {
                    assignment.getEndpointsList().forEach(locality -> locality.getLbEndpointsList().forEach(endpoint ->
                            endpoints.put(
                                    endpoint.getEndpoint().getAddress().getSocketAddress().getPortValue(),
                                    endpoint.getHealthStatus().name())));
                }
            }
        }
        return endpoints;
    }

    private static ClusterLoadAssignment unpack(Any any) {
        try {
            return any.unpack(ClusterLoadAssignment.class);
        } catch (InvalidProtocolBufferException e) {
            throw new AssertionError(e);
        }
    }

    public List<DiscoveryResponse> responses() {
        return responses;
    }

    public Throwable failure() {
        return failure;
    }

    @Override
    public void close() {
        channel.shutdownNow();
    }
}
