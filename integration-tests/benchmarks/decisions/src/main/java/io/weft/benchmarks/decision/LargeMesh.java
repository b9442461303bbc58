package io.weft.benchmarks.decision;

import io.weft.policy.model.Cluster;
import io.weft.policy.model.EndpointAssignment;
import io.weft.policy.model.HashPolicy;
import io.weft.policy.model.HeaderMatch;
import io.weft.policy.model.HostPort;
import io.weft.policy.model.LoadBalancing;
import io.weft.policy.model.OutlierDetection;
import io.weft.policy.model.PolicySnapshot;
import io.weft.policy.model.StringMatch;
import io.weft.policy.model.VirtualHost;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * 1,000 virtual hosts, each with a canary by header and a 90 to 10 split, over two clusters that have 1,000 endpoints between
 * them, with the retries, the outlier detection and the circuit breakers that a mesh has by default.
 */
record LargeMesh(PolicySnapshot snapshot, List<String> authorities) {
    private static final int VIRTUAL_HOSTS = 1_000;
    private static final int STABLE_ENDPOINTS = 900;
    private static final int CANARY_ENDPOINTS = 100;

    static LargeMesh of(LoadBalancing.Algorithm balancing) {
        return of(balancing, List.of(), Optional.of(Parts.outliers(Duration.ofSeconds(30), Duration.ofSeconds(300))));
    }

    /** @param hashing what a request's hash is made from, for the balancers that need one */
    static LargeMesh of(LoadBalancing.Algorithm balancing, List<HashPolicy> hashing, Optional<OutlierDetection> outliers) {
        List<String> names = IntStream.range(0, VIRTUAL_HOSTS).mapToObj("service-%04d"::formatted).toList();
        Map<String, Cluster> clusters = Map.of(
                "stable", Parts.cluster("stable", balancing, outliers), "canary", Parts.cluster("canary", balancing, outliers));
        Map<String, EndpointAssignment> assignments = Map.of(
                "stable", endpoints("stable", 1, STABLE_ENDPOINTS), "canary", endpoints("canary", 2, CANARY_ENDPOINTS));
        List<VirtualHost> hosts = names.stream().map(name -> virtualHost(name, hashing)).toList();
        return new LargeMesh(Parts.snapshot(1, hosts, clusters, assignments), names);
    }

    String[] authoritiesInRandomOrder() {
        List<String> shuffled = new ArrayList<>(authorities);
        Collections.shuffle(shuffled, new Random(1));
        return shuffled.toArray(String[]::new);
    }

    private static VirtualHost virtualHost(String name, List<HashPolicy> hashing) {
        HeaderMatch canary = new HeaderMatch(
                "x-canary", new HeaderMatch.Value(new StringMatch.Exact("yes", false)), false, false);
        return Parts.virtualHost(
                name,
                Parts.route(List.of(canary), hashing, Parts.share("canary", 1)),
                Parts.route(List.of(), hashing, Parts.share("stable", 90), Parts.share("canary", 10)));
    }

    private static EndpointAssignment endpoints(String cluster, int network, int count) {
        return Parts.assignment(
                cluster,
                IntStream.range(0, count)
                        .mapToObj(i -> new HostPort("10." + network + "." + i / 250 + "." + (i % 250 + 1), 8080))
                        .toList());
    }
}
