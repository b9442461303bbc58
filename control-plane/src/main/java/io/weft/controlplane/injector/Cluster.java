package io.weft.controlplane.injector;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.PodTemplate;
import io.fabric8.kubernetes.api.model.PodTemplateBuilder;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.MutatingWebhookConfiguration;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.RuleWithOperations;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

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

    /** Whether its pods keep volumes that are images. Nothing is written, and what is asked about is a template of which nobody makes a pod. */
    boolean keepsImageVolumes() throws IOException {
        PodTemplate template = new PodTemplateBuilder()
                .withNewMetadata().withGenerateName("weft-image-volume-").withNamespace(namespace).endMetadata()
                .withNewTemplate()
                .withNewMetadata().addToLabels("app", "weft-image-volume").endMetadata()
                .withNewSpec()
                .addNewContainer()
                .withName("app").withImage("app").addNewVolumeMount().withName("image").withMountPath("/image").endVolumeMount()
                .endContainer()
                .addNewVolume().withName("image").withNewImage("IfNotPresent", "app").endVolume()
                .endSpec()
                .endTemplate()
                .build();
        try {
            PodTemplate kept = client.resource(template).dryRun().create();
            return kept.getTemplate().getSpec().getVolumes().stream().anyMatch(volume -> volume.getImage() != null);
        } catch (KubernetesClientException e) {
            throw failed("try", "a pod template with a volume that is an image", e);
        }
    }

    /** Somebody who is asked by the API server whether a pod may be; empty: there is nobody beside the API server itself. */
    Optional<String> judgeOfPods() throws IOException {
        try {
            Stream<String> webhooks = client.admissionRegistration().v1().validatingWebhookConfigurations().list().getItems().stream()
                    .filter(each -> each.getWebhooks().stream().anyMatch(webhook -> areOfPods(webhook.getRules())))
                    .map(each -> "the validating webhook " + each.getMetadata().getName());
            Stream<String> policies = client.admissionRegistration().v1().validatingAdmissionPolicies().list().getItems().stream()
                    .filter(each -> each.getSpec().getMatchConstraints() != null
                            && each.getSpec().getMatchConstraints().getResourceRules().stream()
                                    .anyMatch(rule -> isOfPods(rule.getApiGroups(), rule.getResources())))
                    .map(each -> "the validating admission policy " + each.getMetadata().getName());
            return Stream.concat(webhooks, policies).sorted().findFirst();
        } catch (KubernetesClientException e) {
            throw failed("list", "validating webhooks and admission policies", e);
        }
    }

    private static boolean areOfPods(List<RuleWithOperations> rules) {
        return rules.stream().anyMatch(rule -> isOfPods(rule.getApiGroups(), rule.getResources()));
    }

    private static boolean isOfPods(List<String> groups, List<String> resources) {
        return (groups.contains("") || groups.contains("*")) && (resources.contains("pods") || resources.contains("*") || resources.contains("*/*"));
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
