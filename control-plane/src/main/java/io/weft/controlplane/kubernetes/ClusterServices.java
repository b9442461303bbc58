package io.weft.controlplane.kubernetes;

import io.weft.controlplane.identity.InboundSecurity;
import io.weft.controlplane.identity.MeshSecurity;
import io.weft.controlplane.identity.Workload;
import io.weft.controlplane.kubernetes.ClusterState.Joined;
import io.weft.controlplane.kubernetes.ClusterState.Member;
import io.weft.controlplane.policy.Dataplane;
import io.weft.controlplane.policy.Labels;
import io.weft.controlplane.policy.Metadata;
import io.weft.controlplane.policy.ResourceId;
import io.weft.controlplane.policy.TlsMode;
import io.weft.controlplane.registry.ClientNode;
import io.weft.controlplane.registry.Registry;
import io.weft.controlplane.registry.Registry.Health;
import io.weft.controlplane.service.Service;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The cluster's Services as those of a mesh. A service of which nothing has changed is the same object as before. Thread-safe.
 */
final class ClusterServices {

    private static final Logger LOG = LoggerFactory.getLogger(ClusterServices.class);

    private final ClusterState state;
    private final Map<ObjectName, Made> made = new HashMap<>();

    /** @param uncalled pods that lack an agent where nobody is called without */
    private record Made(Joined from, MeshSecurity security, List<Service> services, Set<ObjectName> uncalled) {}

    ClusterServices(ClusterState state) {
        this.state = state;
    }

    synchronized Collection<Service> of(String mesh, MeshSecurity security) {
        Collection<Joined> all = state.joined();
        List<Service> services = new ArrayList<>();
        Set<ObjectName> names = new HashSet<>();
        for (Joined joined : all) {
            ObjectName name = joined.service.name();
            names.add(name);
            if (!joined.service.mesh().equals(mesh)) {
                continue;
            }
            Made before = made.get(name);
            // The same objects, not equal ones: to compare what is in them would cost as much as to make them.
            if (before == null || before.from != joined || before.security != security) {
                Made now = make(joined, security);
                tell(name, now, Optional.ofNullable(before).map(Made::uncalled).orElse(Set.of()));
                made.put(name, now);
                before = now;
            }
            services.addAll(before.services);
        }
        made.keySet().retainAll(names);
        return services;
    }

    /** What is called, as data planes: a pod is one for each port of each of its services, whose names have their namespaces here. */
    synchronized List<Registry.Instance> instances(String mesh, MeshSecurity security) {
        List<Registry.Instance> instances = new ArrayList<>();
        for (Service service : of(mesh, security)) {
            Map<String, String> pods = pods(new ObjectName(service.metadata().namespace(), service.name()));
            for (Service.Port port : service.ports()) {
                port.instances().forEach(each -> instances.add(
                        dataplane(service, port, each, pods.getOrDefault(each.address(), each.hostPort()))));
            }
        }
        return instances;
    }

    /** Their names by their addresses; none, if the service is one endpoint of another. */
    private Map<String, String> pods(ObjectName service) {
        Map<String, String> pods = new HashMap<>();
        Optional.ofNullable(made.get(service)).ifPresent(from -> from.from.members.forEach(member ->
                member.pod().ifPresent(pod -> pods.put(member.endpoint().address(), pod.name().name()))));
        return pods;
    }

    private static Registry.Instance dataplane(Service service, Service.Port port, Service.Instance instance, String name) {
        Map<String, String> tags = new HashMap<>(instance.tags());
        tags.put(Labels.SERVICE, service.shown());
        if (!instance.zone().isEmpty()) {
            tags.put(Labels.ZONE, instance.zone());
        }
        Dataplane.Inbound inbound = new Dataplane.Inbound(instance.port(), instance.address(), port.name(), instance.port(),
                instance.address(), true, tags, Optional.of(port.protocol()), Set.of());
        Metadata metadata = new Metadata(
                new ResourceId("Dataplane", service.metadata().mesh(), name), name, service.metadata().namespace(), Map.of());
        Optional<Set<ClientNode.Address>> secured = !instance.meshTls() ? Optional.empty()
                : Optional.of(instance.health() == Health.HEALTHY ? Set.of(ClientNode.Address.of(inbound)) : Set.of());
        return new Registry.Instance(new Dataplane(metadata, instance.address(), List.of(inbound)), instance.health(), secured);
    }

    private static void tell(ObjectName service, Made made, Set<ObjectName> known) {
        Set<ObjectName> uncalled = new TreeSet<>(made.uncalled);
        uncalled.removeAll(known);
        if (!uncalled.isEmpty()) {
            LOG.warn("the pods {} of service {} have no agent, though they are to have one, and are not called, as their mesh is strict:"
                    + " start them again, make it permissive for them (MeshTLS), or leave them out by the label {}: disabled",
                    uncalled, service, FactReader.INJECT);
        }
    }

