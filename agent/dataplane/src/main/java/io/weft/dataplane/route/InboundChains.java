package io.weft.dataplane.route;

import io.weft.dataplane.Connection;
import io.weft.dataplane.IpAddress;
import io.weft.dataplane.match.AddressRange;
import io.weft.policy.model.CidrRange;
import io.weft.policy.model.FilterChainMatch;
import io.weft.policy.model.FilterChainMatch.Type;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToIntFunction;

/**
 * The filter chains for the connections to one port. Which of them a connection gets is found as Envoy finds it: criterion by
 * criterion the most specific matches go on to the next, and nothing is taken back. Immutable but for what filters count.
 */
public final class InboundChains {
    /** What a plaintext connection to an HTTP server may speak. */
    static final List<String> PLAINTEXT_PROTOCOLS = List.of("http/1.1", "http/1.0", "h2c");
    static final int NO_MATCH = -1;

    private final List<Chain> chains;
    private final InboundRoutes otherwise;
    private final InboundRoutes only;
    private final boolean inspects;

    record Chain(FilterChainMatch match, List<AddressRange> destinations, List<AddressRange> direct, List<AddressRange> sources, InboundRoutes routes) {
        Chain(FilterChainMatch match, InboundRoutes routes) {
            this(match, ranges(match.destinations()), ranges(match.source().direct()), ranges(match.source().ranges()), routes);
        }

        private static List<AddressRange> ranges(List<CidrRange> ranges) {
            return ranges.stream().map(AddressRange::of).toList();
        }

        private boolean needsHello() {
            return routes.isSecured() || !match.serverNames().isEmpty() || !match.transportProtocol().isEmpty()
                    || !match.applicationProtocols().isEmpty();
        }
    }

    /** @param otherwise for connections that no chain matches; null: they are closed */
    InboundChains(List<Chain> chains, InboundRoutes otherwise) {
        this.chains = chains;
        this.otherwise = otherwise;
        boolean any = chains.size() == 1 && FilterChainMatch.port(chains.get(0).match.destinationPort()).equals(chains.get(0).match);
        only = any && !chains.get(0).routes.isSecured() ? chains.get(0).routes : null;
        inspects = chains.stream().anyMatch(Chain::needsHello) || otherwise != null && otherwise.isSecured();
    }

    /** Where all connections get the same chain, in plaintext; null: {@link #select} says which. */
    public InboundRoutes only() {
        return only;
    }

    /** Whether the first bytes of a connection say which chain it gets, or that it gets none. */
    public boolean inspects() {
        return inspects;
    }

    /** @return null: the connection is to be closed */
    public InboundRoutes select(Connection connection) {
        if (only != null) {
            return only;
        }
        Connection.Hello hello = connection.hello();
        String transport = hello == null ? "raw_buffer" : "tls";
        List<String> protocols = hello == null ? PLAINTEXT_PROTOCOLS : hello.applicationProtocols();
        String name = connection.serverName();
        IpAddress remote = connection.remoteIp();
        boolean local = connection.isFromSameHost();
        List<Chain> left = chains;
        left = mostSpecific(left, chain -> chain.match.destinationPort() == connection.localPort() ? 1
                : chain.match.destinationPort() == 0 ? 0 : NO_MATCH);
        left = mostSpecific(left, chain -> longest(chain.destinations, connection.localIp()));
        left = mostSpecific(left, chain -> longestName(chain.match.serverNames(), name));
        left = mostSpecific(left, chain -> exact(chain.match.transportProtocol(), transport));
        left = mostSpecific(left, chain -> firstOf(chain.match.applicationProtocols(), protocols));
        left = mostSpecific(left, chain -> longest(chain.direct, remote));
        left = mostSpecific(left, chain -> type(chain.match.source().type(), local));
        left = mostSpecific(left, chain -> longest(chain.sources, remote));
        left = mostSpecific(left, chain -> chain.match.source().ports().isEmpty() ? 0
                : chain.match.source().ports().contains(connection.remotePort()) ? 1 : NO_MATCH);
        return left.isEmpty() ? otherwise : left.get(0).routes;
    }

    /** Those that match best; the others are out, whatever comes next. */
    static <C> List<C> mostSpecific(List<C> chains, ToIntFunction<C> specificity) {
        int best = 0;
        List<C> left = new ArrayList<>(chains.size());
        for (C chain : chains) {
            int own = specificity.applyAsInt(chain);
            if (own > best) {
                left.clear();
                best = own;
            }
            if (own == best) {
                left.add(chain);
            }
        }
        return left;
    }

    static int longest(List<AddressRange> ranges, IpAddress address) {
        int longest = ranges.isEmpty() ? 0 : NO_MATCH;
        for (AddressRange range : ranges) {
            if (range.contains(address)) {
                longest = Math.max(longest, 1 + range.length());
            }
        }
        return longest;
    }

    static int longestName(List<String> names, String asked) {
        int longest = names.isEmpty() ? 0 : NO_MATCH;
        for (String name : names) {
            if (name.equals(asked)) {
                return Integer.MAX_VALUE;
            }
            if (name.startsWith("*.") && asked.length() >= name.length() && asked.endsWith(name.substring(1))) {
                longest = Math.max(longest, name.length());
            }
        }
        return longest;
    }

    static int exact(String wanted, String actual) {
        return wanted.isEmpty() ? 0 : wanted.equals(actual) ? 1 : NO_MATCH;
    }

    /** The client's order counts. */
    static int firstOf(List<String> wanted, List<String> offered) {
        if (wanted.isEmpty()) {
            return 0;
        }
        for (int i = 0; i < offered.size(); i++) {
            if (wanted.contains(offered.get(i))) {
                return Integer.MAX_VALUE - i;
            }
        }
        return NO_MATCH;
    }

    private static int type(Type wanted, boolean local) {
        return wanted == Type.ANY ? 0 : wanted == Type.SAME_IP_OR_LOOPBACK == local ? 1 : NO_MATCH;
    }
}
