package io.weft.controlplane.kubernetes;

import io.weft.controlplane.policy.Labels;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What the cluster's objects say, as of the last event of each. An event makes stale only the services that it is about, and those alone
 * are put together anew, when they are next asked for. Thread-safe.
 */
final class ClusterState {

    private final Map<ObjectName, Facts.OfService> services = new HashMap<>();
    private final Map<ObjectName, Facts.OfSlice> slices = new HashMap<>();
    /** In the order of their names, so that the same endpoints come in the same order. */
    private final Map<ObjectName, TreeSet<String>> slicesOfService = new HashMap<>();
    private final Map<ObjectName, Facts.OfPod> pods = new HashMap<>();
    private final Map<ObjectName, Set<ObjectName>> servicesOfPod = new HashMap<>();
    private final Map<String, String> zones = new HashMap<>();
    /** Namespaces whose pods are given an agent. */
    private final Set<String> joining = new HashSet<>();
    /** By where they lead, the names of other services. */
    private final Map<ObjectName, Set<ObjectName>> aliases = new HashMap<>();
    /** In the order in which a mesh has them, for which they would be sorted else with every change. */
    private final Map<ObjectName, Joined> joined =
            new TreeMap<>(Comparator.comparing(ObjectName::name).thenComparing(ObjectName::namespace));
    private final Set<ObjectName> stale = new HashSet<>();

    /**
     * A service with all that is said of it; the same object for as long as nothing of that changes.
     *
     * @param aliases services that are only other names of this one
     */
    static final class Joined {
        final Facts.OfService service;
        final Set<ObjectName> aliases;
        final List<Member> members;

        Joined(Facts.OfService service, Set<ObjectName> aliases, List<Member> members) {
            this.service = service;
            this.aliases = Set.copyOf(aliases);
            this.members = List.copyOf(members);
        }
    }

    /**
     * @param pod empty: the endpoint is none of the cluster's pods, or one of which nothing is known yet
     * @param lacksAgent whether it was to be given one, and was not
     */
    record Member(Facts.OfSlice slice, Facts.Endpoint endpoint, Optional<Facts.OfPod> pod, boolean lacksAgent) {}

    /** @return whether anything changed */
    synchronized boolean put(Facts.OfService service) {
        Facts.OfService before = services.put(service.name(), service);
        if (service.equals(before)) {
            return false;
        }
        noteAlias(before, service);
        stale.add(service.name());
        return true;
    }

    synchronized void removeService(ObjectName name) {
        noteAlias(services.remove(name), null);
        stale.add(name);
    }

    private void noteAlias(Facts.OfService before, Facts.OfService now) {
        Optional<ObjectName> old = Optional.ofNullable(before).flatMap(ClusterNames::aliased);
        Optional<ObjectName> next = Optional.ofNullable(now).flatMap(ClusterNames::aliased);
        old.ifPresent(target -> {
            aliases.getOrDefault(target, new HashSet<>()).remove(before.name());
            stale.add(target);
        });
        next.ifPresent(target -> {
            aliases.computeIfAbsent(target, key -> new HashSet<>()).add(now.name());
            stale.add(target);
        });
    }

    /** @return whether anything changed */
    synchronized boolean put(Facts.OfSlice slice) {
        Facts.OfSlice before = slices.put(slice.name(), slice);
        if (slice.equals(before)) {
            return false;
        }
        if (before != null) {
            forget(before);
        }
        slicesOfService.computeIfAbsent(slice.service(), key -> new TreeSet<>()).add(slice.name().name());
        for (Facts.Endpoint endpoint : slice.endpoints()) {
            endpoint.pod().ifPresent(pod -> servicesOfPod.computeIfAbsent(pod, key -> new HashSet<>(2)).add(slice.service()));
        }
        stale.add(slice.service());
        return true;
    }

    synchronized void removeSlice(ObjectName name) {
        Facts.OfSlice before = slices.remove(name);
        if (before != null) {
            forget(before);
        }
    }

