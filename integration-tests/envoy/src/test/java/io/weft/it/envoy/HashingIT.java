package io.weft.it.envoy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.Duration;
import com.google.protobuf.Message;
import com.google.protobuf.Struct;
import com.google.protobuf.UInt32Value;
import com.google.protobuf.UInt64Value;
import com.google.protobuf.Value;
import com.google.protobuf.util.JsonFormat;
import io.envoyproxy.envoy.config.bootstrap.v3.Bootstrap;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.cluster.v3.Cluster.CommonLbConfig;
import io.envoyproxy.envoy.config.cluster.v3.Cluster.LbPolicy;
import io.envoyproxy.envoy.config.cluster.v3.Cluster.LbSubsetConfig;
import io.envoyproxy.envoy.config.cluster.v3.Cluster.RingHashLbConfig;
import io.envoyproxy.envoy.config.cluster.v3.LoadBalancingPolicy;
import io.envoyproxy.envoy.config.core.v3.Address;
import io.envoyproxy.envoy.config.core.v3.HeaderValue;
import io.envoyproxy.envoy.config.core.v3.HeaderValueOption;
import io.envoyproxy.envoy.config.core.v3.HealthStatus;
import io.envoyproxy.envoy.config.core.v3.Locality;
import io.envoyproxy.envoy.config.core.v3.Metadata;
import io.envoyproxy.envoy.config.core.v3.SocketAddress;
import io.envoyproxy.envoy.config.core.v3.TrafficDirection;
import io.envoyproxy.envoy.config.core.v3.TypedExtensionConfig;
import io.envoyproxy.envoy.config.endpoint.v3.ClusterLoadAssignment;
import io.envoyproxy.envoy.config.endpoint.v3.Endpoint;
import io.envoyproxy.envoy.config.endpoint.v3.LbEndpoint;
import io.envoyproxy.envoy.config.endpoint.v3.LocalityLbEndpoints;
import io.envoyproxy.envoy.config.listener.v3.Filter;
import io.envoyproxy.envoy.config.listener.v3.FilterChain;
import io.envoyproxy.envoy.config.listener.v3.Listener;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.config.route.v3.RouteAction;
import io.envoyproxy.envoy.config.route.v3.RouteAction.HashPolicy;
import io.envoyproxy.envoy.config.route.v3.RouteConfiguration;
import io.envoyproxy.envoy.config.route.v3.RouteMatch;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.envoyproxy.envoy.extensions.filters.http.router.v3.Router;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter;
import io.envoyproxy.envoy.extensions.load_balancing_policies.common.v3.ConsistentHashingLbConfig;
import io.envoyproxy.envoy.extensions.load_balancing_policies.common.v3.LocalityLbConfig;
import io.envoyproxy.envoy.extensions.load_balancing_policies.maglev.v3.Maglev;
import io.envoyproxy.envoy.extensions.load_balancing_policies.ring_hash.v3.RingHash;
import io.envoyproxy.envoy.type.matcher.v3.RegexMatchAndSubstitute;
import io.envoyproxy.envoy.type.matcher.v3.RegexMatcher;
import io.envoyproxy.envoy.type.v3.Percent;
import io.weft.dataplane.DataPlane;
import io.weft.dataplane.Exchange;
import io.weft.dataplane.Self;
import io.weft.it.harness.Port;
import io.weft.policy.Dialect;
import io.weft.policy.parse.ParseOutcome;
import io.weft.policy.parse.ParseOutcome.Accepted;
import io.weft.policy.parse.RawResource;
import io.weft.policy.parse.ResourceParser;
import io.weft.policy.parse.ResourceType;
import io.weft.policy.snapshot.SnapshotAssembler;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * For the same endpoints and the same key, ring hash and Maglev choose the endpoint that a stock Envoy chooses: both get the same
 * bytes. Nobody listens at the endpoints; Envoy says in a header where it would have connected to.
 */
