package io.weft.it.harness;

import io.envoyproxy.envoy.config.core.v3.Node;
import io.grpc.Metadata;
import io.grpc.Status;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Serves a policy under the rules of a real kuma-cp, read in 2.14.3 and seen there:
 * <ul>
 *   <li>A token is for a service, and one who has no inbound with the tag of that is none of it.
 *   <li>The token is the whole of {@code authorization}; with {@code Bearer} before it, it is none.
 *   <li>Who a data plane is, its first request on a stream says; what a later one says is not heard.
 *   <li>A node has one stream, and after that none, for 10 seconds of a real one and for ever here.
 *   <li>Of the state of the world a request by names is answered only when it has the name of each resource of its type.
 *   <li>Who refuses something hears nothing for a while, 5 seconds of a real one.
 * </ul>
 */
public final class KumaControlPlane extends RecordingControlPlane {
    private static final Duration AFTER_REFUSAL = Duration.ofMillis(200);
    private static final String RESOURCE = "dataplane.resource";

    /** Which variant of ADS it has: until 2.x both, from 3.0 on the first. */
    public enum Variant { DELTA, STATE_OF_THE_WORLD }

    private final String token;
    private final Variant variant;
    /** The thread's own. */
    private final Set<String> active = new HashSet<>();

    private KumaControlPlane(Variant variant, String token) {
        super(List.of());
        this.token = token;
        this.variant = variant;
    }

    public static KumaControlPlane start(Variant variant, String token) {
        return new KumaControlPlane(variant, token);
    }

    /** The {@code Dataplane} of each that has been let in. */
    public List<String> registered() {
        return dataPlanes().stream().map(node -> node.getMetadata().getFieldsOrThrow(RESOURCE).getStringValue()).toList();
    }

    @Override
    Optional<Status> objection(String method, Metadata headers) {
        if (method.startsWith("Delta") != (variant == Variant.DELTA)) {
            return Optional.of(Status.UNIMPLEMENTED.withDescription("the other variant"));
        }
        return token.equals(headers.get(AUTHORIZATION))
                ? Optional.empty() : Optional.of(Status.UNKNOWN.withDescription("authentication failed: could not parse token"));
    }

    @Override
    Optional<String> objection(Node node) {
        if (!node.getMetadata().containsFields(RESOURCE)) {
            return Optional.of("no " + RESOURCE);
        }
        if (!node.getMetadata().getFieldsOrThrow(RESOURCE).getStringValue().contains("\"kuma.io/service\":")) {
            return Optional.of("authentication failed: dataplane has no tag \"kuma.io/service\" required by the token");
        }
        return active.add(node.getId()) ? Optional.empty() : Optional.of("there is already an active stream from this node, try again later");
    }

    @Override
    Duration restAfterRefusal() {
        return AFTER_REFUSAL;
    }
}
