package io.weft.controlplane.page;

import io.weft.controlplane.ControlPlane;
import io.weft.controlplane.load.Called;
import io.weft.controlplane.load.Edge;
import io.weft.controlplane.load.InstanceLoad;
import io.weft.controlplane.load.Load;
import io.weft.controlplane.load.LoadWindow;
import io.weft.controlplane.load.Refusals;
import io.weft.controlplane.policy.AppliedPolicies;
import io.weft.controlplane.policy.Dataplane;
import io.weft.controlplane.policy.Labels;
import io.weft.controlplane.policy.MeshHttpRoute;
import io.weft.controlplane.policy.PolicySet;
import io.weft.controlplane.policy.References;
import io.weft.controlplane.policy.ResourceId;
import io.weft.controlplane.registry.ClientNode;
import io.weft.controlplane.registry.Registry;
import io.weft.controlplane.registry.Registry.Health;
import io.weft.controlplane.rollout.Split;
import io.weft.controlplane.service.Overridden;
import io.weft.controlplane.xds.AdsServer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** Makes the views from what the control plane knows. Thread-safe. */
final class Viewer {

    /** Long enough for a slow service to have a rate, short enough to see that something begins. */
    private static final Duration RECENT = Duration.ofSeconds(30);

    private final ControlPlane controlPlane;
    private volatile Known overridden = new Known(PolicySet.EMPTY, Map.of());

    /** What hangs on the policies alone, and need not be found out for each view. */
    private record Known(PolicySet policies, Map<ResourceId, Collection<String>> overridden) {}

    Viewer(ControlPlane controlPlane) {
        this.controlPlane = controlPlane;
    }

    /** @param writable whether policies can be changed here */
    MeshView mesh(boolean writable) {
        PolicySet policies = controlPlane.policies();
        List<AdsServer.Connected> connected = controlPlane.connected();
        Set<String> names = new TreeSet<>(controlPlane.load().meshes());
        connected.forEach(each -> names.add(each.node().mesh()));
        policies.inForce().forEach(each -> names.add(each.resource().metadata().mesh()));
        Map<ResourceId, List<String>> unmet = References.unmet(policies, controlPlane.running()).stream().collect(Collectors.groupingBy(
                each -> each.by().resource().metadata().id(), Collectors.mapping(References.Unmet::message, Collectors.toList())));
        List<MeshView.Mesh> meshes = new ArrayList<>();
        for (String name : names) {
            meshes.add(mesh(name, policies, unmet, connected.stream().filter(each -> each.node().mesh().equals(name)).toList()));
        }
        List<MeshView.Problem> problems = policies.problems().stream()
                .map(problem -> new MeshView.Problem(problem.file(), problem.line(), problem.field(), problem.message()))
                .toList();
        return new MeshView(controlPlane.load().step(), controlPlane.replica().orElse(null), writable, policies.inForce().size(), problems, meshes);
    }

    private MeshView.Mesh mesh(
            String mesh, PolicySet policies, Map<ResourceId, List<String>> unmet, List<AdsServer.Connected> connected) {
        List<MeshHttpRoute> routes = AppliedPolicies.of(policies, mesh).routes();
        LoadWindow window = controlPlane.load();
        Map<String, InstanceLoad> loads = window.instances(mesh);
        Map<String, List<MeshView.Instance>> instances = new TreeMap<>();
        for (Registry.Instance instance : controlPlane.instances(mesh)) {
            for (Dataplane.Inbound inbound : instance.dataplane().inbounds()) {
                instances.computeIfAbsent(inbound.tags().getOrDefault(Labels.SERVICE, ""), key -> new ArrayList<>())
                        .add(instance(instance, inbound, loads));
            }
        }
        Map<String, Load> incoming = new HashMap<>();
        List<MeshView.Edge> edges = new ArrayList<>();
        Set<String> services = new TreeSet<>(instances.keySet());
        Set<String> called = new HashSet<>(instances.keySet());
        for (Edge edge : window.edges(mesh)) {
            Load load = window.sum(edge, RECENT);
            if (load.requests() + load.dropped() + load.inProgress() == 0) {
                continue;
            }
            edges.add(edge(edge, load));
            incoming.merge(edge.to(), load, Load::plus);
            services.add(edge.from());
            services.add(edge.to());
            called.add(edge.to());
        }
        Map<String, Refusals> refusals = new HashMap<>();
        for (Called refusing : window.refusing(mesh)) {
            refusals.merge(refusing.service(), window.sum(refusing, RECENT), Refusals::plus);
        }
        connected.forEach(each -> services.add(each.node().workload().shown()));
        services.remove("");
        List<MeshView.Service> shown = new ArrayList<>();
        for (String service : services) {
            Load load = incoming.getOrDefault(service, Load.NONE);
            shown.add(new MeshView.Service(
                    service, called.contains(service), instances.getOrDefault(service, List.of()), rate(load.requests()),
                    known(load.successRate()), known(load.refusedRate()), known(load.quantile(0.99)),
                    refusedBy(refusals.getOrDefault(service, Refusals.NONE))));
        }
        return new MeshView.Mesh(
                mesh,
                controlPlane.givesIdentities(mesh),
                shown,
                edges,
                policies(mesh, policies, unmet, routes, connected),
                rollouts(routes),
                refusals(connected));
    }