class HashingIT {
    private static final int KEYS = 150;
    private static final int SEED = 7;
    /** Where there is a way to nowhere, as to an IPv6 address of examples, Envoy waits that long for each key that goes there. */
    private static final int CONNECT_NANOS = 20_000_000;
    private static final String CHOSEN = "x-chosen";

    @TempDir
    private Path folder;

    private final Map<String, Cluster> clusters = new LinkedHashMap<>();
    private final Map<String, Route> routes = new LinkedHashMap<>();

    @Test
    void eachKeyGoesWhereEnvoySendsIt() throws Exception {
        EnvoyBinary binary = EnvoyBinary.find();
        assumeTrue(binary.isPresent(), "no Envoy: " + binary.reason());
        cases();
        RouteConfiguration configuration = RouteConfiguration.newBuilder()
                .setName("routes")
                .addVirtualHosts(VirtualHost.newBuilder().setName("test").addDomains("test").addAllRoutes(routes.values()))
                .build();
        int port = Port.unused();
        DataPlane dataPlane = dataPlane(configuration);
        RandomGenerator random = RandomGeneratorFactory.of("SplittableRandom").create(SEED);
        List<String> differences = new ArrayList<>();
        try (Envoy envoy = Envoy.start(binary, bootstrap(port, configuration), folder)) {
            // Its admin port is there before its listeners are.
            await().until(() -> envoy.stats("listener_manager\\.workers_started").containsValue(1L));
            HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
            for (String name : clusters.keySet()) {
                for (int i = 0; i < KEYS; i++) {
                    Request request = request(name, i, random);
                    String expected = chosenByEnvoy(http, port, request);
                    String chosen = chosen(dataPlane, request);
                    if (!expected.equals(chosen)) {
                        differences.add(name + " " + request.path + " " + request.headers + ": " + expected + " but " + chosen);
                    }
                }
            }
        }

        assertThat(differences).isEmpty();
    }

    private static Request request(String name, int number, RandomGenerator random) {
        String key = Long.toString(random.nextLong(), 36).repeat(1 + number % 5);
        return new Request("/" + name + "?a=b&q=" + key.substring(1) + "&q=other", Map.of(
                "x-key", key,
                "x-mail", key + "@example.com",
                "cookie", "other=1; session=\"" + key + "\"; last=z"));
    }

