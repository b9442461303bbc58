package io.weft.it.chaos;

import com.google.protobuf.util.Durations;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.core.v3.Address;
import io.envoyproxy.envoy.config.core.v3.SocketAddress;
import io.envoyproxy.envoy.config.endpoint.v3.ClusterLoadAssignment;
import io.envoyproxy.envoy.config.endpoint.v3.Endpoint;
import io.envoyproxy.envoy.config.endpoint.v3.LbEndpoint;
import io.envoyproxy.envoy.config.endpoint.v3.LocalityLbEndpoints;
import io.weft.driver.JavaNetHttp;
import io.weft.it.chaos.Load.Expectation;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.Routes;
import io.weft.it.harness.Upstream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/** What one of two instances does, or all of them. */
final class EndpointFaults {
    private static final Duration FLAP = Duration.ofMillis(150);
    private static final long BYTE_MILLIS = 100;

    private EndpointFaults() {}

    static List<Fault> all() {
        return List.of(
                new Fault("endpoint-killed", "One of two instances is gone, its connections are reset", Promise.NO_REQUEST_FAILS,
                        shop -> one(shop, Upstream::die, Upstream::revive)),
                new Fault("endpoint-frozen", "One of two instances accepts and never answers", Promise.NO_REQUEST_FAILS,
                        shop -> reacting(shop, new Upstream.Hang())),
                new Fault("endpoint-resetting", "One of two instances resets each connection that brings a request", Promise.NO_REQUEST_FAILS,
                        shop -> reacting(shop, new Upstream.Reset())),
                new Fault("endpoint-half-closing", "One of two instances closes its side without an answer", Promise.NO_REQUEST_FAILS,
                        shop -> reacting(shop, new Upstream.Send(new byte[0], Upstream.Then.CLOSE))),
                new Fault("endpoint-slow-head", "One of two instances sends the head of a response by a byte each 100 ms", Promise.NO_REQUEST_FAILS,
                        EndpointFaults::slowHead),
                new Fault("endpoint-slow-body", "One of two instances sends the body of a response by a byte each 100 ms: it takes as long as it takes", Promise.NO_REQUEST_FAILS,
                        EndpointFaults::slowBody),
                new Fault("endpoint-cutting", "One of two instances closes the connection in the body of a response", Promise.FAILS_AS_WITHOUT,
                        shop -> reacting(shop, Upstream.send(Upstream.Then.CLOSE, "cut", "HTTP/1.1 200 OK", "Content-Length: 10"))),
                new Fault("endpoint-failing", "One of two instances answers with 503", Promise.NO_REQUEST_FAILS,
                        shop -> reacting(shop, new Upstream.Respond(503, Map.of(), "out of order"))),
                new Fault("endpoint-flapping", "One of two instances goes and comes back seven times a second", Promise.NO_REQUEST_FAILS, EndpointFaults::flapping),
                new Fault("endpoints-all-gone", "All instances are gone", Promise.FAILS_SOON, EndpointFaults::allGone),
                new Fault("dns-down", "The name of the instances is not known any more", Promise.NO_REQUEST_FAILS, EndpointFaults::dnsDown).ofAgents());
    }

    private static Count one(Shop shop, Consumer<Upstream> breakIt, Consumer<Upstream> mendIt) throws Exception {
        Upstream broken = shop.upstream("a", "v1");
        shop.upstream("b", "v1");
        shop.upstream("c", "v2");
        shop.open();
        Count count = shop.underLoad(() -> {
            breakIt.accept(broken);
            shop.last();
            mendIt.accept(broken);
        });
        shop.awaitNewPolicyObeyed();
        return count;
    }

    private static Count reacting(Shop shop, Upstream.Reaction reaction) throws Exception {
        return one(shop, broken -> broken.react(request -> reaction), EndpointFaults::behave);
    }

    private static void behave(Upstream upstream) {
        upstream.react(request -> Shop.slowly(upstream));
    }

    private static Count slowHead(Shop shop) throws Exception {
        byte[] answer = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na".getBytes(StandardCharsets.ISO_8859_1);
        return reacting(shop, new Upstream.Drip(answer, BYTE_MILLIS));
    }

    private static Count slowBody(Shop shop) throws Exception {
        String name = "slow-by-a-byte";
        Upstream slow = shop.upstream(name, "v1");
        shop.upstream("b", "v1");
        shop.open();
        Count count = shop.underLoad(() -> {
            slow.react(request -> new Upstream.Trickle(name, BYTE_MILLIS));
            shop.last();
            behave(slow);
        });
        shop.awaitWell();
        return count;
    }

    private static Count flapping(Shop shop) throws Exception {
        return one(shop, broken -> {
            for (long left = shop.lasting().toMillis(); left > 0; left -= 2 * FLAP.toMillis()) {
                broken.die();
                Shop.pause(FLAP);
                broken.revive();
                Shop.pause(FLAP);
            }
        }, alive -> {});
    }

    private static Count allGone(Shop shop) throws Exception {
        List<Upstream> all = List.of(shop.upstream("a", "v1"), shop.upstream("b", "v1"));
        shop.open();
        Count count = shop.underLoad(() -> {
            all.forEach(Upstream::die);
            shop.last();
            all.forEach(Upstream::revive);
        });
        shop.awaitWell();
        return count;
    }

    /** A cluster by name is nothing that a policy of Kuma's describes: the resources are Envoy's own. */
    private static Count dnsDown(Shop shop) throws Exception {
        Upstream orders = shop.testbed().upstream("orders");
        Path hosts = Files.writeString(shop.testbed().temporaryFolder().resolve("hosts"), "127.0.0.1 orders.test\n");
        PolicyServer policies = shop.testbed().policyServer();
        policies.serve(Policy.empty().virtualHost("orders", Routes.to("orders")).cluster(byName(orders.address().getPort())));
        JvmProcess client = shop.testbed().jvm("client", shop.jdk())
                .option("-Djdk.net.hosts.file=" + hosts).option("-Dsun.net.inetaddr.ttl=0").option("-Dsun.net.inetaddr.negative.ttl=0")
                .mesh(policies.uri(), "shop").driver(JavaNetHttp.class);
        Expectation expectation = new Expectation("http://orders/", Map.of(), Set.of("orders"));
        // The first one waits for the first policy.
        Load.batch(client, expectation);
        Load load = Load.start(client, List.of(expectation), orders::forgetRequests);
        try {
            load.awaitRounds(1);
            Files.writeString(hosts, "127.0.0.1 somebody.test\n");
            shop.last();
            load.awaitRounds(1);
            Files.writeString(hosts, "127.0.0.1 orders.test\n");
            load.awaitRounds(1);
        } finally {
            load.stop();
        }
        return load.stop();
    }

    @SuppressWarnings("deprecation") // the new place takes an extension, which says the same
    private static Cluster byName(int port) {
        return Cluster.newBuilder()
                .setName("orders")
                .setType(Cluster.DiscoveryType.STRICT_DNS)
                .setConnectTimeout(Durations.fromSeconds(1))
                .setDnsRefreshRate(Durations.fromMillis(200))
                .setLoadAssignment(ClusterLoadAssignment.newBuilder()
                        .setClusterName("orders")
                        .addEndpoints(LocalityLbEndpoints.newBuilder()
                                .addLbEndpoints(LbEndpoint.newBuilder()
                                        .setEndpoint(Endpoint.newBuilder()
                                                .setAddress(Address.newBuilder()
                                                        .setSocketAddress(SocketAddress.newBuilder().setAddress("orders.test").setPortValue(port)))))))
                .build();
    }
}
