package io.weft.policy.xds;

import io.weft.policy.load.ClusterLoad;
import io.weft.policy.load.ClusterLoad.Answers;
import io.weft.policy.load.ClusterLoad.EndpointLoad;
import io.weft.policy.load.ClusterLoad.Latencies;
import io.weft.policy.load.InboundRefusals;
import io.weft.policy.model.EndpointAssignment.Locality;
import io.weft.policy.proto.envoy.config.core.v3.Address;
import io.weft.policy.proto.envoy.config.core.v3.SocketAddress;
import io.weft.policy.proto.envoy.config.endpoint.v3.ClusterStats;
import io.weft.policy.proto.envoy.config.endpoint.v3.EndpointLoadMetricStats;
import io.weft.policy.proto.envoy.config.endpoint.v3.UpstreamEndpointStats;
import io.weft.policy.proto.envoy.config.endpoint.v3.UpstreamLocalityStats;
import io.weft.policy.proto.envoy.service.load_stats.v3.LoadStatsRequest;
import io.weft.policy.proto.protobuf.Duration;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What each report says: the difference to what was known when the report before was made. A cluster or an endpoint of which there is
 * nothing to say is left out.
 *
 * <p>What Envoy's messages have no field for goes into named metrics. {@code weft.latency_ms{le="250",version="v2"}} is a bucket of the
 * latencies of the whole cluster, told with its first locality: the bound is in milliseconds or {@code inf}, the number of requests those
 * in this bucket alone, and endpoints without a version have none here. {@value #SECURED} and {@value #EJECTED} of an endpoint are there
 * when it is reached by mesh TLS, and when it is left out because of its failures. {@code weft.answers_refused}, {@code
 * weft.answers_4xx} and {@code weft.answers_5xx} are the {@link Answers} of the cluster, told as latencies are. {@code weft.refused{by="permission"}} is of the requests
 * that came in, and stands with a cluster that there is not, {@value #INBOUND}. The value of each is 1 for each request, or 1.
 */
final class LoadReports {
    static final String LATENCY = "weft.latency_ms";
    static final String SECURED = "weft.mtls";
    static final String EJECTED = "weft.ejected";
    static final String INBOUND = "weft.inbound";

    private final Map<String, Known> known = new HashMap<>();
    private InboundRefusals refusals = InboundRefusals.NONE;
    private long refusalsNanos;

    private record Known(
            long dropped,
            long sinceNanos,
            Map<InetSocketAddress, EndpointLoad> endpoints,
            Map<String, Latencies> latencies,
            Map<String, Answers> answers) {}

    private record Place(Locality locality, int priority) {}

    /** From now on clusters are compared with this; those that are not in it begin at nothing. */
    void begin(List<ClusterLoad> clusters, InboundRefusals refused, long nowNanos) {
        refusals = refused;
        refusalsNanos = nowNanos;
        known.clear();
        clusters.forEach(cluster -> known.put(cluster.name(), know(cluster, nowNanos)));
    }

    /** @param endpoints whether each endpoint is told apart */
    LoadStatsRequest next(List<ClusterLoad> clusters, InboundRefusals refused, boolean endpoints, long nowNanos) {
        LoadStatsRequest.Builder request = LoadStatsRequest.newBuilder();
        Map<String, Known> now = new HashMap<>();
        for (ClusterLoad cluster : clusters) {
            Known before = known.getOrDefault(cluster.name(), new Known(0, nowNanos, Map.of(), Map.of(), Map.of()));
            now.put(cluster.name(), know(cluster, nowNanos));
            ClusterStats stats = stats(cluster, before, endpoints, nowNanos);
            if (stats.getUpstreamLocalityStatsCount() > 0 || stats.getTotalDroppedRequests() > 0) {
                request.addClusterStats(stats);
            }
        }
        known.clear();
        known.putAll(now);
        List<EndpointLoadMetricStats> inbound = new ArrayList<>();
        add(inbound, "weft.refused{by=\"permission\"}", refused.permission() - refusals.permission());
        add(inbound, "weft.refused{by=\"rate-limit\"}", refused.rateLimit() - refusals.rateLimit());
        add(inbound, "weft.refused{by=\"fault\"}", refused.fault() - refusals.fault());
        if (!inbound.isEmpty()) {
            request.addClusterStats(ClusterStats.newBuilder()
                    .setClusterName(INBOUND)
                    .setLoadReportInterval(duration(nowNanos - refusalsNanos))
                    .addUpstreamLocalityStats(locality(new Place(Locality.UNKNOWN, 0)).addAllLoadMetricStats(inbound)));
        }
        refusals = refused;
        refusalsNanos = nowNanos;
        return request.build();
    }

    private static void add(List<EndpointLoadMetricStats> metrics, String name, long requests) {
        if (requests > 0) {
            metrics.add(metric(name, requests));
        }
    }

    private static Duration duration(long nanos) {
        return Duration.newBuilder().setSeconds(nanos / 1_000_000_000L).setNanos((int) (nanos % 1_000_000_000L)).build();
    }

    private static Known know(ClusterLoad cluster, long nowNanos) {
        Map<InetSocketAddress, EndpointLoad> endpoints = new HashMap<>();
        cluster.endpoints().forEach(endpoint -> endpoints.put(endpoint.address(), endpoint));
        Map<String, Latencies> latencies = new HashMap<>();
        cluster.latencies().forEach(each -> latencies.put(each.version(), each));
        Map<String, Answers> answers = new HashMap<>();
        cluster.answers().forEach(each -> answers.put(each.version(), each));
        return new Known(cluster.dropped(), nowNanos, endpoints, latencies, answers);
    }

    private static ClusterStats stats(ClusterLoad cluster, Known before, boolean endpoints, long nowNanos) {
        Map<Place, UpstreamLocalityStats.Builder> places = new LinkedHashMap<>();
        for (EndpointLoad endpoint : cluster.endpoints()) {
            EndpointLoad known = before.endpoints().get(endpoint.address());
            // An endpoint that left and came back counts from nothing again.
            boolean same = known != null && known.successes() <= endpoint.successes() && known.errors() <= endpoint.errors();
            long successes = endpoint.successes() - (same ? known.successes() : 0);
            long errors = endpoint.errors() - (same ? known.errors() : 0);
            if (successes == 0 && errors == 0 && endpoint.inProgress() == 0 && !endpoint.ejected()) {
                continue;
            }
            Place place = new Place(endpoint.locality(), endpoint.priority());
            UpstreamLocalityStats.Builder sum = places.computeIfAbsent(place, LoadReports::locality);
            sum.setTotalSuccessfulRequests(sum.getTotalSuccessfulRequests() + successes)
                    .setTotalErrorRequests(sum.getTotalErrorRequests() + errors)
                    .setTotalIssuedRequests(sum.getTotalIssuedRequests() + successes + errors)
                    .setTotalRequestsInProgress(sum.getTotalRequestsInProgress() + endpoint.inProgress());
            if (endpoints) {
                UpstreamEndpointStats.Builder one = UpstreamEndpointStats.newBuilder()
                        .setAddress(address(endpoint.address()))
                        .setTotalSuccessfulRequests(successes)
                        .setTotalErrorRequests(errors)
                        .setTotalIssuedRequests(successes + errors)
                        .setTotalRequestsInProgress(endpoint.inProgress());
                if (endpoint.secured()) {
                    one.addLoadMetricStats(metric(SECURED, 1));
                }
                if (endpoint.ejected()) {
                    one.addLoadMetricStats(metric(EJECTED, 1));
                }
                sum.addUpstreamEndpointStats(one);
            }
        }
        List<EndpointLoadMetricStats> whole = new ArrayList<>();
        for (Latencies latencies : cluster.latencies()) {
            whole.addAll(grown(latencies, before.latencies().get(latencies.version())));
        }
        for (Answers answers : cluster.answers()) {
            Answers known = before.answers().getOrDefault(answers.version(), new Answers("", 0, 0, 0));
            String version = answers.version().isEmpty() ? "" : "{version=\"" + answers.version() + "\"}";
            add(whole, "weft.answers_refused" + version, answers.refused() - known.refused());
            add(whole, "weft.answers_5xx" + version, answers.errors() - known.errors());
            add(whole, "weft.answers_4xx" + version, answers.clientErrors() - known.clientErrors());
        }
        if (!whole.isEmpty()) {
            // A request that ended may have been the last that its endpoint got.
            Place first = places.isEmpty() ? new Place(Locality.UNKNOWN, 0) : places.keySet().iterator().next();
            places.computeIfAbsent(first, LoadReports::locality).addAllLoadMetricStats(whole);
        }
        long dropped = Math.max(0, cluster.dropped() - before.dropped());
        ClusterStats.Builder stats = ClusterStats.newBuilder()
                .setClusterName(cluster.name())
                .setTotalDroppedRequests(dropped)
                .setLoadReportInterval(duration(nowNanos - before.sinceNanos()));
        places.values().forEach(stats::addUpstreamLocalityStats);
        return stats.build();
    }

    private static UpstreamLocalityStats.Builder locality(Place place) {
        return UpstreamLocalityStats.newBuilder()
                .setLocality(io.weft.policy.proto.envoy.config.core.v3.Locality.newBuilder()
                        .setRegion(place.locality().region())
                        .setZone(place.locality().zone())
                        .setSubZone(place.locality().subZone()))
                .setPriority(place.priority());
    }

    /** The buckets that have grown since. */
    private static List<EndpointLoadMetricStats> grown(Latencies now, Latencies before) {
        List<EndpointLoadMetricStats> grown = new ArrayList<>();
        boolean comparable = before != null && before.boundsMillis().equals(now.boundsMillis());
        for (int i = 0; i < now.counts().size(); i++) {
            long more = now.counts().get(i) - (comparable ? before.counts().get(i) : 0);
            if (more > 0) {
                String bound = i < now.boundsMillis().size() ? number(now.boundsMillis().get(i)) : "inf";
                String version = now.version().isEmpty() ? "" : ",version=\"" + now.version() + "\"";
                grown.add(metric(LATENCY + "{le=\"" + bound + "\"" + version + "}", more));
            }
        }
        return grown;
    }

    private static String number(double bound) {
        return bound == Math.rint(bound) ? Long.toString((long) bound) : Double.toString(bound);
    }

    private static EndpointLoadMetricStats metric(String name, long requests) {
        return EndpointLoadMetricStats.newBuilder()
                .setMetricName(name)
                .setNumRequestsFinishedWithMetric(requests)
                .setTotalMetricValue(requests)
                .build();
    }

    private static Address address(InetSocketAddress address) {
        return Address.newBuilder()
                .setSocketAddress(SocketAddress.newBuilder()
                        .setAddress(address.getAddress() == null ? address.getHostString() : address.getAddress().getHostAddress())
                        .setPortValue(address.getPort()))
                .build();
    }
}
