package io.weft.policy.xds;

import com.google.protobuf.InvalidProtocolBufferException;
import io.weft.policy.Dialect;
import io.weft.policy.Health;
import io.weft.policy.parse.ParseOutcome;
import io.weft.policy.parse.ResourceParser;
import io.weft.policy.parse.ResourceType;
import io.weft.policy.proto.envoy.config.core.v3.Node;
import io.weft.policy.proto.envoy.service.discovery.v3.DiscoveryRequest;
import io.weft.policy.proto.envoy.service.discovery.v3.DiscoveryResponse;
import io.weft.policy.proto.rpc.Status;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Consumer;

/**
 * State-of-the-world xDS. Every request names all that is wanted of its type: a go-control-plane cache that serves ADS answers
 * only requests that name everything it has.
 */
final class StateOfTheWorldSession implements AdsSession {
    static final String PATH = "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources";

    private final Dialect dialect;
    private final Intake intake;
    private final Consumer<byte[]> requests;
    private final NackPacer nacks;
    private final Map<ResourceType, String> accepted;
    /** The last request of each type, from the first on. */
    private final Map<ResourceType, DiscoveryRequest> last = new EnumMap<>(ResourceType.class);

    /** @param accepted versions of what was accepted last; outlives the stream */
    StateOfTheWorldSession(
            Dialect dialect, Intake intake, Consumer<byte[]> requests, ScheduledExecutorService loop,
            Map<ResourceType, String> accepted) {
        this.dialect = dialect;
        this.intake = intake;
        this.requests = requests;
        this.nacks = new NackPacer(loop);
        this.accepted = accepted;
    }

    @Override
    public void begin(Node node) {
        for (ResourceType type : ResourceType.values()) {
            if (!type.isAskedOf(dialect) || type.byPart()) {
                continue;
            }
            if (type.wildcard()) {
                DiscoveryRequest.Builder request = request(type);
                // Once a stream is enough; CLUSTER is the first type.
                if (type == ResourceType.CLUSTER) {
                    request.setNode(node);
                }
                send(type, request);
            } else {
                subscribe(type);
            }
        }
    }

    @Override
    public boolean received(byte[] message) throws InvalidProtocolBufferException {
        DiscoveryResponse response = DiscoveryResponse.parseFrom(message);
        intake.responded(response.getControlPlane().getIdentifier());
        Optional<ResourceType> known = ResourceType.of(response.getTypeUrl());
        if (known.isEmpty() || !last.containsKey(known.get())) {
            // Any answer, even a NACK, could be taken for a subscription.
            intake.unasked(response.getTypeUrl());
            return false;
        }
        ResourceType type = known.get();
        List<ParseOutcome> outcomes = ResourceParser.parse(type, response);
        Optional<String> refusal = intake.stateOfTheWorld(type, response.getVersionInfo(), outcomes);

        nacks.supersede(type);
        if (refusal.isEmpty()) {
            nacks.acknowledged(type);
            // Taken as sent, also when it goes back: what a version means is the control plane's affair.
            accepted.put(type, response.getVersionInfo());
            send(type, answer(type, response.getNonce()));
        } else {
            DiscoveryRequest.Builder answer = answer(type, response.getNonce()).setErrorDetail(Status.newBuilder()
                    .setCode(GrpcStatus.Code.INVALID_ARGUMENT.ordinal()).setMessage(refusal.get()));
            nacks.nack(type, response.getResourcesList().hashCode(), () -> send(type, answer.clearResourceNames().addAllResourceNames(intake.wanted(type))));
        }
        subscribe(ResourceType.ENDPOINTS);
        subscribe(ResourceType.ROUTES);
        subscribe(ResourceType.SECRET);
        return refusal.isEmpty();
    }

    @Override
    public void announce(Node node) {
        nacks.hurry(ResourceType.CLUSTER);
        requests.accept(last.get(ResourceType.CLUSTER).toBuilder().setNode(node).build().toByteArray());
    }

    @Override
    public void tell(Health health) {
        DiscoveryRequest.Builder request = DiscoveryRequest.newBuilder().setTypeUrl(HealthMessage.TYPE_URL);
        HealthMessage.problem(health).ifPresent(request::setErrorDetail);
        requests.accept(request.build().toByteArray());
    }

    @Override
    public void end() {
        nacks.stop();
    }

    private void subscribe(ResourceType type) {
        Set<String> wanted = intake.wanted(type);
        DiscoveryRequest before = last.get(type);
        // The first request of a type without names would ask for all of it.
        if (before == null && !wanted.isEmpty()) {
            send(type, request(type));
        } else if (before != null && !(before.getResourceNamesCount() == wanted.size()
                && wanted.containsAll(before.getResourceNamesList()))) {
            send(type, before.toBuilder().clearResourceNames().addAllResourceNames(wanted));
        }
    }

    private DiscoveryRequest.Builder request(ResourceType type) {
        Set<String> wanted = intake.wanted(type);
        DiscoveryRequest.Builder request =
                DiscoveryRequest.newBuilder().setTypeUrl(type.typeUrl()).addAllResourceNames(wanted);
        String version = accepted.get(type);
        // A server has nothing more to say about a version that is held: it must not be told so while anything is missing.
        if (version != null && intake.held(type).keySet().containsAll(wanted)) {
            request.setVersionInfo(version);
        }
        return request;
    }

    private DiscoveryRequest.Builder answer(ResourceType type, String nonce) {
        return DiscoveryRequest.newBuilder()
                .setTypeUrl(type.typeUrl())
                .setVersionInfo(accepted.getOrDefault(type, ""))
                .setResponseNonce(nonce)
                .addAllResourceNames(intake.wanted(type));
    }

    private void send(ResourceType type, DiscoveryRequest.Builder request) {
        DiscoveryRequest built = request.build();
        // Node and refusal are said once; what is repeated does without.
        last.put(type, built.toBuilder().clearNode().clearErrorDetail().build());
        requests.accept(built.toByteArray());
    }
}
