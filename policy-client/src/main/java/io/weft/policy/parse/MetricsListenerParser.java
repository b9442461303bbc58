package io.weft.policy.parse;

import com.google.protobuf.InvalidProtocolBufferException;
import io.weft.policy.proto.envoy.config.listener.v3.Filter;
import io.weft.policy.proto.envoy.config.listener.v3.FilterChain;
import io.weft.policy.proto.envoy.config.listener.v3.Listener;
import io.weft.policy.proto.envoy.config.route.v3.Route;
import io.weft.policy.proto.envoy.config.route.v3.RouteMatch;
import io.weft.policy.proto.envoy.config.route.v3.VirtualHost;
import io.weft.policy.proto.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import java.util.List;

/** The listener that Kuma makes of a {@code MeshMetric} for Prometheus. What is behind it is another program's there, and the agent's here. */
final class MetricsListenerParser {
    /** The older name, and that of the unified scheme. */
    private static final List<String> NAMES = List.of("_kuma:metrics:prometheus:", "system_meshmetric_prometheus_");

    private static final String OLDER_CLUSTER = "_kuma:metrics:hijacker";

    private MetricsListenerParser() {}

    /** Whether a cluster is what such a listener has behind it: kuma-dp, on a socket of its own, which is not there. */
    static boolean leadsTo(String cluster) {
        return cluster.equals(OLDER_CLUSTER) || NAMES.stream().anyMatch(cluster::startsWith);
    }

    static boolean isFor(Listener listener) {
        return NAMES.stream().anyMatch(listener.getName()::startsWith);
    }

    static String path(Field field, Listener listener) {
        for (int i = 0; i < listener.getFilterChainsCount(); i++) {
            FilterChain chain = listener.getFilterChains(i);
            Field at = field.at("filter_chains", i);
            at.refuseIf(chain.hasTransportSocket(), "transport_socket", "is not supported: an agent's metrics are read in plaintext");
            for (int j = 0; j < chain.getFiltersCount(); j++) {
                Filter filter = chain.getFilters(j);
                if (Extensions.typeOf(filter.getTypedConfig()).equals(Extensions.HTTP_CONNECTION_MANAGER)) {
                    return path(at.at("filters", j).at("typed_config"), filter);
                }
            }
        }
        throw field.at("filter_chains").refuse("has no path from which metrics are to be read");
    }

    private static String path(Field field, Filter filter) {
        try {
            HttpConnectionManager manager = HttpConnectionManager.parseFrom(filter.getTypedConfig().getValue());
            for (VirtualHost host : manager.getRouteConfig().getVirtualHostsList()) {
                for (Route route : host.getRoutesList()) {
                    RouteMatch match = route.getMatch();
                    String path = match.getPath().isEmpty() ? match.getPrefix() : match.getPath();
                    if (path.startsWith("/")) {
                        return path;
                    }
                }
            }
        } catch (InvalidProtocolBufferException e) {
            throw field.refuse("is not a valid " + Extensions.HTTP_CONNECTION_MANAGER + ": " + e.getMessage());
        }
        throw field.at("route_config").refuse("has no path from which metrics are to be read");
    }
}
