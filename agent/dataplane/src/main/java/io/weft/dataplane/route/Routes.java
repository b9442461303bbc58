package io.weft.dataplane.route;

import io.weft.dataplane.RequestHead;
import io.weft.dataplane.filter.FilterChain;
import java.util.List;

/** The routes of one virtual host, in order. Immutable. */
public final class Routes {
    /** Apart from the entries: equal tests of different hosts are one array, so walking over them touches little memory. */
    private final RouteTest[] tests;
    private final RouteEntry[] entries;
    /** For requests in plaintext; null: they are welcome. */
    private final RouteEntry toHttps;
    private final FilterChain unroutedFilters;
    private final String virtualHost;

    /** @param unroutedFilters for requests that match none */
    Routes(String virtualHost, RouteTest[] tests, List<RouteEntry> entries, RouteEntry toHttps, FilterChain unroutedFilters) {
        this.virtualHost = virtualHost;
        this.unroutedFilters = unroutedFilters;
        this.tests = tests;
        this.entries = entries.toArray(new RouteEntry[0]);
        this.toHttps = toHttps;
    }

    /**
     * The first route that the request matches.
     *
     * @param draw 31 random bits, the request's only ones
     * @return null when there is none
     */
    public RouteEntry find(RequestHead request, int draw) {
        if (toHttps != null && !isEncrypted(request)) {
            return toHttps;
        }
        String target = request.path();
        for (int i = 0; i < tests.length; i++) {
            if (tests[i].matches(request, target, draw)) {
                return entries[i];
            }
        }
        return null;
    }

    public String virtualHost() {
        return virtualHost;
    }

    /** For a request for which {@link #find} finds nothing. */
    public FilterChain unroutedFilters() {
        return unroutedFilters;
    }

    /** As in Envoy, what a proxy before said of the request's own scheme goes before that. */
    private static boolean isEncrypted(RequestHead request) {
        String forwarded = request.header("x-forwarded-proto");
        return (forwarded == null ? request.scheme() : forwarded).equals("https");
    }
}
