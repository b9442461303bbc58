package io.weft.controlplane.service;

import io.weft.controlplane.identity.InboundSecurity;
import io.weft.controlplane.identity.MeshSecurity;
import io.weft.controlplane.identity.Workload;
import io.weft.controlplane.policy.Dataplane;
import io.weft.controlplane.policy.Labels;
import io.weft.controlplane.policy.MeshExternalService;
import io.weft.controlplane.policy.MeshHttpRoute;
import io.weft.controlplane.policy.MeshMultiZoneService;
import io.weft.controlplane.policy.MeshService;
import io.weft.controlplane.policy.Metadata;
import io.weft.controlplane.policy.Protocol;
import io.weft.controlplane.policy.ResourceId;
import io.weft.controlplane.policy.ServiceType;
import io.weft.controlplane.policy.TlsMode;
import io.weft.controlplane.registry.Registry.Health;
import io.weft.controlplane.registry.Registry.Instance;
import io.weft.controlplane.registry.Registry.Transport;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The services of one mesh: those that a MeshService declares, one on port 80 for every {@code kuma.io/service} tag that no
 * MeshService of that name covers, and an empty one for every other service that a route names, so that a request to it is
 * answered by the mesh and does not leave it; and those beside them that a MeshMultiZoneService or a MeshExternalService declares.
 */
public final class ServiceCatalog {

    /** In the order of their names, and of the namespaces where these are equal. */
    private final List<Service> all;
    private final Map<String, List<Service>> byName = new HashMap<>();

    // Asked for each data plane, whenever anything changes.
    private final boolean differByNamespace;
    private final boolean differByKind;
    private final boolean differByZone;

    private ServiceCatalog(Collection<Service> services) {
        all = List.copyOf(services);
        differByNamespace = all.stream().anyMatch(service -> !service.hosts().inNamespace().isEmpty());
        differByKind = all.stream().anyMatch(service -> service.external().flatMap(MeshExternalService::tls)
                .filter(tls -> tls.verification() != MeshExternalService.Verification.NONE && tls.authorities().isEmpty())
                .isPresent());
        differByZone = all.stream().anyMatch(service -> service.ports().stream().anyMatch(Service.Port::differsByZone));
        all.forEach(service -> byName.computeIfAbsent(service.name(), name -> new ArrayList<>(1)).add(service));
    }

    /** The services that a source knows by itself; in a cluster what is not there is nobody's, and its name leads nowhere. */
    public static ServiceCatalog of(Collection<Service> services) {
        return new ServiceCatalog(services.stream()
                .sorted(Comparator.comparing(Service::name).thenComparing(service -> service.metadata().namespace()))
                .toList());
    }

    /** With those that are made of these, and those that are outside of the mesh. */
    public ServiceCatalog with(List<MeshMultiZoneService> joined, List<MeshExternalService> external) {
        if (joined.isEmpty() && external.isEmpty()) {
            return this;
        }
        List<Service> services = new ArrayList<>(all);
        joined.forEach(declared -> services.add(joined(declared)));
        external.forEach(declared -> services.add(external(declared)));
        return of(services);
    }

    private Service joined(MeshMultiZoneService declared) {
        List<Service> selected = all.stream()
                .filter(service -> service.type() == ServiceType.MESH_SERVICE && service.metadata().has(declared.selected()))
                .toList();
        List<Service.Port> ports = new ArrayList<>();
        for (MeshMultiZoneService.Port port : declared.ports()) {
            Map<String, Service.Instance> byAddress = new LinkedHashMap<>();
            selected.stream()
                    .flatMap(service -> service.ports().stream())
                    .filter(each -> each.number() == port.port())
                    .flatMap(each -> each.instances().stream())
                    .forEach(instance -> byAddress.putIfAbsent(instance.hostPort(), instance));
            ports.add(new Service.Port(port.port(), port.name(), port.protocol(), List.copyOf(byAddress.values())));
        }
        Metadata metadata = declared.metadata();
        return new Service(metadata, ServiceType.MESH_MULTI_ZONE_SERVICE, true, Service.Hosts.generated(metadata, "mzsvc"), ports,
                Optional.empty());
    }

    private static Service external(MeshExternalService declared) {
        List<Service.Instance> instances = declared.endpoints().stream()
                .map(endpoint -> new Service.Instance(endpoint.address(), endpoint.port(), "", Set.of(), Workload.NOBODY, Map.of(),
                        Health.HEALTHY, false))
                .toList();
        Service.Port port = new Service.Port(declared.port(), Optional.empty(), declared.protocol(), instances);
        Metadata metadata = declared.metadata();
        return new Service(metadata, ServiceType.MESH_EXTERNAL_SERVICE, true, Service.Hosts.generated(metadata, "extsvc"), List.of(port),
                Optional.of(declared));
    }

