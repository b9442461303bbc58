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
import io.weft.policy.model.FilterChainMatch;
import io.weft.policy.model.Listener;
import io.weft.policy.model.Passthrough;
import io.weft.policy.model.Passthrough.Chain;
import io.weft.policy.model.Passthrough.Way;
import io.weft.policy.model.PolicySnapshot;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Which destinations that no policy names may be called, as a proxy beside the app would have it to whom all connections are
 * redirected: found like the filter chain of a connection, of which where it leads has to be a cluster for original destinations.
 * What a name stands for is not asked: the ranges of a chain are for calls by address.
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
    private final Map<String, Boolean> plain = new ConcurrentHashMap<>();
    private final Map<String, Boolean> encrypted = new ConcurrentHashMap<>();

    /**
     * What it was made from.
     *
     * @param open clusters that lead to where connections were going
     */
    private record Said(List<Passthrough> passthroughs, Set<String> open) {}

    private record Ready(List<ReadyChain> chains, Optional<ReadyChain> otherwise) {}

    private record ReadyChain(FilterChainMatch match, List<AddressRange> ranges, VirtualHosts hosts) {}

    private Passthroughs(Said said) {
        this.said = said;
        listeners = said.passthroughs.stream()
                .map(passthrough -> new Ready(
                        passthrough.chains().stream().map(chain -> ready(chain, said.open)).toList(),
                        passthrough.otherwise().map(chain -> ready(chain, said.open))))
                .toList();
    }

    /**
     * @param last of the snapshot before; null: there was none. It is kept where nothing of this has changed
     * @return null: nobody says anything of such destinations, and they are not touched
     */
    static Passthroughs of(PolicySnapshot snapshot, Passthroughs last) {
        List<Passthrough> passthroughs = new ArrayList<>(2);
        for (Listener listener : snapshot.listeners().values()) {
            listener.passthrough().ifPresent(passthroughs::add);
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
        Said said = new Said(passthroughs, open);
        return last != null && last.said.equals(said) ? last : new Passthroughs(said);
    }

    private static ReadyChain ready(Chain chain, Set<String> openClusters) {
        List<Map.Entry<String, Routes>> entries = new ArrayList<>();
        for (Way way : chain.ways()) {
            boolean open = way.clusters().stream().anyMatch(openClusters::contains);
            way.domains().forEach(domain -> entries.add(Map.entry(domain, open ? PERMITTED : REFUSED)));
        }
        return new ReadyChain(
                chain.match(),
                chain.match().destinations().stream().map(AddressRange::of).toList(),
                new VirtualHosts(entries, false, FilterChain.NONE));
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
        for (Ready listener : listeners) {
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
        return chain.hosts.find(authority, portStart, HostTable.hash(authority, 0, end), true) == PERMITTED;
    }
}
