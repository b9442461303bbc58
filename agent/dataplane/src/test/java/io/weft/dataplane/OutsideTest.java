package io.weft.dataplane;

import static io.weft.dataplane.Policies.host;
import static io.weft.dataplane.Policies.snapshot;
import static io.weft.dataplane.Policies.to;
import static org.assertj.core.api.Assertions.assertThat;

import io.weft.policy.model.CidrRange;
import io.weft.policy.model.Cluster;
import io.weft.policy.model.DynamicConfiguration;
import io.weft.policy.model.EndpointAssignment;
import io.weft.policy.model.EndpointAssignment.Health;
import io.weft.policy.model.EndpointAssignment.LbEndpoint;
import io.weft.policy.model.EndpointAssignment.Locality;
import io.weft.policy.model.EndpointAssignment.LocalityEndpoints;
import io.weft.policy.model.FilterChainMatch;
import io.weft.policy.model.FilterChainMatch.Source;
import io.weft.policy.model.HostPort;
import io.weft.policy.model.HttpVersion;
import io.weft.policy.model.Listener;
import io.weft.policy.model.Listener.Kind;
import io.weft.policy.model.LoadBalancing;
import io.weft.policy.model.Passthrough;
import io.weft.policy.model.Passthrough.Chain;
import io.weft.policy.model.Passthrough.Way;
import io.weft.policy.model.Resilience;
import io.weft.policy.model.TransportSockets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which destinations that no policy names may be called: as the filter chains of a listener for original destinations say. */
class OutsideTest {
    private static final String OPEN = "outside";
    private static final List<String> HTTP = List.of("http/1.1", "h2c");

    private static FilterChainMatch match(int port, List<CidrRange> ranges, List<String> names, String transport, List<String> protocols) {
        return new FilterChainMatch(port, ranges, names, transport, protocols, Source.ANY);
    }

    private static Chain tcp(FilterChainMatch match) {
        return new Chain(match, List.of(new Way(List.of("*"), Set.of(OPEN))));
    }

    private static Chain http(int port, String... domains) {
        return new Chain(match(port, List.of(), List.of(), "raw_buffer", HTTP),
                List.of(new Way(List.of(domains), Set.of(OPEN)), new Way(List.of("*"), Set.of())));
    }

    private static Listener listener(String name, Chain... chains) {
        return new Listener(name, Kind.OUTBOUND, new HostPort("0.0.0.0", 15001), List.of(), Optional.empty(), true,
                Optional.of(new Passthrough(List.of(chains), Optional.empty())), Optional.empty(), DynamicConfiguration.NONE);
    }

    private static Policies.SnapshotBuilder with(Listener... listeners) {
        Policies.SnapshotBuilder snapshot = snapshot().routes(host(List.of("orders"), to("orders"))).cluster("orders", 1);
        snapshot.add(new Cluster(OPEN, new Cluster.OriginalDestination(), LoadBalancing.of(LoadBalancing.RoundRobin.DEFAULT), Resilience.DEFAULT,
                TransportSockets.PLAINTEXT, HttpVersion.HTTP_1_1, false, Map.of()));
        for (Listener listener : listeners) {
            snapshot.add(listener);
        }
        return snapshot;
    }

    private static boolean refuses(Policies.SnapshotBuilder snapshot, boolean tls, String host, int port) {
        return Fixture.with(snapshot).dataPlane.refuses(tls, host, port);
    }

    @Test
    void withoutAnyWordNothingIsTouched() {
        assertThat(refuses(with(), true, "example.com", 443)).isFalse();
        assertThat(refuses(with(), false, "10.0.0.1", -1)).isFalse();
    }

    @Test
    void whereNothingLeadsNothingMayBeCalledButTheMeshAndWhatIsOnThisMachine() {
        Policies.SnapshotBuilder none = with(listener("passthrough"));
        assertThat(refuses(none, true, "example.com", 443)).isTrue();
        assertThat(refuses(none, false, "example.com", -1)).isTrue();
        assertThat(refuses(none, false, "2001:db8::1", 8080)).isTrue();
        assertThat(refuses(none, false, "orders", -1)).as("of the mesh").isFalse();
        assertThat(refuses(none, true, "orders", -1)).as("no policy names it with TLS").isTrue();
        for (String local : List.of("localhost", "127.0.0.1", "127.9.9.9", "::1", "[::1]")) {
            assertThat(refuses(none, true, local, 8443)).as(local).isFalse();
        }
        assertThat(refuses(none, true, "127.0.0.1.example.com", 443)).isTrue();
    }