    private void forget(Facts.OfSlice slice) {
        stale.add(slice.service());
        TreeSet<String> names = slicesOfService.get(slice.service());
        names.remove(slice.name().name());
        if (names.isEmpty()) {
            slicesOfService.remove(slice.service());
        }
        // Another slice of the service may have the pod too: its next change is then looked at for nothing, or for its next event.
        for (Facts.Endpoint endpoint : slice.endpoints()) {
            endpoint.pod().ifPresent(pod -> {
                boolean elsewhere = names.stream()
                        .map(other -> slices.get(new ObjectName(slice.name().namespace(), other)))
                        .anyMatch(other -> other.endpoints().stream().anyMatch(each -> each.pod().equals(Optional.of(pod))));
                Set<ObjectName> of = servicesOfPod.get(pod);
                if (!elsewhere && of != null) {
                    of.remove(slice.service());
                    if (of.isEmpty()) {
                        servicesOfPod.remove(pod);
                    }
                }
            });
        }
    }

    /** @return whether anything changed */
    synchronized boolean put(Facts.OfPod pod) {
        if (pod.equals(pods.put(pod.name(), pod))) {
            return false;
        }
        stale.addAll(servicesOfPod.getOrDefault(pod.name(), Set.of()));
        return true;
    }

    synchronized void removePod(ObjectName name) {
        pods.remove(name);
        stale.addAll(servicesOfPod.getOrDefault(name, Set.of()));
    }

    /**
     * @param joins whether its pods are given an agent
     * @return whether anything changed
     */
    synchronized boolean putNamespace(String name, boolean joins) {
        if (joins ? !joining.add(name) : !joining.remove(name)) {
            return false;
        }
        services.keySet().stream().filter(service -> service.namespace().equals(name)).forEach(stale::add);
        return true;
    }

    synchronized boolean putNode(String name, String zone) {
        return !zone.equals(zones.put(name, zone));
    }

    synchronized void removeNode(String name) {
        zones.remove(name);
    }

    synchronized Optional<Facts.OfService> service(ObjectName name) {
        return Optional.ofNullable(services.get(name));
    }

    synchronized Optional<Facts.OfPod> pod(ObjectName name) {
        return Optional.ofNullable(pods.get(name));
    }

    /** Of the node that it runs on; may be empty. */
    synchronized String zone(Facts.OfPod pod) {
        return zones.getOrDefault(pod.node(), pod.labels().getOrDefault(Labels.ZONE, ""));
    }

    /** All services, in the order of their names. */
    synchronized Collection<Joined> joined() {
        for (ObjectName name : stale) {
            Facts.OfService service = services.get(name);
            if (service == null) {
                joined.remove(name);
            } else {
                joined.put(name, join(service));
            }
        }
        stale.clear();
        return List.copyOf(joined.values());
    }

    private Joined join(Facts.OfService service) {
        List<Member> members = new ArrayList<>();
        for (String name : slicesOfService.getOrDefault(service.name(), new TreeSet<>())) {
            Facts.OfSlice slice = slices.get(new ObjectName(service.name().namespace(), name));
            for (Facts.Endpoint endpoint : slice.endpoints()) {
                Optional<Facts.OfPod> pod = endpoint.pod().map(pods::get);
                members.add(new Member(slice, endpoint, pod, pod.filter(this::lacksAgent).isPresent()));
            }
        }
        return new Joined(service, aliases.getOrDefault(service.name(), Set.of()), members);
    }

    private boolean lacksAgent(Facts.OfPod pod) {
        return switch (pod.agent()) {
            case GIVEN, LEFT_OUT -> false;
            case WANTED -> true;
            case AS_ITS_NAMESPACE -> joining.contains(pod.name().namespace());
        };
    }

    /** How many there are of each kind, for people. */
    synchronized Map<String, Integer> sizes() {
        Map<String, Integer> sizes = new TreeMap<>();
        sizes.put("services", services.size());
        sizes.put("endpoint slices", slices.size());
        sizes.put("pods", pods.size());
        sizes.put("nodes", zones.size());
        return sizes;
    }
}
