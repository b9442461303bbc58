package io.weft.policy.parse;

import io.weft.policy.model.FilterChainMatch;
import io.weft.policy.model.FilterChainMatch.Source;
import io.weft.policy.model.HttpConnectionManager;
import io.weft.policy.model.HttpConnectionManager.Inline;
import io.weft.policy.model.Listener.Kind;
import io.weft.policy.model.Passthrough;
import io.weft.policy.model.Passthrough.Chain;
import io.weft.policy.model.Passthrough.Way;
import io.weft.policy.model.Route;
import io.weft.policy.model.RouteAction.Forward;
import io.weft.policy.model.RouteAction.Named;
import io.weft.policy.model.RouteAction.WeightedCluster;
import io.weft.policy.model.VirtualHost;
import io.weft.policy.proto.envoy.config.listener.v3.Filter;
import io.weft.policy.proto.envoy.config.listener.v3.FilterChain;
import io.weft.policy.proto.envoy.config.listener.v3.Listener;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** An outbound listener for connections, to wherever they were going or to one port of whatever host: of its chains only where they lead counts. */
final class PassthroughParser {
    private final FilterChainMatchParser matches = new FilterChainMatchParser();

    private PassthroughParser() {}

    /** A chain of HTTP for all connections is for hosts by their names, wherever connections were going. */
    static boolean isFor(Field field, Listener listener) {
        if (!listener.getUseOriginalDst().getValue()) {
            return false;
        }
        for (int i = 0; i < listener.getFilterChainsCount(); i++) {
            FilterChain chain = listener.getFilterChains(i);
            if (chain.getFilterChainMatch().equals(io.weft.policy.proto.envoy.config.listener.v3.FilterChainMatch.getDefaultInstance())
                    && chain.getFiltersList().stream().anyMatch(PassthroughParser::isHttp)) {
                field.at("use_original_dst").report();
                return false;
            }
        }
        return true;
    }

    private static boolean isHttp(Filter filter) {
        return Extensions.typeOf(filter.getTypedConfig()).equals(Extensions.HTTP_CONNECTION_MANAGER);
    }

    static Passthrough parse(Field field, Listener listener) {
        PassthroughParser parser = new PassthroughParser();
        List<Chain> chains = new ArrayList<>();
        for (int i = 0; i < listener.getFilterChainsCount(); i++) {
            FilterChain chain = listener.getFilterChains(i);
            Field at = field.at("filter_chains", i);
            FilterChainMatch match = parser.matches.parse(at.at("filter_chain_match"), chain.getFilterChainMatch());
            at.refuseIf(!match.source().equals(Source.ANY), "filter_chain_match", "must not ask where a connection comes from: from the app");
            chains.add(chain(at, chain, match));
        }
        Optional<Chain> otherwise = listener.hasDefaultFilterChain()
                ? Optional.of(chain(field.at("default_filter_chain"), listener.getDefaultFilterChain(), FilterChainMatch.ANY))
                : Optional.empty();
        return new Passthrough(chains, otherwise);
    }

    /** What a listener of a wildcard address does with connections to its port; empty where it has nothing but HTTP for them. */
    static Optional<Passthrough> connections(Field field, Listener listener) {
        boolean bytes = listener.getFilterChainsList().stream().anyMatch(chain -> !OutboundChainParser.isHttp(chain))
                || listener.hasDefaultFilterChain() && !OutboundChainParser.isHttp(listener.getDefaultFilterChain());
        if (!bytes) {
            return Optional.empty();
        }
        PassthroughParser parser = new PassthroughParser();
        List<Chain> chains = new ArrayList<>();
        for (int i = 0; i < listener.getFilterChainsCount(); i++) {
            FilterChain chain = listener.getFilterChains(i);
            Field at = field.at("filter_chains", i);
            chains.add(new Chain(parser.matches.parse(at.at("filter_chain_match"), chain.getFilterChainMatch()), bytes(at, chain)));
        }
        return Optional.of(new Passthrough(chains, listener.hasDefaultFilterChain()
                ? Optional.of(new Chain(FilterChainMatch.ANY, bytes(field.at("default_filter_chain"), listener.getDefaultFilterChain())))
                : Optional.empty()));
    }

    /** What speaks HTTP, or another protocol, leads no other bytes anywhere. */
    private static List<Way> bytes(Field field, FilterChain chain) {
        int last = chain.getFiltersCount() - 1;
        if (last < 0 || !Extensions.typeOf(chain.getFilters(last).getTypedConfig()).equals(TcpProxyParser.TYPE)) {
            return List.of();
        }
        Field at = field.at("filters", last).at("typed_config");
        return List.of(new Way(List.of("*"), TcpProxyParser.clusters(at, chain.getFilters(last).getTypedConfig().getValue())));
    }

    private static Chain chain(Field field, FilterChain chain, FilterChainMatch match) {
        if (chain.hasTransportSocket()) {
            Extensions.plaintext(field.at("transport_socket"), chain.getTransportSocket());
        }
        List<Way> ways = List.of();
        int last = chain.getFiltersCount() - 1;
        for (int i = 0; i <= last; i++) {
            Filter filter = chain.getFilters(i);
            Field at = field.at("filters", i);
            at.refuseIf(filter.hasConfigDiscovery(), "config_discovery", "is not supported; send typed_config");
            String type = Extensions.typeOf(filter.getTypedConfig());
            if (i == last && isHttp(filter)) {
                ways = http(at.at("typed_config"), HttpConnectionManagerParser.parse(at.at("typed_config"), filter.getTypedConfig(), Kind.OUTBOUND));
            } else if (i == last && type.equals(TcpProxyParser.TYPE)) {
                ways = List.of(new Way(List.of("*"), TcpProxyParser.clusters(at.at("typed_config"), filter.getTypedConfig().getValue())));
            } else if (Extensions.isSecurity(type)) {
                throw Extensions.unenforced(at, filter);
            } else if (i == last || Extensions.isWithoutEffect(filter.getTypedConfig())) {
                // What nobody knows leads nowhere.
                at.report(filter.getName());
            } else {
                throw Extensions.unsupportedInFront(at, filter);
            }
        }
        return new Chain(match, ways);
    }

    private static List<Way> http(Field field, HttpConnectionManager manager) {
        if (!(manager.routes() instanceof Inline inline)) {
            throw field.refuse("must have its routes inline: rds is not supported where destinations are those of the app");
        }
        field.reportIf(!manager.filters().isEmpty(), "http_filters");
        List<Way> ways = new ArrayList<>();
        for (VirtualHost host : inline.configuration().virtualHosts()) {
            Set<String> clusters = new HashSet<>();
            for (Route route : host.routes()) {
                if (route.action() instanceof Forward forward) {
                    forward.clusters().weighted().forEach(cluster -> add(cluster, clusters));
                }
            }
            ways.add(new Way(host.domains(), clusters));
        }
        return ways;
    }

    private static void add(WeightedCluster cluster, Set<String> clusters) {
        if (cluster.cluster() instanceof Named named) {
            clusters.add(named.cluster());
        }
    }
}
