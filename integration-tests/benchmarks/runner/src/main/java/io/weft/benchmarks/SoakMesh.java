package io.weft.benchmarks;

import com.google.protobuf.UInt32Value;
import com.google.protobuf.util.Durations;
import io.envoyproxy.envoy.config.cluster.v3.Cluster.LbPolicy;
import io.envoyproxy.envoy.config.cluster.v3.OutlierDetection;
import io.envoyproxy.envoy.config.core.v3.HeaderValue;
import io.envoyproxy.envoy.config.core.v3.HeaderValueOption;
import io.envoyproxy.envoy.config.core.v3.HeaderValueOption.HeaderAppendAction;
import io.envoyproxy.envoy.config.core.v3.RuntimeFractionalPercent;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.envoyproxy.envoy.type.v3.FractionalPercent;
import io.weft.it.harness.Policy;
import io.weft.it.harness.RecordedRequest;
import io.weft.it.harness.Routes;
import io.weft.it.harness.Testbed;
import io.weft.it.harness.Upstream;
import io.weft.it.harness.Upstream.Reaction;
import io.weft.it.harness.Upstream.Respond;
import io.weft.it.harness.Upstream.Then;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * The upstreams of a soak, and one policy after the other for one service. A policy adds its number to the requests that it
 * routes, so that the upstream at which one arrives can tell whether that policy sends it there. Routes and endpoints are
 * separate resources: of the endpoints, those of the policy before may still be in force. Thread-safe, but for {@link #next}.
 */
final class SoakMesh {
    static final String URL = "http://orders/";
    static final String CLIENT_HEADER = "x-client";
    /** Of a request that a policy answers by itself. */
    static final int ANSWERED = 418;

    private static final String POLICY_HEADER = "x-policy";
    private static final int CLUSTERS = 8;
    private static final int ENDPOINTS_OF_A_CLUSTER = 2;
    private static final List<LbPolicy> BALANCING =
            List.of(LbPolicy.ROUND_ROBIN, LbPolicy.LEAST_REQUEST, LbPolicy.RANDOM, LbPolicy.RING_HASH, LbPolicy.MAGLEV);

    private final SplittableRandom random;
    private final Map<String, List<Upstream>> clusters = new TreeMap<>();
    private final List<Placement> placements = new CopyOnWriteArrayList<>();
    private final Map<String, Received> received;
    private final AtomicLong turn = new AtomicLong();
    private final Set<String> wrong = ConcurrentHashMap.newKeySet();

    /** Where a policy sends requests, by cluster, and which endpoints each cluster has. */
    private record Placement(Set<String> routed, Map<String, Set<String>> endpoints) {}

    /** What the upstreams had of one client. */
    static final class Received {
        private final LongAdder good = new LongAdder();
        private final LongAdder bad = new LongAdder();
        private volatile int policy = -1;

        /** Those answered below 500. */
        long good() {
            return good.sum();
        }

        /** Those answered with a 5xx. */
        long bad() {
            return bad.sum();
        }
    }

    SoakMesh(Testbed testbed, List<String> clients, long seed) {
        random = new SplittableRandom(seed);
        received = clients.stream().collect(Collectors.toMap(Function.identity(), client -> new Received()));
        for (int i = 0; i < CLUSTERS; i++) {
            String cluster = "cluster-" + i;
            clusters.put(cluster, IntStream.range(0, ENDPOINTS_OF_A_CLUSTER)
                    .mapToObj(j -> testbed.upstream(cluster + "/" + j))
                    .peek(upstream -> upstream.react(request -> answer(cluster, upstream, request)))
                    .toList());
        }
    }

    Received received(String client) {
        return received.get(client);
    }

    int policies() {
        return placements.size();
    }

    /** Whether a request of each of these clients has arrived by the newest policy. */
    boolean isObeyedBy(List<String> clients) {
        int newest = placements.size() - 1;
        return clients.stream().allMatch(client -> received.get(client).policy == newest);
    }

    long connections() {
        return upstreams().stream().mapToLong(Upstream::connections).sum();
    }

    long openConnections() {
        return upstreams().stream().mapToLong(Upstream::openConnections).sum();
    }

    List<String> violations() {
        List<String> violations = new ArrayList<>(wrong);
        // Each thread may keep one connection to each endpoint.
        long most = (long) received.size() * SoakClient.THREADS * upstreams().size();
        if (openConnections() > most) {
            violations.add(openConnections() + " open connections, more than " + most);
        }
        return violations;
    }

    Policy next() {
        Map<String, Integer> shares = new TreeMap<>();
        while (shares.size() < 2) {
            shares.put("cluster-" + random.nextInt(CLUSTERS), random.nextInt(1, 100));
        }
        Map<String, Set<String>> endpoints = new TreeMap<>();
        Policy policy = Policy.empty();
        for (Map.Entry<String, List<Upstream>> cluster : clusters.entrySet()) {
            List<Upstream> some = some(cluster.getValue());
            endpoints.put(cluster.getKey(), some.stream().map(Upstream::name).collect(Collectors.toSet()));
            LbPolicy balancing = BALANCING.get(random.nextInt(BALANCING.size()));
            boolean ejects = random.nextBoolean();
            policy = policy.cluster(cluster.getKey(), builder -> {
                builder.setLbPolicy(balancing);
                if (ejects) {
                    builder.setOutlierDetection(OutlierDetection.newBuilder()
                            .setConsecutive5Xx(UInt32Value.of(2))
                            .setBaseEjectionTime(Durations.fromMillis(200)));
                }
            }, some.stream().map(Upstream::address).toArray(InetSocketAddress[]::new));
        }
        // Requests that come by it must find it.
        int number = placements.size();
        placements.add(new Placement(Set.copyOf(shares.keySet()), endpoints));
        // How long requests take is judged by the slowest: on a machine that stands still for as long, 15 s are no fault of anybody's.
        Route unlimited = Routes.split(shares);
        Route split = unlimited.toBuilder().setRoute(unlimited.getRoute().toBuilder().setTimeout(Durations.fromSeconds(0))).build();
        return policy.virtualHost(80, VirtualHost.newBuilder()
                .setName("orders")
                .addDomains("orders")
                .addRequestHeadersToAdd(HeaderValueOption.newBuilder()
                        .setHeader(HeaderValue.newBuilder().setKey(POLICY_HEADER).setValue(Integer.toString(number)))
                        .setAppendAction(HeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD))
                .addRoutes(sometimes(Routes.answer(ANSWERED, "answered")))
                .addRoutes(random.nextInt(3) == 0 ? split : Routes.retried("5xx", random.nextInt(1, 4), split))
                .build());
    }

    /** One request of a hundred. */
    private static Route sometimes(Route route) {
        return route.toBuilder()
                .setMatch(route.getMatch().toBuilder().setRuntimeFraction(RuntimeFractionalPercent.newBuilder()
                        .setDefaultValue(FractionalPercent.newBuilder().setNumerator(1))))
                .build();
    }

    private List<Upstream> some(List<Upstream> all) {
        List<Upstream> some = new ArrayList<>(all);
        if (random.nextBoolean()) {
            some.remove(random.nextInt(some.size()));
        }
        return some;
    }

    /** Most of them are good, one of 32 is bad, one of 128 is the last on its connection. */
    private Reaction answer(String cluster, Upstream upstream, RecordedRequest request) {
        Received client = received.get(request.header(CLIENT_HEADER).orElseThrow());
        int policy = Integer.parseInt(request.header(POLICY_HEADER).orElse("-1"));
        client.policy = policy;
        judge(cluster, upstream, policy);
        long number = turn.getAndIncrement();
        if (number % 1024 == 0) {
            upstreams().forEach(Upstream::forgetRequests);
        }
        if (number % 32 == 5) {
            client.bad.increment();
            return new Respond(503, Map.of(), upstream.name());
        }
        client.good.increment();
        if (number % 128 == 7) {
            return Upstream.send(Then.CLOSE, upstream.name(),
                    "HTTP/1.1 200 OK", "Connection: close", "Content-Length: " + upstream.name().length());
        }
        return number % 64 == 9 ? new Respond(404, Map.of(), upstream.name()) : upstream.ok();
    }

    private void judge(String cluster, Upstream upstream, int policy) {
        if (policy < 0) {
            wrong.add("by no policy at " + upstream.name());
            return;
        }
        if (!placements.get(policy).routed().contains(cluster)) {
            wrong.add("by policy " + policy + " at " + upstream.name() + ", to which it does not route");
            return;
        }
        boolean known = false;
        for (int at = Math.max(0, policy - 1); at < placements.size() && !known; at++) {
            known = placements.get(at).endpoints().get(cluster).contains(upstream.name());
        }
        if (!known) {
            wrong.add("by policy " + policy + " at " + upstream.name() + ", which is none of the endpoints");
        }
    }

    private List<Upstream> upstreams() {
        return clusters.values().stream().flatMap(List::stream).toList();
    }
}
