package io.weft.dataplane.balance;

import io.weft.dataplane.NanoClock;
import io.weft.dataplane.Randomness;
import io.weft.dataplane.cluster.Host;
import io.weft.dataplane.cluster.Member;
import io.weft.dataplane.cluster.Tier;
import io.weft.dataplane.hash.HashTable;
import io.weft.dataplane.hash.MaglevTable;
import io.weft.dataplane.hash.RingTable;
import io.weft.dataplane.hash.WeightedKeys;
import io.weft.policy.model.LoadBalancing;
import io.weft.policy.model.LoadBalancing.Algorithm;
import io.weft.policy.model.LoadBalancing.ClientSideWeightedRoundRobin;
import io.weft.policy.model.LoadBalancing.ConsistentHashing;
import io.weft.policy.model.LoadBalancing.LeastRequest;
import io.weft.policy.model.LoadBalancing.Localities;
import io.weft.policy.model.LoadBalancing.LocalityWeighted;
import io.weft.policy.model.LoadBalancing.Maglev;
import io.weft.policy.model.LoadBalancing.Random;
import io.weft.policy.model.LoadBalancing.RingHash;
import io.weft.policy.model.LoadBalancing.RoundRobin;
import io.weft.policy.model.LoadBalancing.ZoneAware;
import io.weft.policy.model.SubsetBalancing;
import io.weft.policy.model.SubsetBalancing.Fallback;
import io.weft.policy.model.SubsetBalancing.Selector;
import io.weft.policy.model.SubsetBalancing.SelectorFallback;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntSupplier;

/**
 * Makes the pickers of one cluster, a new one for each change of its hosts, of their health or of its policy. Off the request
 * path: a table for many hosts takes milliseconds, and is kept while nothing changes that it was made of. For one thread.
 */
public final class PickerFactory {
    private final NanoClock clock;
    private final Randomness randomness;
    private final IntSupplier clusterActive;
    private final Positions positions;
    private Map<String, HashingPicker> lastHashing = Map.of();
    private Map<String, HashingPicker> hashing = new HashMap<>();
    private Algorithm lastAlgorithm;

    /** @param clusterActive requests under way to all hosts of the cluster */
    public PickerFactory(NanoClock clock, Randomness randomness, IntSupplier clusterActive) {
        this.clock = clock;
        this.randomness = randomness;
        this.clusterActive = clusterActive;
        positions = new Positions(randomness);
    }

    /**
     * What a picker is made of.
     *
     * @param tiers by priority, at least one
     * @param overprovisioningFactor percent
     * @param weightedPriorityHealth whether hosts count by weight in the health of a priority
     * @param senders null: not known
     */
    public record Input(
            LoadBalancing policy, List<Tier> tiers, int overprovisioningFactor, boolean weightedPriorityHealth, Senders senders) {}

    public Picker make(Input input) {
        Algorithm algorithm = input.policy().choosing();
        if (!algorithm.equals(lastAlgorithm)) {
            lastHashing = Map.of();
            lastAlgorithm = algorithm;
        }
        Picker picker = input.policy().subsets().isPresent()
                ? subsets(input, input.policy().subsets().get())
                : whole(input, input.tiers(), "");
        positions.endRound();
        lastHashing = hashing;
        hashing = new HashMap<>();
        return picker;
    }

    /** @param set tells it from the other sets of hosts of the cluster */
    private Picker whole(Input input, List<Tier> tiers, String set) {
        PriorityHosts[] priorities = new PriorityHosts[tiers.size()];
        for (int i = 0; i < priorities.length; i++) {
            priorities[i] = new PriorityHosts(tiers.get(i), input.overprovisioningFactor(), input.weightedPriorityHealth());
        }
        PriorityLoads loads = new PriorityLoads(priorities, input.policy().panicThreshold());
        Algorithm algorithm = input.policy().choosing();
        if (algorithm instanceof RingHash ring) {
            return hashing(priorities, loads, set, ring.hashing(), ring.localityWeighted(), keys -> RingTable.of(keys, ring));
        }
        if (algorithm instanceof Maglev maglev) {
            return hashing(priorities, loads, set, maglev.hashing(), maglev.localityWeighted(), keys -> MaglevTable.of(keys, maglev));
        }
        return spreading(input, priorities, loads, set);
    }

