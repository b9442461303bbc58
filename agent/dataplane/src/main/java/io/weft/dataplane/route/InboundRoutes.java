package io.weft.dataplane.route;

import io.weft.dataplane.ClientIp;
import io.weft.dataplane.filter.ConnectionFilter;
import io.weft.dataplane.filter.FilterChain;
import io.weft.policy.model.HttpConnectionManager.Edge;
import java.util.List;

/** What is said of the connections and requests that come in on one port. Immutable but for what filters count. */
public final class InboundRoutes {
    private final VirtualHosts virtualHosts;
    private final PathNormalizer paths;
    private final ClientIp clientIp;
    private final ConnectionFilter[] connectionFilters;

    InboundRoutes(VirtualHosts virtualHosts, Edge edge, List<ConnectionFilter> connectionFilters) {
        this.virtualHosts = virtualHosts;
        paths = new PathNormalizer(edge.paths());
        clientIp = new ClientIp(edge.clientAddress());
        this.connectionFilters = connectionFilters.toArray(new ConnectionFilter[0]);
    }

    public PathNormalizer paths() {
        return paths;
    }

    public ClientIp clientIp() {
        return clientIp;
    }

    /** Whether a new connection may stay. */
    public boolean admitsConnection() {
        for (int i = 0; i < connectionFilters.length; i++) {
            if (!connectionFilters[i].admits()) {
                return false;
            }
        }
        return true;
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
