package io.weft.controlplane.kubernetes;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.GenericKubernetesResourceList;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.MixedOperation;
import io.fabric8.kubernetes.client.dsl.Resource;
import io.fabric8.kubernetes.client.dsl.base.ResourceDefinitionContext;
import io.weft.controlplane.policy.Document;
import io.weft.controlplane.policy.Labels;
import io.weft.controlplane.policy.MeshHttpRoute;
import io.weft.controlplane.policy.ResourceParser;
import io.weft.controlplane.policy.SourceText;
import io.weft.controlplane.rollout.RolloutException;
import io.weft.controlplane.rollout.RouteStore;
import io.weft.controlplane.rollout.Split;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The {@code MeshHTTPRoute}s of a cluster. A service is {@code NAMESPACE/NAME}, as the control plane's page names it, and its policy lies beside
 * it: who may write policies there may share its requests. An object that somebody else changes meanwhile is not overwritten.
 */
public final class ClusterRoutes implements RouteStore, AutoCloseable {
    private static final ResourceDefinitionContext ROUTES = new ResourceDefinitionContext.Builder()
            .withGroup("kuma.io").withVersion("v1alpha1").withKind("MeshHTTPRoute").withPlural("meshhttproutes").withNamespaced(true).build();
    private static final int REQUEST_TIMEOUT_MS = 10_000;

    private final KubernetesClient client;

    /**
     * @param kubeconfig absent: as {@code KUBECONFIG} says, or as a pod
     * @throws IOException nothing says where the API server is
     */
    public ClusterRoutes(Optional<Path> kubeconfig) throws IOException {
        var config = ClusterPlatform.config(kubeconfig);
        config.setRequestTimeout(REQUEST_TIMEOUT_MS);
        client = new KubernetesClientBuilder().withConfig(config).build();
    }

    @Override
    public void close() {
        client.close();
    }

    /** As a page and a command name it. */
    private record Service(String namespace, String name) {
        static Service of(String text) throws RolloutException {
            int slash = text.indexOf('/');
            if (slash <= 0 || slash == text.length() - 1 || text.indexOf('/', slash + 1) >= 0) {
                throw new RolloutException("a service of a cluster is NAMESPACE/NAME, as shop/orders, not '" + text + "'");
            }
            return new Service(text.substring(0, slash), text.substring(slash + 1));
        }
    }

    /** One rule that shares requests among versions, and where it stands. */
    private record Found(GenericKubernetesResource object, Split.Rule rule) {

        String name() {
            return object.getMetadata().getNamespace() + "/" + object.getMetadata().getName();
        }
    }

    @Override
    public Optional<Split> split(String mesh, String service) throws IOException, RolloutException {
        Service of = Service.of(service);
        return one(mesh, of).map(found -> new Split(mesh, service, found.rule().split().policy(), found.rule().split().weights()));
    }

    private Optional<Found> one(String mesh, Service service) throws IOException, RolloutException {
        ResourceParser parser = new ResourceParser(new ResourceParser.Cluster(service.namespace(), mesh));
        List<Found> found = new ArrayList<>();
        List<GenericKubernetesResource> objects = asked(() -> routes().inNamespace(service.namespace()).list().getItems());
        for (GenericKubernetesResource object : objects) {
            SourceText text = Policies.text(client.getKubernetesSerialization(), object);
            for (Document document : parser.parseFile(text.name(), text.text().orElseThrow())) {
                if (document.resource().orElse(null) instanceof MeshHttpRoute policy && !policy.metadata().shadow()) {
                    Split.rules(policy).stream()
                            .filter(rule -> rule.split().mesh().equals(mesh) && rule.split().service().equals(service.name()))
                            .forEach(rule -> found.add(new Found(object, rule)));
                }
            }
        }
        if (found.size() > 1) {
            throw new RolloutException("the requests for " + service.name() + " are shared by " + found.size() + " rules, in "
                    + String.join(" and ", found.stream().map(Found::name).distinct().toList()) + "; leave one, or write the weights by hand");
        }
        return found.stream().findFirst();
    }

    @Override
    public void share(String mesh, String service, Map<String, Long> weights) throws IOException, RolloutException {
        Service of = Service.of(service);
        Optional<Found> found = one(mesh, of);
        if (found.isEmpty()) {
            create(of.name() + "-canary", mesh, of, List.of(rule(List.of(), of.name(), weights)));
            return;
        }
        Map<String, Long> left = new LinkedHashMap<>(weights);
        List<Object> backends = backends(found.get());
        for (Object backend : backends) {
            Map<String, Object> ref = fields(backend);
            Long weight = left.remove(String.valueOf(fields(ref.get("tags")).get(Labels.VERSION)));
            ref.put("weight", weight == null ? 0L : weight);
        }
        left.forEach((version, weight) -> backends.add(backend(of.name(), version, weight)));
        replace(found.get().object());
    }

