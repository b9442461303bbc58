package io.weft.policy.parse;

import com.google.protobuf.InvalidProtocolBufferException;
import io.weft.policy.model.MetricsPush;
import io.weft.policy.model.TelemetryService;
import io.weft.policy.proto.envoy.config.listener.v3.Filter;
import io.weft.policy.proto.envoy.config.listener.v3.FilterChain;
import io.weft.policy.proto.envoy.config.listener.v3.Listener;
import io.weft.policy.proto.envoy.config.route.v3.Route;
import io.weft.policy.proto.envoy.config.route.v3.VirtualHost;
import io.weft.policy.proto.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import java.util.List;
import java.util.Optional;

/** The listener on a socket that Kuma makes of a {@code MeshMetric} for OpenTelemetry: it leads to the collector, where an agent goes by itself. */
final class MetricsSocketParser {
    /** The older name, and that of the unified scheme. */
    private static final List<String> NAMES = List.of("_kuma:metrics:opentelemetry:", "system_meshmetric_otel_");

    private MetricsSocketParser() {}

    static boolean isFor(Listener listener) {
        return listener.getAddress().hasPipe() && NAMES.stream().anyMatch(listener.getName()::startsWith);
    }

    static MetricsPush.Socket parse(Field field, Listener listener) {
        for (FilterChain chain : listener.getFilterChainsList()) {
            for (Filter filter : chain.getFiltersList()) {
                if (Extensions.typeOf(filter.getTypedConfig()).equals(Extensions.HTTP_CONNECTION_MANAGER)) {
                    return new MetricsPush.Socket(listener.getAddress().getPipe().getPath(), service(field.at("filter_chains"), filter));
                }
            }
        }
        throw field.at("filter_chains").refuse("has no route to a collector");
    }

    private static TelemetryService service(Field field, Filter filter) {
        try {
            HttpConnectionManager manager = HttpConnectionManager.parseFrom(filter.getTypedConfig().getValue());
            for (VirtualHost host : manager.getRouteConfig().getVirtualHostsList()) {
                for (Route route : host.getRoutesList()) {
                    if (!route.getRoute().getCluster().isEmpty()) {
                        String path = route.getRoute().getPrefixRewrite();
                        return new TelemetryService(route.getRoute().getCluster(), Optional.of(path.isEmpty() ? "/v1/metrics" : path));
                    }
                }
            }
        } catch (InvalidProtocolBufferException e) {
            throw field.refuse("holds no valid " + Extensions.HTTP_CONNECTION_MANAGER + ": " + e.getMessage());
        }
        throw field.refuse("has no route to a collector");
    }
}
