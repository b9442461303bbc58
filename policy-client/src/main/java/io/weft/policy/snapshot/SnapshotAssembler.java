package io.weft.policy.snapshot;

import io.weft.policy.Dialect;
import io.weft.policy.model.Cluster;
import io.weft.policy.model.EndpointAssignment;
import io.weft.policy.model.FilterChain;
import io.weft.policy.model.HttpConnectionManager.Named;
import io.weft.policy.model.Listener;
import io.weft.policy.model.NameTable;
import io.weft.policy.model.NameTable.Host;
import io.weft.policy.model.PartialRoutes;
import io.weft.policy.model.PolicySnapshot;
import io.weft.policy.model.Resource;
import io.weft.policy.model.RouteConfiguration;
import io.weft.policy.model.Secret;
import io.weft.policy.model.Unhonoured;
import io.weft.policy.model.VirtualHost;
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
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.BinaryOperator;
import java.util.function.Function;

/**
 * Turns what came over the stream into consistent snapshots, the way Envoy warms its resources:
 * <ul>
 *   <li>A listener is published once all of its route configurations are there, an EDS cluster once its endpoints are. Until
 *       then the version published last stays in force; the first one is not there yet.
 *   <li>A refused resource leaves the last good one of its name in force.
 *   <li>What a state-of-the-world response omits is removed for listeners and clusters only.
 *   <li>A route configuration or assignment that is removed while something refers to it stays in force, as in Envoy, and is
 *       dropped with the last reference.
 *   <li>A route configuration whose virtual hosts come by themselves is there once they have been told of for the first time. From then on
 *       what a response says of them holds at once and as a whole.
 *   <li>A secret is published when it comes. A listener or cluster that is in force and asks for one that is not there, or for the
 *       certificate of this process, stays as it is until that comes, or until somebody waits for it no more. Then, and where it is new, it
 *       is published without: nothing goes over TLS there, so that an identity that is missing closes the way and does not change it.
 * </ul>
 * Confined to one thread.
 */
public final class SnapshotAssembler {
    private static final String OWN_CERTIFICATE = "the certificate of this process";

    private final Secrets secrets = new Secrets();
    private final Warming<Listener, RouteConfiguration> listeners =
            new Warming<>(Listener.class, RouteConfiguration.class, secrets);
    private final Warming<Cluster, EndpointAssignment> clusters = new Warming<>(Cluster.class, EndpointAssignment.class, secrets);
    private final PartialTables tables = new PartialTables();
    private final Names names;
    private final Set<ResourceType> answered = EnumSet.noneOf(ResourceType.class);

    private long generation = 1;
    private boolean completedOnce;
    private boolean completedJustNow;

    public SnapshotAssembler(Dialect dialect) {
        names = new Names(switch (dialect) {
            case KUMA -> KumaServiceNames::of;
            case ISTIO_BY_AGENT -> ListenerNames::of;
            case XDS, ISTIO -> listeners -> Map.of();
        });
    }

    /** A state-of-the-world response of one type. */
    public void stateOfTheWorld(ResourceType type, List<ParseOutcome> outcomes) {
        if (type == ResourceType.NAMES) {
            names.withdraw(outcomes.isEmpty());
        } else if (type.wildcard()) {
            Set<String> present = new HashSet<>();
            boolean unnamed = false;
            for (ParseOutcome outcome : outcomes) {
                present.add(outcome.name());
                unnamed |= outcome.name().isEmpty();
            }
            // Bytes that tell no name may be those of any resource that seems to be missing.
            if (!unnamed) {
                warming(type).roots.keySet().retainAll(present);
            }
        }
        accept(type, outcomes);
    }