    /** So kuma-cp says that nothing may: the listener stays, and what it leads to is gone. */
    @Test
    void aClusterThatIsNotThereLeadsNowhere() {
        Chain everything = tcp(FilterChainMatch.ANY);
        assertThat(refuses(with(listener("passthrough", everything)), true, "example.com", 443)).isFalse();
        Chain gone = new Chain(FilterChainMatch.ANY, List.of(new Way(List.of("*"), Set.of("gone"))));
        assertThat(refuses(with(listener("passthrough", gone)), true, "example.com", 443)).isTrue();
        Chain served = new Chain(FilterChainMatch.ANY, List.of(new Way(List.of("*"), Set.of("orders"))));
        assertThat(refuses(with(listener("passthrough", served)), true, "example.com", 443)).as("and not where it was going").isTrue();
    }

    @ParameterizedTest
    @CsvSource({
        "false, www.example.com, -1, false",
        "false, WWW.example.com, 80, false",
        "false, other.example.com, 80, true",
        "false, www.example.com, 8080, true",
        "true, www.example.com, 443, true",
        "true, a.b.secure.com, 443, false",
        "true, secure.com, 443, true",
        "true, any.com, 8443, false",
        "true, any.com, 443, true",
        "true, 10.1.2.3, 443, false",
        "true, 11.1.2.3, 443, true",
        "true, 2001:db8::7, 9443, false",
        "true, [2001:db8::7], 9443, false",
        "true, 2001:db9::7, 9443, true",
        "false, 10.1.2.3, 80, false",
        "false, 10.1.2.3, 9999, true",
    })
    void theMostSpecificChainDecides(boolean tls, String host, int port, boolean refused) {
        Listener listener = listener("passthrough",
                http(80, "www.example.com", "www.example.com:80"),
                tcp(match(443, List.of(), List.of("*.secure.com"), "tls", List.of())),
                tcp(match(0, List.of(), List.of("any.com"), "tls", List.of())),
                tcp(match(443, List.of(new CidrRange("10.0.0.0", 8)), List.of(), "tls", List.of())),
                tcp(match(80, List.of(new CidrRange("10.0.0.0", 8)), List.of(), "raw_buffer", List.of())),
                tcp(match(9443, List.of(new CidrRange("2001:db8::", 32)), List.of(), "", List.of())));
        assertThat(refuses(with(listener), tls, host, port)).isEqualTo(refused);
    }

    @Test
    void whatOneOfSeveralListenersPermitsIsPermitted() {
        Policies.SnapshotBuilder both = with(
                listener("ipv4", tcp(match(0, List.of(new CidrRange("10.0.0.0", 8)), List.of(), "", List.of()))),
                listener("ipv6", tcp(match(0, List.of(new CidrRange("2001:db8::", 32)), List.of(), "", List.of()))));
        assertThat(refuses(both, true, "10.0.0.1", 443)).isFalse();
        assertThat(refuses(both, true, "2001:db8::1", 443)).isFalse();
        assertThat(refuses(both, true, "example.com", 443)).as("what a name stands for is not asked").isTrue();
    }

    /** As in kuma-cp's configuration, where a listener for each address leads bytes on. */
    @Test
    void whatAListenerIsBoundToIsOfTheMeshWhateverItIsSpokenTo() {
        Policies.SnapshotBuilder mesh = with(
                listener("passthrough"),
                new Listener("db", Kind.OUTBOUND, new HostPort("241.0.0.7", 5432), List.of()));
        mesh.names(Map.of("db.svc.mesh.local", List.of("241.0.0.7")));
        assertThat(refuses(mesh, true, "241.0.0.7", 5432)).isFalse();
        assertThat(refuses(mesh, true, "db.svc.mesh.local", 5432)).isFalse();
        assertThat(refuses(mesh, true, "db.svc.mesh.local", 5433)).isTrue();
    }

    private static Chain leading(FilterChainMatch match, String cluster) {
        return new Chain(match, List.of(new Way(List.of("*"), Set.of(cluster))));
    }

    private static Chain sni(String name, String cluster) {
        return leading(match(0, List.of(), List.of(name), "tls", List.of()), cluster);
    }

    /** Of all addresses, for bytes, and what no chain matches goes nowhere. */
    private static Listener ofPort(int port, Chain... chains) {
        return new Listener("0.0.0.0_" + port, Kind.OUTBOUND, new HostPort("0.0.0.0", port), List.of(), Optional.empty(), false,
                Optional.of(new Passthrough(List.of(chains), Optional.of(leading(FilterChainMatch.ANY, "BlackHoleCluster")))),
                Optional.empty(), DynamicConfiguration.NONE);
    }

    private static Cluster cluster(String name, Cluster.Discovery discovery) {
        return new Cluster(name, discovery, LoadBalancing.of(LoadBalancing.RoundRobin.DEFAULT), Resilience.DEFAULT, TransportSockets.PLAINTEXT,
                HttpVersion.HTTP_1_1, false, Map.of());
    }

