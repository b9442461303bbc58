package io.weft.it.comparison;

import com.google.protobuf.Any;
import com.google.protobuf.UInt32Value;
import com.google.protobuf.util.Durations;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.cluster.v3.Cluster.LbPolicy;
import io.envoyproxy.envoy.config.endpoint.v3.ClusterLoadAssignment;
import io.envoyproxy.envoy.config.endpoint.v3.LocalityLbEndpoints;
import io.envoyproxy.envoy.config.route.v3.RetryPolicy;
import io.envoyproxy.envoy.config.route.v3.RetryPolicy.RetryBackOff;
import io.envoyproxy.envoy.config.route.v3.RetryPolicy.RetryHostPredicate;
import io.envoyproxy.envoy.config.route.v3.RetryPolicy.RetryPriority;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.config.route.v3.RouteAction;
import io.envoyproxy.envoy.config.route.v3.RouteConfiguration;
import io.envoyproxy.envoy.config.route.v3.RouteMatch;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.envoyproxy.envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate;
import io.envoyproxy.envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig;
import io.weft.it.harness.Policy;
import java.util.Collections;
import java.util.List;

/**
 * Where retries go: to hosts and priorities that have not been tried, by how often each order of endpoints occurs. Each choice is random,
 * since where a round robin begins is another place on each side.
 */
final class ElsewhereArea implements Area {
    private static final int FIRST_ENDPOINT = 7;
    private static final int REQUESTS = 80;
    private static final String CLUSTER = Case.ID + "-elsewhere";

    private final Clusters clusters;

    ElsewhereArea(Clusters clusters) {
        this.clusters = clusters;
    }

    @Override
    public String name() {
        return "elsewhere";
    }

    @Override
    public String summary() {
        return "hosts and priorities that retries leave out";
    }

    @Override
    public int share() {
        return 2;
    }

    @Override
    public Case draw(Draw draw) {
        int retries = draw.between(1, 2);
        RetryPolicy.Builder policy = RetryPolicy.newBuilder()
                .setRetryOn("5xx")
                .setNumRetries(UInt32Value.of(retries))
                .setRetryBackOff(RetryBackOff.newBuilder().setBaseInterval(Durations.fromMillis(1)));
        if (draw.chance(70)) {
            policy.addRetryHostPredicate(RetryHostPredicate.newBuilder()
                            .setName("envoy.retry_host_predicates.previous_hosts")
                            .setTypedConfig(Any.pack(PreviousHostsPredicate.getDefaultInstance())))
                    .setHostSelectionRetryMaxAttempts(draw.between(1, 4));
        }
        int priorities = draw.between(1, 3);
        if (priorities > 1 && draw.chance(70)) {
            policy.setRetryPriority(RetryPriority.newBuilder()
                    .setName("envoy.retry_priorities.previous_priorities")
                    .setTypedConfig(Any.pack(PreviousPrioritiesConfig.newBuilder().setUpdateFrequency(draw.between(1, 2)).build())));
        }
        VirtualHost host = VirtualHost.newBuilder()
                .setName(Case.ID)
                .addDomains(Case.HOST + ":" + Case.PORT)
                .addRoutes(Route.newBuilder()
                        .setMatch(RouteMatch.newBuilder().setPrefix("/"))
                        .setRoute(RouteAction.newBuilder().setCluster(CLUSTER).setRetryPolicy(policy)))
                .build();
        Request request = new Request(Request.Client.JAVA_NET_HTTP, "GET", Case.HOST, "/", List.of(), "", retries == 1 ? "503;200" : "503;503;200");
        return new Case(
                name(),
                HttpConnectionManager.getDefaultInstance(),
                RouteConfiguration.newBuilder().addVirtualHosts(host).build(),
                List.of(cluster(draw, priorities)),
                Collections.nCopies(REQUESTS, request),
                Judgement.DISTRIBUTION);
    }

    private Cluster cluster(Draw draw, int priorities) {
        ClusterLoadAssignment.Builder assignment = ClusterLoadAssignment.newBuilder().setClusterName(CLUSTER);
        int endpoint = FIRST_ENDPOINT;
        for (int priority = 0; priority < priorities; priority++) {
            LocalityLbEndpoints.Builder locality = LocalityLbEndpoints.newBuilder().setPriority(priority);
            for (int i = draw.between(1, priorities == 1 ? 4 : 2); i > 0; i--) {
                locality.addLbEndpoints(Policy.endpoint(clusters.address(endpoint++)));
            }
            assignment.addEndpoints(locality);
        }
        return clusters.of(CLUSTER).toBuilder().setLbPolicy(LbPolicy.RANDOM).setLoadAssignment(assignment).build();
    }
}
