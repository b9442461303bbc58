package io.weft.controlplane.kubernetes;

import io.weft.controlplane.identity.Workload;
import io.weft.controlplane.policy.Labels;
import io.weft.controlplane.policy.Metadata;
import io.weft.controlplane.policy.ResourceId;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/**
 * A pod as policies see it: as a data plane with the pod's labels.
 *
 * @param zone may be empty
 */
record ClusterPod(Facts.OfPod facts, String zone) {

    /** Told anew with each rollout, or to each pod its own: they tell endpoints apart by what no policy names. */
    private static final Set<String> NOISE = Set.of(
            "pod-template-hash", "controller-revision-hash", "pod-template-generation", "statefulset.kubernetes.io/pod-name",
            "apps.kubernetes.io/pod-index", "batch.kubernetes.io/controller-uid", "controller-uid");

    Workload workload() {
        return new Workload(facts.service(), facts.name().namespace(), facts.serviceAccount());
    }

    Metadata metadata() {
        ObjectName name = facts.name();
        return new Metadata(
                new ResourceId("Dataplane", facts.mesh(), name.name() + "." + name.namespace()),
                name.name(), name.namespace(), tags());
    }

    Map<String, String> tags() {
        Map<String, String> tags = new HashMap<>(facts.labels());
        tags.keySet().removeAll(NOISE);
        tags.put(Labels.SERVICE, facts.service());
        tags.put(Labels.NAMESPACE, facts.name().namespace());
        if (!zone.isEmpty()) {
            tags.put(Labels.ZONE, zone);
        }
        return tags;
    }
}