    private static Policies.SnapshotBuilder registryOnly(Listener... listeners) {
        Policies.SnapshotBuilder mesh = with(listener("virtualOutbound"));
        mesh.add(cluster("BlackHoleCluster", new Cluster.Static(new EndpointAssignment("BlackHoleCluster", List.of(), 140, false))));
        mesh.add(cluster("outbound|443||storage.example.com", new Cluster.Eds("outbound|443||storage.example.com")));
        for (Listener listener : listeners) {
            mesh.add(listener);
        }
        return mesh;
    }

    /** As in istiod's, where a service without an address of its own has a listener that tells by SNI what it is for. */
    @Test
    void whatAListenerOfThatPortHasIsPermittedByTheNameThatTheAppAsksFor() {
        Policies.SnapshotBuilder mesh = registryOnly(
                ofPort(443, sni("storage.example.com", "outbound|443||storage.example.com"), sni("*.shops.example.com", OPEN), sni("gone.example.com", "gone")));
        assertThat(refuses(mesh, true, "storage.example.com", -1)).isFalse();
        assertThat(refuses(mesh, true, "Storage.Example.com", 443)).isFalse();
        assertThat(refuses(mesh, true, "a.shops.example.com", 443)).isFalse();
        assertThat(refuses(mesh, true, "evil.example.com", 443)).as("no chain is for it").isTrue();
        assertThat(refuses(mesh, true, "gone.example.com", 443)).as("where it leads is not there").isTrue();
        assertThat(refuses(mesh, true, "10.0.0.1", 443)).as("an address says no name").isTrue();
        assertThat(refuses(mesh, false, "storage.example.com", 443)).as("in plaintext").isTrue();
        assertThat(refuses(mesh, true, "storage.example.com", 8443)).isTrue();
        assertThat(refuses(mesh, true, "storage.example.com", 80)).as("that one is for plaintext HTTP").isTrue();
    }

    /** HTTP is routed, TLS led by its name; a chain for HTTP that is for all connections knows what to do with none of TLS. */
    @Test
    void aPortThatIsForBothIsAskedForEach() {
        Listener both = ofPort(80, leading(match(0, List.of(), List.of(), "raw_buffer", HTTP), "nowhere"), sni("storage.example.com", "outbound|443||storage.example.com"));
        assertThat(refuses(registryOnly(both), true, "storage.example.com", 80)).isFalse();
        assertThat(refuses(registryOnly(both), true, "evil.example.com", 80)).isTrue();
        assertThat(refuses(registryOnly(both), false, "orders", 80)).as("has a virtual host").isFalse();
        assertThat(refuses(registryOnly(both), false, "evil.example.com", 80)).isTrue();
        Listener http = ofPort(80, new Chain(FilterChainMatch.ANY, List.of()), sni("storage.example.com", OPEN));
        assertThat(refuses(registryOnly(http), true, "storage.example.com", 80)).isFalse();
        assertThat(refuses(registryOnly(http), true, "evil.example.com", 80)).isTrue();
    }

    /** Whatever comes there a proxy leads to that cluster: what the app would reach is the host that it says. */
    @Test
    void whereAPortIsForAllConnectionsOnlyTheHostsOfItsClusterArePermitted() {
        EndpointAssignment endpoints = new EndpointAssignment("api", List.of(new LocalityEndpoints(Locality.UNKNOWN, 0, 0, List.of(new LbEndpoint(
                new HostPort("192.0.2.9", 9443), "", 1, Health.HEALTHY, Map.of(), Map.of())))), 140, false);
        Policies.SnapshotBuilder mesh = registryOnly(
                ofPort(443, leading(FilterChainMatch.ANY, "outbound|443||storage.example.com")),
                ofPort(9443, leading(FilterChainMatch.ANY, "outbound|9443||api.example.com")),
                ofPort(9444, leading(FilterChainMatch.ANY, OPEN)));
        mesh.add(cluster("outbound|9443||api.example.com", new Cluster.Static(endpoints)));
        assertThat(refuses(mesh, true, "storage.example.com", 443)).isFalse();
        assertThat(refuses(mesh, true, "evil.example.com", 443)).isTrue();
        assertThat(refuses(mesh, true, "api.example.com", 9443)).isFalse();
        assertThat(refuses(mesh, true, "192.0.2.9", 9443)).isFalse();
        assertThat(refuses(mesh, true, "evil.example.com", 9443)).isTrue();
        assertThat(refuses(mesh, true, "evil.example.com", 9444)).as("leads where it was going").isFalse();
    }

    /** A process that makes names up does not fill its memory with them. */
    @Test
    void whatWasAskedForIsRememberedWithinBounds() {
        DataPlane dataPlane = Fixture.with(with(listener("passthrough", http(80, "*.example.com", "*.example.com:80")))).dataPlane;
        for (int i = 0; i < 3_000; i++) {
            assertThat(dataPlane.refuses(false, "h" + i + ".example.com", 80)).isFalse();
            assertThat(dataPlane.refuses(false, "h" + i + ".example.org", 80)).isTrue();
        }
    }
}
