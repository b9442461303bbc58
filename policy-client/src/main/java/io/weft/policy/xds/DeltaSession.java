package io.weft.policy.xds;

import com.google.protobuf.InvalidProtocolBufferException;
import io.weft.policy.Dialect;
import io.weft.policy.Health;
import io.weft.policy.parse.ParseOutcome;
import io.weft.policy.parse.ResourceParser;
import io.weft.policy.parse.ResourceType;
import io.weft.policy.proto.envoy.config.core.v3.Node;
import io.weft.policy.proto.envoy.service.discovery.v3.DeltaDiscoveryRequest;
import io.weft.policy.proto.envoy.service.discovery.v3.DeltaDiscoveryResponse;
import io.weft.policy.proto.envoy.service.discovery.v3.Resource;
import io.weft.policy.proto.rpc.Status;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Consumer;

/**
 * Incremental xDS. The first request of each type says what is held already; after that only what is wanted more or less.
 */
final class DeltaSession implements AdsSession {
    static final String PATH = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources";

    /** A route configuration may leave its virtual hosts out, to have them asked for by VHDS. */
    private static final String VIRTUAL_HOSTS = "io.weft.virtual-hosts";

    private final Dialect dialect;
    private final Intake intake;
    private final Consumer<byte[]> requests;
    private final NackPacer nacks;
    /** By type, from the first request of the type on. */
    private final Map<ResourceType, Set<String>> subscribed = new EnumMap<>(ResourceType.class);
    /** What the first request of a type said to be held, until the first response of the type. */
    private final Map<ResourceType, Map<String, String>> claimed = new EnumMap<>(ResourceType.class);

    DeltaSession(Dialect dialect, Intake intake, Consumer<byte[]> requests, ScheduledExecutorService loop) {
        this.dialect = dialect;
        this.intake = intake;
        this.requests = requests;
        this.nacks = new NackPacer(loop);
    }

    @Override
    public void begin(Node node) {
        for (ResourceType type : ResourceType.values()) {
            if (!type.isAskedOf(dialect)) {
                continue;
            }
            if (type.wildcard()) {
                DeltaDiscoveryRequest.Builder request = first(type);
                // Once a stream is enough; CLUSTER is the first type.
                if (type == ResourceType.CLUSTER) {
                    request.setNode(withFeatures(node));
                }
                send(request);
            } else {
                subscribe(type);
            }
        }
    }

    @Override
    public boolean received(byte[] message) throws InvalidProtocolBufferException {
        DeltaDiscoveryResponse response = DeltaDiscoveryResponse.parseFrom(message);
        intake.responded(response.getControlPlane().getIdentifier());
        Optional<ResourceType> known = ResourceType.of(response.getTypeUrl());
        if (known.isEmpty() || !subscribed.containsKey(known.get())) {
            // Any answer, even a NACK, could be taken for a subscription.
            intake.unasked(response.getTypeUrl());
            return false;
        }
        ResourceType type = known.get();
        List<ParseOutcome> outcomes = ResourceParser.parse(type, response);
        Optional<String> refusal = intake.delta(type, response.getSystemVersionInfo(), outcomes, removed(type, response));

        nacks.supersede(type);
        DeltaDiscoveryRequest.Builder answer = request(type).setResponseNonce(response.getNonce());
        if (refusal.isEmpty()) {
            nacks.acknowledged(type);
            send(answer);
        } else {
            answer.setErrorDetail(Status.newBuilder().setCode(GrpcStatus.Code.INVALID_ARGUMENT.ordinal()).setMessage(refusal.get()));
            nacks.nack(type, content(response), () -> send(answer));
        }
        subscribe(ResourceType.ENDPOINTS);
        subscribe(ResourceType.ROUTES);
        subscribe(ResourceType.VIRTUAL_HOSTS);
        subscribe(ResourceType.SECRET);
        return refusal.isEmpty();
    }

    @Override
    public void announce(Node node) {
        nacks.hurry(ResourceType.CLUSTER);
        send(request(ResourceType.CLUSTER).setNode(withFeatures(node)));
    }

    @Override
    public void tell(Health health) {
        DeltaDiscoveryRequest.Builder request = DeltaDiscoveryRequest.newBuilder().setTypeUrl(HealthMessage.TYPE_URL);
        HealthMessage.problem(health).ifPresent(request::setErrorDetail);
        requests.accept(request.build().toByteArray());
    }

    @Override
    public void end() {
        nacks.stop();
    }

    /** With what a stream of this variant can do. */
    private static Node withFeatures(Node node) {
        return node.toBuilder().addClientFeatures(VIRTUAL_HOSTS).build();
    }

    private void subscribe(ResourceType type) {
        Set<String> wanted = intake.wanted(type);
        Set<String> before = subscribed.get(type);
        if (before == null ? wanted.isEmpty() : wanted.equals(before)) {
            return;
        }
        DeltaDiscoveryRequest.Builder request = before == null ? first(type) : request(type);
        if (before == null) {
            request.addAllResourceNamesSubscribe(wanted);
        } else {
            request.addAllResourceNamesSubscribe(without(wanted, before));
            request.addAllResourceNamesUnsubscribe(without(before, wanted));
        }
        subscribed.put(type, wanted);
        send(request);
    }

    private DeltaDiscoveryRequest.Builder first(ResourceType type) {
        Map<String, String> held = intake.held(type);
        subscribed.put(type, Set.of());
        claimed.put(type, held);
        return request(type).putAllInitialResourceVersions(held);
    }

    /**
     * java-control-plane 1.0.49 does not read what a stream says to hold: it sends everything again, and never says what has
     * gone meanwhile. Whoever sends a version that is held already does so, and what it leaves out is gone.
     */
    private Set<String> removed(ResourceType type, DeltaDiscoveryResponse response) {
        Set<String> removed = new HashSet<>(response.getRemovedResourcesList());
        Map<String, String> held = claimed.remove(type);
        if (held == null || !type.wildcard()) {
            return removed;
        }
        Set<String> sent = new HashSet<>();
        boolean repeats = false;
        for (Resource resource : response.getResourcesList()) {
            sent.add(resource.getName());
            repeats |= resource.hasResource() && resource.getVersion().equals(held.get(resource.getName()));
        }
        if (repeats) {
            removed.addAll(without(held.keySet(), sent));
        }
        return removed;
    }

    private static int content(DeltaDiscoveryResponse response) {
        int hash = response.getRemovedResourcesList().hashCode();
        for (Resource resource : response.getResourcesList()) {
            hash = 31 * hash + resource.getName().hashCode() + 31 * resource.getResource().hashCode();
        }
        return hash;
    }

    private static DeltaDiscoveryRequest.Builder request(ResourceType type) {
        return DeltaDiscoveryRequest.newBuilder().setTypeUrl(type.typeUrl());
    }

    private void send(DeltaDiscoveryRequest.Builder request) {
        requests.accept(request.build().toByteArray());
    }

    private static Set<String> without(Set<String> names, Set<String> others) {
        Set<String> rest = new HashSet<>(names);
        others.forEach(rest::remove);
        return rest;
    }
}
