package io.weft.controlplane.injector;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.MutatingWebhookConfiguration;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.io.IOException;
import java.util.Optional;
import java.util.Set;

/**
 * What the injector reads and writes in the cluster's API. Whatever it writes it has read before, and writes only if nobody else has
 * meanwhile. Thread-safe; blocks.
 *
 * @param namespace its own
 */
record Cluster(KubernetesClient client, String namespace) implements ConfigMaps {

    private static final int CONFLICT = 409;

    @Override
    public Optional<Set<String>> keys(String configMapNamespace, String name) throws IOException {
        try {
            ConfigMap found = client.configMaps().inNamespace(configMapNamespace).withName(name).get();
            return Optional.ofNullable(found).map(map -> map.getData() == null ? Set.of() : Set.copyOf(map.getData().keySet()));
        } catch (KubernetesClientException e) {
            throw failed("read", "config map " + configMapNamespace + "/" + name, e);
        }
    }

    /** @throws IOException it is not there or cannot be read */
    Secret secret(String name) throws IOException {
        try {
            return present(client.secrets().inNamespace(namespace).withName(name).get(), "secret " + namespace + "/" + name);
        } catch (KubernetesClientException e) {
            throw failed("read", "secret " + namespace + "/" + name, e);
        }
    }

    /** @throws IOException it is not there or cannot be read */
    MutatingWebhookConfiguration webhook(String name) throws IOException {
        try {
            return present(
                    client.admissionRegistration().v1().mutatingWebhookConfigurations().withName(name).get(),
                    "mutating webhook configuration " + name);
        } catch (KubernetesClientException e) {
            throw failed("read", "mutating webhook configuration " + name, e);
        }
    }

    /**
     * False: somebody has changed it since it was read.
     *
     * @param changed with the resource version that was read
     */
    boolean replace(HasMetadata changed) throws IOException {
        try {
            client.resource(changed).update();
            return true;
        } catch (KubernetesClientException e) {
            if (e.getCode() == CONFLICT) {
                return false;
            }
            throw failed("change", changed.getKind() + " " + changed.getMetadata().getName(), e);
        }
    }

    private static <T> T present(T found, String what) throws IOException {
        if (found == null) {
            throw new IOException(what + " is not there; the Helm chart makes it");
        }
        return found;
    }

    private static IOException failed(String verb, String what, KubernetesClientException e) {
        String reason = e.getStatus() != null && e.getStatus().getMessage() != null ? e.getStatus().getMessage() : e.getMessage();
        return new IOException("cannot " + verb + " " + what + ": " + reason, e);
    }
}