    // Spreading

    private Picker spreading(Input input, PriorityHosts[] priorities, PriorityLoads loads, String set) {
        Spreading spreading = new Spreading(input, set);
        List<Share> shares = new ArrayList<>(1);
        List<Integer> percents = new ArrayList<>(1);
        Share[] byPriority = new Share[2 * priorities.length];
        for (int i = 0; i < byPriority.length; i++) {
            boolean degraded = i >= priorities.length;
            int priority = i % priorities.length;
            int load = degraded ? loads.degraded[priority] : loads.healthy[priority];
            int percent = degraded ? priorities[priority].degradedPercent() : priorities[priority].healthyPercent();
            // Of several priorities, also one that gets nothing now may get retries.
            if (load > 0 || percent > 0 && priorities.length > 1) {
                byPriority[i] = spreading.share(priorities[priority], priority, loads.panic[priority], degraded);
            }
            if (load > 0) {
                shares.add(byPriority[i]);
                percents.add(load);
            }
        }
        return new SpreadingPicker(shares, percents, balancer(input.policy().choosing()), spare(priorities), byPriority);
    }

    private static SparePriorities spare(PriorityHosts[] priorities) {
        return priorities.length == 1 ? SparePriorities.NONE : new SparePriorities(priorities);
    }

    private Balancer balancer(Algorithm algorithm) {
        if (algorithm instanceof LeastRequest leastRequest) {
            return new LeastRequestBalancer(
                    leastRequest.choices(),
                    leastRequest.activeRequestBias(),
                    slowStart(leastRequest.slowStart()),
                    clock,
                    randomness);
        }
        if (algorithm instanceof Random) {
            return new RandomBalancer(randomness);
        }
        return new RoundRobinBalancer(algorithm instanceof RoundRobin turns ? slowStart(turns.slowStart()) : null, clock);
    }

    private static SlowStart slowStart(Optional<LoadBalancing.SlowStart> policy) {
        return policy.isPresent() ? new SlowStart(policy.get()) : null;
    }

    private static Localities localities(Algorithm algorithm) {
        if (algorithm instanceof LeastRequest leastRequest) {
            return leastRequest.localities();
        }
        if (algorithm instanceof Random random) {
            return random.localities();
        }
        if (algorithm instanceof ClientSideWeightedRoundRobin weighted) {
            return weighted.localities();
        }
        return ((RoundRobin) algorithm).localities();
    }

    /** Finds the hosts for each share of the requests. */
    private final class Spreading {
        private final Localities localities;
        private final Senders senders;
        private final boolean reported;
        private final String name;

        Spreading(Input input, String name) {
            localities = localities(input.policy().choosing());
            senders = input.senders();
            reported = input.policy().choosing() instanceof ClientSideWeightedRoundRobin;
            this.name = name;
        }

        Share share(PriorityHosts hosts, int priority, boolean panic, boolean degraded) {
            boolean failsOnPanic = localities instanceof ZoneAware zones && zones.failTrafficOnPanic();
            if (panic) {
                return Share.of(failsOnPanic ? HostSet.EMPTY : set(hosts.all, priority + " all"));
            }
            String kind = priority + (degraded ? " degraded" : " healthy");
            if (localities instanceof LocalityWeighted) {
                Share byWeight = byWeight(hosts, kind, degraded);
                if (byWeight != null) {
                    return byWeight;
                }
            }
            HostSet whole = set(degraded ? hosts.degraded : hosts.healthy, kind);
            ZoneRouting routing = priority == 0 && localities instanceof ZoneAware zones ? ZoneRouting.of(zones, senders, hosts) : null;
            if (routing == null) {
                return Share.of(whole);
            }
            ZoneAware zones = (ZoneAware) localities;
            if (senders.panic()) {
                return Share.of(failsOnPanic ? HostSet.EMPTY : whole);
            }
            return new Share.ByZone(whole, zoneSets(hosts, kind, degraded), routing, zones.routingEnabled(), randomness);
        }

