package io.weft.policy.xds;

import com.google.protobuf.InvalidProtocolBufferException;
import io.netty.channel.EventLoop;
import io.weft.policy.NodeSource;
import io.weft.policy.PolicyClientConfig;
import io.weft.policy.load.ClusterLoad;
import io.weft.policy.load.LoadSource;
import io.weft.policy.proto.envoy.config.core.v3.Node;
import io.weft.policy.proto.envoy.service.load_stats.v3.LoadStatsRequest;
import io.weft.policy.proto.envoy.service.load_stats.v3.LoadStatsResponse;
import io.weft.policy.xds.GrpcStatus.Code;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * Tells the control plane what load there is, for as long as it asks: Envoy's load reporting service, on a connection of its own that is
 * there while a cluster's {@code lrs_server} names the control plane. Without it everything else goes on. Confined to the event loop.
 */
final class LoadReporter implements GrpcStreamListener {
    static final String PATH = "/envoy.service.load_stats.v3.LoadReportingService/StreamLoadStats";

    private static final String ALL_CLUSTERS = "envoy.lrs.supports_send_all_clusters";
    private static final Duration SHORTEST_INTERVAL = Duration.ofSeconds(1);

    private final EventLoop loop;
    private final Environment environment;
    private final GrpcConnector connector;
    private final Backoff backoff;
    private final LoadReports reports = new LoadReports();
    private final LoadSource source;

    private NodeSource nodes;
    /** The clusters that name the control plane. */
    private Set<String> clusters = Set.of();
    private LoadStatsResponse asked;
    private GrpcStream call;
    private Future<?> next;
    private boolean stopped;

    LoadReporter(EventLoop loop, PolicyClientConfig config, NodeSource nodes, LoadSource source, Environment environment) {
        this.loop = loop;
        this.environment = environment;
        this.nodes = nodes;
        this.source = source;
        this.connector = new GrpcConnector(
                loop,
                GrpcServer.controlPlane(config.controlPlane()),
                ControlPlaneCredentials.of(config),
                environment.limits());
        this.backoff = new Backoff(config.initialBackoff(), config.maxBackoff(), environment.random());
    }

    /** From now on the node is what this source says; a stream that is open has said who it is. */
    void announce(NodeSource source) {
        nodes = source;
    }

    /** @param names of the clusters whose load the control plane may ask for; none: the stream ends */
    void follow(Set<String> names) {
        clusters = names;
        if (names.isEmpty()) {
            if (call != null) {
                call.finish();
            }
        } else if (call == null && next == null && !stopped) {
            connect();
        }
    }

    void stop() {
        stopped = true;
        cancelNext();
        if (call != null) {
            call.finish();
        }
    }

    private void connect() {
        next = null;
        if (!stopped && !clusters.isEmpty()) {
            call = connector.open(PATH, this);
        }
    }

    private void cancelNext() {
        if (next != null) {
            next.cancel(false);
            next = null;
        }
    }

    @Override
    public void opened(SocketAddress local) {
        Node node = NodeMessage.of(nodes.at(GrpcServer.reachable(local).getAddress()), "")
                .toBuilder()
                .addClientFeatures(ALL_CLUSTERS)
                .build();
        call.send(LoadStatsRequest.newBuilder().setNode(node).build().toByteArray());
    }

    @Override
    public void message(byte[] message) {
        try {
            asked = LoadStatsResponse.parseFrom(message);
        } catch (InvalidProtocolBufferException e) {
            call.cancel(GrpcStatus.internal("a message came that asks for no load: " + e.getMessage()));
            return;
        }
        backoff.reset();
        cancelNext();
        reports.begin(load(), source.refusals(), System.nanoTime());
        schedule();
    }

    private void schedule() {
        Duration interval = Duration.ofSeconds(
                asked.getLoadReportingInterval().getSeconds(), asked.getLoadReportingInterval().getNanos());
        Duration bounded = interval.compareTo(SHORTEST_INTERVAL) < 0 ? SHORTEST_INTERVAL : interval;
        next = loop.schedule(this::report, bounded.toNanos(), TimeUnit.NANOSECONDS);
    }

    private void report() {
        schedule();
        call.send(reports.next(load(), source.refusals(), asked.getReportEndpointGranularity(), System.nanoTime()).toByteArray());
    }

    private List<ClusterLoad> load() {
        Set<String> wanted = new HashSet<>(clusters);
        if (!asked.getSendAllClusters()) {
            wanted.retainAll(asked.getClustersList());
        }
        return source.load().stream().filter(cluster -> wanted.contains(cluster.name())).toList();
    }

    @Override
    public void closed(GrpcStatus status) {
        call = null;
        asked = null;
        cancelNext();
        if (!stopped && !clusters.isEmpty()) {
            // Who does not serve it may be replaced by who does.
            Duration delay = status.code() == Code.UNIMPLEMENTED ? environment.deltaRetry() : backoff.next();
            next = loop.schedule(this::connect, delay.toNanos(), TimeUnit.NANOSECONDS);
        }
    }
}
