package io.weft.policy.parse;

import com.google.protobuf.InvalidProtocolBufferException;
import io.weft.policy.model.FilterChain;
import io.weft.policy.model.HostPort;
import io.weft.policy.model.HttpConnectionManager;
import io.weft.policy.model.HttpFilter;
import io.weft.policy.model.Listener.Kind;
import io.weft.policy.model.Listener;
import io.weft.policy.model.NamedFilter;
import io.weft.policy.model.NetworkFilter;
import io.weft.policy.model.Rbac;
import io.weft.policy.proto.envoy.config.core.v3.Address;
import io.weft.policy.proto.envoy.config.core.v3.SocketAddress;
import io.weft.policy.proto.envoy.config.core.v3.TrafficDirection;
import io.weft.policy.proto.envoy.config.listener.v3.Filter;
import io.weft.policy.proto.envoy.config.listener.v3.FilterChainMatch;
import io.weft.policy.proto.envoy.config.listener.v3.ListenerFilter;
import io.weft.policy.proto.protobuf.Any;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** {@code envoy.config.listener.v3.Listener}. */
final class ListenerParser {
    private static final HostPort NOWHERE = new HostPort("", 0);
    private static final String CONNECTION_RATE_LIMIT = "envoy.extensions.filters.network.local_ratelimit.v3.LocalRateLimit";
    private static final Set<String> ANY_ADDRESS = Set.of("0.0.0.0", "::");
    private static final String NETWORK_RBAC = "envoy.extensions.filters.network.rbac.v3.RBAC";
    private static final Set<String> PLAINTEXT_HTTP = Set.of("http/1.0", "http/1.1", "h2c");
    /** They find out what a connection is; the agent knows. */
    private static final Set<String> INSPECTORS = Set.of(
            "envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector",
            "envoy.extensions.filters.listener.http_inspector.v3.HttpInspector",
            "envoy.extensions.filters.listener.original_dst.v3.OriginalDst",
            "envoy.extensions.filters.listener.original_src.v3.OriginalSrc");

    private final io.weft.policy.proto.envoy.config.listener.v3.Listener listener;
    private final Field field;

    private ListenerParser(Field field, io.weft.policy.proto.envoy.config.listener.v3.Listener listener) {
        this.field = field;
        this.listener = listener;
    }

    static Listener parse(Field field, io.weft.policy.proto.envoy.config.listener.v3.Listener listener) {
        field.at("name").notEmpty(listener.getName());
        ListenerParser parser = new ListenerParser(field, listener);
        return listener.hasApiListener() ? parser.api() : parser.sidecar();
    }

    private Listener api() {
        Field at = field.at("api_listener").at("api_listener");
        Any config = listener.getApiListener().getApiListener();
        if (!Extensions.typeOf(config).equals(Extensions.HTTP_CONNECTION_MANAGER)) {
            throw at.refuse("must be " + Extensions.HTTP_CONNECTION_MANAGER + ", is '" + Extensions.typeOf(config) + "'");
        }
        field.reportIf(listener.hasAddress(), "address");
        field.reportIf(listener.getFilterChainsCount() > 0, "filter_chains");
        field.reportIf(listener.hasDefaultFilterChain(), "default_filter_chain");
        FilterChain chain = new FilterChain("", 0, List.of(), HttpConnectionManagerParser.parse(at, config, Kind.API));
        return new Listener(listener.getName(), Kind.API, NOWHERE, List.of(chain));
    }

    private Listener sidecar() {
        field.refuseIf(listener.hasFilterChainMatcher(), "filter_chain_matcher", "is not supported; use filter_chain_match");
        field.reportIf(listener.getUseOriginalDst().getValue(), "use_original_dst");
        field.reportIf(listener.hasPerConnectionBufferLimitBytes(), "per_connection_buffer_limit_bytes");
        field.reportIf(listener.getAccessLogCount() > 0, "access_log");

        // Most control planes that know no sidecar send no direction, and their listeners are for clients.
        Kind kind = listener.getTrafficDirection() == TrafficDirection.INBOUND ? Kind.INBOUND : Kind.OUTBOUND;
        HostPort address = address();
        if (address.equals(NOWHERE)) {
            refuseProtectedChains();
            return new Listener(listener.getName(), kind, address, List.of());
        }
        additionalAddresses(address);
        listenerFilters();
        List<FilterChain> chains = new ArrayList<>();
        for (int i = 0; i < listener.getFilterChainsCount(); i++) {
            Field at = field.at("filter_chains", i);
            add(at, kind, chains, chain(at, listener.getFilterChains(i), kind, address.port()));
        }
        if (listener.hasDefaultFilterChain()) {
            Field at = field.at("default_filter_chain");
            add(at, kind, chains, chain(at, listener.getDefaultFilterChain(), kind, address.port()));
        }
        return new Listener(listener.getName(), kind, address, chains);
    }

