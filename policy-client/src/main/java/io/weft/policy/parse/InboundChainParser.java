package io.weft.policy.parse;

import com.google.protobuf.InvalidProtocolBufferException;
import io.weft.policy.model.FilterChain;
import io.weft.policy.model.FilterChainMatch;
import io.weft.policy.model.HttpConnectionManager;
import io.weft.policy.model.HttpConnectionManager.Edge;
import io.weft.policy.model.HttpConnectionManager.Opaque;
import io.weft.policy.model.HttpConnectionManager.StreamLimits;
import io.weft.policy.model.HttpFilter;
import io.weft.policy.model.Listener.Kind;
import io.weft.policy.model.NamedFilter;
import io.weft.policy.model.NetworkFilter;
import io.weft.policy.model.Rbac;
import io.weft.policy.model.TransportSocket;
import io.weft.policy.proto.envoy.config.listener.v3.Filter;
import java.util.ArrayList;
import java.util.List;

/**
 * The filter chains of one listener for what comes in. All of them count, also those that know no HTTP: which connections are
 * accepted, and how, depends on every one.
 */
final class InboundChainParser {
    private static final String CONNECTION_RATE_LIMIT = "envoy.extensions.filters.network.local_ratelimit.v3.LocalRateLimit";
    private static final String NETWORK_RBAC = "envoy.extensions.filters.network.rbac.v3.RBAC";

    private final FilterChainMatchParser matches = new FilterChainMatchParser();

    FilterChain parse(Field field, io.weft.policy.proto.envoy.config.listener.v3.FilterChain chain) {
        return parse(field, chain, matches.parse(field.at("filter_chain_match"), chain.getFilterChainMatch()));
    }

    /** Its match says nothing, as in Envoy. */
    FilterChain parseDefault(Field field, io.weft.policy.proto.envoy.config.listener.v3.FilterChain chain) {
        field.reportIf(chain.hasFilterChainMatch(), "filter_chain_match");
        return parse(field, chain, FilterChainMatch.ANY);
    }

    @SuppressWarnings("deprecation") // use_proxy_proto
    private static FilterChain parse(
            Field field, io.weft.policy.proto.envoy.config.listener.v3.FilterChain chain, FilterChainMatch match) {
        field.refuseIf(chain.getUseProxyProto().getValue(), "use_proxy_proto", "is not supported; leave it out");
        field.reportIf(chain.hasTransportSocketConnectTimeout(), "transport_socket_connect_timeout");
        TransportSocket transport = chain.hasTransportSocket()
                ? TlsContextParser.downstream(field.at("transport_socket"), chain.getTransportSocket())
                : new TransportSocket.Plaintext();

        List<NamedFilter> access = new ArrayList<>();
        List<NetworkFilter> networkFilters = new ArrayList<>();
        HttpConnectionManager http = new HttpConnectionManager("", new Opaque(), List.of(), Edge.NONE, StreamLimits.NONE);
        int last = chain.getFiltersCount() - 1;
        for (int i = 0; i <= last; i++) {
            Filter filter = chain.getFilters(i);
            Field at = field.at("filters", i);
            at.refuseIf(filter.hasConfigDiscovery(), "config_discovery", "is not supported; send typed_config");
            String type = Extensions.typeOf(filter.getTypedConfig());
            if (type.equals(Extensions.HTTP_CONNECTION_MANAGER)) {
                at.refuseIf(i != last, "typed_config", "the HTTP connection manager must be the last filter of the chain");
                http = HttpConnectionManagerParser.parse(at.at("typed_config"), filter.getTypedConfig(), Kind.INBOUND);
            } else if (type.equals(NETWORK_RBAC)) {
                access.add(access(at, filter));
            } else if (Extensions.isSecurity(type)) {
                throw Extensions.unenforced(at, filter);
            } else if (type.equals(CONNECTION_RATE_LIMIT)) {
                networkFilters.add(RateLimitParser.connections(at.at("typed_config"), filter.getTypedConfig()));
            } else if (Extensions.isWithoutEffect(filter.getTypedConfig()) || i == last && type.equals(TcpProxyParser.TYPE)) {
                at.report(filter.getName());
            } else {
                throw i == last ? Extensions.unsupportedEnd(at, filter) : Extensions.unsupportedInFront(at, filter);
            }
        }
        return new FilterChain(chain.getName(), match, transport, networkFilters, http.behind(access));
    }

    /** It is asked with each request: a connection is the same whenever it is looked at. */
    private static NamedFilter access(Field field, Filter filter) {
        Field at = field.at("typed_config");
        try {
            Rbac rbac = RbacParser.network(at, filter.getTypedConfig().getValue());
            return new NamedFilter("connection " + filter.getName(), new HttpFilter.ConnectionAccessControl(rbac), false);
        } catch (InvalidProtocolBufferException e) {
            throw at.refuse("is not a valid " + NETWORK_RBAC + ": " + e.getMessage());
        }
    }
}