    /** A delta response of one type. */
    public void delta(ResourceType type, List<ParseOutcome> outcomes, Collection<String> removed) {
        if (type == ResourceType.NAMES) {
            names.withdraw(!removed.isEmpty());
            accept(type, outcomes);
            return;
        }
        if (type == ResourceType.SECRET) {
            secrets.withdrawn.addAll(removed);
            accept(type, outcomes);
            return;
        }
        if (type == ResourceType.VIRTUAL_HOSTS) {
            tables.withdraw(removed);
            accept(type, outcomes);
            return;
        }
        Warming<?, ?> warming = warming(type);
        if (type.wildcard()) {
            warming.roots.keySet().removeAll(new HashSet<>(removed));
        } else {
            warming.withdrawn.addAll(removed);
        }
        accept(type, outcomes);
    }

    /** What the cache held, all types at once; before anything else. The snapshot that follows has generation 0. */
    public void restore(List<ParseOutcome> outcomes) {
        // A part is taken only when a root refers to it.
        for (ResourceType type : List.of(
                ResourceType.LISTENER, ResourceType.CLUSTER, ResourceType.ROUTES, ResourceType.VIRTUAL_HOSTS, ResourceType.ENDPOINTS,
                ResourceType.NAMES)) {
            List<ParseOutcome> ofType = new ArrayList<>();
            for (ParseOutcome outcome : outcomes) {
                if (outcome.type() == type) {
                    ofType.add(outcome);
                }
            }
            take(type, ofType);
        }
        generation = 0;
    }

    /** Whether anything that is held leaves it to this process who it is, or whom it trusts. */
    public boolean asksForProvider() {
        return clusters.asksForProvider || listeners.asksForProvider;
    }

    /** Whether something does, and this process has got nothing for itself yet. */
    public boolean lacksProvided() {
        return asksForProvider() && !secrets.everProvided;
    }

    /** The names by which a resource leaves to this process who it is, or whom it trusts. */
    public static Set<String> providers(Resource resource) {
        if (resource instanceof Cluster cluster) {
            return cluster.transport().providers();
        }
        Set<String> names = new HashSet<>(4);
        if (resource instanceof Listener listener) {
            for (FilterChain chain : listener.allFilterChains()) {
                names.addAll(chain.transport().providers());
            }
        }
        return names;
    }

    /** What this process got for itself: all that it has now. */
    public void provide(Map<String, Secret> own) {
        secrets.provide(own);
        certificateCame();
    }

    /** For which something that is in force does not change yet. */
    public Set<String> certificatesAwaited() {
        Set<String> awaited = new HashSet<>(listeners.certificatesAwaited);
        awaited.addAll(clusters.certificatesAwaited);
        return awaited;
    }

    /** What asks for these changes without them, until they come. */
    public void awaitNoMore(Set<String> certificates) {
        secrets.givenUp.addAll(certificates);
        certificateCame();
    }

    private void certificateCame() {
        if (!listeners.certificatesAwaited.isEmpty() || !clusters.certificatesAwaited.isEmpty()) {
            listeners.settle();
            clusters.settle();
            settled();
        }
    }

    /** The snapshot in force now, when it differs from the one that this method gave last. */
    public Optional<PolicySnapshot> assemble() {
        if (!completedJustNow && !listeners.changed() && !clusters.changed() && !secrets.changed && !names.changed) {
            return Optional.empty();
        }
        completedJustNow = false;
        listeners.freeze();
        clusters.freeze();
        secrets.freeze();
        names.freeze(listeners.frozenRoots);
        List<Unhonoured> unhonoured = new ArrayList<>();
        listeners.report(unhonoured);
        clusters.report(unhonoured);
        secrets.report(unhonoured);
        return Optional.of(new PolicySnapshot(
                generation++,
                listeners.frozenRoots,
                listeners.frozenParts,
                clusters.frozenRoots,
                clusters.frozenParts,
                secrets.frozen,
                names.frozen,
                unhonoured));
    }

    /**
     * Listeners and clusters have been answered and nothing that they need is missing. Before that holds for the first time a
     * snapshot may know clusters but no listener, and whoever acts on it would take every destination for unnamed.
     */
    public boolean complete() {
        return answered.contains(ResourceType.LISTENER)
                && answered.contains(ResourceType.CLUSTER)
                && listeners.complete()
                && clusters.complete()
                && secrets.complete();
    }