    /** What may make a difference to a table, one thing at a time and several together. */
    private void cases() {
        add("ring", LbPolicy.RING_HASH, c -> {}, zone("a", 0, 0, endpoints(1, 5)));
        add("ring-one", LbPolicy.RING_HASH, c -> {}, zone("a", 0, 0, endpoints(1, 1)));
        add("ring-many", LbPolicy.RING_HASH, c -> {}, zone("a", 0, 0, endpoints(1, 200)));
        add("ring-weights", LbPolicy.RING_HASH, c -> {}, zone("a", 0, 0, weighted(1, 5, 1, 7, 100)));
        add("ring-murmur", LbPolicy.RING_HASH, c -> c.setRingHashLbConfig(RingHashLbConfig.newBuilder()
                .setHashFunction(RingHashLbConfig.HashFunction.MURMUR_HASH_2)), zone("a", 0, 0, endpoints(1, 5)));
        add("ring-small", LbPolicy.RING_HASH, c -> c.setRingHashLbConfig(RingHashLbConfig.newBuilder()
                .setMinimumRingSize(uint64(3))
                .setMaximumRingSize(uint64(10))), zone("a", 0, 0, weighted(3, 2, 9, 4)));
        add("ring-hostname", null, c -> c.setLoadBalancingPolicy(policy(RingHash.newBuilder()
                .setConsistentHashingLbConfig(ConsistentHashingLbConfig.newBuilder().setUseHostnameForHashing(true))
                .build())), zone("a", 0, 0, endpoints(1, 5)));
        add("ring-own-keys", LbPolicy.RING_HASH, c -> {}, zone("a", 0, 0, labelled("hash_key", "first", "zweite-ä", "third")));
        add("ring-ipv6", LbPolicy.RING_HASH, c -> {}, zone("a", 0, 0,
                endpoint("::1", 9, e -> {}), endpoint("0:0:0:0:0:0:0:1", 10, e -> {}), endpoint("2001:db8:0:0:1:0:0:1", 9, e -> {})));
        add("ring-localities", LbPolicy.RING_HASH, c -> c.setCommonLbConfig(byLocality()),
                zone("b", 0, 5, endpoints(1, 4)), zone("a", 0, 1, endpoints(11, 2)), zone("c", 0, 0, endpoints(21, 2)));
        add("ring-bounded", LbPolicy.RING_HASH, c -> c.setCommonLbConfig(CommonLbConfig.newBuilder()
                .setConsistentHashingLbConfig(CommonLbConfig.ConsistentHashingLbConfig.newBuilder()
                        .setHashBalanceFactor(UInt32Value.of(120)))), zone("a", 0, 0, endpoints(1, 5)));
        add("ring-priorities", LbPolicy.RING_HASH, c -> {},
                zone("a", 0, 0, unhealthy(1, true, false, true, false, true)), zone("a", 1, 0, endpoints(11, 3)));
        add("ring-panic", LbPolicy.RING_HASH, c -> {}, zone("a", 0, 0, unhealthy(1, false, false, true)));
        add("ring-no-panic", LbPolicy.RING_HASH, c -> c.setCommonLbConfig(CommonLbConfig.newBuilder()
                .setHealthyPanicThreshold(Percent.newBuilder().setValue(0))), zone("a", 0, 0, unhealthy(1, false, false, true)));
        add("ring-typed", null, c -> c.setLoadBalancingPolicy(policy(RingHash.newBuilder()
                .setHashFunction(RingHash.HashFunction.MURMUR_HASH_2)
                .setMinimumRingSize(uint64(77))
                .setLocalityWeightedLbConfig(LocalityLbConfig.LocalityWeightedLbConfig.getDefaultInstance())
                .build())), zone("b", 0, 2, weighted(1, 3)), zone("a", 0, 7, weighted(2, 2, 5)));
        add("ring-subsets", LbPolicy.RING_HASH, c -> c.setLbSubsetConfig(LbSubsetConfig.newBuilder()
                .addSubsetSelectors(LbSubsetConfig.LbSubsetSelector.newBuilder().addKeys("version"))),
                zone("a", 0, 0, labelled("version", "v1", "v2", "v1", "v2", "v1")));
        add("maglev", LbPolicy.MAGLEV, c -> {}, zone("a", 0, 0, endpoints(1, 5)));
        add("maglev-many", LbPolicy.MAGLEV, c -> {}, zone("a", 0, 0, endpoints(1, 300)));
        add("maglev-weights", LbPolicy.MAGLEV, c -> {}, zone("a", 0, 0, weighted(1, 5, 1, 7, 100)));
        add("maglev-small", LbPolicy.MAGLEV, c -> c.setMaglevLbConfig(
                Cluster.MaglevLbConfig.newBuilder().setTableSize(uint64(11))), zone("a", 0, 0, weighted(3, 2, 9, 4)));
        add("maglev-own-keys", LbPolicy.MAGLEV, c -> {}, zone("a", 0, 0, labelled("hash_key", "first", "zweite-ä", "third")));
        add("maglev-localities", LbPolicy.MAGLEV, c -> c.setCommonLbConfig(byLocality()),
                zone("b", 0, 5, endpoints(1, 4)), zone("a", 0, 1, endpoints(11, 2)));
        add("maglev-typed", null, c -> c.setLoadBalancingPolicy(policy(Maglev.newBuilder()
                .setTableSize(uint64(997))
                .setConsistentHashingLbConfig(ConsistentHashingLbConfig.newBuilder().setUseHostnameForHashing(true))
                .build())), zone("a", 0, 0, endpoints(1, 9)));

        hashed("hash-cookie", HashPolicy.newBuilder().setCookie(HashPolicy.Cookie.newBuilder().setName("session")));
        hashed("hash-query", HashPolicy.newBuilder().setQueryParameter(HashPolicy.QueryParameter.newBuilder().setName("q")));
        hashed("hash-regex", HashPolicy.newBuilder().setHeader(HashPolicy.Header.newBuilder()
                .setHeaderName("x-mail")
                .setRegexRewrite(RegexMatchAndSubstitute.newBuilder()
                        .setPattern(RegexMatcher.newBuilder().setRegex("([a-m])|@.*"))
                        .setSubstitution("<\\1>"))));
        hashed("hash-several", header("x-key"), header("x-missing"), header("x-mail"), header("x-mail"),
                HashPolicy.newBuilder().setQueryParameter(HashPolicy.QueryParameter.newBuilder().setName("q")));
        hashed("hash-terminal", header("x-missing").setTerminal(true), header("x-key").setTerminal(true), header("x-mail"));
        hashed("hash-pseudo", header(":path"), header(":authority"), header(":method"));
        hashed("hash-state", HashPolicy.newBuilder().setFilterState(HashPolicy.FilterState.newBuilder().setKey("k")),
                header("x-key"));
        hashed("hash-made", header("x-key").setTerminal(true), HashPolicy.newBuilder().setCookie(
                HashPolicy.Cookie.newBuilder().setName("made").setTtl(Duration.newBuilder().setSeconds(9))));
    }

