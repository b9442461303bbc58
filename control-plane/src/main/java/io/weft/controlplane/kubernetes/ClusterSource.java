package io.weft.controlplane.kubernetes;

import io.fabric8.kubernetes.api.model.APIResource;
import io.fabric8.kubernetes.api.model.APIResourceList;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Namespace;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.GRPCRoute;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.HTTPRoute;
import io.fabric8.kubernetes.api.model.gatewayapi.v1beta1.ReferenceGrant;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.Informable;
import io.fabric8.kubernetes.client.dsl.base.ResourceDefinitionContext;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import io.weft.controlplane.identity.MeshSecurity;
import io.weft.controlplane.policy.MeshExternalService;
import io.weft.controlplane.policy.MeshHttpRoute;
import io.weft.controlplane.policy.MeshMultiZoneService;
import io.weft.controlplane.policy.PolicySet;
import io.weft.controlplane.policy.ResourceParser;
import io.weft.controlplane.registry.Registry.Instance;
import io.weft.controlplane.service.ServiceCatalog;
import io.weft.controlplane.source.Source;
import java.io.IOException;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The objects of a cluster, followed by watches. If the API server is gone, what was known last stays in force, and the watches come
 * back by themselves; a policy's kind that is installed later is followed from then on.
 */
final class ClusterSource implements Source {

    private static final Logger LOG = LoggerFactory.getLogger(ClusterSource.class);

    static final String POLICIES = "kuma.io/v1alpha1";
    static final String GATEWAY = "gateway.networking.k8s.io/v1";
    /** Without them a route leads to its own namespace alone. */
    private static final String GRANTS = "referencegrants";
    static final String GATEWAY_GRANTS = "gateway.networking.k8s.io/v1beta1";
    /** What the cluster itself says here, and better. */
    private static final Set<String> OF_THE_CLUSTER = Set.of("MeshService", "Dataplane");

    private static final String SYSTEM = "kube-system";
    private static final String ZONE = "topology.kubernetes.io/zone";
    /** Changes that come together are told together: a rollout makes several for each pod. */
    private static final Duration SETTLE = Duration.ofMillis(50);
    private static final Duration DISCOVERY = Duration.ofSeconds(20);
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Duration LOOK = Duration.ofMillis(20);
    private static final long PAGE = 1000;

    private final KubernetesClient client;
    private final String namespace;
    private final FactReader reader;
    private final ClusterState state;
    private final ClusterServices services;
    private final Policies policies;
    private final GatewayRoutes gateway;
    private final RouteStatusWriter statuses;
    private final RootSecrets roots;
    private final MeshTlsConditions conditions;
    private final ScheduledExecutorService scheduler;
    private final Map<String, SharedIndexInformer<?>> informers = new ConcurrentHashMap<>();
    /** Complete when the followers have taken what there was; that the list has come says only that they will. */
    private final Map<String, CompletableFuture<Void>> taken = new ConcurrentHashMap<>();
    private final Set<String> failing = ConcurrentHashMap.newKeySet();
    private final AtomicBoolean policiesChanged = new AtomicBoolean();
    private final AtomicBoolean servicesChanged = new AtomicBoolean();
    private final AtomicBoolean told = new AtomicBoolean();
    private volatile Listener listener;
    private volatile boolean closed;

    /**
     * @param namespace the control plane's own
     * @param scheduler of one thread, on which the listener is called
     */
    ClusterSource(
            KubernetesClient client,
            String namespace,
            FactReader reader,
            ClusterState state,
            RootSecrets roots,
            MeshTlsConditions conditions,
            RouteStatusWriter statuses,
            ResourceParser parser,
            ScheduledExecutorService scheduler) {
        this.client = client;
        this.namespace = namespace;
        this.reader = reader;
        this.state = state;
        this.services = new ClusterServices(state);
        this.policies = new Policies(client.getKubernetesSerialization(), parser);
        this.gateway = new GatewayRoutes(state, reader.mesh());
        this.statuses = statuses;
        this.roots = roots;
        this.conditions = conditions;
        this.scheduler = scheduler;
    }