    /** Whether there was a response of that type, whatever was in it. */
    public boolean hasAnswered(ResourceType type) {
        return answered.contains(type);
    }

    /** The names to be subscribed to now; empty for the wildcard types. */
    public Set<String> wanted(ResourceType type) {
        if (type == ResourceType.SECRET) {
            return Set.copyOf(secrets.wanted);
        }
        if (type == ResourceType.VIRTUAL_HOSTS) {
            return Set.copyOf(tables.byName.keySet());
        }
        return type.wildcard() ? Set.of() : Set.copyOf(warming(type).wanted);
    }

    /** Versions by name of what is held, for {@code initial_resource_versions}. */
    public Map<String, String> versions(ResourceType type) {
        if (type == ResourceType.SECRET) {
            return versions(secrets.held, secrets.withdrawn);
        }
        if (type == ResourceType.VIRTUAL_HOSTS) {
            Map<String, String> versions = new HashMap<>();
            tables.hosts().forEach(host -> versions.put(host.name(), host.raw().version()));
            return versions;
        }
        if (type == ResourceType.NAMES) {
            // It has no name by which it could be said to be held.
            return Map.of();
        }
        Warming<?, ?> warming = warming(type);
        return type.wildcard() ? versions(warming.roots, Set.of()) : versions(warming.parts, warming.withdrawn);
    }

    /** The newest good one of each name, in no particular order. */
    public Collection<Accepted> held(ResourceType type) {
        return switch (type) {
            case SECRET -> List.copyOf(secrets.held.values());
            case VIRTUAL_HOSTS -> tables.hosts();
            case NAMES -> names.table.stream().toList();
            default -> List.copyOf(type.wildcard() ? warming(type).roots.values() : warming(type).parts.values());
        };
    }

    /** Whether the control plane has removed what is held because something refers to it. */
    public boolean isWithdrawn(ResourceType type, String name) {
        return switch (type) {
            case SECRET -> secrets.withdrawn.contains(name);
            case NAMES, VIRTUAL_HOSTS -> false;
            default -> !type.wildcard() && warming(type).withdrawn.contains(name);
        };
    }

    private static Map<String, String> versions(Map<String, Accepted> held, Set<String> withdrawn) {
        Map<String, String> versions = new HashMap<>();
        for (Accepted accepted : held.values()) {
            if (!withdrawn.contains(accepted.name())) {
                versions.put(accepted.name(), accepted.raw().version());
            }
        }
        return versions;
    }

    /** All that is held, for the cache, without what holds a private key: that does not belong on a disk. */
    public List<RawResource> resources() {
        List<RawResource> resources = new ArrayList<>();
        for (Warming<?, ?> warming : List.of(clusters, listeners)) {
            for (Accepted accepted : warming.roots.values()) {
                if (!accepted.resource().holdsPrivateKey()) {
                    resources.add(accepted.raw());
                }
            }
            for (Accepted accepted : warming.parts.values()) {
                resources.add(accepted.raw());
            }
        }
        tables.hosts().forEach(host -> resources.add(host.raw()));
        names.table.ifPresent(table -> resources.add(table.raw()));
        return resources;
    }

    private Warming<?, ?> warming(ResourceType type) {
        return type == ResourceType.LISTENER || type == ResourceType.ROUTES ? listeners : clusters;
    }

    private void accept(ResourceType type, List<ParseOutcome> outcomes) {
        for (ParseOutcome outcome : outcomes) {
            if (outcome.type() != type) {
                throw new IllegalArgumentException(outcome.type() + " among resources of " + type);
            }
        }
        take(type, outcomes);
        answered.add(type);
        if (!completedOnce && complete()) {
            completedOnce = true;
            // An empty policy is one, too.
            completedJustNow = true;
        }
    }