    private void hashed(String name, HashPolicy.Builder... policies) {
        add(name, LbPolicy.MAGLEV, c -> {}, zone("a", 0, 0, endpoints(1, 50)));
        RouteAction.Builder action = RouteAction.newBuilder().setCluster(name);
        for (HashPolicy.Builder policy : policies) {
            action.addHashPolicy(policy);
        }
        routes.put(name, route(name, action));
    }

    private static HashPolicy.Builder header(String name) {
        return HashPolicy.newBuilder().setHeader(HashPolicy.Header.newBuilder().setHeaderName(name));
    }

    private void add(String name, LbPolicy policy, Consumer<Cluster.Builder> change, LocalityLbEndpoints... localities) {
        Cluster.Builder cluster = Cluster.newBuilder()
                .setName(name)
                .setType(Cluster.DiscoveryType.STATIC)
                .setConnectTimeout(Duration.newBuilder().setNanos(CONNECT_NANOS))
                .setLoadAssignment(
                        ClusterLoadAssignment.newBuilder().setClusterName(name).addAllEndpoints(Arrays.asList(localities)));
        if (policy != null) {
            cluster.setLbPolicy(policy);
        }
        change.accept(cluster);
        clusters.put(name, cluster.build());
        RouteAction.Builder action = RouteAction.newBuilder().setCluster(name).addHashPolicy(header("x-key"));
        if (cluster.hasLbSubsetConfig()) {
            action.setMetadataMatch(labels("version", "v1"));
        }
        routes.put(name, route(name, action));
    }

    private static Route route(String name, RouteAction.Builder action) {
        return Route.newBuilder().setMatch(RouteMatch.newBuilder().setPathSeparatedPrefix("/" + name)).setRoute(action).build();
    }

    private static LocalityLbEndpoints zone(String zone, int priority, int weight, LbEndpoint... endpoints) {
        LocalityLbEndpoints.Builder locality = LocalityLbEndpoints.newBuilder()
                .setLocality(Locality.newBuilder().setZone(zone))
                .setPriority(priority)
                .addAllLbEndpoints(Arrays.asList(endpoints));
        if (weight > 0) {
            locality.setLoadBalancingWeight(UInt32Value.of(weight));
        }
        return locality.build();
    }

