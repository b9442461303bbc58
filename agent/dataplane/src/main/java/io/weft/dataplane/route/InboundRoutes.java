package io.weft.dataplane.route;

import io.weft.dataplane.ClientIp;
import io.weft.dataplane.Connection;
import io.weft.dataplane.ForwardedClientCert;
import io.weft.dataplane.RequestHead;
import io.weft.dataplane.ServerTls;
import io.weft.dataplane.filter.ConnectionFilter;
import io.weft.dataplane.filter.FilterChain;
import io.weft.policy.model.HttpConnectionManager;
import io.weft.policy.model.HttpConnectionManager.ConnectionLimits;
import io.weft.policy.model.HttpConnectionManager.Edge;
import io.weft.policy.model.HttpFilter;
import java.util.List;

/** One filter chain: what is said of the connections that get it and of their requests. Immutable but for what filters count. */
public final class InboundRoutes {
    private final boolean opaque;
    private final int maxHeaderBytes;
    private final ConnectionLimits connectionLimits;
    private final VirtualHosts virtualHosts;
    private final PathNormalizer paths;
    private final ClientIp clientIp;
    private final ForwardedClientCert clientCert;
    private final ConnectionFilter[] connectionFilters;
    private final Security security;
    private final boolean restricted;

    /**
     * @param demanded its connections are over mesh TLS
     * @param tls null: plaintext, or a certificate or an authority is missing
     */
    record Security(boolean demanded, ServerTls tls) {
        static final Security NONE = new Security(false, null);
    }

    /** @param opaque it knows no routes; its filters are those of every request */
    InboundRoutes(
            boolean opaque, VirtualHosts virtualHosts, HttpConnectionManager manager, List<ConnectionFilter> connectionFilters,
            Security security) {
        Edge edge = manager.edge();
        this.opaque = opaque;
        maxHeaderBytes = manager.limits().headerBytes();
        connectionLimits = edge.connection().equals(ConnectionLimits.NONE) ? null : edge.connection();
        this.virtualHosts = virtualHosts;
        paths = new PathNormalizer(edge.paths());
        clientIp = new ClientIp(edge.clientAddress());
        clientCert = new ForwardedClientCert(edge.clientCertificate());
        this.connectionFilters = connectionFilters.toArray(new ConnectionFilter[0]);
        this.security = security;
        restricted = manager.filters().stream().anyMatch(filter -> restricts(filter.filter()));
    }

    private static boolean restricts(HttpFilter filter) {
        return filter instanceof HttpFilter.AccessControl control && control.rbac().enforced().isPresent()
                || filter instanceof HttpFilter.ConnectionAccessControl connections && connections.rbac().enforced().isPresent()
                || filter instanceof HttpFilter.TokenAuthentication
                || filter instanceof HttpFilter.Conditional conditional && restricts(conditional.filter());
    }

    /** It says who may call. */
    public boolean isRestricted() {
        return restricted;
    }

    /** Most bytes that path and headers of a request may have together; 0: any. */
    public int maxHeaderBytes() {
        return maxHeaderBytes;
    }

    /** Null: none. */
    public ConnectionLimits connectionLimits() {
        return connectionLimits;
    }

    /** It looks at no route, but its filters count. */
    public boolean isOpaque() {
        return opaque;
    }

    /** Its connections are over mesh TLS. */
    public boolean isSecured() {
        return security.demanded;
    }

    /** Null: its connections are in plaintext, or it has not all that it needs, and then it has no connections. */
    public ServerTls tls() {
        return security.tls;
    }

    /** Whether the connection is secured as this chain demands. */
    public boolean fits(Connection connection) {
        return security.demanded == (connection.peer() != null);
    }

    public PathNormalizer paths() {
        return paths;
    }

    public ClientIp clientIp() {
        return clientIp;
    }

    public ForwardedClientCert clientCert() {
        return clientCert;
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

    /** @return null: no virtual host is for it */
    public Routes find(RequestHead request) {
        Routes ofEveryHost = virtualHosts.ofEveryHost();
        return ofEveryHost == null ? find(request.authority()) : ofEveryHost;
    }

    private Routes find(String authority) {
        int portStart = Authority.portStart(authority);
        int hostEnd = portStart < 0 ? authority.length() : portStart;
        return virtualHosts.find(authority, portStart, HostTable.hash(authority, 0, hostEnd), true);
    }

    /** For a request for which {@link #find} finds nothing. */
    public FilterChain unroutedFilters() {
        return virtualHosts.unroutedFilters();
    }
}