    private void take(ResourceType type, List<ParseOutcome> outcomes) {
        if (type == ResourceType.SECRET) {
            secrets.take(outcomes);
            certificateCame();
            return;
        }
        if (type == ResourceType.NAMES) {
            names.take(outcomes);
            return;
        }
        switch (type) {
            case LISTENER, CLUSTER -> warming(type).roots(outcomes);
            case ROUTES -> tables.take(outcomes);
            case VIRTUAL_HOSTS -> tables.takeHosts(outcomes);
            default -> warming(type).parts(outcomes);
        }
        settled();
    }

    private void settled() {
        tables.keep(listeners.wanted);
        Set<String> named = new HashSet<>(clusters.secrets);
        named.addAll(listeners.secrets);
        secrets.want(named);
    }

    /** The value that readers know already is kept when the new one says the same: they may tell changes by identity. */
    private static Accepted sharing(Accepted old, Accepted fresh) {
        boolean same = old != null
                && (old.raw().bytes().equals(fresh.raw().bytes()) || old.resource().equals(fresh.resource()));
        return same ? fresh.with(old.resource()) : fresh;
    }

    private static boolean differ(Accepted before, Accepted now) {
        return before.resource() != now.resource() || !before.unhonoured().equals(now.unhonoured());
    }

    private static <T> Map<String, T> frozen(Map<String, Accepted> published, Class<T> as) {
        Map<String, T> values = new HashMap<>(published.size() * 2);
        for (Accepted accepted : published.values()) {
            values.put(accepted.name(), as.cast(accepted.resource()));
        }
        return Map.copyOf(values);
    }

    /** Secrets, each for as long as something refers to it. */
    private static final class Secrets {
        final Map<String, Accepted> held = new HashMap<>();
        /** Secrets that the control plane has removed; those in use are held nevertheless. */
        final Set<String> withdrawn = new HashSet<>();
        /** What no control plane sent. */
        Map<String, Secret> provided = Map.of();
        boolean everProvided;
        Set<String> wanted = Set.of();
        /** Nothing waits for these any more. */
        final Set<String> givenUp = new HashSet<>();
        Map<String, Secret> frozen = Map.of();
        boolean changed;

        /** What a listener or cluster asks for, has not come and is waited for. */
        Set<String> awaited(Set<String> named, boolean asksForProvider) {
            if (named.isEmpty() && !asksForProvider) {
                return Set.of();
            }
            Set<String> awaited = new HashSet<>(named);
            awaited.removeAll(held.keySet());
            if (asksForProvider && !everProvided) {
                awaited.add(OWN_CERTIFICATE);
            }
            awaited.removeAll(givenUp);
            return awaited;
        }

        void want(Set<String> names) {
            if (!names.equals(wanted)) {
                wanted = names;
                changed |= held.keySet().retainAll(names);
                withdrawn.retainAll(names);
                givenUp.removeIf(name -> !names.contains(name) && !name.equals(OWN_CERTIFICATE));
            }
        }

        void take(List<ParseOutcome> outcomes) {
            for (ParseOutcome outcome : outcomes) {
                withdrawn.remove(outcome.name());
                if (outcome instanceof Accepted accepted && wanted.contains(accepted.name())) {
                    Accepted old = held.get(accepted.name());
                    Accepted fresh = sharing(old, accepted);
                    held.put(fresh.name(), fresh);
                    givenUp.remove(fresh.name());
                    changed |= old == null || differ(old, fresh);
                }
            }
        }

        boolean complete() {
            return held.keySet().containsAll(wanted);
        }

        void provide(Map<String, Secret> own) {
            provided = own;
            everProvided |= !own.isEmpty();
            changed = true;
        }

        void freeze() {
            if (changed) {
                Map<String, Secret> all = new HashMap<>(SnapshotAssembler.frozen(held, Secret.class));
                all.putAll(provided);
                frozen = Map.copyOf(all);
                changed = false;
            }
        }

