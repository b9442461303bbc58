package io.weft.policy.snapshot;

import io.weft.policy.model.Cluster;
import io.weft.policy.model.EndpointAssignment;
import io.weft.policy.model.FilterChain;
import io.weft.policy.model.HttpConnectionManager.Named;
import io.weft.policy.model.Listener;
import io.weft.policy.model.PolicySnapshot;
import io.weft.policy.model.Resource;
import io.weft.policy.model.RouteConfiguration;
import io.weft.policy.model.Unhonoured;
import io.weft.policy.parse.ParseOutcome;
import io.weft.policy.parse.ParseOutcome.Accepted;
import io.weft.policy.parse.RawResource;
import io.weft.policy.parse.ResourceType;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Turns what came over the stream into consistent snapshots, the way Envoy warms its resources:
 * <ul>
 *   <li>A listener is published once all of its route configurations are there, an EDS cluster once its endpoints are. Until
 *       then the version published last stays in force; the first one is not there yet.
 *   <li>A refused resource leaves the last good one of its name in force.
 *   <li>What a state-of-the-world response omits is removed for listeners and clusters only.
 *   <li>A route configuration or assignment that is removed while something refers to it stays in force, as in Envoy, and is
 *       dropped with the last reference.
 * </ul>
 * Confined to one thread.
 */
public final class SnapshotAssembler {
    private final Warming listeners = new Warming();
    private final Warming clusters = new Warming();
    private final Set<ResourceType> answered = EnumSet.noneOf(ResourceType.class);

    private long generation = 1;
    private boolean changed;
    private boolean completedOnce;

    /** A state-of-the-world response of one type. */
    public void stateOfTheWorld(ResourceType type, List<ParseOutcome> outcomes) {
        Warming warming = warming(type);
        if (type.wildcard()) {
            Set<String> present = new HashSet<>();
            boolean unnamed = false;
            for (ParseOutcome outcome : outcomes) {
                present.add(outcome.name());
                unnamed |= outcome.name().isEmpty();
            }
            // Bytes that tell no name may be those of any resource that seems to be missing.
            if (!unnamed) {
                warming.roots.keySet().retainAll(present);
            }
        }
        accept(type, outcomes);
        settle(type);
    }

    /** A delta response of one type. */
    public void delta(ResourceType type, List<ParseOutcome> outcomes, Collection<String> removed) {
        Warming warming = warming(type);
        if (type.wildcard()) {
            warming.roots.keySet().removeAll(new HashSet<>(removed));
        } else {
            warming.withdrawn.addAll(removed);
        }
        accept(type, outcomes);
        settle(type);
    }

    /** What the cache held, all types at once; before anything else. The snapshot that follows has generation 0. */
    public void restore(List<ParseOutcome> outcomes) {
        for (ParseOutcome outcome : outcomes) {
            accept(outcome.type(), List.of(outcome));
        }
        changed |= listeners.settle();
        changed |= clusters.settle();
        generation = 0;
    }

    /** The snapshot in force now, when it differs from the one that this method gave last. */
    public Optional<PolicySnapshot> assemble() {
        if (!changed) {
            return Optional.empty();
        }
        changed = false;
        List<Unhonoured> unhonoured = new ArrayList<>();
        PolicySnapshot snapshot = new PolicySnapshot(
                generation++,
                values(listeners.published, Listener.class, unhonoured),
                values(listeners.publishedParts, RouteConfiguration.class, unhonoured),
                values(clusters.published, Cluster.class, unhonoured),
                values(clusters.publishedParts, EndpointAssignment.class, unhonoured),
                unhonoured);
        return Optional.of(snapshot);
    }

    /**
     * Listeners and clusters have been answered and nothing that they need is missing. Before that holds for the first time a
     * snapshot may know clusters but no listener, and whoever acts on it would take every destination for unnamed.
     */
    public boolean complete() {
        return answered.contains(ResourceType.LISTENER)
                && answered.contains(ResourceType.CLUSTER)
                && listeners.complete()
                && clusters.complete();
    }

    /** The names to be subscribed to now, for route configurations and assignments; empty for the wildcard types. */
    public Set<String> wanted(ResourceType type) {
        return type.wildcard() ? Set.of() : Set.copyOf(warming(type).wanted);
    }

    /** Versions by name of what is held, for {@code initial_resource_versions}. */
    public Map<String, String> versions(ResourceType type) {
        Warming warming = warming(type);
        Map<String, String> versions = new HashMap<>();
        for (Accepted accepted : (type.wildcard() ? warming.roots : warming.parts).values()) {
            if (type.wildcard() || !warming.withdrawn.contains(accepted.name())) {
                versions.put(accepted.name(), accepted.raw().version());
            }
        }
        return versions;
    }

