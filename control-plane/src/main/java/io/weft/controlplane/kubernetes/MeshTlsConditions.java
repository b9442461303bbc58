package io.weft.controlplane.kubernetes;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.weft.controlplane.registry.Registry.Health;
import io.weft.controlplane.registry.Registry.Instance;
import io.weft.controlplane.registry.Registry.Transport;
import java.time.Clock;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes into a pod's conditions whether it takes mesh TLS, which only the replica knows that its agent is connected to, and all replicas
 * need. The condition is merged by its type, so that two that write at once do no harm. Thread-safe.
 */
final class MeshTlsConditions {

    private static final Logger LOG = LoggerFactory.getLogger(MeshTlsConditions.class);

    private final KubernetesClient client;
    private final ClusterState state;
    private final Executor executor;
    private final Clock clock;
    /** Those that are being written. */
    private final Set<ObjectName> underWay = ConcurrentHashMap.newKeySet();
    private volatile boolean failing;

    MeshTlsConditions(KubernetesClient client, ClusterState state, Executor executor, Clock clock) {
        this.client = client;
        this.state = state;
        this.executor = executor;
        this.clock = clock;
    }

    /** @param connected to this replica; asked at each change of them, and in between */
    void settle(List<Instance> connected) {
        for (Instance instance : connected) {
            if (instance.health() != Health.HEALTHY || instance.secured().isEmpty()) {
                continue;
            }
            var metadata = instance.dataplane().metadata();
            ObjectName name = new ObjectName(metadata.namespace(), metadata.displayName());
            state.pod(name).ifPresent(pod -> {
                boolean said = pod.meshTls().orElse(false);
                boolean takes = takes(instance, said);
                if (takes != said && underWay.add(name)) {
                    write(pod, takes);
                }
            });
        }
    }

    /** A pod has one condition for all of its ports: it waits for the last of them, and one that is opened later does not take it back for the others. */
    static boolean takes(Instance instance, boolean said) {
        Stream<Boolean> ready = instance.dataplane().inbounds().stream().map(inbound -> instance.transport(inbound) == Transport.READY);
        return !instance.secured().orElseThrow().isEmpty() && (said || ready.allMatch(Boolean::booleanValue));
    }

    private void write(Facts.OfPod pod, boolean takes) {
        try {
            executor.execute(() -> {
                try {
                    patch(pod, takes);
                    failing = false;
                } catch (KubernetesClientException e) {
                    if (!failing) {
                        LOG.warn("cannot write into pod {} that it {} mesh TLS ({}); it is tried again. Until then others call it as"
                                + " before", pod.name(), takes ? "takes" : "no longer takes", e.getMessage());
                    }
                    failing = true;
                } finally {
                    underWay.remove(pod.name());
                }
            });
        } catch (RejectedExecutionException e) {
            underWay.remove(pod.name());
        }
    }

    private void patch(Facts.OfPod pod, boolean takes) {
        String now = clock.instant().truncatedTo(ChronoUnit.SECONDS).toString();
        // With the uid it is refused for a later pod of this name.
        String patch = "{\"metadata\":{\"uid\":\"" + pod.uid() + "\"},\"status\":{\"conditions\":[{\"type\":\""
                + FactReader.MESH_TLS + "\",\"status\":\"" + (takes ? "True" : "False") + "\",\"reason\":\"Agent\","
                + "\"lastTransitionTime\":\"" + now + "\"}]}}";
        client.pods()
                .inNamespace(pod.name().namespace())
                .withName(pod.name().name())
                .subresource("status")
                .patch(PatchContext.of(PatchType.STRATEGIC_MERGE), patch);
    }
}
