package io.weft.dataplane.route;

import io.weft.dataplane.filter.FilterChain;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The virtual hosts of one route configuration, found as Envoy finds them: by the whole host, else by the longest suffix
 * wildcard, else by the longest prefix wildcard, else by {@code *}. Immutable; a lookup allocates nothing.
 */
public final class VirtualHosts {
    private final HostTable<Routes> exact;
    private final Wildcards suffixes;
    private final Wildcards prefixes;
    private final Routes any;
    private final Routes ofEveryHost;
    private final boolean ignorePort;
    private final FilterChain unroutedFilters;

    /**
     * @param unroutedFilters for requests that no virtual host is for
     * @param entries domains, each with the routes of its virtual host; the first of two equal domains counts
     */
    VirtualHosts(List<Map.Entry<String, Routes>> entries, boolean ignorePort, FilterChain unroutedFilters) {
        this.unroutedFilters = unroutedFilters;
        this.ignorePort = ignorePort;
        HostTable.Builder<Routes> exact = new HostTable.Builder<>();
        WildcardsBuilder suffixes = new WildcardsBuilder();
        WildcardsBuilder prefixes = new WildcardsBuilder();
        Routes any = null;
        for (Map.Entry<String, Routes> entry : entries) {
            String domain = entry.getKey();
            Routes routes = entry.getValue();
            if (domain.equals("*")) {
                any = any == null ? routes : any;
            } else if (domain.startsWith("*")) {
                suffixes.put(domain.substring(1), routes);
            } else if (domain.endsWith("*")) {
                prefixes.put(domain.substring(0, domain.length() - 1), routes);
            } else {
                exact.put(domain, routes);
            }
        }
        this.exact = exact.build();
        this.suffixes = suffixes.build();
        this.prefixes = prefixes.build();
        this.any = any;
        ofEveryHost = this.exact.isEmpty() && this.suffixes.isEmpty() && this.prefixes.isEmpty() ? any : null;
    }

    /**
     * @param authority the request's {@code host[:port]}
     * @param portStart where {@code :port} begins in it, -1 without one
     * @param hostHash of what is before the port
     * @param withAny whether {@code *} counts
     * @return null when no virtual host is for it
     */
    Routes find(String authority, int portStart, int hostHash, boolean withAny) {
        boolean hostOnly = ignorePort || portStart < 0;
        int end = hostOnly && portStart >= 0 ? portStart : authority.length();
        int hash = hostOnly ? hostHash : HostTable.hash(authority, 0, end);
        Routes routes = exact.find(hash, authority, 0, end);
        if (routes == null) {
            routes = suffixes.findSuffix(authority, end);
        }
        if (routes == null) {
            routes = prefixes.findPrefix(authority, end);
        }
        return routes == null && withAny ? any : routes;
    }

    /** Null: they depend on the host. Of what comes in they mostly do not, and then a request need not be asked for it. */
    Routes ofEveryHost() {
        return ofEveryHost;
    }

    /** The domains that are whole hosts. */
    void addHostsTo(Collection<String> hosts) {
        exact.addHostsTo(hosts);
    }

    /** For a request for which {@link #find} finds nothing. */
    FilterChain unroutedFilters() {
        return unroutedFilters;
    }

    /** One table for each length, the longest first. */
    private record Wildcards(int[] lengths, List<HostTable<Routes>> tables) {

        boolean isEmpty() {
            return lengths.length == 0;
        }

        Routes findSuffix(String host, int end) {
            for (int i = 0; i < lengths.length; i++) {
                Routes routes = lengths[i] < end ? find(tables.get(i), host, end - lengths[i], end) : null;
                if (routes != null) {
                    return routes;
                }
            }
            return null;
        }

        Routes findPrefix(String host, int end) {
            for (int i = 0; i < lengths.length; i++) {
                Routes routes = lengths[i] < end ? find(tables.get(i), host, 0, lengths[i]) : null;
                if (routes != null) {
                    return routes;
                }
            }
            return null;
        }

        private static Routes find(HostTable<Routes> table, String host, int from, int to) {
            return table.find(HostTable.hash(host, from, to), host, from, to);
        }
    }

    private static final class WildcardsBuilder {
        private final TreeMap<Integer, HostTable.Builder<Routes>> byLength = new TreeMap<>();

        void put(String part, Routes routes) {
            HostTable.Builder<Routes> table = byLength.get(-part.length());
            if (table == null) {
                table = new HostTable.Builder<>();
                byLength.put(-part.length(), table);
            }
            table.put(part, routes);
        }

        Wildcards build() {
            int[] lengths = new int[byLength.size()];
            @SuppressWarnings({"unchecked", "rawtypes"})
            HostTable<Routes>[] tables = new HostTable[lengths.length];
            int i = 0;
            for (Map.Entry<Integer, HostTable.Builder<Routes>> entry : byLength.entrySet()) {
                lengths[i] = -entry.getKey();
                tables[i++] = entry.getValue().build();
            }
            return new Wildcards(lengths, List.of(tables));
        }
    }
}