    private static void add(Field at, Kind kind, List<FilterChain> chains, Optional<FilterChain> chain) {
        if (chain.isPresent()) {
            if (kind == Kind.OUTBOUND && !chains.isEmpty()) {
                throw at.refuse("a second filter chain for plaintext HTTP is not supported; put the hosts of both into one");
            }
            chains.add(chain.get());
        }
    }

    /** {@link #NOWHERE} for what no TCP client could reach. */
    private HostPort address() {
        if (listener.hasInternalListener()) {
            field.at("internal_listener").report();
            return NOWHERE;
        }
        field.refuseIf(!listener.hasAddress(), "address", "is missing");
        Address address = listener.getAddress();
        if (address.hasPipe()) {
            field.at("address").at("pipe").report();
            return NOWHERE;
        }
        if (listener.hasUdpListenerConfig() || address.getSocketAddress().getProtocol() == SocketAddress.Protocol.UDP) {
            field.at(listener.hasUdpListenerConfig() ? "udp_listener_config" : "address").report("UDP");
            return NOWHERE;
        }
        return AddressParser.HOST_NAME.parse(field.at("address"), address);
    }

    private void refuseProtectedChains() {
        for (int i = 0; i < listener.getFilterChainsCount(); i++) {
            if (listener.getFilterChains(i).hasTransportSocket()) {
                Extensions.plaintext(
                        field.at("filter_chains", i).at("transport_socket"), listener.getFilterChains(i).getTransportSocket());
            }
        }
    }

    private void additionalAddresses(HostPort address) {
        for (int i = 0; i < listener.getAdditionalAddressesCount(); i++) {
            Field at = field.at("additional_addresses", i);
            HostPort additional = AddressParser.HOST_NAME.parse(
                    at.at("address"), listener.getAdditionalAddresses(i).getAddress());
            boolean same = additional.port() == address.port()
                    && ANY_ADDRESS.contains(address.host())
                    && ANY_ADDRESS.contains(additional.host());
            if (!same) {
                throw at.refuse("is not supported unless it is the same port on 0.0.0.0 and ::; send a listener for each address");
            }
            at.report();
        }
    }

    private void listenerFilters() {
        for (int i = 0; i < listener.getListenerFiltersCount(); i++) {
            ListenerFilter filter = listener.getListenerFilters(i);
            String type = filter.hasTypedConfig() ? Extensions.typeOf(filter.getTypedConfig()) : "";
            if (!INSPECTORS.contains(type)) {
                throw field.at("listener_filters", i).refuse("listener filter '" + filter.getName() + "' (" + type
                        + ") is not supported; remove it for this node");
            }
        }
    }

