package io.weft.controlplane.kubernetes;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import io.weft.controlplane.policy.PolicyHistory;
import io.weft.controlplane.policy.PolicySet;
import io.weft.controlplane.policy.Problem;
import io.weft.controlplane.policy.ResourceParser;
import io.weft.controlplane.policy.SourceText;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** The cluster's policies, read by the same parsers as a folder's. Thread-safe. */
final class Policies {

    private final KubernetesSerialization serialization;
    private final PolicyHistory history;
    /** By kind, namespace and name, in their order. */
    private final Map<String, SourceText> texts = new TreeMap<>();

    Policies(KubernetesSerialization serialization, ResourceParser parser) {
        this.serialization = serialization;
        this.history = new PolicyHistory(parser);
    }

    /** @return whether anything changed */
    synchronized boolean put(GenericKubernetesResource object) {
        SourceText text = text(serialization, object);
        return !text.equals(texts.put(text.name(), text));
    }

    synchronized void remove(GenericKubernetesResource object) {
        texts.remove(name(object));
    }

    /** An object as a parser reads it. */
    static SourceText text(KubernetesSerialization serialization, GenericKubernetesResource object) {
        return new SourceText(name(object), Optional.of(serialization.asJson(written(object))), Optional.empty());
    }

    private static String name(GenericKubernetesResource object) {
        ObjectMeta metadata = object.getMetadata();
        return object.getKind() + " "
                + (metadata.getNamespace() == null ? "" : metadata.getNamespace() + "/") + metadata.getName();
    }

    /** What its author wrote: what the API server and controllers add changes without end. */
    private static Map<String, Object> written(GenericKubernetesResource object) {
        Map<String, Object> metadata = new LinkedHashMap<>();
        metadata.put("name", object.getMetadata().getName());
        if (object.getMetadata().getNamespace() != null) {
            metadata.put("namespace", object.getMetadata().getNamespace());
        }
        if (object.getMetadata().getLabels() != null) {
            metadata.put("labels", new TreeMap<>(object.getMetadata().getLabels()));
        }
        Map<String, Object> root = new LinkedHashMap<>();
        root.put("apiVersion", object.getApiVersion());
        root.put("kind", object.getKind());
        root.put("metadata", metadata);
        object.getAdditionalProperties().forEach((field, value) -> {
            if (!field.equals("status")) {
                root.put(field, value);
            }
        });
        return root;
    }

    synchronized PolicySet now() {
        PolicySet set = history.update(List.copyOf(texts.values()));
        // An object has no lines.
        return new PolicySet(set.inForce(), set.outdated(), set.problems().stream()
                .map(problem -> new Problem(problem.file(), 0, problem.field(), problem.message()))
                .toList());
    }
}