    @Override
    public void start(Listener listener) throws IOException {
        follow("nodes", client.nodes().withLimit(PAGE), new Follower<Node>(
                node -> state.putNode(node.getMetadata().getName(), zone(node)),
                node -> state.removeNode(node.getMetadata().getName()),
                servicesChanged));
        follow("namespaces", client.namespaces().withLimit(PAGE), new Follower<Namespace>(
                each -> state.putNamespace(each.getMetadata().getName(), joins(each)),
                each -> state.putNamespace(each.getMetadata().getName(), false),
                servicesChanged));
        follow("pods", client.pods().inAnyNamespace().withLimit(PAGE), new Follower<Pod>(
                pod -> state.put(reader.pod(pod)), pod -> state.removePod(ObjectName.of(pod)), servicesChanged));
        follow("services", client.services().inAnyNamespace().withLimit(PAGE), new Follower<Service>(
                service -> state.put(reader.service(service)),
                service -> state.removeService(ObjectName.of(service)),
                servicesChanged));
        follow("endpointslices", client.discovery().v1().endpointSlices().inAnyNamespace().withLimit(PAGE),
                new Follower<EndpointSlice>(
                        slice -> FactReader.slice(slice).map(state::put).orElseGet(() -> {
                            state.removeSlice(ObjectName.of(slice));
                            return true;
                        }),
                        slice -> state.removeSlice(ObjectName.of(slice)),
                        servicesChanged));
        follow("secrets", client.secrets().inNamespace(namespace).withLabel(RootSecrets.LABEL), new Follower<Secret>(
                secret -> {
                    roots.put(secret);
                    return true;
                },
                roots::remove,
                servicesChanged));
        discover();
        awaitAll();
        LOG.info("{}: {}", client.getMasterUrl(), state.sizes());
        this.listener = listener;
        policiesChanged.set(false);
        servicesChanged.set(false);
        listener.policies(now());
        scheduler.scheduleWithFixedDelay(this::look, DISCOVERY.toMillis(), DISCOVERY.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** The injector leaves those alone without which it could not be started. */
    private boolean joins(Namespace each) {
        String name = each.getMetadata().getName();
        return !name.equals(SYSTEM) && !name.equals(namespace) && FactReader.joins(each);
    }

    private static String zone(Node node) {
        Map<String, String> labels = node.getMetadata().getLabels();
        return labels == null ? "" : labels.getOrDefault(ZONE, "");
    }

    private void look() {
        statuses.retry();
        try {
            discover();
        } catch (IOException e) {
            // The watches say so already.
            LOG.debug("the API server does not say what it has", e);
        } catch (RuntimeException e) {
            // Thrown further it would never be called again.
            LOG.error("a look at what the API server has failed; it is repeated. Please report this", e);
        }
    }

    /** Follows the kinds of policies that the API server has and that are not followed yet. */
    private void discover() throws IOException {
        for (APIResource resource : served(GATEWAY)) {
            if (resource.getKind().equals("HTTPRoute") && !resource.getName().contains("/")) {
                follow(resource.getName(), client.resources(HTTPRoute.class).inAnyNamespace(),
                        new Follower<HTTPRoute>(gateway::put, gateway::remove, policiesChanged));
            } else if (resource.getKind().equals("GRPCRoute") && !resource.getName().contains("/")) {
                follow(resource.getName(), client.resources(GRPCRoute.class).inAnyNamespace(),
                        new Follower<GRPCRoute>(gateway::put, gateway::remove, policiesChanged));
            }
        }
        for (APIResource resource : served(GATEWAY_GRANTS)) {
            if (resource.getKind().equals("ReferenceGrant")) {
                follow(resource.getName(), client.resources(ReferenceGrant.class).inAnyNamespace(),
                        new Follower<ReferenceGrant>(gateway::put, gateway::remove, policiesChanged));
            }
        }
        for (APIResource resource : served(POLICIES)) {
            if (ResourceParser.isPolicy(resource.getKind())
                    && !OF_THE_CLUSTER.contains(resource.getKind())
                    && !resource.getName().contains("/")) {
                var operation = client.genericKubernetesResources(ResourceDefinitionContext.fromApiResource(POLICIES, resource));
                Informable<GenericKubernetesResource> all =
                        Boolean.TRUE.equals(resource.getNamespaced()) ? operation.inAnyNamespace() : operation;
                follow(resource.getName(), all, new Follower<>(policies::put, policies::remove, policiesChanged));
            }
        }
    }

    private List<APIResource> served(String groupVersion) throws IOException {
        try {
            APIResourceList served = client.getApiResources(groupVersion);
            return served == null || served.getResources() == null ? List.of() : served.getResources();
        } catch (KubernetesClientException e) {
            throw new IOException("the API server " + client.getMasterUrl() + " cannot be asked: " + reason(e), e);
        }
    }

    private <T extends HasMetadata> void follow(String what, Informable<T> all, Follower<T> follower) {
        if (informers.containsKey(what) || closed) {
            return;
        }
        SharedIndexInformer<T> informer = all.runnableInformer(0);
        informers.put(what, informer);
        taken.put(what, informer.itemStore(new Skeletons<>())
                .addEventHandler(follower)
                .exceptionHandler((started, failure) -> {
                    if (failing.add(what) && !closed) {
                        LOG.warn("{} cannot be watched ({}); what is known stays in force, and it is tried again", what, reason(failure));
                    }
                    return !closed;
                })
                .start()
                .toCompletableFuture());
    }

    private static String reason(Throwable failure) {
        return failure instanceof KubernetesClientException e && e.getStatus() != null && e.getStatus().getMessage() != null
                ? e.getStatus().getMessage()
                : failure.toString();
    }

    private void awaitAll() throws IOException {
        long start = System.nanoTime();
        while (true) {
            List<String> missing = taken.entrySet().stream()
                    .filter(entry -> !entry.getKey().equals(GRANTS))
                    .filter(entry -> !entry.getValue().isDone() || entry.getValue().isCompletedExceptionally())
                    .map(Map.Entry::getKey)
                    .sorted()
                    .toList();
            if (missing.isEmpty()) {
                return;
            }
            if (System.nanoTime() - start > PATIENCE.toNanos()) {
                throw new IOException("the API server " + client.getMasterUrl() + " does not say what there is of: " + missing);
            }
            try {
                Thread.sleep(LOOK.toMillis());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("interrupted while waiting for the API server", e);
            }
        }
    }

    private PolicySet now() {
        PolicySet kuma = policies.now();
        GatewayRoutes.Reading routes = gateway.now();
        statuses.settle(routes.statuses());
        return new PolicySet(
                joined(kuma.inForce(), routes.inForce()),
                joined(kuma.outdated(), routes.outdated()),
                joined(kuma.problems(), routes.problems()));
    }

    private static <T> List<T> joined(List<T> some, List<T> others) {
        return Stream.concat(some.stream(), others.stream()).toList();
    }

    /** Turns an object's events into facts; those change nothing as a rule. */
    private final class Follower<T> implements ResourceEventHandler<T> {
        private final java.util.function.Predicate<T> put;
        private final Consumer<T> remove;
        private final AtomicBoolean changed;

        private Follower(java.util.function.Predicate<T> put, Consumer<T> remove, AtomicBoolean changed) {
            this.put = put;
            this.remove = remove;
            this.changed = changed;
        }

        @Override
        public void onAdd(T object) {
            take(object);
        }

        @Override
        public void onUpdate(T old, T object) {
            take(object);
        }

        private void take(T object) {
            try {
                if (put.test(object)) {
                    note(changed);
                }
            } catch (RuntimeException e) {
                LOG.error("an object of the cluster could not be read; what was known of it stays in force. Please report this", e);
            }
        }

        @Override
        public void onDelete(T object, boolean unknown) {
            remove.accept(object);
            note(changed);
        }
    }

    private void note(AtomicBoolean changed) {
        changed.set(true);
        if (listener != null && told.compareAndSet(false, true)) {
            try {
                scheduler.schedule(this::tell, SETTLE.toMillis(), TimeUnit.MILLISECONDS);
            } catch (RejectedExecutionException e) {
                LOG.debug("not told, this control plane is stopping");
            }
        }
    }

    private void tell() {
        told.set(false);
        if (closed) {
            return;
        }
        boolean services = servicesChanged.getAndSet(false);
        // What a route leads to may be there now.
        boolean others = policiesChanged.getAndSet(false) || services && !gateway.isEmpty();
        try {
            if (others) {
                listener.policies(now());
            }
        } catch (RuntimeException e) {
            // With the next change it is tried again.
            policiesChanged.set(true);
            LOG.error("a change of policies in the cluster could not be applied; what is in force stays in force. Please report this", e);
        }
        try {
            if (services) {
                listener.services();
            }
        } catch (RuntimeException e) {
            servicesChanged.set(true);
            LOG.error("a change of services in the cluster could not be applied; what is served is served on. Please report this", e);
        }
    }

    /** The cluster's: those that are connected here are a part of them. */
    @Override
    public List<Instance> instances(String mesh, PolicySet inForce, List<Instance> registered, MeshSecurity security) {
        return services.instances(mesh, security);
    }

    @Override
    public ServiceCatalog services(
            String mesh, PolicySet inForce, List<Instance> registered, List<MeshHttpRoute> routes, MeshSecurity security) {
        conditions.settle(registered);
        Collection<io.weft.controlplane.service.Service> all = services.of(mesh, security);
        return ServiceCatalog.of(all)
                .with(inForce.all(MeshMultiZoneService.class, mesh), inForce.all(MeshExternalService.class, mesh));
    }

    @Override
    public void close() {
        closed = true;
        informers.values().forEach(informer -> Objects.requireNonNull(informer).stop());
    }
}
