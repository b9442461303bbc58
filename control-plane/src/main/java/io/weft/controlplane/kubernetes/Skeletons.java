package io.weft.controlplane.kubernetes;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.GenericKubernetesResourceBuilder;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.client.informers.cache.ItemStore;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/**
 * What an informer keeps of objects: no more than tells one version of them from another. A pod as it comes is some ten kilobytes, and
 * what counts of it is kept elsewhere. Thread-safe.
 */
public final class Skeletons<T extends HasMetadata> implements ItemStore<T> {

    private final Map<String, T> objects = new ConcurrentHashMap<>();

    @Override
    public String getKey(T object) {
        ObjectMeta metadata = object.getMetadata();
        return metadata.getNamespace() == null ? metadata.getName() : metadata.getNamespace() + "/" + metadata.getName();
    }

    @Override
    public T put(String key, T object) {
        return objects.put(key, skeleton(object));
    }

    @SuppressWarnings("unchecked")
    private T skeleton(T object) {
        ObjectMeta metadata = object.getMetadata();
        ObjectMeta kept = new ObjectMetaBuilder()
                .withNamespace(metadata.getNamespace())
                .withName(metadata.getName())
                .withUid(metadata.getUid())
                .withLabels(labels(object))
                .withResourceVersion(metadata.getResourceVersion())
                .build();
        HasMetadata small;
        if (object instanceof GenericKubernetesResource) {
            small = new GenericKubernetesResourceBuilder()
                    .withApiVersion(object.getApiVersion())
                    .withKind(object.getKind())
                    .build();
        } else {
            try {
                small = object.getClass().getDeclaredConstructor().newInstance();
            } catch (ReflectiveOperationException e) {
                throw new IllegalStateException("the models of the client have a constructor without arguments", e);
            }
        }
        small.setMetadata(kept);
        return (T) small;
    }

    /** By a secret's its owner is told that it is gone. */
    private static Map<String, String> labels(HasMetadata object) {
        Map<String, String> labels = object.getMetadata().getLabels();
        String mesh = labels == null ? null : labels.get(RootSecrets.LABEL);
        return mesh == null ? Map.of() : Map.of(RootSecrets.LABEL, mesh);
    }

    @Override
    public T remove(String key) {
        return objects.remove(key);
    }

    @Override
    public Stream<String> keySet() {
        return objects.keySet().stream();
    }

    @Override
    public Stream<T> values() {
        return objects.values().stream();
    }

    @Override
    public int size() {
        return objects.size();
    }

    @Override
    public T get(String key) {
        return objects.get(key);
    }

    @Override
    public boolean isFullState() {
        return false;
    }
}