        void report(List<Unhonoured> unhonoured) {
            for (Accepted accepted : held.values()) {
                unhonoured.addAll(accepted.unhonoured());
            }
        }
    }

    /** Route configurations whose virtual hosts come by themselves: as one resource, they are a part like others. */
    private final class PartialTables {
        final Map<String, PartialTable> byName = new HashMap<>();
        /** Of which something has been said that is not in force yet. */
        private final Set<String> changed = new HashSet<>();

        void take(List<ParseOutcome> outcomes) {
            List<ParseOutcome> whole = new ArrayList<>();
            for (ParseOutcome outcome : outcomes) {
                if (outcome instanceof Accepted accepted && accepted.resource() instanceof PartialRoutes) {
                    byName.computeIfAbsent(accepted.name(), name -> new PartialTable()).routes = accepted;
                    changed.add(accepted.name());
                } else {
                    if (outcome instanceof Accepted) {
                        byName.remove(outcome.name());
                    }
                    whole.add(outcome);
                }
            }
            listeners.parts(whole);
            join();
        }

        void withdraw(Collection<String> removed) {
            for (String name : removed) {
                String table = ResourceType.VIRTUAL_HOSTS.askedFor(name);
                of(table).ifPresent(partial -> partial.hosts.remove(name));
            }
        }

        void takeHosts(List<ParseOutcome> outcomes) {
            for (ParseOutcome outcome : outcomes) {
                of(ResourceType.VIRTUAL_HOSTS.askedFor(outcome.name())).ifPresent(partial -> {
                    if (outcome instanceof Accepted accepted) {
                        partial.hosts.put(accepted.name(), SnapshotAssembler.sharing(partial.hosts.get(accepted.name()), accepted));
                    }
                });
            }
            join();
        }

        private Optional<PartialTable> of(String table) {
            PartialTable partial = byName.get(table);
            if (partial != null) {
                partial.told = true;
                changed.add(table);
            }
            return Optional.ofNullable(partial);
        }

        private void join() {
            List<ParseOutcome> joined = new ArrayList<>();
            for (String name : changed) {
                PartialTable partial = byName.get(name);
                if (partial != null && partial.told) {
                    joined.add(partial.joined());
                }
            }
            changed.clear();
            listeners.parts(joined, PartialTables::sharing);
        }

        /** Their bytes are only those of what has no virtual hosts. */
        private static Accepted sharing(Accepted old, Accepted fresh) {
            return old != null && old.resource().equals(fresh.resource())
                    ? fresh.with(old.resource())
                    : fresh;
        }

        /** Those that nothing refers to any more are dropped. */
        void keep(Set<String> wanted) {
            byName.keySet().retainAll(wanted);
        }

        List<Accepted> hosts() {
            List<Accepted> all = new ArrayList<>();
            byName.values().forEach(partial -> all.addAll(partial.hosts.values()));
            return all;
        }
    }

    /** One of them. */
    private static final class PartialTable {
        Accepted routes;
        /** By name, so that which of two has a domain does not hang on which came first. */
        final SortedMap<String, Accepted> hosts = new TreeMap<>();
        /** Whether anything has been said of its virtual hosts, if only that there are none. */
        boolean told;

        Accepted joined() {
            List<VirtualHost> all = new ArrayList<>(hosts.size());
            List<Unhonoured> unhonoured = new ArrayList<>(routes.unhonoured());
            hosts.values().forEach(host -> {
                all.add((VirtualHost) host.resource());
                unhonoured.addAll(host.unhonoured());
            });
            return new Accepted(routes.raw(), ((PartialRoutes) routes.resource()).with(all), unhonoured, routes.since());
        }
    }

    /** The name table that Istio has as a resource, those that Kuma has in a listener, and what names of listeners say. */
    private static final class Names {
        Optional<Accepted> table = Optional.empty();
        NameTable frozen = NameTable.EMPTY;
        boolean changed;
        private final Function<Collection<Listener>, Map<String, Host>> byListeners;
        private Map<String, Listener> listeners = Map.of();

