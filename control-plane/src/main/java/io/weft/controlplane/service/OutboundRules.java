package io.weft.controlplane.service;

import io.weft.controlplane.policy.Conf;
import io.weft.controlplane.policy.InboundTarget;
import io.weft.controlplane.policy.InitialPolicies;
import io.weft.controlplane.policy.MeshHttpRoute;
import io.weft.controlplane.policy.Metadata;
import io.weft.controlplane.policy.Policy;
import io.weft.controlplane.policy.Policy.Destination;
import io.weft.controlplane.policy.Policy.Everything;
import io.weft.controlplane.policy.Policy.Routes;
import io.weft.controlplane.policy.Policy.Services;
import io.weft.controlplane.policy.Policy.To;
import io.weft.controlplane.policy.PolicyKind;
import io.weft.controlplane.policy.TargetRef;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What policies say of what data planes send, merged as Kuma merges them: entries in the order of how specific the policy's
 * {@code targetRef} is, then by origin and role, then by how specific the entry's own is, then by name, the alphabetically first
 * winning; a field that the winner leaves open is the next one's. What is for a route replaces what is for the service that the
 * route is of, but not what is for the whole mesh.
 *
 * <p>Entries are sorted once for all data planes, and each set of entries is merged once. Not thread-safe.
 */
public final class OutboundRules {

    private static final List<String> ROLES = List.of("system", "producer", "consumer", "workload-owner");

    private final List<Entry> ascending;
    private final InitialPolicies initial;
    private final Map<PolicyKind<?>, BitSet> ofKind = new HashMap<>();
    /** By identity: to compare two of them is to compare all of their instances. */
    private final Map<Service.Port, BitSet> ofPort = new IdentityHashMap<>();
    private final Map<Metadata, BitSet> ofRoute = new HashMap<>();
    private final Map<Merge, Object> merged = new HashMap<>();
    private final BitSet forRoutes = new BitSet();

    private record Entry(Policy policy, To to) {}

    private record Merge(PolicyKind<?> kind, BitSet entries) {}

    /** @param policies of the mesh, without those that are only shadows */
    public OutboundRules(List<Policy> policies, List<MeshHttpRoute> routes, InitialPolicies initial) {
        this.initial = initial;
        ascending = policies.stream()
                .flatMap(policy -> resolved(policy, routes))
                .flatMap(policy -> policy.to().stream().map(to -> new Entry(policy, to)))
                .sorted(ASCENDING)
                .toList();
        for (int i = 0; i < ascending.size(); i++) {
            ofKind.computeIfAbsent(ascending.get(i).policy.kind(), kind -> new BitSet()).set(i);
            forRoutes.set(i, ascending.get(i).to.destination() instanceof Routes);
        }
    }

    /** Equal to those of other rules whose entries have the same numbers. */
    public List<?> entries() {
        return ascending;
    }

    private static final Comparator<Entry> ASCENDING = Comparator
            .comparing((Entry entry) -> entry.policy, precedence())
            .thenComparingInt(entry -> entry.to.destination().rank())
            .thenComparing(entry -> entry.policy.metadata().displayName(), Comparator.reverseOrder());

    /** Of policies, but for their names. */
    static Comparator<Policy> precedence() {
        return Comparator.<Policy>comparingInt(policy -> policy.target().rank())
                .thenComparingInt(policy -> policy.metadata().zoneOrigin() ? 1 : 0)
                .thenComparingInt(policy -> Math.max(0, ROLES.indexOf(policy.metadata().role())));
    }

    /** A policy for routes is one for whom these are for, of what these lead somewhere. */
    private static Stream<Policy> resolved(Policy policy, List<MeshHttpRoute> routes) {
        if (!(policy.target().dataplanes() instanceof TargetRef.OfRoutes of)) {
            return Stream.of(policy);
        }
        return routes.stream()
                .filter(route -> of.routes().include(route.metadata()) && policy.metadata().reaches(route.metadata()))
                .map(route -> new Policy(
                        policy.metadata(),
                        policy.kind(),
                        new InboundTarget(new TargetRef.Selected(route.target(), of.rank()), Optional.empty()),
                        policy.to().stream().map(to -> new To(only(route), to.conf())).toList(),
                        List.of(),
                        Optional.empty()));
    }

    private static Routes only(MeshHttpRoute route) {
        return new Routes(Optional.of(route.metadata().displayName()), route.metadata().namespace(), Map.of());
    }

    /**
     * The entries that are for a data plane, by number.
     *
     * @param tags of each of its inbounds
     */
    public BitSet applicable(Metadata dataplane, List<Map<String, String>> tags) {
        BitSet applicable = new BitSet(ascending.size());
        Policy last = null;
        boolean selected = false;
        for (int i = 0; i < ascending.size(); i++) {
            Policy policy = ascending.get(i).policy;
            if (policy != last) {
                last = policy;
                selected = policy.metadata().reaches(dataplane) && policy.target().dataplanes().selects(dataplane, tags);
            }
            applicable.set(i, selected);
        }
        return applicable;
    }

    /** What they say of a port of a service; empty: nobody says anything. */
    public <C> Optional<C> of(PolicyKind<C> kind, BitSet applicable, Service service, Service.Port port) {
        return merge(kind, applicable, ofPort.computeIfAbsent(port, key -> entriesOf(service, port)));
    }

    /** What they say of what a route leads to a port of a service. */
    public <C> Optional<C> of(
            PolicyKind<C> kind, BitSet applicable, Service service, Service.Port port, Metadata route) {
        BitSet entries = ofRoute.computeIfAbsent(route, this::entriesOf);
        BitSet own = (BitSet) entries.clone();
        own.and(forRoutes);
        own.and(applicable);
        own.and(ofKind.getOrDefault(kind, new BitSet()));
        return own.isEmpty() ? of(kind, applicable, service, port) : merge(kind, applicable, entries);
    }

    private BitSet entriesOf(Service service, Service.Port port) {
        BitSet entries = new BitSet(ascending.size());
        for (int i = 0; i < ascending.size(); i++) {
            Destination destination = ascending.get(i).to.destination();
            entries.set(i, destination instanceof Everything
                    || destination instanceof Services services && include(services, service, port));
        }
        return entries;
    }

    private BitSet entriesOf(Metadata route) {
        BitSet entries = new BitSet(ascending.size());
        for (int i = 0; i < ascending.size(); i++) {
            Destination destination = ascending.get(i).to.destination();
            entries.set(i, destination instanceof Everything
                    || destination instanceof Routes routes && routes.include(route));
        }
        return entries;
    }

    private static boolean include(Services services, Service service, Service.Port port) {
        boolean named = services.name().isPresent()
                ? services.name().get().equals(service.name()) && service.metadata().isOf(services.namespace())
                : service.metadata().has(services.labels());
        return services.type() == service.type() && named && services.section().map(port::is).orElse(true);
    }

    @SuppressWarnings("unchecked") // what is kept for a kind was read by it
    private <C> Optional<C> merge(PolicyKind<C> kind, BitSet applicable, BitSet entries) {
        BitSet chosen = (BitSet) entries.clone();
        chosen.and(applicable);
        chosen.and(ofKind.getOrDefault(kind, new BitSet()));
        if (chosen.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of((C) merged.computeIfAbsent(new Merge(kind, chosen), key -> {
            List<Conf> confs = new ArrayList<>(List.of(initial.to(kind)));
            chosen.stream().forEach(i -> confs.add(ascending.get(i).to.conf()));
            return kind.read(Conf.merge(confs));
        }));
    }
}
