package io.weft.policy.parse;

import io.weft.policy.model.FilterChain;
import io.weft.policy.model.HttpConnectionManager;
import io.weft.policy.model.Listener.Kind;
import io.weft.policy.proto.envoy.config.listener.v3.Filter;
import io.weft.policy.proto.envoy.config.listener.v3.FilterChainMatch;
import java.util.Collections;
import java.util.Optional;
import java.util.Set;

/**
 * A filter chain for what the app sends, of which only plaintext HTTP is the mesh's: where a listener is for requests, what it does with them,
 * and where it is for the connections to one host, where these lead.
 */
final class OutboundChainParser {
    private static final String UNSUPPORTED = "is not supported on an outbound chain; match the host or path on a route";
    private static final Set<String> PLAINTEXT_HTTP = Set.of("http/1.0", "http/1.1", "h2c");

    private OutboundChainParser() {}

    static boolean isHttp(io.weft.policy.proto.envoy.config.listener.v3.FilterChain chain) {
        return chain.getFiltersList().stream()
                .anyMatch(filter -> Extensions.typeOf(filter.getTypedConfig()).equals(Extensions.HTTP_CONNECTION_MANAGER));
    }

    /** Of a chain for the connections to one host, what it is for requests; empty when it is for some of them, or leads nowhere. */
    static Optional<FilterChain> parseConnections(
            Field field, io.weft.policy.proto.envoy.config.listener.v3.FilterChain chain, int port) {
        int last = chain.getFiltersCount() - 1;
        FilterChainMatch match = chain.getFilterChainMatch();
        int destinationPort = match.getDestinationPort().getValue();
        boolean all = match.toBuilder().clearDestinationPort().clearTransportProtocol().build().equals(FilterChainMatch.getDefaultInstance())
                && (destinationPort == 0 || destinationPort == port)
                && (match.getTransportProtocol().isEmpty() || match.getTransportProtocol().equals("raw_buffer"));
        boolean proxy = last >= 0 && Extensions.typeOf(chain.getFilters(last).getTypedConfig()).equals(TcpProxyParser.TYPE)
                && chain.getFiltersList().subList(0, last).stream().allMatch(filter -> Extensions.isWithoutEffect(filter.getTypedConfig()));
        if (!all || !proxy) {
            return parse(field, chain, port);
        }
        if (chain.hasTransportSocket()) {
            Extensions.plaintext(field.at("transport_socket"), chain.getTransportSocket());
        }
        for (int i = 0; i < last; i++) {
            field.at("filters", i).report(chain.getFilters(i).getName());
        }
        return TcpProxyParser.requests(field.at("filters", last).at("typed_config"), chain.getFilters(last).getTypedConfig().getValue())
                .map(requests -> FilterChain.plaintext(requests).named(chain.getName()));
    }

    /** Empty when it is not for plaintext HTTP. */
    @SuppressWarnings("deprecation") // use_proxy_proto
    static Optional<FilterChain> parse(
            Field field, io.weft.policy.proto.envoy.config.listener.v3.FilterChain chain, int port) {
        if (chain.hasTransportSocket()) {
            Extensions.plaintext(field.at("transport_socket"), chain.getTransportSocket());
        }
        field.refuseIf(chain.getUseProxyProto().getValue(), "use_proxy_proto", "is not supported; leave it out");
        field.reportIf(chain.hasTransportSocketConnectTimeout(), "transport_socket_connect_timeout");

        HttpConnectionManager http = null;
        int last = chain.getFiltersCount() - 1;
        for (int i = 0; i <= last; i++) {
            Filter filter = chain.getFilters(i);
            Field at = field.at("filters", i);
            at.refuseIf(filter.hasConfigDiscovery(), "config_discovery", "is not supported; send typed_config");
            String type = Extensions.typeOf(filter.getTypedConfig());
            if (type.equals(Extensions.HTTP_CONNECTION_MANAGER)) {
                at.refuseIf(i != last, "typed_config", "the HTTP connection manager must be the last filter of the chain");
                http = HttpConnectionManagerParser.parse(at.at("typed_config"), filter.getTypedConfig(), Kind.OUTBOUND);
            } else if (Extensions.isSecurity(type)) {
                throw Extensions.unenforced(at, filter);
            }
        }
        if (http == null) {
            field.report("no HTTP connection manager");
            return Optional.empty();
        }
        for (int i = 0; i < last; i++) {
            Filter filter = chain.getFilters(i);
            Field at = field.at("filters", i);
            if (!Extensions.isWithoutEffect(filter.getTypedConfig())) {
                throw Extensions.unsupportedInFront(at, filter);
            }
            at.report(filter.getName());
        }
        return isForPlaintextHttp(field.at("filter_chain_match"), chain.getFilterChainMatch(), port)
                ? Optional.of(FilterChain.plaintext(http).named(chain.getName()))
                : Optional.empty();
    }

    private static boolean isForPlaintextHttp(Field field, FilterChainMatch match, int port) {
        String transport = match.getTransportProtocol();
        boolean http = match.getApplicationProtocolsCount() == 0
                || !Collections.disjoint(match.getApplicationProtocolsList(), PLAINTEXT_HTTP);
        if (!http || match.getServerNamesCount() > 0 || !transport.isEmpty() && !transport.equals("raw_buffer")) {
            field.report("not for plaintext HTTP");
            return false;
        }
        field.refuseIf(match.getPrefixRangesCount() > 0, "prefix_ranges", UNSUPPORTED);
        field.refuseIf(!match.getAddressSuffix().isEmpty(), "address_suffix", UNSUPPORTED);
        field.refuseIf(match.hasSuffixLen(), "suffix_len", UNSUPPORTED);
        field.refuseIf(match.getDirectSourcePrefixRangesCount() > 0, "direct_source_prefix_ranges", UNSUPPORTED);
        field.refuseIf(match.getSourceType() != FilterChainMatch.ConnectionSourceType.ANY, "source_type", UNSUPPORTED);
        field.refuseIf(match.getSourcePrefixRangesCount() > 0, "source_prefix_ranges", UNSUPPORTED);
        field.refuseIf(match.getSourcePortsCount() > 0, "source_ports", UNSUPPORTED);
        int destinationPort = match.getDestinationPort().getValue();
        field.refuseIf(destinationPort != 0 && destinationPort != port, "destination_port", UNSUPPORTED);
        return true;
    }
}
