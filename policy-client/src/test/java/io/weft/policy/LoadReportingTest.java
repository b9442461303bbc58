package io.weft.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.InvalidProtocolBufferException;
import io.netty.handler.codec.http2.Http2Headers;
import io.weft.policy.ScriptedControlPlane.Call;
import io.weft.policy.ScriptedControlPlane.Script;
import io.weft.policy.ScriptedControlPlane.StreamScript;
import io.weft.policy.load.ClusterLoad;
import io.weft.policy.load.ClusterLoad.EndpointLoad;
import io.weft.policy.model.EndpointAssignment.Locality;
import io.weft.policy.parse.ResourceType;
import io.weft.policy.proto.envoy.config.cluster.v3.Cluster;
import io.weft.policy.proto.envoy.config.core.v3.ConfigSource;
import io.weft.policy.proto.envoy.config.core.v3.SelfConfigSource;
import io.weft.policy.proto.envoy.config.endpoint.v3.ClusterStats;
import io.weft.policy.proto.envoy.service.load_stats.v3.LoadStatsRequest;
import io.weft.policy.proto.envoy.service.load_stats.v3.LoadStatsResponse;
import io.weft.policy.proto.protobuf.Duration;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** Envoy's load reporting service, over real sockets. */
class LoadReportingTest {
    private static final String PATH = "/envoy.service.load_stats.v3.LoadReportingService/StreamLoadStats";
    private static final LoadStatsResponse ALL = LoadStatsResponse.newBuilder()
            .setSendAllClusters(true)
            .setLoadReportingInterval(Duration.newBuilder().setSeconds(1))
            .build();

    private final ServedPolicy policy = ServedPolicy.of("orders", 1001);
    private final List<LoadStatsRequest> reports = new CopyOnWriteArrayList<>();
    private final AtomicInteger opened = new AtomicInteger();
    private final AtomicInteger open = new AtomicInteger();
    private final AtomicLong requests = new AtomicLong();
    private volatile LoadStatsResponse asks = ALL;
    private volatile boolean serves = true;

    private Script script() {
        return ScriptedControlPlane.http2(() -> new StreamScript() {
            private StreamScript target;

            @Override
            public void headers(Call call, Http2Headers headers) {
                target = headers.path().toString().equals(PATH) ? new LoadReporting() : policy.new Stream();
                target.headers(call, headers);
            }

            @Override
            public void message(Call call, byte[] message) {
                target.message(call, message);
            }

            @Override
            public void halfClosed() {
                target.halfClosed();
            }
        });
    }

    private final class LoadReporting implements StreamScript {
        private boolean asked;

        @Override
        public void headers(Call call, Http2Headers headers) {
            opened.incrementAndGet();
            if (!serves) {
                call.trailersOnly(12, "unknown service");
                return;
            }
            open.incrementAndGet();
            call.stream().closeFuture().addListener(done -> open.decrementAndGet());
            call.respond();
        }

        @Override
        public void message(Call call, byte[] message) {
            try {
                reports.add(LoadStatsRequest.parseFrom(message));
            } catch (InvalidProtocolBufferException e) {
                throw new UncheckedIOException(e);
            }
            if (!asked) {
                asked = true;
                call.message(asks.toByteArray());
            }
        }
    }

    private static Cluster reporting(String name) {
        return Resources.cluster(name).toBuilder()
                .setLrsServer(ConfigSource.newBuilder().setSelf(SelfConfigSource.getDefaultInstance()))
                .build();
    }

    private List<ClusterLoad> load() {
        return List.of(load("orders"), load("other"));
    }

    private ClusterLoad load(String name) {
        return new ClusterLoad(name, 0, List.of(new EndpointLoad(
                new InetSocketAddress("127.0.0.1", 1001), Locality.UNKNOWN, 0, requests.get(), 0, 0, false, false)), List.of(), List.of());
    }

    private List<ClusterStats> said() {
        return reports.stream().flatMap(report -> report.getClusterStatsList().stream()).toList();
    }

    @Test
    void whatTheControlPlaneAsksForIsReportedOnceOnly() {
        policy.put(reporting("orders"));
        try (ScriptedControlPlane server = new ScriptedControlPlane(script());
                ClientUnderTest client = new ClientUnderTest(server.uri())) {
            client.client.reportLoad(this::load);
            await().until(() -> !reports.isEmpty());
            assertThat(reports.get(0).getNode().getId()).isEqualTo(ClientUnderTest.NODE.id());
            assertThat(reports.get(0).getNode().getClientFeaturesList()).contains("envoy.lrs.supports_send_all_clusters");

            // What was before it asked is not its business; one report at least tells that it has been asked.
            await().until(() -> reports.size() > 1);
            requests.set(7);
            await().until(() -> !said().isEmpty());
            await().until(() -> reports.size() > 4);

            assertThat(said()).hasSize(1).allSatisfy(stats -> {
                assertThat(stats.getClusterName()).as("the other one does not ask for it").isEqualTo("orders");
                assertThat(stats.getUpstreamLocalityStats(0).getTotalSuccessfulRequests()).isEqualTo(7);
            });
        }
    }

    @Test
    void clustersThatItDoesNotAskForAreLeftOut() {
        asks = ALL.toBuilder().setSendAllClusters(false).addClusters("other").build();
        policy.put(reporting("orders"));
        policy.put(reporting("other"));
        policy.put(Resources.assignment("other", 1001));
        try (ScriptedControlPlane server = new ScriptedControlPlane(script());
                ClientUnderTest client = new ClientUnderTest(server.uri())) {
            client.client.reportLoad(this::load);
            await().until(() -> reports.size() > 1);
            requests.set(7);
            await().until(() -> !said().isEmpty());

            assertThat(said()).extracting(ClusterStats::getClusterName).containsOnly("other");
        }
    }

    @Test
    void withoutAClusterThatAsksForItThereIsNoStream() {
        try (ScriptedControlPlane server = new ScriptedControlPlane(script());
                ClientUnderTest client = new ClientUnderTest(server.uri())) {
            client.client.reportLoad(this::load);
            client.awaitCluster("orders");
            assertThat(opened).hasValue(0);

            policy.put(reporting("orders"));
            policy.push();
            await().until(() -> open.get() == 1);

            policy.put(Resources.cluster("orders"));
            policy.push();
            await().until(() -> open.get() == 0);
        }
    }

    @Test
    void aControlPlaneThatDoesNotServeItIsAskedLaterAndThePolicyHolds() {
        serves = false;
        policy.put(reporting("orders"));
        try (ScriptedControlPlane server = new ScriptedControlPlane(script());
                ClientUnderTest client = new ClientUnderTest(server.uri())) {
            client.client.reportLoad(this::load);
            await().until(() -> opened.get() == 1);

            serves = true;
            await().until(() -> open.get() == 1);
            policy.remove(ResourceType.CLUSTER, "nobody");
            assertThat(client.awaitCluster("orders").clusters()).containsKey("orders");
        }
    }
}