        /** @param byListeners what listeners say by their own names, where it is said nowhere else */
        Names(Function<Collection<Listener>, Map<String, Host>> byListeners) {
            this.byListeners = byListeners;
        }

        void withdraw(boolean gone) {
            if (gone && table.isPresent()) {
                table = Optional.empty();
                changed = true;
            }
        }

        void take(List<ParseOutcome> outcomes) {
            for (ParseOutcome outcome : outcomes) {
                if (outcome instanceof Accepted accepted) {
                    Accepted fresh = sharing(table.orElse(null), accepted);
                    changed |= table.isEmpty() || differ(table.get(), fresh);
                    table = Optional.of(fresh);
                }
            }
        }

        void freeze(Map<String, Listener> now) {
            if (!changed && now == listeners) {
                return;
            }
            Map<String, Host> hosts = new HashMap<>(byListeners.apply(now.values()));
            now.values().forEach(listener -> hosts.putAll(listener.dynamic().names().hosts()));
            table.ifPresent(accepted -> hosts.putAll(((NameTable) accepted.resource()).hosts()));
            NameTable fresh = new NameTable(hosts);
            frozen = fresh.equals(frozen) ? frozen : fresh;
            listeners = now;
            changed = false;
        }
    }

    /**
     * Roots (listeners, clusters) and the parts that they refer to by name (route configurations, assignments).
     *
     * <p>A new version of a part that is in force, by far the most frequent change, costs no look at the roots.
     */
    private static final class Warming<R extends Resource, P extends Resource> {
        private final Class<R> rootClass;
        private final Class<P> partClass;
        private final Secrets certificates;

        final Map<String, Accepted> roots = new HashMap<>();
        final Map<String, Accepted> parts = new HashMap<>();
        /** Parts that the control plane has removed; those in use are held nevertheless. */
        final Set<String> withdrawn = new HashSet<>();
        Set<String> wanted = Set.of();
        /** That the newest roots and those in force refer to. */
        Set<String> secrets = Set.of();
        /** Whether any of them leaves something to this process. */
        boolean asksForProvider;
        /** For which the newest of a root that is in force waits. */
        Set<String> certificatesAwaited = Set.of();

        private Map<String, Accepted> publishedRoots = Map.of();
        private Map<String, Accepted> publishedParts = Map.of();
        private boolean rootsChanged;
        private boolean partsChanged;

        Map<String, R> frozenRoots = Map.of();
        Map<String, P> frozenParts = Map.of();

        Warming(Class<R> rootClass, Class<P> partClass, Secrets certificates) {
            this.rootClass = rootClass;
            this.partClass = partClass;
            this.certificates = certificates;
        }

        void roots(List<ParseOutcome> outcomes) {
            for (ParseOutcome outcome : outcomes) {
                if (outcome instanceof Accepted accepted) {
                    roots.put(accepted.name(), sharing(roots.get(accepted.name()), accepted));
                }
            }
            settle();
        }

        void parts(List<ParseOutcome> outcomes) {
            parts(outcomes, SnapshotAssembler::sharing);
        }

        /** @param sharing keeps the value that is known when the new one says the same */
        void parts(List<ParseOutcome> outcomes, BinaryOperator<Accepted> sharing) {
            boolean first = false;
            for (ParseOutcome outcome : outcomes) {
                // Refused or not, the control plane has it.
                withdrawn.remove(outcome.name());
                if (outcome instanceof Accepted accepted && wanted.contains(accepted.name())) {
                    Accepted old = parts.get(accepted.name());
                    Accepted fresh = sharing.apply(old, accepted);
                    parts.put(fresh.name(), fresh);
                    first |= old == null;
                    if (publishedParts.containsKey(fresh.name())) {
                        partsChanged |= SnapshotAssembler.differ(publishedParts.put(fresh.name(), fresh), fresh);
                    }
                }
            }
            if (first) {
                settle();
            }
        }

