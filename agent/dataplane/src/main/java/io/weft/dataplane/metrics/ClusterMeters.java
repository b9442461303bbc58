package io.weft.dataplane.metrics;

import io.weft.dataplane.metrics.RequestStats.Direction;
import io.weft.policy.load.ClusterLoad.Answers;
import io.weft.policy.load.ClusterLoad.Latencies;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The meters of the requests to one cluster, one for each workload behind it. Thread-safe; off the request path. */
public final class ClusterMeters {
    /** Endpoints of further workloads are counted together with requests that got none. */
    private static final int MAX_WORKLOADS = 32;

    private final String cluster;
    private final RequestMeter common;
    private final Map<Peer, RequestMeter> byPeer = new HashMap<>();

    public ClusterMeters(String cluster) {
        this.cluster = cluster;
        common = new RequestMeter(Direction.OUTBOUND, cluster, Peer.endpoint(cluster, Map.of()));
        byPeer.put(common.peer(), common);
    }

    /** For requests that get no endpoint. */
    public RequestMeter common() {
        return common;
    }

    /** @param labels of an endpoint */
    public synchronized RequestMeter of(Map<String, Object> labels) {
        Peer peer = Peer.endpoint(cluster, labels);
        RequestMeter known = byPeer.get(peer);
        if (known != null || byPeer.size() >= MAX_WORKLOADS) {
            return known == null ? common : known;
        }
        RequestMeter meter = new RequestMeter(Direction.OUTBOUND, cluster, peer);
        byPeer.put(peer, meter);
        return meter;
    }

    public synchronized List<RequestStats> stats() {
        List<RequestStats> stats = new ArrayList<>();
        byPeer.values().forEach(meter -> stats.addAll(meter.stats()));
        return stats;
    }

    /** Of requests that were sent, by the version of the workload. */
    public List<Answers> answers() {
        Map<String, Answers> byVersion = new TreeMap<>();
        for (RequestStats stats : stats()) {
            Outcome outcome = stats.outcome();
            if (!outcome.byMesh()) {
                String version = stats.peer().version();
                Answers known = byVersion.getOrDefault(version, new Answers(version, 0, 0, 0));
                byVersion.put(version, new Answers(
                        version,
                        known.errors() + (outcome.failedCall() ? stats.requests() : 0),
                        known.clientErrors() + (outcome.clientError() ? stats.requests() : 0),
                        known.refused() + (outcome.refused() ? stats.requests() : 0)));
            }
        }
        return List.copyOf(byVersion.values());
    }

    /** Of all requests, however they ended, by the version of the workload. */
    public List<Latencies> latencies() {
        Map<String, long[]> byVersion = new TreeMap<>();
        for (RequestStats stats : stats()) {
            long[] counts = stats.durations().counts();
            long[] sum = byVersion.computeIfAbsent(stats.peer().version(), version -> new long[counts.length]);
            for (int i = 0; i < counts.length; i++) {
                sum[i] += counts[i];
            }
        }
        List<Double> bounds = Arrays.stream(Durations.bounds()).boxed().toList();
        List<Latencies> latencies = new ArrayList<>();
        byVersion.forEach((version, counts) ->
                latencies.add(new Latencies(version, bounds, Arrays.stream(counts).boxed().toList())));
        return latencies;
    }
}
