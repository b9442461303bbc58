package io.weft.controlplane.kubernetes;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.ParentReference;
import io.fabric8.kubernetes.api.model.gatewayapi.v1beta1.ReferenceGrant;
import io.weft.controlplane.policy.Labels;
import io.weft.controlplane.policy.MeshHttpRoute;
import io.weft.controlplane.policy.Metadata;
import io.weft.controlplane.policy.PolicySet.Sourced;
import io.weft.controlplane.policy.Problem;
import io.weft.controlplane.policy.ResourceId;
import io.weft.controlplane.policy.ServiceType;
import io.weft.controlplane.policy.TargetRef;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gateway API's routes whose parent is a Service, as routes of the mesh (GEP-1294): a route of the Service's own namespace is for all who
 * call it, one of another namespace for the callers of that one alone, and for these in place of the others. Of one that is refused its
 * last good version stays. Thread-safe.
 */
final class GatewayRoutes {

    private static final Logger LOG = LoggerFactory.getLogger(GatewayRoutes.class);

    private final ClusterState state;
    private final String mesh;
    private final GatewayRoute.Targets targets = new InCluster();
    /** By kind, namespace and name, in their order. */
    private final Map<String, HasMetadata> routes = new TreeMap<>();
    private final Map<ObjectName, ReferenceGrant> grants = new HashMap<>();
    /** Read anew each time: what it may lead to is up to others, who may have changed their minds since. */
    private final Map<String, HasMetadata> good = new HashMap<>();
    /** Those that could not be read at all, of which the log says so once. */
    private final Set<String> failing = new HashSet<>();
    private Attachments attachments;

    /** @param statuses what is to be said of each route with a Service as parent */
    record Reading(List<Sourced> inForce, List<ResourceId> outdated, List<Problem> problems, List<RouteStatus> statuses) {}

    /** @param mesh of routes whose Service is not there */
    GatewayRoutes(ClusterState state, String mesh) {
        this.state = state;
        this.mesh = mesh;
    }

    /** @return whether anything changed but what is said of it */
    synchronized boolean put(HasMetadata route) {
        HasMetadata before = routes.put(name(route), route);
        return before == null || !Objects.equals(before.getMetadata().getGeneration(), route.getMetadata().getGeneration())
                || before.getMetadata().getGeneration() == null
                // They make no generation, and policies select routes by them.
                || !Objects.equals(before.getMetadata().getLabels(), route.getMetadata().getLabels());
    }

    synchronized void remove(HasMetadata route) {
        routes.remove(name(route));
        good.remove(name(route));
        failing.remove(name(route));
    }

    synchronized boolean put(ReferenceGrant grant) {
        grants.put(ObjectName.of(grant), grant);
        return true;
    }

    synchronized void remove(ReferenceGrant grant) {
        grants.remove(ObjectName.of(grant));
    }

    synchronized boolean isEmpty() {
        return routes.isEmpty();
    }

    private static String name(HasMetadata route) {
        return route.getKind() + " " + ObjectName.of(route);
    }

    synchronized Reading now() {
        List<Sourced> inForce = new ArrayList<>();
        List<ResourceId> outdated = new ArrayList<>();
        List<Problem> problems = new ArrayList<>();
        List<RouteStatus> statuses = new ArrayList<>();
        // By their names the routes of gRPC come first.
        attachments = new Attachments(state);
        routes.forEach((name, route) -> {
            GatewayRoute reader = new GatewayRoute(route, targets);
            Optional<String> refusal = Optional.empty();
            List<RouteStatus.Parent> parents = List.of();
            try {
                parents = parents(route);
                if (parents.isEmpty()) {
                    good.remove(name);
                    // What was said of Services that were its parents is taken back.
                    statuses.add(new RouteStatus(route, List.of(), Optional.empty(), Optional.empty()));
                    return;
                }
                inForce.addAll(sourced(name, route, reader));
                good.put(name, route);
                failing.remove(name);
            } catch (GatewayRoute.UnsupportedException e) {
                refusal = Optional.of(e.getMessage());
                int colon = e.getMessage().indexOf(": ");
                problems.add(new Problem(name, 0, e.getMessage().substring(0, colon), e.getMessage().substring(colon + 2)));
            } catch (RuntimeException e) {
                // A fault of ours in one route must not keep the others, and all policies, from being obeyed.
                refusal = Optional.of("could not be read: " + e);
                problems.add(new Problem(name, 0, "", "could not be read (" + e + "); the log says where"));
                if (failing.add(name)) {
                    LOG.error("{} could not be read; its last good version stays in force. Please report this", name, e);
                }
            }
            if (refusal.isPresent()) {
                List<Sourced> kept = kept(name);
                kept.forEach(old -> outdated.add(old.resource().metadata().id()));
                inForce.addAll(kept);
            }
            if (!parents.isEmpty()) {
                statuses.add(new RouteStatus(route, parents, refusal, reader.unresolved().stream().findFirst()));
            }
        });
        return new Reading(inForce, outdated, problems, statuses);
    }

