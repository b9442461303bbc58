package io.weft.it.harness;

import io.envoyproxy.envoy.config.core.v3.HealthStatus;
import io.envoyproxy.envoy.config.core.v3.Node;
import io.envoyproxy.envoy.service.health.v3.HealthCheckRequestOrEndpointHealthResponse;
import io.envoyproxy.envoy.service.health.v3.HealthCheckSpecifier;
import io.envoyproxy.envoy.service.health.v3.HealthDiscoveryServiceGrpc.HealthDiscoveryServiceImplBase;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * Serves a policy under the rules of a real kuma-cp, read in 2.14.3 and seen there:
 * <ul>
 *   <li>A token is for a service, and one who has no inbound with the tag of that is none of it.
 *   <li>The token is the whole of {@code authorization}; with {@code Bearer} before it, it is none.
 *   <li>Who a data plane is, its first request on a stream says; what a later one says is not heard.
 *   <li>A node has one stream, and after that none, for 10 seconds of a real one and for ever here.
 *   <li>Of the state of the world a request by names is answered only when it has the name of each resource of its type.
 *   <li>Who refuses something hears nothing for a while, 5 seconds of a real one.
 *   <li>In Kubernetes mode a data plane is a pod, by the name of that, and one that describes itself is none.
 *   <li>Of a data plane that is registered it hears by Envoy's health discovery service, and of the proxy's own cluster, that it is ill.
 * </ul>
 */
public final class KumaControlPlane extends RecordingControlPlane {
    private static final Duration AFTER_REFUSAL = Duration.ofMillis(200);
    private static final String RESOURCE = "dataplane.resource";

    /** Which variant of ADS it has: until 2.x both, from 3.0 on the first. */
    public enum Variant { DELTA, STATE_OF_THE_WORLD }

    private final String token;
    /** Empty: this is no cluster. */
    private final Optional<String> pod;
    private final Variant variant;
    private final List<String> unhealthy;
    /** The thread's own. */
    private final Set<String> active = new HashSet<>();

    private KumaControlPlane(Variant variant, String token, Optional<String> pod, List<String> unhealthy) {
        super(List.of(new Hds(unhealthy)));
        this.token = token;
        this.pod = pod;
        this.variant = variant;
        this.unhealthy = unhealthy;
    }

    public static KumaControlPlane start(Variant variant, String token) {
        return new KumaControlPlane(variant, token, Optional.empty(), new CopyOnWriteArrayList<>());
    }

    /**
     * In Kubernetes mode.
     *
     * @param pod of whose service account the token is: {@code NAME.NAMESPACE}
     */
    public static KumaControlPlane startInCluster(String token, String pod) {
        return new KumaControlPlane(Variant.DELTA, token, Optional.of(pod), new CopyOnWriteArrayList<>());
    }

    /** Ids of those that said of themselves that they are not to be called. */
    public List<String> unhealthy() {
        return List.copyOf(unhealthy);
    }

    private static final class Hds extends HealthDiscoveryServiceImplBase {
        private final List<String> unhealthy;

        Hds(List<String> unhealthy) {
            this.unhealthy = unhealthy;
        }

        @Override
        public StreamObserver<HealthCheckRequestOrEndpointHealthResponse> streamHealthCheck(StreamObserver<HealthCheckSpecifier> checks) {
            return new StreamObserver<>() {
                private String node = "";

                @Override
                public void onNext(HealthCheckRequestOrEndpointHealthResponse said) {
                    if (said.hasHealthCheckRequest()) {
                        node = said.getHealthCheckRequest().getNode().getId();
                        return;
                    }
                    said.getEndpointHealthResponse().getClusterEndpointsHealthList().stream()
                            .filter(cluster -> cluster.getClusterName().equals("kuma:envoy:admin"))
                            .filter(cluster -> cluster.getLocalityEndpointsHealth(0).getEndpointsHealth(0).getHealthStatus() == HealthStatus.UNHEALTHY)
                            .forEach(cluster -> unhealthy.add(node));
                }

                @Override
                public void onError(Throwable broken) {
                    // It said what it said.
                }

                @Override
                public void onCompleted() {
                    checks.onCompleted();
                }
            };
        }
    }

    /** The {@code Dataplane} of each that has been let in. */
    public List<String> registered() {
        return dataPlanes().stream().map(node -> node.getMetadata().getFieldsOrThrow(RESOURCE).getStringValue()).toList();
    }

    @Override
    Optional<Status> objection(String method, Metadata headers) {
        if (!method.equals("StreamHealthCheck") && method.startsWith("Delta") != (variant == Variant.DELTA)) {
            return Optional.of(Status.UNIMPLEMENTED.withDescription("the other variant"));
        }
        return token.equals(headers.get(AUTHORIZATION))
                ? Optional.empty() : Optional.of(Status.UNKNOWN.withDescription("authentication failed: could not parse token"));
    }

    @Override
    Optional<String> objection(Node node) {
        if (pod.isPresent()) {
            return node.getMetadata().containsFields(RESOURCE) || !node.getId().equals("default." + pod.get())
                    ? Optional.of("authentication failed: could not retrieve Pod of " + node.getId()) : Optional.empty();
        }
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