    /** One port of one data plane. */
    private record Candidate(Dataplane dataplane, Dataplane.Inbound inbound, Health health, boolean meshTls) {

        Service.Instance instance() {
            return new Service.Instance(
                    inbound.address(),
                    inbound.port(),
                    inbound.tags().getOrDefault(Labels.ZONE, dataplane.metadata().zone()),
                    Set.of(),
                    Workload.ofService(inbound.tags().get(Labels.SERVICE)),
                    inbound.tags(),
                    health,
                    meshTls);
        }
    }

    /** @param dataplanes in a stable order */
    public static ServiceCatalog build(
            String mesh,
            List<Instance> dataplanes,
            List<MeshService> declared,
            List<MeshHttpRoute> routes,
            MeshSecurity security) {
        List<Candidate> candidates = new ArrayList<>();
        Map<String, List<Candidate>> byTag = new TreeMap<>();
        for (Instance instance : dataplanes) {
            for (Dataplane.Inbound inbound : instance.dataplane().inbounds()) {
                Candidate candidate = candidate(instance, inbound, security);
                candidates.add(candidate);
                String service = inbound.tags().get(Labels.SERVICE);
                byTag.computeIfAbsent(service, name -> new ArrayList<>()).add(candidate);
            }
        }
        Map<String, Service> services = new TreeMap<>();
        for (MeshService service : declared) {
            services.putIfAbsent(service.metadata().displayName(), declared(service, candidates));
        }
        byTag.forEach((name, members) -> services.computeIfAbsent(name, key -> fromTag(mesh, key, members)));
        for (String name : named(routes)) {
            services.computeIfAbsent(name, key -> fromTag(mesh, key, List.of()));
        }
        return new ServiceCatalog(services.values());
    }

    /**
     * An inbound that takes nothing else is reached by mesh TLS alone, and counts as unhealthy until it can take that. One that takes
     * both is reached by mesh TLS as soon as it can.
     */
    private static Candidate candidate(Instance instance, Dataplane.Inbound inbound, MeshSecurity security) {
        Dataplane dataplane = instance.dataplane();
        List<Map<String, String>> tags =
                dataplane.inbounds().stream().map(Dataplane.Inbound::tags).toList();
        Transport transport = instance.transport(inbound);
        Optional<InboundSecurity> secured = transport == Transport.PLAINTEXT
                ? Optional.empty()
                : security.inbound(
                        dataplane.metadata(), tags, Workload.ofService(tags.get(0).get(Labels.SERVICE)), inbound);
        boolean ready = transport == Transport.READY;
        boolean strict = secured.isPresent() && secured.get().mode() == TlsMode.STRICT;
        return new Candidate(
                dataplane,
                inbound,
                strict && !ready ? Health.UNHEALTHY : instance.health(),
                secured.isPresent() && (strict || ready));
    }

    private static Service fromTag(String mesh, String name, List<Candidate> members) {
        Metadata metadata = new Metadata(new ResourceId("MeshService", mesh, name), name, "", Map.of());
        Service.Port port =
                new Service.Port(Service.DEFAULT_PORT, Optional.empty(), protocol(members), instances(members));
        return Service.of(metadata, false, Service.Hosts.ofMesh(metadata), List.of(port));
    }

    /** What all of them speak: HTTP unless they say otherwise, TCP if one does. */
    private static Protocol protocol(List<Candidate> members) {
        List<Protocol> spoken = members.stream()
                .map(candidate -> candidate.inbound().protocol().orElse(Protocol.HTTP))
                .distinct()
                .toList();
        if (spoken.contains(Protocol.TCP)) {
            return Protocol.TCP;
        }
        return spoken.size() == 1 ? spoken.get(0) : Protocol.HTTP;
    }

    private static Service declared(MeshService service, List<Candidate> candidates) {
        List<Candidate> selected = candidates.stream()
                .filter(candidate -> selects(service.selector(), candidate))
                .toList();
        List<Service.Port> ports = new ArrayList<>();
        for (MeshService.Port port : service.ports()) {
            ports.add(new Service.Port(
                    port.port(), port.name(), port.protocol(), instances(targets(port, selected))));
        }
        return Service.of(service.metadata(), true, Service.Hosts.ofMesh(service.metadata()), ports);
    }