        /** Null when no locality has a weight. */
        private Share byWeight(PriorityHosts hosts, String kind, boolean degraded) {
            if (!hosts.tier.weighted()) {
                return null;
            }
            List<List<Member>> zones = degraded ? hosts.degradedByZone() : hosts.healthyByZone();
            List<HostSet> sets = new ArrayList<>(zones.size());
            List<Double> weights = new ArrayList<>(zones.size());
            for (int i = 0; i < zones.size(); i++) {
                double weight = hosts.effectiveWeight(i, zones.get(i).size());
                if (weight > 0) {
                    sets.add(set(zones.get(i), kind + ' ' + hosts.tier.zones().get(i).locality()));
                    weights.add(weight);
                }
            }
            if (sets.isEmpty()) {
                return null;
            }
            Turns turns = new Turns(
                    weights.stream().mapToDouble(Double::doubleValue).toArray(), positions.of(name + kind + " localities"));
            return new Share.ByWeight(sets.toArray(new HostSet[0]), turns);
        }

        private HostSet[] zoneSets(PriorityHosts hosts, String kind, boolean degraded) {
            List<List<Member>> zones = degraded ? hosts.degradedByZone() : hosts.healthyByZone();
            HostSet[] sets = new HostSet[zones.size()];
            for (int i = 0; i < sets.length; i++) {
                sets[i] = set(zones.get(i), kind + ' ' + hosts.tier.zones().get(i).locality());
            }
            return sets;
        }

        private HostSet set(List<Member> members, String kind) {
            return members.isEmpty() ? HostSet.EMPTY : new HostSet(members, reported, positions.of(name + kind));
        }
    }

    // Hashing

    @FunctionalInterface
    private interface TableMaker {
        HashTable make(WeightedKeys keys);
    }

    private Picker hashing(
            PriorityHosts[] priorities,
            PriorityLoads loads,
            String set,
            ConsistentHashing policy,
            boolean byLocality,
            TableMaker tables) {
        HashingPicker before = lastHashing.get(set);
        HashedHosts[] hashed = new HashedHosts[priorities.length];
        List<Integer> shares = new ArrayList<>(1);
        List<Integer> percents = new ArrayList<>(1);
        for (int i = 0; i < priorities.length; i++) {
            // Of several priorities, also one that gets nothing now may get retries.
            if (priorities.length > 1 || loads.healthy[i] + loads.degraded[i] > 0) {
                HashedHosts known = before != null && i < before.priorities.length ? before.priorities[i] : null;
                hashed[i] = hashed(priorities[i], loads.panic[i], policy, byLocality, tables, known);
            }
        }
        for (int[] load : new int[][] {loads.healthy, loads.degraded}) {
            for (int i = 0; i < priorities.length; i++) {
                if (load[i] > 0) {
                    shares.add(i);
                    percents.add(load[i]);
                }
            }
        }
        HashingPicker picker = new HashingPicker(hashed, shares, percents, spare(priorities));
        hashing.put(set, picker);
        return picker;
    }

    private HashedHosts hashed(
            PriorityHosts priority,
            boolean panic,
            ConsistentHashing policy,
            boolean byLocality,
            TableMaker tables,
            HashedHosts known) {
        List<Member> members = new ArrayList<>(priority.all.size());
        List<Double> weights = new ArrayList<>(priority.all.size());
        if (byLocality && priority.tier.weighted() && !priority.tier.zones().isEmpty()) {
            shareByLocality(priority, panic, members, weights);
        } else {
            share(panic ? priority.all : priority.healthy, 1, members, weights);
        }
        Host[] hosts = new Host[members.size()];
        String[] keys = new String[hosts.length];
        for (int i = 0; i < hosts.length; i++) {
            hosts[i] = members.get(i).host();
            keys[i] = key(members.get(i), policy.useHostname());
        }
        WeightedKeys input = new WeightedKeys(keys, weights.stream().mapToDouble(Double::doubleValue).toArray());
        if (known != null && known.isOf(hosts, input)) {
            return known;
        }
        HashTable table = known != null && known.keys.equals(input) ? known.table : tables.make(input);
        return policy.balanceFactor() == 0
                ? new HashedHosts(hosts, input, table)
                : new HashedHosts.Bounded(hosts, input, table, policy.balanceFactor(), clusterActive);
    }

