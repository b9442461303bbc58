package io.weft.dataplane.route;

import io.weft.dataplane.Exchange;
import java.util.List;

/** The routes of one virtual host, in order. Immutable. */
public final class Routes {
    private final RouteEntry[] entries;

    Routes(List<RouteEntry> entries) {
        this.entries = entries.toArray(new RouteEntry[0]);
    }

    /**
     * The first route that the request matches.
     *
     * @param draw the request's one random number, not negative
     * @return null when there is none
     */
    public RouteEntry find(Exchange request, long draw) {
        String target = request.path();
        for (int i = 0; i < entries.length; i++) {
            if (entries[i].test.matches(request, target, draw)) {
                return entries[i];
            }
        }
        return null;
    }
}
