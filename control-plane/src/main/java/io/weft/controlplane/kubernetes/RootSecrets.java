package io.weft.controlplane.kubernetes;

import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.weft.controlplane.ca.RootSet;
import io.weft.controlplane.ca.RootSetText;
import io.weft.controlplane.ca.RootStore;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The roots that are made here, in Secrets of the control plane's own namespace, so that all replicas have the same. Of two replicas that
 * write at once one is told so by the API server, and takes what the other wrote. What is there is followed by a watch, so that a look
 * costs nothing. Thread-safe.
 */
final class RootSecrets {

    static final String LABEL = "weft.io/ca";

    private static final String KEY = "roots.json";
    private static final int CONFLICT = 409;

    private final KubernetesClient client;
    private final String namespace;
    /** By mesh, as the watch said last. */
    private final Map<String, Secret> seen = new ConcurrentHashMap<>();

    RootSecrets(KubernetesClient client, String namespace) {
        this.client = client;
        this.namespace = namespace;
    }

    /** Told of each Secret with the label, by the watch. */
    void put(Secret secret) {
        seen.put(secret.getMetadata().getLabels().get(LABEL), secret);
    }

    void remove(Secret secret) {
        seen.remove(secret.getMetadata().getLabels().get(LABEL));
    }

    RootStore of(String mesh) {
        return new OfMesh(mesh);
    }

    private final class OfMesh implements RootStore {
        private final String mesh;

        private OfMesh(String mesh) {
            this.mesh = mesh;
        }

        @Override
        public Optional<Object> stamp() {
            return Optional.ofNullable(seen.get(mesh)).map(secret -> secret.getMetadata().getResourceVersion());
        }

        @Override
        public RootSet at(Instant now, Duration leafLifetime) throws IOException {
            Secret last = seen.get(mesh);
            Optional<RootSet> known = last == null ? Optional.empty() : Optional.of(read(last));
            RootSet next = next(known, now, leafLifetime);
            if (known.equals(Optional.of(next))) {
                return next;
            }
            try {
                return write(last, next);
            } catch (KubernetesClientException e) {
                if (e.getCode() != CONFLICT) {
                    throw new IOException(this + " cannot be written: " + e.getMessage(), e);
                }
                return ofAnother();
            }
        }

        private RootSet next(Optional<RootSet> known, Instant now, Duration leafLifetime) {
            return known.map(roots -> roots.goingOn(mesh, now, leafLifetime)).orElseGet(() -> RootSet.first(mesh, now));
        }

        private RootSet write(Secret last, RootSet roots) {
            Secret next = (last == null ? new SecretBuilder() : new SecretBuilder(last))
                    .editOrNewMetadata()
                    .withName("weft-ca-" + mesh)
                    .withNamespace(namespace)
                    .addToLabels(LABEL, mesh)
                    .endMetadata()
                    .withType("Opaque")
                    .withData(Map.of(KEY, Base64.getEncoder().encodeToString(RootSetText.write(roots))))
                    .build();
            Secret written = last == null ? client.resource(next).create() : client.resource(next).update();
            put(written);
            return roots;
        }

        /** What another replica has just written. */
        private RootSet ofAnother() throws IOException {
            Secret secret;
            try {
                secret = client.secrets().inNamespace(namespace).withName("weft-ca-" + mesh).get();
            } catch (KubernetesClientException e) {
                throw new IOException(this + " cannot be read: " + e.getMessage(), e);
            }
            if (secret == null || secret.getMetadata().getLabels() == null
                    || !mesh.equals(secret.getMetadata().getLabels().get(LABEL))) {
                throw new IOException(this + " is there without the label " + LABEL + ": " + mesh + "; add it, or remove the secret");
            }
            put(secret);
            // If it is not current, then the next look takes it on.
            return read(secret);
        }

        private RootSet read(Secret secret) throws IOException {
            String text = secret.getData() == null ? null : secret.getData().get(KEY);
            if (text == null) {
                throw new IOException(this + " cannot be used: it lacks " + KEY);
            }
            try {
                return RootSetText.read(Base64.getDecoder().decode(text.getBytes(StandardCharsets.US_ASCII)));
            } catch (IOException | IllegalArgumentException e) {
                throw new IOException(this + " cannot be used: " + e.getMessage(), e);
            }
        }

        @Override
        public String toString() {
            return "secret " + namespace + "/weft-ca-" + mesh;
        }
    }
}