    private static void shareByLocality(PriorityHosts priority, boolean panic, List<Member> members, List<Double> weights) {
        long sum = 0;
        for (Tier.Zone zone : priority.tier.zones()) {
            sum += zone.weight();
        }
        List<List<Member>> healthy = priority.healthyByZone();
        for (int i = 0; i < healthy.size(); i++) {
            Tier.Zone zone = priority.tier.zones().get(i);
            if (zone.weight() > 0) {
                share(panic ? zone.members() : healthy.get(i), (double) zone.weight() / sum, members, weights);
            }
        }
    }

    private static void share(List<Member> some, double share, List<Member> members, List<Double> weights) {
        long sum = 0;
        for (Member member : some) {
            sum += member.weight();
        }
        for (Member member : some) {
            members.add(member);
            weights.add(member.weight() * share / sum);
        }
    }

    /** The endpoint's own word comes first. */
    private static String key(Member member, boolean useHostname) {
        if (member.listed().labels().get("hash_key") instanceof String own && !own.isEmpty()) {
            return own;
        }
        return useHostname ? member.listed().hostname() : member.host().address();
    }

    // Subsets

    private Picker subsets(Input input, SubsetBalancing policy) {
        SubsetPicker.SelectorNode selectors = selectors(policy);
        Map<List<Map.Entry<String, Object>>, Subset> found = find(input.tiers(), policy);
        SubsetPicker.SubsetNode root = new SubsetPicker.SubsetNode();
        found.forEach((values, subset) -> {
            SubsetPicker.SubsetNode node = root;
            for (Map.Entry<String, Object> value : values) {
                node = node.child(value.getKey(), value.getValue());
            }
            node.subset = subset.single == null
                    ? whole(input, subset.filter(input.tiers(), policy), values.toString())
                    : new Single(subset.single);
        });
        Picker any = policy.fallback() == Fallback.ANY_ENDPOINT
                        || policy.panicModeAny()
                        || falls(selectors, SelectorFallback.ANY_ENDPOINT)
                ? whole(input, filter(input.tiers(), policy, null), "any")
                : null;
        Picker usual = policy.fallback() == Fallback.DEFAULT_SUBSET || falls(selectors, SelectorFallback.DEFAULT_SUBSET)
                ? whole(input, filter(input.tiers(), policy, usual(input.tiers(), policy)), "default")
                : null;
        Picker fallback = switch (policy.fallback()) {
            case NO_FALLBACK -> null;
            case ANY_ENDPOINT -> any;
            case DEFAULT_SUBSET -> usual;
        };
        return new SubsetPicker(
                root,
                selectors,
                policy.allowRedundantKeys() ? policy.selectors() : List.of(),
                policy.fallbackList(),
                new SubsetPicker.Fallbacks(fallback, any, usual, policy.panicModeAny() ? any : null));
    }

    /**
     * As in Envoy, a selector whose keys another one's begin with has no fallback of its own unless it comes first.
     */
    private static SubsetPicker.SelectorNode selectors(SubsetBalancing policy) {
        SubsetPicker.SelectorNode root = new SubsetPicker.SelectorNode();
        for (Selector selector : policy.selectors()) {
            SubsetPicker.SelectorNode node = root;
            for (int i = 0; i < selector.keys().size(); i++) {
                SubsetPicker.SelectorNode next = node.next.get(selector.keys().get(i));
                if (next == null) {
                    next = new SubsetPicker.SelectorNode();
                    node.next.put(selector.keys().get(i), next);
                    if (i == selector.keys().size() - 1) {
                        next.fallback = selector.fallback();
                        next.fallbackKeys = selector.fallbackKeys();
                    }
                }
                node = next;
            }
        }
        return root;
    }