    /** The last good version, with what others let it lead to now. */
    private List<Sourced> kept(String name) {
        HasMetadata last = good.get(name);
        if (last == null) {
            return List.of();
        }
        try {
            return sourced(name, last, new GatewayRoute(last, targets));
        } catch (GatewayRoute.UnsupportedException | RuntimeException e) {
            LOG.error("the last good version of {} could not be read again; nothing of it is in force. Please report this", name, e);
            return List.of();
        }
    }

    private List<RouteStatus.Parent> parents(HasMetadata route) {
        return GatewayRoute.parents(route).stream()
                .map(parent -> new RouteStatus.Parent(parent, attachments.of(route, parent).refusal()))
                .toList();
    }

    private Optional<Facts.OfService> service(HasMetadata route, ParentReference parent) {
        return state.service(Attachments.serviceName(route, parent));
    }

    /** One for all callers and one for those of its namespace, as far as there are parents for it. */
    private List<Sourced> sourced(String name, HasMetadata route, GatewayRoute reader) throws GatewayRoute.UnsupportedException {
        List<MeshHttpRoute.Rule> rules = reader.rules(route);
        List<ParentReference> parents = GatewayRoute.parents(route);
        Map<String, List<MeshHttpRoute.To>> byAudience = new LinkedHashMap<>();
        String ofServices = parents.stream()
                .flatMap(parent -> service(route, parent).stream())
                .map(Facts.OfService::mesh)
                .findFirst()
                .orElse(mesh);
        for (ParentReference parent : parents) {
            Attachments.Attachment attachment = attachments.of(route, parent);
            ObjectName service = attachment.service();
            boolean producer = service.namespace().equals(route.getMetadata().getNamespace());
            for (Optional<String> section : attachment.sections()) {
                byAudience.computeIfAbsent(producer ? "producer" : "consumer", key -> new ArrayList<>()).add(new MeshHttpRoute.To(
                        new MeshHttpRoute.Destination(
                                ServiceType.MESH_SERVICE, Optional.of(service.name()), service.namespace(), Map.of(), section),
                        rules));
            }
        }
        attachments.note(route);
        List<Sourced> all = new ArrayList<>();
        byAudience.forEach((role, to) -> {
            String own = route.getMetadata().getName();
            String namespace = route.getMetadata().getNamespace();
            Map<String, String> labels = new HashMap<>(
                    route.getMetadata().getLabels() == null ? Map.of() : route.getMetadata().getLabels());
            labels.put(Labels.POLICY_ROLE, role);
            labels.put(Labels.NAMESPACE, namespace);
            TargetRef target = role.equals("producer")
                    ? new TargetRef.WholeMesh(true)
                    : new TargetRef.Subset(Map.of(Labels.NAMESPACE, namespace), true);
            all.add(new Sourced(
                    new MeshHttpRoute(
                            new Metadata(
                                    new ResourceId(route.getKind() + "/" + role, ofServices, own + "." + namespace), own, namespace, labels),
                            target, MeshHttpRoute.Unmatched.NOT_FOUND, to),
                    name, 0));
        });
        return all;
    }

    private final class InCluster implements GatewayRoute.Targets {

        @Override
        public Optional<GatewayRoute.Unresolved> unusable(ObjectName service, Integer port) {
            Optional<Facts.OfService> found = state.service(service);
            if (found.isEmpty()) {
                return Optional.of(new GatewayRoute.Unresolved("BackendNotFound", "there is no Service " + service));
            }
            Optional<Facts.ServicePort> meant = found.get().ports().stream()
                    .filter(each -> port == null || port == each.number())
                    .findFirst();
            if (meant.isEmpty()) {
                return Optional.of(new GatewayRoute.Unresolved(
                        "BackendNotFound", "Service " + service + " has no port " + (port == null ? "at all" : port)));
            }
            return meant.get().protocol().http()
                    ? Optional.empty()
                    : Optional.of(new GatewayRoute.Unresolved(
                            "UnsupportedProtocol", "port " + meant.get().number() + " of Service " + service + " is not HTTP"));
        }

        @Override
        public boolean granted(String kind, String namespace, ObjectName service) {
            return grants.values().stream()
                    .filter(grant -> grant.getMetadata().getNamespace().equals(service.namespace()) && grant.getSpec() != null)
                    .anyMatch(grant -> grant.getSpec().getFrom().stream().anyMatch(from ->
                                    "gateway.networking.k8s.io".equals(from.getGroup())
                                            && kind.equals(from.getKind())
                                            && namespace.equals(from.getNamespace()))
                            && grant.getSpec().getTo().stream().anyMatch(to ->
                                    Objects.requireNonNullElse(to.getGroup(), "").isEmpty()
                                            && "Service".equals(to.getKind())
                                            && (to.getName() == null || to.getName().isEmpty() || to.getName().equals(service.name()))));
        }
    }
}