    private static LbEndpoint[] endpoints(int first, int count) {
        return IntStream.range(first, first + count).mapToObj(i -> endpoint(ip(i), 9, e -> {})).toArray(LbEndpoint[]::new);
    }

    private static LbEndpoint[] weighted(int... weights) {
        return IntStream.range(0, weights.length)
                .mapToObj(i -> endpoint(ip(weights[0] * 10 + i), 9, e -> e.setLoadBalancingWeight(UInt32Value.of(weights[i]))))
                .toArray(LbEndpoint[]::new);
    }

    private static LbEndpoint[] labelled(String key, String... values) {
        return IntStream.range(0, values.length)
                .mapToObj(i -> endpoint(ip(i + 1), 9, e -> e.setMetadata(labels(key, values[i]))))
                .toArray(LbEndpoint[]::new);
    }

    private static LbEndpoint[] unhealthy(int first, boolean... healthy) {
        return IntStream.range(0, healthy.length)
                .mapToObj(i -> endpoint(ip(first + i), 9, e -> e.setHealthStatus(
                        healthy[i] ? HealthStatus.HEALTHY : HealthStatus.UNHEALTHY)))
                .toArray(LbEndpoint[]::new);
    }

    private static String ip(int number) {
        return "127.0." + number / 250 + "." + (number % 250 + 1);
    }

    private static LbEndpoint endpoint(String ip, int port, Consumer<LbEndpoint.Builder> change) {
        LbEndpoint.Builder endpoint = LbEndpoint.newBuilder()
                .setEndpoint(Endpoint.newBuilder()
                        .setHostname("host-" + ip)
                        .setAddress(Address.newBuilder()
                                .setSocketAddress(SocketAddress.newBuilder().setAddress(ip).setPortValue(port))));
        change.accept(endpoint);
        return endpoint.build();
    }

    private static Metadata labels(String key, String value) {
        Value text = Value.newBuilder().setStringValue(value).build();
        return Metadata.newBuilder()
                .putFilterMetadata("envoy.lb", Struct.newBuilder().putFields(key, text).build())
                .build();
    }

    private static CommonLbConfig byLocality() {
        return CommonLbConfig.newBuilder()
                .setLocalityWeightedLbConfig(CommonLbConfig.LocalityWeightedLbConfig.getDefaultInstance())
                .build();
    }

    private static LoadBalancingPolicy policy(Message config) {
        return LoadBalancingPolicy.newBuilder()
                .addPolicies(LoadBalancingPolicy.Policy.newBuilder().setTypedExtensionConfig(
                        TypedExtensionConfig.newBuilder().setName("lb").setTypedConfig(Any.pack(config))))
                .build();
    }

    private static UInt64Value uint64(long value) {
        return UInt64Value.of(value);
    }

    // Envoy

    private String bootstrap(int port, RouteConfiguration configuration) throws IOException {
        RouteConfiguration telling = configuration.toBuilder()
                .addResponseHeadersToAdd(HeaderValueOption.newBuilder()
                        .setHeader(HeaderValue.newBuilder().setKey(CHOSEN).setValue("%UPSTREAM_HOST%")))
                .build();
        Bootstrap.StaticResources resources = Bootstrap.StaticResources.newBuilder()
                .addAllClusters(clusters.values())
                .addListeners(listener("127.0.0.1", port, manager().setRouteConfig(telling)))
                .build();
        JsonFormat.TypeRegistry types = JsonFormat.TypeRegistry.newBuilder()
                .add(HttpConnectionManager.getDescriptor())
                .add(Router.getDescriptor())
                .add(RingHash.getDescriptor())
                .add(Maglev.getDescriptor())
                .build();
        return "static_resources: " + JsonFormat.printer().usingTypeRegistry(types).omittingInsignificantWhitespace().print(resources);
    }

