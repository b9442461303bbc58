package io.weft.dataplane.route;

import io.weft.dataplane.ClientIp;
import io.weft.dataplane.filter.FilterChain;
import io.weft.policy.model.HttpConnectionManager.Edge;

/** The routes of the requests that come in on one port. Immutable. */
public final class InboundRoutes {
    private final VirtualHosts virtualHosts;
    private final PathNormalizer paths;
    private final ClientIp clientIp;

    InboundRoutes(VirtualHosts virtualHosts, Edge edge) {
        this.virtualHosts = virtualHosts;
        paths = new PathNormalizer(edge.paths());
        clientIp = new ClientIp(edge.clientAddress());
    }

    public PathNormalizer paths() {
        return paths;
    }

    public ClientIp clientIp() {
        return clientIp;
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