    /** All that is held, for the cache. */
    public List<RawResource> resources() {
        List<RawResource> resources = new ArrayList<>();
        for (Warming warming : List.of(clusters, listeners)) {
            for (Accepted accepted : warming.roots.values()) {
                resources.add(accepted.raw());
            }
            for (Accepted accepted : warming.parts.values()) {
                resources.add(accepted.raw());
            }
        }
        return resources;
    }

    private Warming warming(ResourceType type) {
        return type == ResourceType.LISTENER || type == ResourceType.ROUTES ? listeners : clusters;
    }

    private void accept(ResourceType type, List<ParseOutcome> outcomes) {
        Warming warming = warming(type);
        Map<String, Accepted> held = type.wildcard() ? warming.roots : warming.parts;
        for (ParseOutcome outcome : outcomes) {
            if (outcome.type() != type) {
                throw new IllegalArgumentException(outcome.type() + " among resources of " + type);
            }
            if (outcome instanceof Accepted accepted) {
                Accepted old = held.get(accepted.name());
                held.put(accepted.name(), old == null ? accepted : sharing(old, accepted));
            }
            if (!type.wildcard()) {
                // Refused or not, the control plane has it.
                warming.withdrawn.remove(outcome.name());
            }
        }
    }

    /** The value that readers know already is kept when the new one says the same: they may tell changes by identity. */
    private static Accepted sharing(Accepted old, Accepted fresh) {
        boolean same = old.raw().bytes().equals(fresh.raw().bytes()) || old.resource().equals(fresh.resource());
        return same ? new Accepted(fresh.raw(), old.resource(), fresh.unhonoured()) : fresh;
    }

    private void settle(ResourceType type) {
        changed |= warming(type).settle();
        answered.add(type);
        if (!completedOnce && complete()) {
            completedOnce = true;
            // An empty policy is one, too.
            changed = true;
        }
    }

    private static <T extends Resource> Map<String, T> values(
            Map<String, Accepted> from, Class<T> as, List<Unhonoured> unhonoured) {
        Map<String, T> values = new HashMap<>(from.size() * 2);
        for (Accepted accepted : from.values()) {
            values.put(accepted.name(), as.cast(accepted.resource()));
            unhonoured.addAll(accepted.unhonoured());
        }
        return values;
    }

    /** Roots (listeners, clusters) and the parts that they refer to by name (route configurations, assignments). */
    private static final class Warming {
        final Map<String, Accepted> roots = new HashMap<>();
        final Map<String, Accepted> parts = new HashMap<>();
        /** Parts that the control plane has removed; those in use are held nevertheless. */
        final Set<String> withdrawn = new HashSet<>();

        Map<String, Accepted> published = Map.of();
        Map<String, Accepted> publishedParts = Map.of();
        Set<String> wanted = Set.of();

        boolean complete() {
            return parts.keySet().containsAll(wanted);
        }

        /** @return whether what is published has changed */
        boolean settle() {
            Map<String, Accepted> nowPublished = new HashMap<>(roots.size() * 2);
            Set<String> nowWanted = new HashSet<>();
            for (Accepted root : roots.values()) {
                Set<String> needs = needs(root.resource());
                nowWanted.addAll(needs);
                if (parts.keySet().containsAll(needs)) {
                    nowPublished.put(root.name(), root);
                } else if (published.get(root.name()) != null) {
                    Accepted warm = published.get(root.name());
                    nowPublished.put(warm.name(), warm);
                    nowWanted.addAll(needs(warm.resource()));
                }
            }
            parts.keySet().retainAll(nowWanted);
            withdrawn.retainAll(nowWanted);

            Map<String, Accepted> nowParts = new HashMap<>(parts.size() * 2);
            for (Accepted root : nowPublished.values()) {
                for (String need : needs(root.resource())) {
                    nowParts.put(need, parts.get(need));
                }
            }
            boolean changed = differ(published, nowPublished) || differ(publishedParts, nowParts);
            published = nowPublished;
            publishedParts = nowParts;
            wanted = nowWanted;
            return changed;
        }

        private static boolean differ(Map<String, Accepted> before, Map<String, Accepted> now) {
            if (!before.keySet().equals(now.keySet())) {
                return true;
            }
            for (Accepted accepted : now.values()) {
                Accepted old = before.get(accepted.name());
                if (old.resource() != accepted.resource() || !old.unhonoured().equals(accepted.unhonoured())) {
                    return true;
                }
            }
            return false;
        }

        private static Set<String> needs(Resource root) {
            if (root instanceof Cluster cluster && cluster.discovery() instanceof Cluster.Eds eds) {
                return Set.of(eds.serviceName());
            }
            if (root instanceof Listener listener) {
                Set<String> names = new HashSet<>(4);
                for (FilterChain chain : listener.filterChains()) {
                    if (chain.http().routes() instanceof Named named) {
                        names.add(named.routeConfigName());
                    }
                }
                return names;
            }
            return Set.of();
        }
    }
}
