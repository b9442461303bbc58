package io.weft.dataplane;

import static io.weft.dataplane.Policies.host;
import static io.weft.dataplane.Policies.snapshot;
import static io.weft.dataplane.Policies.to;
import static org.assertj.core.api.Assertions.assertThat;

import io.weft.policy.model.Cluster;
import io.weft.policy.model.FilterOverrides;
import io.weft.policy.model.HeaderChanges;
import io.weft.policy.model.HostPort;
import io.weft.policy.model.HttpVersion;
import io.weft.policy.model.Listener.Kind;
import io.weft.policy.model.LoadBalancing;
import io.weft.policy.model.Resilience;
import io.weft.policy.model.RouteConfiguration;
import io.weft.policy.model.TransportSockets;
import io.weft.policy.model.VirtualHost;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which virtual host a request belongs to: the listener first, then Envoy's order of domains. */
class HostMatchingTest {

    /** A virtual host whose requests all go to one port, which so says that it was chosen. */
    private static VirtualHost leadingTo(int port, String... domains) {
        return host(List.of(domains), to("c" + port));
    }

    private static Fixture mesh(Policies.SnapshotBuilder snapshot, int... ports) {
        for (int port : ports) {
            snapshot.cluster("c" + port, port);
        }
        return Fixture.with(snapshot);
    }

    /** The chosen port; 0: not claimed. */
    private static int chosen(Fixture mesh, String authority) {
        Request request = Request.get(authority, "/");
        if (!mesh.dataPlane.claims(request)) {
            return 0;
        }
        request.next();
        request.end();
        return Fixture.port(request);
    }

    @ParameterizedTest
    @CsvSource({
        "foo.example.com,      1",
        "FOO.Example.COM,      1",
        "x.foo.example.com,    2",
        "bar.example.com,      3",
        "a.b.example.com,      3",
        "bar-baz.example.com,  4",
        "foo.example.org,      5",
        "foo.bar.org,          6",
        "fo,                   7",
        "example.com,          7",
        ".example.com,         7",
        "foo.,                 7",
    })
    void domainsAreTriedInEnvoysOrder(String authority, int expected) {
        Fixture mesh = mesh(
                snapshot().routes(
                        leadingTo(7, "*"),
                        leadingTo(6, "foo.*"),
                        leadingTo(5, "foo.example.*"),
                        leadingTo(3, "*.example.com"),
                        leadingTo(4, "*-baz.example.com"),
                        leadingTo(2, "*.foo.example.com"),
                        leadingTo(1, "Foo.example.com")),
                1, 2, 3, 4, 5, 6, 7);

        assertThat(chosen(mesh, authority)).isEqualTo(expected);
    }

    @Test
    void aSuffixComesBeforeALongerPrefix() {
        Fixture mesh = mesh(snapshot().routes(leadingTo(1, "*.com"), leadingTo(2, "foo.example.*")), 1, 2);

        assertThat(chosen(mesh, "foo.example.com")).isEqualTo(1);
    }

    @Test
    void thePortIsAPartOfTheHostUnlessItIsIgnored() {
        VirtualHost[] hosts = {leadingTo(1, "orders"), leadingTo(2, "orders:80"), leadingTo(3, "*.local")};

        Fixture exact = mesh(snapshot().routes(hosts), 1, 2, 3);
        assertThat(chosen(exact, "orders")).isEqualTo(1);
        assertThat(chosen(exact, "orders:80")).isEqualTo(2);
        assertThat(chosen(exact, "orders.local:80")).isZero();

        Fixture ignoring = mesh(
                snapshot().routes(new RouteConfiguration("routes", List.of(hosts), true, false, HeaderChanges.NONE, FilterOverrides.NONE)), 1, 2, 3);
        assertThat(chosen(ignoring, "orders:80")).isEqualTo(1);
        assertThat(chosen(ignoring, "ORDERS.local:80")).isEqualTo(3);
    }

    @Test
    void manyHostsAreAllFound() {
        VirtualHost[] hosts = new VirtualHost[5_000];
        for (int i = 0; i < hosts.length; i++) {
            hosts[i] = leadingTo(1 + i % 3, "s" + i, "s" + i + ".mesh");
        }
        Fixture mesh = mesh(snapshot().routes(hosts), 1, 2, 3);

        for (int i = 0; i < hosts.length; i++) {
            assertThat(chosen(mesh, "s" + i)).isEqualTo(1 + i % 3);
            assertThat(chosen(mesh, "S" + i + ".MESH")).isEqualTo(1 + i % 3);
            assertThat(chosen(mesh, "t" + i)).isZero();
        }
    }

    @Test
    void aWildcardListenerIsForItsPort() {
        Fixture mesh = mesh(
                snapshot()
                        .listener("v4", Kind.OUTBOUND, new HostPort("0.0.0.0", 80), Policies.routes(leadingTo(1, "orders")))
                        .listener("v6", Kind.OUTBOUND, new HostPort("::", 8080), Policies.routes(leadingTo(2, "orders:8080"))),
                1, 2);

        assertThat(chosen(mesh, "orders")).isEqualTo(1);
        assertThat(chosen(mesh, "orders:8080")).isEqualTo(2);
        assertThat(chosen(mesh, "orders:81")).isZero();
        assertThat(chosen(mesh, "orders:99999")).isZero();
        assertThat(chosen(mesh, "orders:")).isZero();
    }

