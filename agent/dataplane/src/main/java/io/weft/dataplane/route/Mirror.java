package io.weft.dataplane.route;

import io.weft.policy.model.MirrorPolicy;
import io.weft.policy.model.RouteMatch.Fraction;

/** Where copies of a route's requests go, made ready. Immutable. */
public final class Mirror {
    private final Fraction fraction;
    private final MirrorPolicy.Host host;
    private final RouteEntry.Forward route;

    /** @param route the copy's own: one destination, no filters, no retries */
    Mirror(MirrorPolicy policy, RouteEntry.Forward route) {
        fraction = policy.fraction();
        host = policy.host();
        this.route = route;
    }

    /** @param draw 31 random bits, the request's only ones: as in Envoy the same that chose its route and its cluster */
    public boolean covers(int draw) {
        return draw % fraction.denominator() < fraction.numerator();
    }

    public RouteEntry.Forward route() {
        return route;
    }

    /** @param authority the original's, as it is sent */
    public String authority(String authority) {
        if (host instanceof MirrorPolicy.Literal literal) {
            return literal.host();
        }
        if (host instanceof MirrorPolicy.Same) {
            return authority;
        }
        int port = authority.lastIndexOf(':');
        // A colon within brackets is one of an IPv6 address.
        return port < 0 || authority.indexOf(']', port) >= 0
                ? authority + "-shadow"
                : authority.substring(0, port) + "-shadow" + authority.substring(port);
    }
}
