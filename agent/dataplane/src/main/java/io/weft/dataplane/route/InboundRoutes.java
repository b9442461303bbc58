package io.weft.dataplane.route;

import io.weft.dataplane.filter.FilterChain;

/** The routes of the requests that come in on one port. Immutable. */
public final class InboundRoutes {
    private final VirtualHosts virtualHosts;

    InboundRoutes(VirtualHosts virtualHosts) {
        this.virtualHosts = virtualHosts;
    }

    /**
     * @param authority {@code host[:port]}
     * @return null: no virtual host is for it
     */
    public Routes find(String authority) {
        int portStart = Authority.portStart(authority);
        int hostEnd = portStart < 0 ? authority.length() : portStart;
        return virtualHosts.find(authority, portStart, HostTable.hash(authority, 0, hostEnd), true);
    }

    /** For a request for which {@link #find} finds nothing. */
    public FilterChain unroutedFilters() {
        return virtualHosts.unroutedFilters();
    }
}