    private List<MeshView.Rollout> rollouts(List<MeshHttpRoute> routes) {
        Map<String, List<MeshHttpRoute>> byNamespace = new TreeMap<>();
        for (MeshHttpRoute route : routes) {
            for (MeshHttpRoute.To to : route.to()) {
                // In a folder a namespace is no part of a service's name.
                String prefix = controlPlane.replica().isEmpty() ? "" : to.destination().namespace() + "/";
                byNamespace.computeIfAbsent(prefix, key -> new ArrayList<>())
                        .add(new MeshHttpRoute(route.metadata(), route.target(), route.unmatched(), List.of(to)));
            }
        }
        List<MeshView.Rollout> rollouts = new ArrayList<>();
        byNamespace.forEach((prefix, those) -> Split.of(those).forEach(split ->
                rollouts.add(new MeshView.Rollout(prefix + split.service(), split.policy(), split.weights()))));
        return rollouts;
    }

    private static MeshView.Instance instance(
            Registry.Instance instance, Dataplane.Inbound inbound, Map<String, InstanceLoad> loads) {
        String host = inbound.address().contains(":") ? "[" + inbound.address() + "]" : inbound.address();
        String address = host + ":" + inbound.port();
        InstanceLoad load = loads.getOrDefault(address, new InstanceLoad(Load.NONE, List.of()));
        String health = instance.health() == Health.UNHEALTHY ? "UNHEALTHY" : inbound.ready() ? "HEALTHY" : "DRAINING";
        String transport = switch (instance.transport(inbound)) {
            case PLAINTEXT -> "PLAINTEXT";
            case UNREADY -> "MTLS_PENDING";
            case READY -> "MTLS";
        };
        return new MeshView.Instance(
                instance.dataplane().metadata().id().name(),
                address,
                inbound.tags().getOrDefault(Labels.VERSION, ""),
                inbound.tags().getOrDefault(Labels.ZONE, instance.dataplane().metadata().zone()),
                new TreeMap<>(inbound.tags()),
                health,
                transport,
                load.load().requests() / (double) LoadWindow.STEP.toSeconds(),
                known(load.load().successRate()),
                load.ejectedBy());
    }

    private static MeshView.Edge edge(Edge edge, Load load) {
        return new MeshView.Edge(
                edge.from(),
                edge.to(),
                edge.version(),
                rate(load.requests()),
                known(load.successRate()),
                known(load.refusedRate()),
                known(load.quantile(0.5)),
                known(load.quantile(0.99)),
                load.requests() == 0 ? null : (double) load.secured() / load.requests(),
                load.inProgress(),
                rate(load.dropped()));
    }

    private static double rate(long count) {
        return count / (double) RECENT.toSeconds();
    }

    private static MeshView.RefusedBy refusedBy(Refusals refusals) {
        return new MeshView.RefusedBy(rate(refusals.permission()), rate(refusals.rateLimit()), rate(refusals.fault()));
    }

    private static Double known(double value) {
        return Double.isNaN(value) ? null : Double.valueOf(value);
    }

    private List<MeshView.Policy> policies(
            String mesh,
            PolicySet policies,
            Map<ResourceId, List<String>> unmet,
            List<MeshHttpRoute> routes,
            List<AdsServer.Connected> connected) {
        Set<ResourceId> outdated = new HashSet<>(policies.outdated());
        Map<ResourceId, Collection<String>> overridden = overridden(policies);
        List<MeshView.Policy> shown = new ArrayList<>();
        for (PolicySet.Sourced sourced : policies.inForce()) {
            var metadata = sourced.resource().metadata();
            if (!metadata.mesh().equals(mesh)) {
                continue;
            }
            Set<String> actsOn = new TreeSet<>();
            Set<String> refusedBy = new TreeSet<>();
            for (AdsServer.Connected each : connected) {
                ClientNode node = each.node();
                if (PolicyTarget.selects(sourced.resource(), node, routes)) {
                    actsOn.add(node.workload().shown());
                }
                // Routes, clusters and rules carry the name of the policy that they were made of.
                String name = "_" + mesh + "_" + metadata.zone() + "_" + metadata.namespace() + "_" + metadata.displayName() + "_";
                if (each.rejections().values().stream().anyMatch(said -> said.contains(name))) {
                    refusedBy.add(node.id());
                }
            }
            actsOn.remove("");
            shown.add(new MeshView.Policy(
                    metadata.id().type(), metadata.id().name(), sourced.file(), sourced.line(), metadata.shadow(),
                    outdated.contains(metadata.id()), List.copyOf(overridden.getOrDefault(metadata.id(), List.of())),
                    unmet.getOrDefault(metadata.id(), List.of()), PolicyTarget.describe(sourced.resource()), List.copyOf(actsOn),
                    List.copyOf(refusedBy)));
        }
        return shown;
    }