    /** Empty when it is not for plaintext HTTP. */
    @SuppressWarnings("deprecation") // use_proxy_proto
    private static Optional<FilterChain> chain(
            Field field, io.weft.policy.proto.envoy.config.listener.v3.FilterChain chain, Kind kind, int port) {
        if (chain.hasTransportSocket()) {
            Extensions.plaintext(field.at("transport_socket"), chain.getTransportSocket());
        }
        field.refuseIf(chain.getUseProxyProto().getValue(), "use_proxy_proto", "is not supported; leave it out");
        field.reportIf(chain.hasTransportSocketConnectTimeout(), "transport_socket_connect_timeout");

        List<NamedFilter> access = new ArrayList<>();
        HttpConnectionManager http = null;
        int last = chain.getFiltersCount() - 1;
        for (int i = 0; i <= last; i++) {
            Filter filter = chain.getFilters(i);
            Field at = field.at("filters", i);
            at.refuseIf(filter.hasConfigDiscovery(), "config_discovery", "is not supported; send typed_config");
            String type = Extensions.typeOf(filter.getTypedConfig());
            if (type.equals(NETWORK_RBAC) && kind == Kind.INBOUND && endsInHttp(chain)) {
                access.add(access(at, filter));
            } else if (type.equals(Extensions.HTTP_CONNECTION_MANAGER)) {
                at.refuseIf(i != last, "typed_config", "the HTTP connection manager must be the last filter of the chain");
                http = HttpConnectionManagerParser.parse(at.at("typed_config"), filter.getTypedConfig(), kind);
            } else if (Extensions.isSecurity(type)) {
                throw at.refuse("network filter '" + filter.getName() + "' (" + type
                        + ") is not enforced here, so nothing would be protected; remove it for this node");
            }
        }
        if (http == null) {
            field.report("no HTTP connection manager");
            return Optional.empty();
        }
        List<NetworkFilter> networkFilters = new ArrayList<>();
        for (int i = 0; i < last; i++) {
            Filter filter = chain.getFilters(i);
            String type = Extensions.typeOf(filter.getTypedConfig());
            Field at = field.at("filters", i);
            if (type.equals(NETWORK_RBAC)) {
                continue;
            }
            if (kind == Kind.INBOUND && type.equals(CONNECTION_RATE_LIMIT)) {
                networkFilters.add(RateLimitParser.connections(at.at("typed_config"), filter.getTypedConfig()));
                continue;
            }
            if (!Extensions.isWithoutEffect(type)) {
                throw at.refuse("network filter '" + filter.getName() + "' (" + type
                        + ") in front of HTTP is not supported; remove it for this node");
            }
            at.report(filter.getName());
        }
        Field match = field.at("filter_chain_match");
        if (!forPlaintextHttp(match, chain.getFilterChainMatch(), kind)) {
            return Optional.empty();
        }
        int destinationPort = chain.getFilterChainMatch().getDestinationPort().getValue();
        match.refuseIf(kind == Kind.OUTBOUND && destinationPort != 0 && destinationPort != port, "destination_port",
                "is not supported on an outbound chain; match the host or path on a route");
        return Optional.of(new FilterChain(chain.getName(), kind == Kind.INBOUND ? destinationPort : 0, networkFilters, http.behind(access)));
    }

    private static boolean endsInHttp(io.weft.policy.proto.envoy.config.listener.v3.FilterChain chain) {
        Any last = chain.getFilters(chain.getFiltersCount() - 1).getTypedConfig();
        return Extensions.typeOf(last).equals(Extensions.HTTP_CONNECTION_MANAGER);
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

    private static boolean forPlaintextHttp(Field field, FilterChainMatch match, Kind kind) {
        String transport = match.getTransportProtocol();
        boolean http = match.getApplicationProtocolsCount() == 0
                || !Collections.disjoint(match.getApplicationProtocolsList(), PLAINTEXT_HTTP);
        if (!http || match.getServerNamesCount() > 0 || !transport.isEmpty() && !transport.equals("raw_buffer")) {
            field.report("not for plaintext HTTP");
            return false;
        }
        String unsupported = kind == Kind.OUTBOUND
                ? "is not supported on an outbound chain; match the host or path on a route"
                : "is not supported on an inbound chain; send one chain for all callers";
        field.refuseIf(match.getPrefixRangesCount() > 0, "prefix_ranges", unsupported);
        field.refuseIf(!match.getAddressSuffix().isEmpty(), "address_suffix", unsupported);
        field.refuseIf(match.hasSuffixLen(), "suffix_len", unsupported);
        field.refuseIf(match.getDirectSourcePrefixRangesCount() > 0, "direct_source_prefix_ranges", unsupported);
        field.refuseIf(match.getSourceType() != FilterChainMatch.ConnectionSourceType.ANY, "source_type", unsupported);
        field.refuseIf(match.getSourcePrefixRangesCount() > 0, "source_prefix_ranges", unsupported);
        field.refuseIf(match.getSourcePortsCount() > 0, "source_ports", unsupported);
        return true;
    }
}