    @ParameterizedTest
    @CsvSource({"orders, 1", "127.0.0.1, 2", "localhost, 2", "LOCALHOST:80, 2", "[::1], 2", "example.com, 0", "127.example.com, 0"})
    void aCatchAllOnLoopbackIsForLoopbackOnly(String authority, int expected) {
        Fixture mesh = mesh(
                snapshot()
                        .listener(
                                "loopback",
                                Kind.OUTBOUND,
                                new HostPort("127.0.0.1", 80),
                                Policies.routes(leadingTo(1, "orders"), leadingTo(2, "*"))),
                1, 2);

        assertThat(chosen(mesh, authority)).isEqualTo(expected);
    }

    @Test
    void aListenerBoundToAnAddressIsForThatAddress() {
        Fixture mesh = mesh(
                snapshot()
                        .listener("vip", Kind.OUTBOUND, new HostPort("241.0.0.1", 80), Policies.routes(leadingTo(1, "*")))
                        .listener("vip6", Kind.OUTBOUND, new HostPort("fd00::1", 8080), Policies.routes(leadingTo(2, "*"))),
                1, 2);

        assertThat(chosen(mesh, "241.0.0.1")).isEqualTo(1);
        assertThat(chosen(mesh, "241.0.0.1:80")).isEqualTo(1);
        assertThat(chosen(mesh, "241.0.0.2")).isZero();
        assertThat(chosen(mesh, "[fd00::1]:8080")).isEqualTo(2);
        assertThat(chosen(mesh, "orders")).isZero();
    }

    @Test
    void aNameOfTheControlPlaneIsForWhatIsBoundToItsAddresses() {
        Fixture mesh = mesh(
                snapshot()
                        .listener("vip", Kind.OUTBOUND, new HostPort("241.0.0.1", 80), Policies.routes(leadingTo(1, "*")))
                        .listener("vip:8080", Kind.OUTBOUND, new HostPort("241.0.0.1", 8080), Policies.routes(leadingTo(2, "*")))
                        .listener("vip6", Kind.OUTBOUND, new HostPort("fd00::1", 80), Policies.routes(leadingTo(3, "*")))
                        .listener("wildcard", Kind.OUTBOUND, new HostPort("0.0.0.0", 80), Policies.routes(leadingTo(4, "billing.mesh")))
                        .names(Map.of(
                                "orders.mesh", List.of("241.0.0.1"),
                                "both.mesh", List.of("241.0.0.9", "fd00::1"),
                                "billing.mesh", List.of("241.0.0.1"),
                                "241.0.0.1", List.of("241.0.0.1"))),
                1, 2, 3, 4);

        assertThat(chosen(mesh, "orders.mesh")).isEqualTo(1);
        assertThat(chosen(mesh, "Orders.Mesh:8080")).isEqualTo(2);
        assertThat(chosen(mesh, "orders.mesh:81")).isZero();
        assertThat(chosen(mesh, "both.mesh")).isEqualTo(3);
        assertThat(chosen(mesh, "billing.mesh")).as("a virtual host that names it goes first").isEqualTo(4);
        assertThat(chosen(mesh, "billing.mesh:8080")).isEqualTo(2);
        assertThat(chosen(mesh, "241.0.0.1:8080")).isEqualTo(2);
        assertThat(chosen(mesh, "other.mesh")).isZero();
    }

    @Test
    void anApiListenerIsForItsAuthority() {
        Fixture mesh = mesh(
                snapshot()
                        .listener("orders", Kind.API, new HostPort("", 0), Policies.routes(leadingTo(1, "*")))
                        .listener("billing:8080", Kind.API, new HostPort("", 0), Policies.routes(leadingTo(2, "*")))
                        .routes(leadingTo(3, "*")),
                1, 2, 3);

        assertThat(chosen(mesh, "orders")).isEqualTo(1);
        assertThat(chosen(mesh, "orders:80")).isEqualTo(1);
        assertThat(chosen(mesh, "Billing:8080")).isEqualTo(2);
        assertThat(chosen(mesh, "billing")).isEqualTo(3);
    }

    @Test
    void anInboundListenerIsNotForWhatGoesOut() {
        Fixture mesh = mesh(
                snapshot().listener("in", Kind.INBOUND, new HostPort("0.0.0.0", 80), Policies.routes(leadingTo(1, "*"))), 1);

        assertThat(chosen(mesh, "orders")).isZero();
    }

    @Test
    void whatGoesToItsOriginalDestinationIsNotTouched() {
        Cluster passThrough = new Cluster(
                "passthrough",
                new Cluster.OriginalDestination(),
                LoadBalancing.of(LoadBalancing.RoundRobin.DEFAULT),
                Resilience.DEFAULT,
                TransportSockets.PLAINTEXT,
                HttpVersion.HTTP_1_1,
                false,
                Map.of());
        Fixture mesh = mesh(snapshot().routes(leadingTo(1, "orders"), host("*", to("passthrough"))).add(passThrough), 1);

        assertThat(chosen(mesh, "orders")).isEqualTo(1);
        assertThat(chosen(mesh, "example.com")).isZero();
    }
}