    /** The very list of the object. */
    private static List<Object> backends(Found found) throws RolloutException {
        try {
            Object to = list(fields(found.object().getAdditionalProperties().get("spec")).get("to")).get(found.rule().to());
            Object rule = list(fields(to).get("rules")).get(found.rule().rule());
            return list(fields(fields(rule).get("default")).get("backendRefs"));
        } catch (ClassCastException | IndexOutOfBoundsException | NullPointerException e) {
            throw new RolloutException(found.name() + ": the weights cannot be changed in place; write them by hand");
        }
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> fields(Object object) {
        return (Map<String, Object>) object;
    }

    @SuppressWarnings("unchecked")
    private static List<Object> list(Object object) {
        return (List<Object>) object;
    }

    @Override
    public void sendByHeader(String mesh, String service, Map.Entry<String, String> header, String version, String rest)
            throws IOException, RolloutException {
        Service of = Service.of(service);
        List<Object> rules = new ArrayList<>();
        rules.add(rule(List.of(Map.of("type", "Exact", "name", header.getKey(), "value", header.getValue())), of.name(), Map.of(version, 1L)));
        if (one(mesh, of).isEmpty()) {
            rules.add(rule(List.of(), of.name(), Map.of(rest, 1L)));
        }
        create(of.name() + "-ab", mesh, of, rules);
    }

    @Override
    public boolean endByHeader(String mesh, String service) throws IOException, RolloutException {
        Service of = Service.of(service);
        return asked(() -> !routes().inNamespace(of.namespace()).withName(of.name() + "-ab").delete().isEmpty());
    }

    private static Map<String, Object> rule(List<Object> headers, String service, Map<String, Long> weights) {
        Map<String, Object> match = new LinkedHashMap<>();
        match.put("path", Map.of("type", "PathPrefix", "value", "/"));
        if (!headers.isEmpty()) {
            match.put("headers", headers);
        }
        List<Object> backends = new ArrayList<>();
        weights.forEach((version, weight) -> backends.add(backend(service, version, weight)));
        return Map.of("matches", List.of(match), "default", Map.of("backendRefs", backends));
    }

    private static Map<String, Object> backend(String service, String version, long weight) {
        Map<String, Object> ref = new LinkedHashMap<>();
        ref.put("kind", "MeshServiceSubset");
        ref.put("name", service);
        ref.put("tags", Map.of(Labels.VERSION, version));
        ref.put("weight", weight);
        return ref;
    }

    private void create(String name, String mesh, Service service, List<Object> rules) throws IOException, RolloutException {
        GenericKubernetesResource object = new GenericKubernetesResource();
        object.setApiVersion("kuma.io/v1alpha1");
        object.setKind("MeshHTTPRoute");
        object.setMetadata(new ObjectMetaBuilder().withName(name).withNamespace(service.namespace()).addToLabels("kuma.io/mesh", mesh).build());
        object.setAdditionalProperty("spec", Map.of("to", List.of(Map.of(
                "targetRef", Map.of("kind", "MeshService", "name", service.name()), "rules", rules))));
        asked(() -> routes().inNamespace(service.namespace()).resource(object).create());
    }

    /** With the version that was read, so that the API server refuses it when there is another one by now. */
    private void replace(GenericKubernetesResource object) throws IOException, RolloutException {
        asked(() -> routes().inNamespace(object.getMetadata().getNamespace()).resource(object).update());
    }

    private MixedOperation<GenericKubernetesResource, GenericKubernetesResourceList, Resource<GenericKubernetesResource>> routes() {
        return client.genericKubernetesResources(ROUTES);
    }

    private interface Question<T> {
        T ask();
    }

    private static <T> T asked(Question<T> question) throws IOException, RolloutException {
        try {
            return question.ask();
        } catch (KubernetesClientException e) {
            if (e.getCode() == HttpURLConnection.HTTP_CONFLICT) {
                throw new RolloutException("the policy has been changed or made by somebody else just now; try again");
            }
            throw new IOException("the cluster does not do it: " + e.getMessage(), e);
        }
    }
}
