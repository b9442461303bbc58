package io.weft.dataplane.route;

import static io.weft.dataplane.route.InboundChains.NO_MATCH;
import static io.weft.dataplane.route.InboundChains.PLAINTEXT_PROTOCOLS;
import static io.weft.dataplane.route.InboundChains.exact;
import static io.weft.dataplane.route.InboundChains.firstOf;
import static io.weft.dataplane.route.InboundChains.longest;
import static io.weft.dataplane.route.InboundChains.longestName;
import static io.weft.dataplane.route.InboundChains.mostSpecific;

import io.weft.dataplane.IpAddress;
import io.weft.dataplane.filter.FilterChain;
import io.weft.dataplane.match.AddressRange;
import io.weft.policy.model.Cluster;
import io.weft.policy.model.EndpointAssignment;
import io.weft.policy.model.FilterChainMatch;
import io.weft.policy.model.Listener;
import io.weft.policy.model.Passthrough;
import io.weft.policy.model.Passthrough.Chain;
import io.weft.policy.model.Passthrough.Way;
import io.weft.policy.model.PolicySnapshot;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Which destinations that no policy names may be called, as a proxy beside the app would have it to whom all connections are
 * redirected: found like the filter chain of a connection, of the listener for its port or else of those for any, of which where it leads
 * has to be a cluster for original destinations, or one of that very host: the app's connection goes to where the app says. What a name
 * stands for is not asked: the ranges of a chain are for calls by address.
 *
 * <p>Immutable but for what it remembers; a lookup of what was asked for before allocates nothing.
 */
final class Passthroughs {
    /** Far more than one process calls, and a bound for one that makes names up. */
    private static final int MOST_REMEMBERED = 1_024;

    private static final List<String> ENCRYPTED_PROTOCOLS = List.of("h2", "http/1.1");
    private static final Routes PERMITTED = new Routes("permitted", new RouteTest[0], List.of(), null, FilterChain.NONE);
    private static final Routes REFUSED = new Routes("refused", new RouteTest[0], List.of(), null, FilterChain.NONE);

    private final Said said;
    private final List<Ready> listeners;
    private final Map<Integer, List<Ready>> byPort = new HashMap<>();
    private final Map<String, Boolean> plain = new ConcurrentHashMap<>();
    private final Map<String, Boolean> encrypted = new ConcurrentHashMap<>();

    /**
     * What it was made from.
     *
     * @param byPort of listeners of a wildcard address
     * @param open clusters that lead to where connections were going
     * @param hosts that clusters are for to which those by port lead
     */
    private record Said(
            List<Passthrough> passthroughs, Map<Integer, List<Passthrough>> byPort, Set<String> open, Map<String, Set<String>> hosts) {}

    private record Ready(List<ReadyChain> chains, Optional<ReadyChain> otherwise) {}

    /** @param named hosts that it is for, beside those that lead where they were going */
    private record ReadyChain(FilterChainMatch match, List<AddressRange> ranges, VirtualHosts hosts, Set<String> named) {}

    private Passthroughs(Said said) {
        this.said = said;
        listeners = ready(said.passthroughs);
        said.byPort.forEach((port, passthroughs) -> byPort.put(port, ready(passthroughs)));
    }

    private List<Ready> ready(List<Passthrough> passthroughs) {
        return passthroughs.stream()
                .map(passthrough -> new Ready(passthrough.chains().stream().map(this::ready).toList(), passthrough.otherwise().map(this::ready)))
                .toList();
    }

    /**
     * @param last of the snapshot before; null: there was none. It is kept where nothing of this has changed
     * @return null: nobody says anything of such destinations, and they are not touched
     */
    static Passthroughs of(PolicySnapshot snapshot, Passthroughs last) {
        List<Passthrough> passthroughs = new ArrayList<>(2);
        Map<Integer, List<Passthrough>> byPort = new HashMap<>();
        for (Listener listener : snapshot.listeners().values()) {
            listener.passthrough().ifPresent(passthrough -> (listener.originalDestination()
                    ? passthroughs
                    : byPort.computeIfAbsent(listener.address().port(), absent -> new ArrayList<>(1))).add(passthrough));
        }
        if (passthroughs.isEmpty()) {
            return null;
        }
        Set<String> open = new HashSet<>();
        for (Cluster cluster : snapshot.clusters().values()) {
            if (cluster.discovery() instanceof Cluster.OriginalDestination) {
                open.add(cluster.name());
            }
        }
        Map<String, Set<String>> hosts = new HashMap<>();
        byPort.values().forEach(all -> all.forEach(passthrough -> {
            passthrough.chains().forEach(chain -> addHosts(chain, snapshot, hosts));
            passthrough.otherwise().ifPresent(chain -> addHosts(chain, snapshot, hosts));
        }));
        Said said = new Said(passthroughs, byPort, open, hosts);
        return last != null && last.said.equals(said) ? last : new Passthroughs(said);
    }