    private static HttpConnectionManager.Builder manager() {
        return HttpConnectionManager.newBuilder()
                .setStatPrefix("test")
                .addHttpFilters(HttpFilter.newBuilder()
                        .setName("router")
                        .setTypedConfig(Any.pack(Router.getDefaultInstance())));
    }

    private static Listener listener(String ip, int port, HttpConnectionManager.Builder manager) {
        return Listener.newBuilder()
                .setName("test")
                .setTrafficDirection(TrafficDirection.OUTBOUND)
                .setAddress(Address.newBuilder().setSocketAddress(SocketAddress.newBuilder().setAddress(ip).setPortValue(port)))
                .addFilterChains(FilterChain.newBuilder()
                        .addFilters(Filter.newBuilder().setName("http").setTypedConfig(Any.pack(manager.build()))))
                .build();
    }

    private static String chosenByEnvoy(HttpClient http, int port, Request request) throws Exception {
        HttpRequest.Builder builder =
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + request.path)).setHeader("host", "test");
        request.headers.forEach(builder::setHeader);
        HttpResponse<String> response = http.send(builder.build(), HttpResponse.BodyHandlers.ofString());
        String chosen = response.headers().firstValue(CHOSEN).orElse("-");
        return chosen.equals("-") ? "nobody" : address(chosen);
    }

    /** One text for each address, whatever form it was in. */
    private static String address(String text) throws UnknownHostException {
        int colon = text.lastIndexOf(':');
        String ip = text.substring(0, colon).replace("[", "").replace("]", "");
        return InetAddress.getByName(ip).getHostAddress() + " " + text.substring(colon + 1);
    }

    // The data plane

    private DataPlane dataPlane(RouteConfiguration configuration) {
        SnapshotAssembler assembler = new SnapshotAssembler(Dialect.XDS);
        List<ParseOutcome> parsed = new ArrayList<>();
        clusters.values().forEach(cluster -> parsed.add(accepted(ResourceType.CLUSTER, cluster)));
        assembler.stateOfTheWorld(ResourceType.CLUSTER, parsed);
        Listener listener = listener("0.0.0.0", 80, manager().setRouteConfig(configuration));
        assembler.stateOfTheWorld(ResourceType.LISTENER, List.of(accepted(ResourceType.LISTENER, listener)));
        DataPlane dataPlane = DataPlane.start(java.time.Duration.ZERO, (delayNanos, task) -> () -> {}, (where, fault) -> {
            throw new AssertionError(where, fault);
        }, Self.UNKNOWN);
        dataPlane.apply(assembler.assemble().orElseThrow());
        return dataPlane;
    }

    private static ParseOutcome accepted(ResourceType type, Message message) {
        ParseOutcome outcome =
                ResourceParser.parse(new RawResource(type, "", "1", ByteString.copyFrom(message.toByteArray())));
        assertThat(outcome).isInstanceOf(Accepted.class);
        return outcome;
    }

    private static String chosen(DataPlane dataPlane, Request request) {
        assertThat(dataPlane.claims(request)).isTrue();
        boolean dialled = request.next() == Exchange.Step.DIAL;
        InetSocketAddress endpoint = dialled ? request.endpoint().address() : null;
        request.end();
        return dialled ? endpoint.getAddress().getHostAddress() + " " + endpoint.getPort() : "nobody";
    }

    private static final class Request extends Exchange {
        private final String path;
        private final Map<String, String> headers;

        Request(String path, Map<String, String> headers) {
            this.path = path;
            this.headers = headers;
        }

        @Override
        public String method() {
            return "GET";
        }

        @Override
        public String scheme() {
            return "http";
        }

        @Override
        public String authority() {
            return "test";
        }

        @Override
        public String path() {
            return path;
        }

        @Override
        public String header(String name) {
            return headers.get(name);
        }

        @Override
        public Replay replay() {
            return Replay.NO_BODY;
        }
    }
}
