package io.weft.controlplane.xds.policy;

import com.google.protobuf.util.Durations;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.core.v3.HttpProtocolOptions;
import io.envoyproxy.envoy.config.route.v3.RouteAction;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.envoyproxy.envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy;
import io.weft.controlplane.policy.MeshTimeout;
import java.time.Duration;

/** {@code MeshTimeout}, with Kuma's own values for what it leaves open. */
public final class TimeoutTranslator {

    private static final Duration CONNECT = Duration.ofSeconds(5);
    private static final Duration IDLE = Duration.ofHours(1);
    private static final Duration REQUEST = Duration.ofSeconds(15);
    private static final Duration STREAM_IDLE = Duration.ofMinutes(30);

    public static void connect(MeshTimeout timeout, Cluster.Builder cluster) {
        cluster.setConnectTimeout(Values.duration(timeout.connection().orElse(CONNECT)));
    }

    /** Of a cluster that speaks HTTP. */
    public static HttpProtocolOptions connections(MeshTimeout timeout) {
        return HttpProtocolOptions.newBuilder()
                .setIdleTimeout(Values.duration(timeout.idle().orElse(IDLE)))
                .setMaxStreamDuration(Values.duration(timeout.http().maxStream().orElse(Duration.ZERO)))
                .setMaxConnectionDuration(Values.duration(timeout.http().maxConnection().orElse(Duration.ZERO)))
                .build();
    }

    public static void route(MeshTimeout timeout, RouteAction.Builder action) {
        action.setTimeout(Values.duration(timeout.http().request().orElse(REQUEST)))
                .setIdleTimeout(Values.duration(timeout.http().streamIdle().orElse(STREAM_IDLE)));
    }

    /** Of an inbound: how long a connection may be idle is its cluster's to say. */
    public static void manager(MeshTimeout timeout, HttpConnectionManager.Builder manager) {
        manager.setRequestHeadersTimeout(Values.duration(timeout.http().requestHeaders().orElse(Duration.ZERO)))
                .setCommonHttpProtocolOptions(HttpProtocolOptions.newBuilder().setIdleTimeout(Durations.ZERO));
    }

    public static void tcp(MeshTimeout timeout, TcpProxy.Builder proxy) {
        proxy.setIdleTimeout(Values.duration(timeout.idle().orElse(IDLE)));
    }

    private TimeoutTranslator() {}
}