    private static boolean selects(MeshService.Selector selector, Candidate candidate) {
        if (selector instanceof MeshService.ByTags byTags) {
            return candidate.inbound().tags().entrySet().containsAll(byTags.tags().entrySet());
        }
        if (selector instanceof MeshService.ByName byName) {
            return candidate.dataplane().metadata().id().name().equals(byName.dataplane());
        }
        MeshService.ByLabels byLabels = (MeshService.ByLabels) selector;
        // An agent has no labels apart from its tags.
        return byLabels.labels().entrySet().stream().allMatch(label -> {
            String value = candidate.dataplane().metadata().label(label.getKey());
            return label.getValue().equals(value == null ? candidate.inbound().tags().get(label.getKey()) : value);
        });
    }

    private static List<Candidate> targets(MeshService.Port port, List<Candidate> selected) {
        if (port.target().isPresent() && port.target().get() instanceof MeshService.TargetName target) {
            return selected.stream()
                    .filter(candidate -> candidate.inbound().name().equals(Optional.of(target.inbound())))
                    .toList();
        }
        int number = port.target().isPresent() && port.target().get() instanceof MeshService.TargetNumber target
                ? target.port()
                : port.port();
        List<Candidate> exact = selected.stream()
                .filter(candidate -> candidate.inbound().port() == number)
                .toList();
        return exact.isEmpty() && port.target().isEmpty() ? selected : exact;
    }

    private static List<Service.Instance> instances(List<Candidate> candidates) {
        Map<String, Service.Instance> byAddress = new LinkedHashMap<>();
        for (Candidate candidate : candidates) {
            if (!candidate.inbound().ready()) {
                continue;
            }
            Service.Instance instance = candidate.instance();
            // Two registrations of one address: a process and the one that had its port before.
            byAddress.merge(
                    instance.address() + '/' + instance.port(),
                    instance,
                    (old, other) -> old.health() == Health.HEALTHY ? old : other);
        }
        return List.copyOf(byAddress.values());
    }

    private static Collection<String> named(List<MeshHttpRoute> routes) {
        Collection<String> names = new TreeSet<>();
        for (MeshHttpRoute route : routes) {
            for (MeshHttpRoute.To to : route.to()) {
                if (to.destination().type() == ServiceType.MESH_SERVICE) {
                    to.destination().name().ifPresent(names::add);
                }
                for (MeshHttpRoute.Rule rule : to.rules()) {
                    rule.backends().ifPresent(refs -> refs.forEach(ref -> add(ref, names)));
                    rule.filters().ifPresent(filters -> filters.forEach(filter -> {
                        if (filter instanceof MeshHttpRoute.Mirror mirror) {
                            add(mirror.backend(), names);
                        }
                    }));
                }
            }
        }
        return names;
    }

    private static void add(MeshHttpRoute.BackendRef ref, Collection<String> names) {
        if (ref.type() == ServiceType.MESH_SERVICE) {
            ref.name().ifPresent(names::add);
        }
    }

    /** Whether a name may mean another service in another namespace. */
    public boolean differByNamespace() {
        return differByNamespace;
    }

    /** Whether proxies are told something else than agents. */
    public boolean differByKind() {
        return differByKind;
    }

    /** Whether somebody in another zone should prefer other instances. */
    public boolean differByZone() {
        return differByZone;
    }

    /** In the order of their names. */
    public Collection<Service> all() {
        return all;
    }

    /** A port of a service, and those of its instances that carry some tags; no tags: all of them. */
    public record Target(Service service, Service.Port port, Map<String, String> tags) {
        public Target {
            tags = Map.copyOf(tags);
        }

        public List<Service.Instance> instances() {
            return tags.isEmpty()
                    ? port.instances()
                    : port.instances().stream()
                            .filter(instance -> instance.tags().entrySet().containsAll(tags.entrySet()))
                            .toList();
        }
    }

    /** Where a reference leads; empty if there is no such service or it has no such port. */
    public Optional<Target> resolve(MeshHttpRoute.BackendRef ref) {
        Optional<Service> service = ref.name().isPresent()
                ? byName.getOrDefault(ref.name().get(), List.of()).stream()
                        .filter(named -> named.type() == ref.type() && named.metadata().isOf(ref.namespace()))
                        .findFirst()
                : all.stream().filter(other -> other.type() == ref.type() && other.metadata().has(ref.labels())).findFirst();
        return service.flatMap(found -> port(found, ref).map(port -> new Target(found, port, ref.tags())));
    }

    private static Optional<Service.Port> port(Service service, MeshHttpRoute.BackendRef ref) {
        // Without a MeshService nothing says which ports there are, so any number means the one that there is.
        if (!service.declared() || (ref.port().isEmpty() && ref.section().isEmpty())) {
            return Optional.of(service.ports().get(0));
        }
        return service.ports().stream()
                .filter(port -> ref.section().isPresent()
                        ? port.is(ref.section().get())
                        : port.number() == ref.port().getAsInt())
                .findFirst();
    }

}