    private Map<ResourceId, Collection<String>> overridden(PolicySet policies) {
        Known known = overridden;
        if (known.policies != policies) {
            known = new Known(policies, Overridden.in(policies));
            overridden = known;
        }
        return known.overridden;
    }

    /** In the order of their nodes' names. */
    List<ConnectedAgent> agents() {
        return controlPlane.connected().stream()
                .map(Viewer::agent)
                .sorted(Comparator.comparing(ConnectedAgent::node))
                .toList();
    }

    private static ConnectedAgent agent(AdsServer.Connected connected) {
        ClientNode node = connected.node();
        List<ConnectedAgent.Refused> refused = new ArrayList<>();
        new TreeMap<>(connected.rejections()).forEach((type, said) ->
                refused.add(new ConnectedAgent.Refused(type.substring(type.lastIndexOf('.') + 1), said)));
        return new ConnectedAgent(
                node.id(),
                node.mesh(),
                node.workload().shown(),
                node.zone(),
                node.kind().name().toLowerCase(Locale.ROOT),
                connected.build().version(),
                connected.build().pid(),
                !refused.isEmpty() ? "refused" : connected.current() ? "current" : "pending",
                node.holdsIdentity(),
                refused);
    }

    private static List<MeshView.Refusal> refusals(List<AdsServer.Connected> connected) {
        List<MeshView.Refusal> refusals = new ArrayList<>();
        for (AdsServer.Connected each : connected) {
            new TreeMap<>(each.rejections()).forEach((type, said) -> refusals.add(new MeshView.Refusal(
                    each.node().id(), each.node().workload().shown(), type.substring(type.lastIndexOf('.') + 1), said)));
        }
        return refusals;
    }

    LoadView load(String mesh, String service) {
        LoadWindow window = controlPlane.load();
        Map<String, List<Load>> versions = new TreeMap<>();
        for (Edge edge : window.edges(mesh)) {
            if (edge.to().equals(service)) {
                versions.merge(edge.version(), window.series(edge, LoadWindow.LENGTH), Viewer::sums);
            }
        }
        Map<String, LoadView.Version> shown = new LinkedHashMap<>();
        versions.forEach((version, loads) ->
                shown.put(version, version(loads, window.sum(new Called(mesh, service, version), RECENT))));
        long step = LoadWindow.STEP.toMillis();
        return new LoadView(mesh, service, LoadWindow.STEP.toSeconds(), window.nowMillis(), window.step() * step, shown);
    }

    private static List<Load> sums(List<Load> some, List<Load> others) {
        List<Load> sums = new ArrayList<>(some.size());
        for (int i = 0; i < some.size(); i++) {
            sums.add(some.get(i).plus(others.get(i)));
        }
        return sums;
    }

    private static LoadView.Version version(List<Load> loads, Refusals refusals) {
        int recent = (int) RECENT.dividedBy(LoadWindow.STEP);
        Load last = loads.subList(Math.max(0, loads.size() - recent), loads.size()).stream().reduce(Load.NONE, Load::plus);
        return new LoadView.Version(
                loads.stream().map(Load::requests).toList(),
                loads.stream().map(Load::failures).toList(),
                loads.stream().map(Load::refusals).toList(),
                quantiles(loads, 0.5),
                quantiles(loads, 0.99),
                known(last.quantile(0.99)),
                known(last.successRate()),
                known(last.errorRate()),
                known(last.refusedRate()),
                known(last.clientErrorRate()),
                refusedBy(refusals),
                rate(last.requests()));
    }

    private static List<Double> quantiles(List<Load> loads, double quantile) {
        List<Double> quantiles = new ArrayList<>();
        loads.forEach(load -> quantiles.add(known(load.quantile(quantile))));
        return quantiles;
    }
}