    private Made make(Joined joined, MeshSecurity security) {
        Facts.OfService service = joined.service;
        if (service.ports().isEmpty() || ClusterNames.aliased(service).isPresent()) {
            return new Made(joined, security, List.of(), Set.of());
        }
        Set<ObjectName> uncalled = new HashSet<>();
        List<Service.Port> ports = new ArrayList<>();
        Map<String, List<Service.Port>> byHostname = new LinkedHashMap<>();
        for (Facts.ServicePort port : service.ports()) {
            List<Service.Instance> instances = new ArrayList<>();
            if (service.externalName().isPresent()) {
                instances.add(external(service.externalName().get(), port.number()));
            } else {
                for (Member member : chosen(joined, port)) {
                    Service.Instance instance = instance(member, port, security);
                    instances.add(instance);
                    if (member.lacksAgent() && instance.health() == Health.UNHEALTHY) {
                        member.pod().ifPresent(pod -> uncalled.add(pod.name()));
                    }
                    member.endpoint().hostname().filter(hostname -> service.headless()).ifPresent(hostname ->
                            byHostname.computeIfAbsent(hostname, key -> new ArrayList<>()).add(port(port, List.of(instance))));
                }
            }
            ports.add(port(port, instances));
        }
        List<Service> services = new ArrayList<>();
        services.add(Service.of(
                metadata(service, service.name().name()), true, ClusterNames.of(service, joined.aliases), ports));
        byHostname.forEach((hostname, own) -> services.add(Service.of(
                metadata(service, hostname + "." + service.name().name()),
                true,
                ClusterNames.of(hostname, service.name()),
                own)));
        return new Made(joined, security, services, uncalled);
    }

    private static Metadata metadata(Facts.OfService service, String name) {
        String namespace = service.name().namespace();
        return new Metadata(
                new ResourceId("MeshService", service.mesh(), name + "." + namespace), name, namespace, service.labels());
    }

    private static Service.Port port(Facts.ServicePort port, List<Service.Instance> instances) {
        Optional<String> name = Optional.of(port.name()).filter(text -> !text.isEmpty());
        return new Service.Port(port.number(), name, port.protocol(), withHints(instances));
    }

    /** As in Kubernetes hints count only where each endpoint has some: else those that have none would get nothing. */
    private static List<Service.Instance> withHints(List<Service.Instance> instances) {
        if (instances.stream().noneMatch(instance -> instance.forZones().isEmpty())) {
            return instances;
        }
        return instances.stream().map(Service.Instance::forAllZones).toList();
    }

    /**
     * Those that are ready; where none is, those that can still answer while they terminate, as kube-proxy does it. Of one pod with
     * addresses of two families the one that its Service prefers.
     */
    private static Collection<Member> chosen(Joined joined, Facts.ServicePort port) {
        List<Member> members = joined.members.stream()
                .filter(member -> member.slice().ports().containsKey(port.name()))
                .toList();
        List<Member> ready = members.stream().filter(member -> member.endpoint().ready()).toList();
        if (ready.isEmpty()) {
            ready = members.stream()
                    .filter(member -> member.endpoint().serving() && member.endpoint().terminating())
                    .toList();
        }
        List<String> families = joined.service.families();
        Map<Object, Member> byOwner = new LinkedHashMap<>();
        for (Member member : ready) {
            Object owner = member.endpoint().pod().<Object>map(pod -> pod).orElse(member.endpoint().address());
            byOwner.merge(owner, member, (one, other) -> rank(families, other) < rank(families, one) ? other : one);
        }
        return byOwner.values();
    }

    private static int rank(List<String> families, Member member) {
        int index = families.indexOf(member.slice().family());
        return index < 0 ? families.size() : index;
    }

    private static Service.Instance external(String name, int port) {
        return new Service.Instance(
                name, port, "", Set.of(), Workload.NOBODY, Map.of(), Health.HEALTHY, false);
    }

    /** One that takes nothing else is reached by mesh TLS alone; so is one that lacks an agent and would take nothing else with one. */
    private Service.Instance instance(Member member, Facts.ServicePort servicePort, MeshSecurity security) {
        int port = Objects.requireNonNull(member.slice().ports().get(servicePort.name()));
        Facts.Endpoint endpoint = member.endpoint();
        if (member.pod().isEmpty()) {
            return new Service.Instance(endpoint.address(), port, endpoint.zone(), endpoint.forZones(), Workload.NOBODY,
                    Map.of(), Health.HEALTHY, false);
        }
        ClusterPod pod = new ClusterPod(member.pod().get(), endpoint.zone());
        boolean takesTls = pod.facts().meshTls().orElse(false);
        Optional<InboundSecurity> secured = Optional.empty();
        if (takesTls || member.lacksAgent() || pod.facts().agent() == Facts.Agent.GIVEN || pod.facts().meshTls().isPresent()) {
            Dataplane.Inbound inbound = new Dataplane.Inbound(port, endpoint.address(),
                    Optional.of(servicePort.name()).filter(text -> !text.isEmpty()), port, endpoint.address(), true,
                    pod.tags(), Optional.of(servicePort.protocol()), Set.of());
            secured = security.inbound(pod.metadata(), List.of(pod.tags()), pod.workload(), inbound);
        }
        boolean strict = secured.isPresent() && secured.get().mode() == TlsMode.STRICT;
        return new Service.Instance(
                endpoint.address(),
                port,
                endpoint.zone(),
                endpoint.forZones(),
                pod.workload(),
                pod.tags(),
                strict && !takesTls ? Health.UNHEALTHY : Health.HEALTHY,
                secured.isPresent() && (strict || takesTls));
    }
}