    private static void addHosts(Chain chain, PolicySnapshot snapshot, Map<String, Set<String>> hosts) {
        for (Way way : chain.ways()) {
            for (String name : way.clusters()) {
                Cluster cluster = snapshot.clusters().get(name);
                if (cluster != null && !isBlackHole(cluster)) {
                    hosts.put(name, hosts(cluster));
                }
            }
        }
    }

    private static boolean isBlackHole(Cluster cluster) {
        return cluster.discovery() instanceof Cluster.Static fixed && fixed.assignment().localities().isEmpty();
    }

    private static Set<String> hosts(Cluster cluster) {
        Set<String> hosts = new HashSet<>();
        // Istio's names end with the host: outbound|443||api.example.com
        hosts.add(cluster.name().substring(cluster.name().lastIndexOf('|') + 1).toLowerCase(Locale.ROOT));
        EndpointAssignment assignment = cluster.discovery() instanceof Cluster.StrictDns names ? names.assignment()
                : cluster.discovery() instanceof Cluster.LogicalDns name ? name.assignment()
                : cluster.discovery() instanceof Cluster.Static fixed ? fixed.assignment()
                : null;
        if (assignment != null) {
            assignment.localities().forEach(locality -> locality.endpoints().forEach(endpoint ->
                    hosts.add(endpoint.address().host().toLowerCase(Locale.ROOT))));
        }
        return hosts;
    }

    private ReadyChain ready(Chain chain) {
        List<Map.Entry<String, Routes>> entries = new ArrayList<>();
        Set<String> named = new HashSet<>();
        // Who a connection is for it says itself, and policy has that host, or address, in mind.
        boolean chosen = !chain.match().serverNames().isEmpty() || !chain.match().destinations().isEmpty();
        for (Way way : chain.ways()) {
            boolean open = way.clusters().stream().anyMatch(cluster -> said.open.contains(cluster) || chosen && said.hosts.containsKey(cluster));
            way.domains().forEach(domain -> entries.add(Map.entry(domain, open ? PERMITTED : REFUSED)));
            way.clusters().forEach(cluster -> named.addAll(said.hosts.getOrDefault(cluster, Set.of())));
        }
        return new ReadyChain(
                chain.match(),
                chain.match().destinations().stream().map(AddressRange::of).toList(),
                new VirtualHosts(entries, false, FilterChain.NONE),
                named);
    }

    /**
     * @param authority {@code host[:port]}
     * @param hostEnd where the host ends in it
     */
    boolean permits(boolean tls, String authority, int hostEnd, int port) {
        Map<String, Boolean> known = tls ? encrypted : plain;
        Boolean answer = known.get(authority);
        if (answer == null) {
            answer = find(tls, authority, hostEnd, port);
            if (known.size() < MOST_REMEMBERED) {
                known.put(authority, answer);
            }
        }
        return answer;
    }

    private boolean find(boolean tls, String authority, int hostEnd, int port) {
        String host = authority.substring(0, hostEnd).toLowerCase(Locale.ROOT);
        IpAddress address = IpAddress.parse(host.startsWith("[") ? host.substring(1, host.length() - 1) : host);
        for (Ready listener : byPort.getOrDefault(port, listeners)) {
            if (permits(listener, tls, host, address, authority, port)) {
                return true;
            }
        }
        return false;
    }

    private static boolean permits(Ready listener, boolean tls, String host, IpAddress address, String authority, int port) {
        List<ReadyChain> left = listener.chains;
        left = mostSpecific(left, chain -> chain.match.destinationPort() == port ? 1
                : chain.match.destinationPort() == 0 ? 0 : NO_MATCH);
        left = mostSpecific(left, chain -> address == null && !chain.ranges.isEmpty() ? NO_MATCH : longest(chain.ranges, address));
        // An address is no name that a client would say.
        String name = tls && address == null ? host : "";
        left = mostSpecific(left, chain -> longestName(chain.match.serverNames(), name));
        left = mostSpecific(left, chain -> exact(chain.match.transportProtocol(), tls ? "tls" : "raw_buffer"));
        left = mostSpecific(left, chain -> firstOf(chain.match.applicationProtocols(), tls ? ENCRYPTED_PROTOCOLS : PLAINTEXT_PROTOCOLS));
        ReadyChain chain = left.isEmpty() ? listener.otherwise.orElse(null) : left.get(0);
        if (chain == null) {
            return false;
        }
        int portStart = Authority.portStart(authority);
        int end = portStart < 0 ? authority.length() : portStart;
        return chain.named.contains(host) || chain.hosts.find(authority, portStart, HostTable.hash(authority, 0, end), true) == PERMITTED;
    }
}