    private static boolean falls(SubsetPicker.SelectorNode node, SelectorFallback to) {
        boolean falls = node.fallback == to;
        for (SubsetPicker.SelectorNode next : node.next.values()) {
            falls |= falls(next, to);
        }
        return falls;
    }

    /** The hosts of one combination of values. */
    private static final class Subset {
        private final Set<Host> hosts = new HashSet<>();
        /** The only one that counts, where the selector says that there is but one. */
        private final Host single;

        Subset(Host single) {
            this.single = single;
        }

        List<Tier> filter(List<Tier> tiers, SubsetBalancing policy) {
            return PickerFactory.filter(tiers, policy, hosts);
        }
    }

    /** By keys in order with their values. */
    private static Map<List<Map.Entry<String, Object>>, Subset> find(List<Tier> tiers, SubsetBalancing policy) {
        Map<List<Map.Entry<String, Object>>, Subset> found = new LinkedHashMap<>();
        for (Tier tier : tiers) {
            for (Member member : tier.members()) {
                for (Selector selector : policy.selectors()) {
                    for (List<Map.Entry<String, Object>> values : values(member, selector, policy.listAsAny())) {
                        Subset subset = found.computeIfAbsent(
                                values, absent -> new Subset(selector.singleHost() ? member.host() : null));
                        subset.hosts.add(member.host());
                    }
                }
            }
        }
        return found;
    }

    /** All combinations of a host's values for the keys; none when it lacks one. */
    private static List<List<Map.Entry<String, Object>>> values(Member member, Selector selector, boolean listAsAny) {
        List<List<Map.Entry<String, Object>>> combinations = List.of(List.of());
        for (String key : selector.keys()) {
            Object value = member.listed().labels().get(key);
            if (value == null) {
                return List.of();
            }
            List<?> alternatives = listAsAny && value instanceof List<?> list ? list : List.of(value);
            List<List<Map.Entry<String, Object>>> longer = new ArrayList<>();
            for (List<Map.Entry<String, Object>> combination : combinations) {
                for (Object alternative : alternatives) {
                    List<Map.Entry<String, Object>> with = new ArrayList<>(combination);
                    with.add(Map.entry(key, alternative));
                    longer.add(with);
                }
            }
            combinations = longer;
        }
        return combinations;
    }

    private static Set<Host> usual(List<Tier> tiers, SubsetBalancing policy) {
        Set<Host> hosts = new HashSet<>();
        for (Tier tier : tiers) {
            for (Member member : tier.members()) {
                if (matches(member.listed().labels(), policy)) {
                    hosts.add(member.host());
                }
            }
        }
        return hosts;
    }

    private static boolean matches(Map<String, Object> labels, SubsetBalancing policy) {
        for (Map.Entry<String, Object> wanted : policy.defaultSubset().entrySet()) {
            Object value = labels.get(wanted.getKey());
            boolean matches = policy.listAsAny() && value instanceof List<?> list
                    ? list.contains(wanted.getValue())
                    : wanted.getValue().equals(value);
            if (!matches) {
                return false;
            }
        }
        return true;
    }

    /** @param hosts null: all */
    private static List<Tier> filter(List<Tier> tiers, SubsetBalancing policy, Set<Host> hosts) {
        List<Tier> filtered = new ArrayList<>(tiers.size());
        for (Tier tier : tiers) {
            filtered.add(tier.filter(
                    member -> hosts == null || hosts.contains(member.host()),
                    policy.localityWeightAware(),
                    share -> policy.scaleLocalityWeight()
                            ? Math.round((float) ((long) share.zone().weight() * share.left()) / share.zone().members().size())
                            : share.zone().weight()));
        }
        return filtered;
    }

    /** The one host of a subset, whatever its health, as in Envoy. */
    private record Single(Host host) implements Picker {
        @Override
        public Host pick(long hash, SubsetCriteria wanted, int attempt) {
            return host;
        }

        @Override
        public Host other(List<Host> not, int random) {
            return null;
        }
    }
}
