package io.weft.policy.parse;

import io.weft.policy.model.DynamicConfiguration;
import io.weft.policy.model.FilterChain;
import io.weft.policy.model.HostPort;
import io.weft.policy.model.Listener;
import io.weft.policy.model.Listener.Kind;
import io.weft.policy.model.NameTable;
import io.weft.policy.proto.envoy.config.core.v3.Address;
import io.weft.policy.proto.envoy.config.core.v3.SocketAddress;
import io.weft.policy.proto.envoy.config.core.v3.TrafficDirection;
import io.weft.policy.proto.envoy.config.listener.v3.ListenerFilter;
import io.weft.policy.proto.protobuf.Any;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** {@code envoy.config.listener.v3.Listener}. */
final class ListenerParser {
    private static final HostPort NOWHERE = new HostPort("", 0);
    private static final Set<String> ANY_ADDRESS = Set.of("0.0.0.0", "::");
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
        field.refuseIf(listener.getTrafficDirection() == TrafficDirection.UNRECOGNIZED, "traffic_direction", "is unknown");
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
        FilterChain chain = FilterChain.plaintext(HttpConnectionManagerParser.parse(at, config, Kind.API));
        return new Listener(listener.getName(), Kind.API, NOWHERE, List.of(chain));
    }

    private Listener sidecar() {
        field.refuseIf(listener.hasFilterChainMatcher(), "filter_chain_matcher", "is not supported; use filter_chain_match");
        field.reportIf(listener.hasPerConnectionBufferLimitBytes(), "per_connection_buffer_limit_bytes");
        field.reportIf(listener.getAccessLogCount() > 0, "access_log");

        // Most control planes that know no sidecar send no direction, and their listeners are for clients.
        Kind kind = listener.getTrafficDirection() == TrafficDirection.INBOUND ? Kind.INBOUND : Kind.OUTBOUND;
        HostPort address = address();
        if (address.equals(NOWHERE)) {
            refuseProtectedChains();
            return new Listener(listener.getName(), kind, address, List.of(), Optional.empty(), false, Optional.empty(),
                    Optional.empty(), dynamicConfiguration());
        }
        additionalAddresses(address);
        listenerFilters();
        return kind == Kind.INBOUND ? inbound(address) : outbound(address);
    }

    private Listener inbound(HostPort address) {
        if (MetricsListenerParser.isFor(listener)) {
            return new Listener(listener.getName(), Kind.INBOUND, address, List.of(), Optional.empty(), false, Optional.empty(),
                    Optional.of(MetricsListenerParser.path(field, listener)), DynamicConfiguration.NONE);
        }
        InboundChainParser parser = new InboundChainParser();
        List<FilterChain> chains = new ArrayList<>();
        for (int i = 0; i < listener.getFilterChainsCount(); i++) {
            chains.add(parser.parse(field.at("filter_chains", i), listener.getFilterChains(i)));
        }
        Optional<FilterChain> otherwise = listener.hasDefaultFilterChain()
                ? Optional.of(parser.parseDefault(field.at("default_filter_chain"), listener.getDefaultFilterChain()))
                : Optional.empty();
        return new Listener(listener.getName(), Kind.INBOUND, address, chains, otherwise, listener.getUseOriginalDst().getValue(),
                Optional.empty(), Optional.empty(), DynamicConfiguration.NONE);
    }

    private Listener outbound(HostPort address) {
        if (PassthroughParser.isFor(field, listener)) {
            return new Listener(listener.getName(), Kind.OUTBOUND, address, List.of(), Optional.empty(), true,
                    Optional.of(PassthroughParser.parse(field, listener)), Optional.empty(), DynamicConfiguration.NONE);
        }
        // Who is bound to all addresses knows no host: a request to that port may be to any.
        if (!ANY_ADDRESS.contains(address.host()) && !isHttp()) {
            return new Listener(listener.getName(), Kind.OUTBOUND, address, connections(address.port()));
        }
        List<FilterChain> chains = new ArrayList<>();
        for (int i = 0; i < listener.getFilterChainsCount(); i++) {
            Field at = field.at("filter_chains", i);
            add(at, chains, OutboundChainParser.parse(at, listener.getFilterChains(i), address.port()));
        }
        if (listener.hasDefaultFilterChain()) {
            Field at = field.at("default_filter_chain");
            add(at, chains, OutboundChainParser.parse(at, listener.getDefaultFilterChain(), address.port()));
        }
        return new Listener(listener.getName(), Kind.OUTBOUND, address, chains, Optional.empty(), false,
                ANY_ADDRESS.contains(address.host()) ? PassthroughParser.connections(field, listener) : Optional.empty(), Optional.empty(),
                DynamicConfiguration.NONE);
    }

    private boolean isHttp() {
        return listener.getFilterChainsList().stream().anyMatch(OutboundChainParser::isHttp)
                || OutboundChainParser.isHttp(listener.getDefaultFilterChain());
    }

    /** Of the chains for bytes the first that is for all of them. */
    private List<FilterChain> connections(int port) {
        List<FilterChain> found = new ArrayList<>(1);
        for (int i = 0; i < listener.getFilterChainsCount(); i++) {
            connections(field.at("filter_chains", i), listener.getFilterChains(i), port, found);
        }
        if (listener.hasDefaultFilterChain()) {
            connections(field.at("default_filter_chain"), listener.getDefaultFilterChain(), port, found);
        }
        return found;
    }

    private static void connections(
            Field at, io.weft.policy.proto.envoy.config.listener.v3.FilterChain chain, int port, List<FilterChain> found) {
        Optional<FilterChain> parsed = found.isEmpty()
                ? OutboundChainParser.parseConnections(at, chain, port)
                : OutboundChainParser.parse(at, chain, port);
        parsed.ifPresent(found::add);
    }

    private static void add(Field at, List<FilterChain> chains, Optional<FilterChain> chain) {
        if (chain.isPresent()) {
            if (!chains.isEmpty()) {
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
            field.reportIf(!DynamicConfigurationParser.isFor(listener) && !MetricsSocketParser.isFor(listener), "address.pipe");
            return NOWHERE;
        }
        if (listener.hasUdpListenerConfig() || address.getSocketAddress().getProtocol() == SocketAddress.Protocol.UDP) {
            field.at(listener.hasUdpListenerConfig() ? "udp_listener_config" : "address").report("UDP");
            return NOWHERE;
        }
        return AddressParser.HOST_NAME.parse(field.at("address"), address);
    }

    private DynamicConfiguration dynamicConfiguration() {
        if (DynamicConfigurationParser.isFor(listener)) {
            return DynamicConfigurationParser.parse(field, listener);
        }
        return MetricsSocketParser.isFor(listener)
                ? new DynamicConfiguration(NameTable.EMPTY, List.of(), Optional.of(MetricsSocketParser.parse(field, listener)))
                : DynamicConfiguration.NONE;
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
}