        boolean complete() {
            return parts.keySet().containsAll(wanted);
        }

        boolean changed() {
            return rootsChanged || partsChanged;
        }

        void settle() {
            Map<String, Accepted> nowRoots = new HashMap<>(roots.size() * 2);
            Map<String, Accepted> nowParts = new HashMap<>(parts.size() * 2);
            Set<String> nowWanted = new HashSet<>(roots.size() * 2);
            Set<String> nowSecrets = new HashSet<>();
            Set<String> nowAwaited = new HashSet<>();
            boolean nowAsks = false;
            for (Accepted newest : roots.values()) {
                Set<String> needs = needs(newest.resource());
                nowWanted.addAll(needs);
                Set<String> named = secrets(newest.resource());
                nowSecrets.addAll(named);
                boolean asks = !providers(newest.resource()).isEmpty();
                nowAsks |= asks;
                Accepted warm = newest;
                boolean partsAreThere = parts.keySet().containsAll(needs);
                Set<String> awaited = isInForceOtherwise(newest) ? certificates.awaited(named, asks) : Set.of();
                if (!partsAreThere || !awaited.isEmpty()) {
                    nowAwaited.addAll(awaited);
                    warm = publishedRoots.get(newest.name());
                    if (warm == null) {
                        continue;
                    }
                    needs = needs(warm.resource());
                    nowWanted.addAll(needs);
                    nowSecrets.addAll(secrets(warm.resource()));
                    nowAsks |= !providers(warm.resource()).isEmpty();
                }
                nowRoots.put(warm.name(), warm);
                for (String need : needs) {
                    nowParts.put(need, parts.get(need));
                }
            }
            parts.keySet().retainAll(nowWanted);
            withdrawn.retainAll(nowWanted);
            rootsChanged |= differ(publishedRoots, nowRoots);
            partsChanged |= differ(publishedParts, nowParts);
            publishedRoots = nowRoots;
            publishedParts = nowParts;
            wanted = nowWanted;
            secrets = nowSecrets;
            asksForProvider = nowAsks;
            certificatesAwaited = nowAwaited;
        }

        private boolean isInForceOtherwise(Accepted newest) {
            Accepted published = publishedRoots.get(newest.name());
            return published != null && published.resource() != newest.resource() && frozenRoots.containsKey(newest.name());
        }

        void freeze() {
            if (rootsChanged) {
                frozenRoots = SnapshotAssembler.frozen(publishedRoots, rootClass);
                rootsChanged = false;
            }
            if (partsChanged) {
                frozenParts = SnapshotAssembler.frozen(publishedParts, partClass);
                partsChanged = false;
            }
        }

        void report(List<Unhonoured> unhonoured) {
            for (Accepted root : publishedRoots.values()) {
                unhonoured.addAll(root.unhonoured());
            }
            for (Accepted part : publishedParts.values()) {
                unhonoured.addAll(part.unhonoured());
            }
        }

        private static boolean differ(Map<String, Accepted> before, Map<String, Accepted> now) {
            if (before.size() != now.size()) {
                return true;
            }
            for (Accepted accepted : now.values()) {
                Accepted old = before.get(accepted.name());
                if (old == null || SnapshotAssembler.differ(old, accepted)) {
                    return true;
                }
            }
            return false;
        }

        private static Set<String> secrets(Resource root) {
            if (root instanceof Cluster cluster) {
                return cluster.transport().secrets();
            }
            Set<String> names = new HashSet<>(4);
            for (FilterChain chain : ((Listener) root).allFilterChains()) {
                names.addAll(chain.transport().secrets());
            }
            return names;
        }

        private static Set<String> needs(Resource root) {
            if (root instanceof Cluster cluster && cluster.discovery() instanceof Cluster.Eds eds) {
                return Set.of(eds.serviceName());
            }
            if (root instanceof Listener listener) {
                Set<String> names = new HashSet<>(4);
                for (FilterChain chain : listener.allFilterChains()) {
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
