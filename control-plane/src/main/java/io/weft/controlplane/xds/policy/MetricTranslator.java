package io.weft.controlplane.xds.policy;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.envoyproxy.envoy.config.core.v3.Address;
import io.envoyproxy.envoy.config.core.v3.DataSource;
import io.envoyproxy.envoy.config.core.v3.Pipe;
import io.envoyproxy.envoy.config.core.v3.SocketAddress;
import io.envoyproxy.envoy.config.core.v3.TrafficDirection;
import io.envoyproxy.envoy.config.listener.v3.Filter;
import io.envoyproxy.envoy.config.listener.v3.FilterChain;
import io.envoyproxy.envoy.config.listener.v3.Listener;
import io.envoyproxy.envoy.config.route.v3.DirectResponseAction;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.config.route.v3.RouteAction;
import io.envoyproxy.envoy.config.route.v3.RouteConfiguration;
import io.envoyproxy.envoy.config.route.v3.RouteMatch;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.envoyproxy.envoy.extensions.filters.http.router.v3.Router;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter;
import io.weft.controlplane.policy.MeshMetric.Prometheus;
import io.weft.controlplane.policy.MeshOpenTelemetryBackend.Collector;
import io.weft.controlplane.xds.policy.TraceTranslator.Destination;
import java.net.URI;
import java.time.Duration;
import java.util.Map;

/**
 * {@code MeshMetric}, in Kuma's own form: a listener from which Prometheus reads, and for a collector one on a socket, with a cluster
 * behind it, and what says that metrics are to be sent to that socket. On this side of the listeners there is kuma-dp in Kuma, and an
 * agent itself here, which opens no socket.
 */
public final class MetricTranslator {
    private static final String PATH = "/meshmetric";
    private static final String DYNAMIC_CONFIGURATION = "system_dynamicconfig";
    private static final int OK = 200;

    /** @param address on which the data plane is reached */
    public static Listener listener(Prometheus prometheus, String address) {
        String name = "system_meshmetric_prometheus_" + clean(prometheus.name());
        Route.Builder route = Route.newBuilder()
                .setMatch(RouteMatch.newBuilder().setPrefix(prometheus.path()))
                .setRoute(RouteAction.newBuilder().setCluster(name).setPrefixRewrite(PATH));
        return listener(name, route)
                .setTrafficDirection(TrafficDirection.INBOUND)
                .setAddress(Address.newBuilder().setSocketAddress(
                        SocketAddress.newBuilder().setAddress(address).setPortValue(prometheus.port())))
                .build();
    }

    /** A listener that leads to the collector. */
    public static Listener socket(Collector collector) {
        String name = name(collector);
        RouteAction.Builder action = RouteAction.newBuilder().setCluster(name);
        if (collector.http()) {
            action.setPrefixRewrite(URI.create(collector.uri("v1/metrics")).getRawPath());
        }
        Route.Builder route = Route.newBuilder().setMatch(RouteMatch.newBuilder().setPrefix("/")).setRoute(action);
        return listener(name, route).setAddress(pipe(path(collector))).build();
    }

    /** Where it leads. */
    public static Destination destination(Collector collector) {
        return new Destination(name(collector), collector.host(), collector.port(), collector.tls(), !collector.http());
    }

    /**
     * Says what is to be sent.
     *
     * @param intervals from one time to the next
     * @param labels of the data plane
     */
    public static Listener dynamicConfiguration(Map<Collector, Duration> intervals, Map<String, String> labels) {
        ObjectNode configuration = JsonNodeFactory.instance.objectNode();
        ObjectNode metrics = configuration.putObject("observability").putObject("metrics");
        metrics.putNull("applications");
        ArrayNode backends = metrics.putArray("backends");
        intervals.forEach((collector, interval) -> {
            ObjectNode backend = backends.addObject();
            backend.put("type", "OpenTelemetry").put("name", collector.name());
            backend.putObject("openTelemetry").put("endpoint", path(collector)).put("refreshInterval", interval.toNanos() + "ns");
        });
        ObjectNode extra = metrics.putObject("extraLabels");
        labels.forEach(extra::put);
        Route.Builder route = Route.newBuilder()
                .setMatch(RouteMatch.newBuilder().setPath(PATH))
                .setDirectResponse(DirectResponseAction.newBuilder()
                        .setStatus(OK)
                        .setBody(DataSource.newBuilder().setInlineString(configuration.toString())));
        return listener(DYNAMIC_CONFIGURATION, route).setAddress(pipe("weft-dynamic-configuration.sock")).build();
    }

    private static Listener.Builder listener(String name, Route.Builder route) {
        HttpConnectionManager manager = HttpConnectionManager.newBuilder()
                .setStatPrefix(name)
                .setRouteConfig(RouteConfiguration.newBuilder()
                        .addVirtualHosts(VirtualHost.newBuilder().setName(name).addDomains("*").addRoutes(route)))
                .addHttpFilters(HttpFilter.newBuilder()
                        .setName("envoy.filters.http.router")
                        .setTypedConfig(Values.any(Router.getDefaultInstance())))
                .build();
        return Listener.newBuilder()
                .setName(name)
                .addFilterChains(FilterChain.newBuilder()
                        .addFilters(Filter.newBuilder()
                                .setName("envoy.filters.network.http_connection_manager")
                                .setTypedConfig(Values.any(manager))));
    }

    private static String name(Collector collector) {
        return "system_meshmetric_otel_" + clean(collector.name());
    }

    private static String path(Collector collector) {
        return "weft-otel-" + clean(collector.name()) + ".sock";
    }

    private static String clean(String name) {
        return name.replaceAll("[^a-z0-9_-]", "-");
    }

    private static Address.Builder pipe(String path) {
        return Address.newBuilder().setPipe(Pipe.newBuilder().setPath(path));
    }

    private MetricTranslator() {}
}
