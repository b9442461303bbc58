package io.weft.policy.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.weft.policy.Dialect;
import io.weft.policy.model.CertificateValidation;
import io.weft.policy.model.Cluster;
import io.weft.policy.model.DynamicConfiguration;
import io.weft.policy.model.EndpointAssignment;
import io.weft.policy.model.FilterChain;
import io.weft.policy.model.FilterOverrides;
import io.weft.policy.model.HeaderChanges;
import io.weft.policy.model.HostPort;
import io.weft.policy.model.HttpConnectionManager;
import io.weft.policy.model.HttpVersion;
import io.weft.policy.model.Listener;
import io.weft.policy.model.LoadBalancing;
import io.weft.policy.model.NameTable;
import io.weft.policy.model.PartialRoutes;
import io.weft.policy.model.PolicySnapshot;
import io.weft.policy.model.Resending;
import io.weft.policy.model.Resilience;
import io.weft.policy.model.Resource;
import io.weft.policy.model.RouteConfiguration;
import io.weft.policy.model.Secret;
import io.weft.policy.model.TlsCertificate;
import io.weft.policy.model.TlsContext;
import io.weft.policy.model.TransportSocket;
import io.weft.policy.model.TransportSockets;
import io.weft.policy.model.Unhonoured;
import io.weft.policy.model.VirtualHost;
import io.weft.policy.parse.ParseOutcome;
import io.weft.policy.parse.ParseOutcome.Accepted;
import io.weft.policy.parse.ParseOutcome.Refused;
import io.weft.policy.parse.RawResource;
import io.weft.policy.parse.ResourceType;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class SnapshotAssemblerTest {
    private final SnapshotAssembler assembler = new SnapshotAssembler(Dialect.XDS);

    private static Accepted accepted(ResourceType type, Resource resource, String version) {
        return accepted(type, resource, version, resource + "@" + version);
    }

    private static Accepted accepted(ResourceType type, Resource resource, String version, String bytes) {
        return new Accepted(new RawResource(type, resource.name(), version, ByteString.copyFromUtf8(bytes)), resource, List.of());
    }

    private static Accepted eds(String name, int panicThreshold) {
        return cluster(name, new Cluster.Eds(name), panicThreshold);
    }

    private static Accepted cluster(String name, Cluster.Discovery discovery, int panicThreshold) {
        return accepted(
                ResourceType.CLUSTER,
                new Cluster(
                        name,
                        discovery,
                        new LoadBalancing(
                                LoadBalancing.RoundRobin.DEFAULT,
                                Optional.empty(),
                                panicThreshold,
                                LoadBalancing.DEFAULT_OVERRIDE_HOST),
                        Resilience.DEFAULT,
                        TransportSockets.PLAINTEXT,
                        HttpVersion.HTTP_1_1,
                        false,
                        Map.of()),
                "1");
    }

    private static Accepted assignment(String name, int overprovisioning) {
        return accepted(ResourceType.ENDPOINTS, new EndpointAssignment(name, List.of(), overprovisioning, false), "1");
    }

    private static Accepted listener(String name, String... routes) {
        List<FilterChain> chains = Stream.of(routes)
                .map(route -> FilterChain.plaintext(new HttpConnectionManager("", new HttpConnectionManager.Named(route), List.of(), HttpConnectionManager.Edge.NONE, HttpConnectionManager.StreamLimits.NONE)))
                .toList();
        return accepted(
                ResourceType.LISTENER,
                new Listener(name, Listener.Kind.OUTBOUND, new HostPort("0.0.0.0", 80), chains),
                "1");
    }

    private static Accepted routes(String name, boolean ignorePort) {
        return accepted(
                ResourceType.ROUTES, new RouteConfiguration(name, List.of(), ignorePort, false, HeaderChanges.NONE, FilterOverrides.NONE), "1");
    }

    private static Refused refused(ResourceType type, String name) {
        return new Refused(type, name, "x", "y");
    }

    private static Accepted bound(String address, int port, String routes) {
        Listener listener = (Listener) listener("x", routes).resource();
        return accepted(ResourceType.LISTENER,
                new Listener(address + "_" + port, Listener.Kind.OUTBOUND, new HostPort(address, port), listener.filterChains()), "1");
    }

    @Test
    void withoutANameTableServicesAreKnownByTheirListeners() {
        List<ParseOutcome> outcomes = List.of(
                bound("0.0.0.0", 80, "80"), bound("0.0.0.0", 81, "users.shop.svc.cluster.local:81"),
                bound("10.96.0.11", 9090, "Orders.shop.svc.cluster.local:9090"), bound("10.96.0.11", 9091, "orders.shop.svc.cluster.local:9091"),
                bound("10.96.0.12", 80, "api.example.com:80"), bound("10.96.0.13", 80, "other:81"));
        Map<Dialect, NameTable> names = new EnumMap<>(Dialect.class);
        for (Dialect dialect : List.of(Dialect.ISTIO, Dialect.ISTIO_BY_AGENT)) {
            SnapshotAssembler some = new SnapshotAssembler(dialect);
            some.delta(ResourceType.CLUSTER, List.of(), List.of());
            some.delta(ResourceType.LISTENER, outcomes, List.of());
            some.delta(ResourceType.ROUTES, Stream.of("80", "users.shop.svc.cluster.local:81", "Orders.shop.svc.cluster.local:9090",
                            "orders.shop.svc.cluster.local:9091", "api.example.com:80", "other:81")
                    .map(name -> (ParseOutcome) routes(name, true)).toList(), List.of());
            names.put(dialect, some.assemble().orElseThrow().names());
        }
        assertThat(names.get(Dialect.ISTIO)).isEqualTo(NameTable.EMPTY);
        assertThat(names.get(Dialect.ISTIO_BY_AGENT).hosts()).isEqualTo(Map.of(
                "orders.shop.svc.cluster.local",
                new NameTable.Host(List.of("10.96.0.11"), Optional.of(new NameTable.Service("orders", "shop"))),
                "api.example.com", new NameTable.Host(List.of("10.96.0.12"), Optional.empty())));
    }

    private static ParseOutcome outbound(String name, String address) {
        Listener listener = (Listener) listener("x", "80").resource();
        return accepted(ResourceType.LISTENER, new Listener(name, Listener.Kind.OUTBOUND, new HostPort(address, 80), listener.filterChains()), "1");
    }

    /** Of a kuma-cp in Kubernetes mode: the cluster's own DNS says at which address they are. */
    @Test
    void servicesOfAClusterAreKnownByTheUnifiedNamesOfTheirListeners() {
        SnapshotAssembler kuma = new SnapshotAssembler(Dialect.KUMA);
        kuma.delta(ResourceType.CLUSTER, List.of(), List.of());
        kuma.delta(ResourceType.LISTENER, List.of(
                outbound("kri_msvc_default_east_shop_orders_http", "10.96.0.11"), outbound("kri_msvc_default_east_shop_orders_admin", "10.96.0.11"),
                // Of a universal zone, of another cluster, and what is no Service.
                outbound("kri_msvc_default_east__users_80", "241.0.0.1"), outbound("kri_msvc_default_west_shop_batch_80", "241.0.0.2"),
                outbound("kri_extsvc_default_east_shop_api_", "242.0.0.1"), outbound("outbound:10.96.0.12:80", "10.96.0.12")), List.of());
        kuma.delta(ResourceType.ROUTES, List.of(routes("80", true)), List.of());

        NameTable names = kuma.assemble().orElseThrow().names();
        assertThat(names.hosts()).isEqualTo(Map.of("orders.shop.svc.cluster.local",
                new NameTable.Host(List.of("10.96.0.11"), Optional.of(new NameTable.Service("orders", "shop")))));
        assertThat(names.in("shop").hosts()).containsOnlyKeys("orders.shop.svc.cluster.local", "orders.shop.svc", "orders.shop", "orders");
    }

    /** As kuma-cp makes a mesh: without {@code MeshService}s, and so by no unified names. */
    @Test
    void servicesOfAClusterAreKnownByTheirTagsAsWell() {
        SnapshotAssembler kuma = new SnapshotAssembler(Dialect.KUMA);
        kuma.delta(ResourceType.CLUSTER, List.of(), List.of());
        kuma.delta(ResourceType.LISTENER, List.of(
                tagged("orders-v1_shop_svc_80", "10.96.0.11", 80), tagged("orders-v1_shop_svc_9090", "10.96.0.11", 9090),
                // Headless: where its pod is.
                tagged("batch_jobs_svc_80", "10.1.0.7", 80),
                // By the name that kuma-cp has for it, of a pod without a Service, and of no cluster.
                tagged("users_shop_svc_80", "240.0.0.1", 80), tagged("caller_shop_svc", "10.96.0.12", 80), tagged("mail", "10.96.0.13", 80)), List.of());

        assertThat(kuma.assemble().orElseThrow().names().hosts()).isEqualTo(Map.of(
                "orders-v1.shop.svc.cluster.local",
                new NameTable.Host(List.of("10.96.0.11"), Optional.of(new NameTable.Service("orders-v1", "shop"))),
                "batch.jobs.svc.cluster.local",
                new NameTable.Host(List.of("10.1.0.7"), Optional.of(new NameTable.Service("batch", "jobs")))));
    }

    private static ParseOutcome tagged(String service, String address, int port) {
        RouteConfiguration routes = new RouteConfiguration(service, List.of(), true, false, HeaderChanges.NONE, FilterOverrides.NONE);
        FilterChain chain = FilterChain.plaintext(new HttpConnectionManager(service, new HttpConnectionManager.Inline(routes), List.of(),
                HttpConnectionManager.Edge.NONE, HttpConnectionManager.StreamLimits.NONE));
        return accepted(ResourceType.LISTENER,
                new Listener("outbound:" + address + ":" + port, Listener.Kind.OUTBOUND, new HostPort(address, port), List.of(chain)), "1");
    }

    private void delta(ParseOutcome... outcomes) {
        for (ParseOutcome outcome : outcomes) {
            assembler.delta(outcome.type(), List.of(outcome), List.of());
        }
    }

    private void remove(ResourceType type, String... names) {
        assembler.delta(type, List.of(), List.of(names));
    }

    private PolicySnapshot snapshot() {
        return assembler.assemble().orElseThrow();
    }

    private static NameTable names(String name, String address) {
        return new NameTable(Map.of(name, new NameTable.Host(List.of(address), Optional.empty())));
    }

    private static Accepted answering(String listener, NameTable names) {
        return accepted(ResourceType.LISTENER, new Listener(
                listener, Listener.Kind.OUTBOUND, new HostPort("", 0), List.of(), Optional.empty(), false, Optional.empty(), Optional.empty(),
                new DynamicConfiguration(names, List.of(), Optional.empty())),
                "1");
    }

    @Test
    void namesOfListenersAndOfTheTableAreOneAndChangeWithThem() {
        delta(answering("dynamic", names("a.mesh", "241.0.0.1")), accepted(ResourceType.NAMES, names("b.mesh", "10.96.0.1"), "1"));
        assertThat(snapshot().names().hosts()).containsOnlyKeys("a.mesh", "b.mesh");
        assertThat(assembler.assemble()).isEmpty();
        assertThat(assembler.versions(ResourceType.NAMES)).as("it has no name by which to say so").isEmpty();
        assertThat(assembler.resources()).extracting(RawResource::type).containsExactlyInAnyOrder(ResourceType.LISTENER, ResourceType.NAMES);

        delta(refused(ResourceType.NAMES, NameTable.NAME));
        assertThat(assembler.assemble()).as("the last good one stays").isEmpty();

        delta(accepted(ResourceType.NAMES, names("c.mesh", "10.96.0.2"), "2"));
        NameTable newer = snapshot().names();
        assertThat(newer.hosts()).containsOnlyKeys("a.mesh", "c.mesh");

        delta(listener("out", "80"), routes("80", false));
        assertThat(snapshot().names()).isEqualTo(newer);

        remove(ResourceType.LISTENER, "dynamic");
        assertThat(snapshot().names().hosts()).containsOnlyKeys("c.mesh");

        assembler.stateOfTheWorld(ResourceType.NAMES, List.of());
        assertThat(snapshot().names()).isEqualTo(NameTable.EMPTY);
    }

    @Test
    void namesOfADiskAreThere() {
        assembler.restore(List.of(accepted(ResourceType.NAMES, names("b.mesh", "10.96.0.1"), "1")));
        assertThat(snapshot().names().hosts()).containsOnlyKeys("b.mesh");
    }

    @Test
    void aListenerWaitsForItsRoutesAndAClusterForItsEndpoints() {
        delta(eds("orders", 50), listener("out", "80", "81"));

        assertThat(assembler.assemble()).isEmpty();
        assertThat(assembler.wanted(ResourceType.ROUTES)).containsExactlyInAnyOrder("80", "81");
        assertThat(assembler.wanted(ResourceType.ENDPOINTS)).containsExactly("orders");
        assertThat(assembler.wanted(ResourceType.LISTENER)).isEmpty();

        delta(assignment("orders", 140), routes("80", false));
        PolicySnapshot first = snapshot();
        assertThat(first.clusters()).containsOnlyKeys("orders");
        assertThat(first.assignments()).containsOnlyKeys("orders");
        assertThat(first.listeners()).isEmpty();
        assertThat(first.routeConfigurations()).isEmpty();

        delta(routes("81", false));
        PolicySnapshot second = snapshot();
        assertThat(second.listeners()).containsOnlyKeys("out");
        assertThat(second.routeConfigurations()).containsOnlyKeys("80", "81");
        assertThat(second.generation()).isEqualTo(first.generation() + 1);
        assertThat(assembler.assemble()).isEmpty();
    }

    private static RouteConfiguration table(String name, boolean ignorePort, VirtualHost... hosts) {
        return new RouteConfiguration(name, List.of(hosts), ignorePort, false, HeaderChanges.NONE, FilterOverrides.NONE);
    }

    private static Accepted partial(String name, boolean ignorePort) {
        return accepted(ResourceType.ROUTES, new PartialRoutes(table(name, ignorePort)), "1");
    }

    private static VirtualHost host(String name, String... domains) {
        return new VirtualHost(name, List.of(domains), List.of(), false, VirtualHost.AttemptCount.NOWHERE, Resending.NONE,
                HeaderChanges.NONE, FilterOverrides.NONE);
    }

    private static Accepted part(String table, VirtualHost host, String version) {
        return new Accepted(
                new RawResource(ResourceType.VIRTUAL_HOSTS, table + "/" + host.name(), version, ByteString.copyFromUtf8(host + version)),
                host, List.of());
    }

    private List<String> domains(PolicySnapshot snapshot, String table) {
        return snapshot.routeConfigurations().get(table).virtualHosts().stream().flatMap(host -> host.domains().stream()).toList();
    }

    @Test
    void routesWaitForTheirVirtualHostsAndChangeWithEachResponse() {
        delta(listener("out", "80"), partial("80", false));
        assertThat(assembler.assemble()).isEmpty();
        assertThat(assembler.wanted(ResourceType.VIRTUAL_HOSTS)).containsExactly("80");

        assembler.delta(ResourceType.VIRTUAL_HOSTS,
                List.of(part("80", host("b", "b"), "1"), part("80", host("a", "a"), "1"), part("81", host("c", "c"), "1")), List.of());
        PolicySnapshot first = snapshot();
        assertThat(domains(first, "80")).containsExactly("a", "b");
        assertThat(assembler.versions(ResourceType.VIRTUAL_HOSTS)).containsOnlyKeys("80/a", "80/b");
        assertThat(assembler.resources()).extracting(RawResource::name).containsExactlyInAnyOrder("out", "80", "80/a", "80/b");

        // Of two that exchange their domains nobody sees one of them without the other.
        assembler.delta(ResourceType.VIRTUAL_HOSTS,
                List.of(part("80", host("a", "b"), "2"), part("80", host("b", "a", "B"), "2")), List.of());
        assertThat(domains(snapshot(), "80")).as("a domain is that of one of them").containsExactly("b", "a");

        assembler.delta(ResourceType.VIRTUAL_HOSTS, List.of(refused(ResourceType.VIRTUAL_HOSTS, "80/a")), List.of("80/b"));
        PolicySnapshot third = snapshot();
        assertThat(domains(third, "80")).containsExactly("b");
        assembler.delta(ResourceType.VIRTUAL_HOSTS, List.of(part("80", host("a", "b"), "3")), List.of());
        assertThat(assembler.assemble()).as("nothing that says the same").isEmpty();

        delta(partial("80", true));
        assertThat(snapshot().routeConfigurations().get("80")).isEqualTo(table("80", true, host("a", "b")));
        remove(ResourceType.LISTENER, "out");
        snapshot();
        assertThat(assembler.wanted(ResourceType.VIRTUAL_HOSTS)).isEmpty();
        assertThat(assembler.versions(ResourceType.VIRTUAL_HOSTS)).isEmpty();
    }

    @Test
    void aRouteConfigurationMayHaveNoVirtualHostAtAll() {
        delta(listener("out", "80"), partial("80", false));
        remove(ResourceType.VIRTUAL_HOSTS, "80");
        assertThat(snapshot().routeConfigurations()).containsEntry("80", table("80", false));
    }

    @Test
    void virtualHostsMayComeAloneAndTogetherByTurns() {
        delta(listener("out", "80"), accepted(ResourceType.ROUTES, table("80", false, host("old", "old")), "1"));
        PolicySnapshot whole = snapshot();
        delta(partial("80", false));
        assertThat(assembler.assemble()).as("the old one stays until the new one is warm").isEmpty();
        delta(part("80", host("new", "new"), "1"));
        assertThat(domains(snapshot(), "80")).containsExactly("new");
        delta(accepted(ResourceType.ROUTES, table("80", false, host("old", "old")), "1"));
        assertThat(snapshot().routeConfigurations()).isEqualTo(whole.routeConfigurations());
        assertThat(assembler.wanted(ResourceType.VIRTUAL_HOSTS)).isEmpty();
    }

    @Test
    void virtualHostsAreRestored() {
        assembler.restore(List.of(part("80", host("a", "a"), "1"), partial("80", false), listener("out", "80")));
        assertThat(domains(snapshot(), "80")).containsExactly("a");
    }

    @Test
    void theVersionPublishedLastStaysUntilTheNewOneIsWarm() {
        delta(eds("orders", 50), assignment("orders", 140), listener("out", "old"), routes("old", false));
        PolicySnapshot before = snapshot();

        delta(listener("out", "new"), cluster("orders", new Cluster.Eds("orders-v2"), 50));
        assertThat(assembler.assemble()).isEmpty();
        assertThat(assembler.wanted(ResourceType.ROUTES)).containsExactlyInAnyOrder("old", "new");
        assertThat(assembler.wanted(ResourceType.ENDPOINTS)).containsExactlyInAnyOrder("orders", "orders-v2");

        delta(routes("old", true));
        PolicySnapshot meanwhile = snapshot();
        assertThat(meanwhile.listeners()).isEqualTo(before.listeners());
        assertThat(meanwhile.routeConfigurations().get("old").ignorePortInHostMatching()).isTrue();

        delta(routes("new", false), assignment("orders-v2", 140));
        PolicySnapshot after = snapshot();
        assertThat(after.routeConfigurations()).containsOnlyKeys("new");
        assertThat(after.assignments()).containsOnlyKeys("orders-v2");
        assertThat(assembler.wanted(ResourceType.ROUTES)).containsExactly("new");
        assertThat(assembler.wanted(ResourceType.ENDPOINTS)).containsExactly("orders-v2");
    }

    @Test
    void aRefusedResourceLeavesTheLastGoodOneInForce() {
        delta(eds("orders", 50), assignment("orders", 140));
        PolicySnapshot before = snapshot();

        delta(refused(ResourceType.CLUSTER, "orders"), refused(ResourceType.ENDPOINTS, "orders"));
        assembler.stateOfTheWorld(ResourceType.CLUSTER, List.of(refused(ResourceType.CLUSTER, "orders")));

        assertThat(assembler.assemble()).isEmpty();
        assertThat(assembler.versions(ResourceType.CLUSTER)).isEqualTo(Map.of("orders", "1"));
        delta(eds("billing", 50), assignment("billing", 140));
        assertThat(snapshot().clusters()).containsAllEntriesOf(before.clusters()).containsKey("billing");
    }

    @Test
    void whatAStateOfTheWorldResponseOmitsIsGoneForListenersAndClustersOnly() {
        assembler.stateOfTheWorld(ResourceType.CLUSTER, List.of(eds("a", 50), eds("b", 50)));
        assembler.stateOfTheWorld(ResourceType.ENDPOINTS, List.of(assignment("a", 140), assignment("b", 140)));
        assembler.stateOfTheWorld(ResourceType.ENDPOINTS, List.of(assignment("a", 150)));
        assertThat(snapshot().assignments()).containsOnlyKeys("a", "b");

        assembler.stateOfTheWorld(ResourceType.CLUSTER, List.of(eds("a", 50)));
        PolicySnapshot snapshot = snapshot();
        assertThat(snapshot.clusters()).containsOnlyKeys("a");
        assertThat(snapshot.assignments()).containsOnlyKeys("a");
        assertThat(assembler.wanted(ResourceType.ENDPOINTS)).containsExactly("a");
        assertThat(assembler.resources()).extracting(RawResource::name).containsExactlyInAnyOrder("a", "a");
    }

    @Test
    void nothingIsRemovedByAResponseWithBytesThatTellNoName() {
        assembler.stateOfTheWorld(ResourceType.CLUSTER, List.of(cluster("a", new Cluster.OriginalDestination(), 50)));
        snapshot();

        assembler.stateOfTheWorld(ResourceType.CLUSTER, List.of(refused(ResourceType.CLUSTER, "")));

        assertThat(assembler.assemble()).isEmpty();
    }

    @Test
    void removalOfWhatIsInUse() {
        delta(eds("orders", 50), assignment("orders", 140), listener("out", "80"), routes("80", false));
        snapshot();

        remove(ResourceType.ROUTES, "80");
        remove(ResourceType.ENDPOINTS, "orders");
        assertThat(assembler.assemble()).isEmpty();
        assertThat(assembler.versions(ResourceType.ROUTES)).isEmpty();
        assertThat(assembler.versions(ResourceType.ENDPOINTS)).isEmpty();
        assertThat(assembler.wanted(ResourceType.ROUTES)).containsExactly("80");

        delta(routes("80", true));
        assertThat(assembler.versions(ResourceType.ROUTES)).containsKey("80");
        assertThat(snapshot().routeConfigurations().get("80").ignorePortInHostMatching()).isTrue();

        remove(ResourceType.LISTENER, "out");
        remove(ResourceType.CLUSTER, "orders");
        PolicySnapshot snapshot = snapshot();
        assertThat(snapshot.listeners()).isEmpty();
        assertThat(snapshot.routeConfigurations()).isEmpty();
        assertThat(snapshot.clusters()).isEmpty();
        assertThat(snapshot.assignments()).isEmpty();
        assertThat(assembler.resources()).isEmpty();
    }

    @Test
    void removedAndSentAgainInOneResponse() {
        delta(cluster("a", new Cluster.OriginalDestination(), 50));
        snapshot();

        assembler.delta(
                ResourceType.CLUSTER, List.of(cluster("a", new Cluster.OriginalDestination(), 60)), List.of("a"));

        assertThat(snapshot().clusters().get("a").loadBalancing().panicThreshold()).isEqualTo(60);
    }

    @Test
    void whatNobodyRefersToIsNotKept() {
        delta(assignment("stranger", 140), routes("stranger", false));

        assertThat(assembler.assemble()).isEmpty();
        assertThat(assembler.resources()).isEmpty();
    }

    @Test
    void aValueThatDidNotChangeKeepsItsIdentityAndMakesNoSnapshot() {
        delta(eds("orders", 50), assignment("orders", 140));
        PolicySnapshot before = snapshot();

        Accepted again = accepted(ResourceType.CLUSTER, eds("orders", 50).resource(), "2");
        delta(again);

        assertThat(assembler.assemble()).isEmpty();
        assertThat(assembler.versions(ResourceType.CLUSTER)).isEqualTo(Map.of("orders", "2"));
        delta(assignment("orders", 150));
        assertThat(snapshot().clusters().get("orders")).isSameAs(before.clusters().get("orders"));
    }

    @Test
    void aVersionThatGoesBackIsTaken() {
        Cluster newer = (Cluster) cluster("a", new Cluster.OriginalDestination(), 60).resource();
        Cluster older = (Cluster) cluster("a", new Cluster.OriginalDestination(), 50).resource();
        delta(accepted(ResourceType.CLUSTER, newer, "9"));
        snapshot();

        delta(accepted(ResourceType.CLUSTER, older, "8"));

        assertThat(snapshot().clusters().get("a")).isEqualTo(older);
    }

    @Test
    void theRestoredSnapshotHasGenerationZero() {
        assembler.restore(List.of(
                eds("orders", 50), listener("out", "80"), assignment("orders", 140), routes("80", false), listener("cold", "90")));

        PolicySnapshot restored = snapshot();
        assertThat(restored.generation()).isZero();
        assertThat(restored.listeners()).containsOnlyKeys("out");
        assertThat(assembler.wanted(ResourceType.ROUTES)).isEqualTo(Set.of("80", "90"));
        assertThat(assembler.versions(ResourceType.LISTENER)).containsOnlyKeys("out", "cold");
        assertThat(assembler.complete()).isFalse();

        delta(routes("90", false));
        assertThat(snapshot().generation()).isEqualTo(1);
    }

    @Test
    void anEmptyPolicyIsPublishedOnceItIsKnownToBeAll() {
        assembler.stateOfTheWorld(ResourceType.CLUSTER, List.of());
        assertThat(assembler.complete()).isFalse();
        assertThat(assembler.assemble()).isEmpty();

        assembler.stateOfTheWorld(ResourceType.LISTENER, List.of());

        assertThat(assembler.complete()).isTrue();
        assertThat(snapshot().listeners()).isEmpty();
        assembler.stateOfTheWorld(ResourceType.LISTENER, List.of());
        assertThat(assembler.assemble()).isEmpty();
    }

    @Test
    void completeMeansThatNothingWantedIsMissing() {
        assembler.stateOfTheWorld(ResourceType.CLUSTER, List.of(eds("orders", 50)));
        assembler.stateOfTheWorld(ResourceType.LISTENER, List.of(listener("out", "80")));
        assertThat(assembler.complete()).isFalse();
        delta(assignment("orders", 140));
        assertThat(assembler.complete()).isFalse();
        delta(routes("80", false));
        assertThat(assembler.complete()).isTrue();
    }

    @Test
    void whatHasNoEffectIsListedWithWhatIsInForce() {
        Unhonoured old = new Unhonoured("Cluster a", "old");
        Unhonoured fresh = new Unhonoured("Cluster a", "fresh");
        Accepted plain = eds("a", 50);
        delta(new Accepted(plain.raw(), plain.resource(), List.of(old)), assignment("a", 140));
        assertThat(snapshot().unhonoured()).containsExactly(old);

        delta(new Accepted(plain.raw(), plain.resource(), List.of(fresh)));
        assertThat(snapshot().unhonoured()).containsExactly(fresh);

        Accepted cold = cluster("a", new Cluster.Eds("elsewhere"), 50);
        delta(new Accepted(cold.raw(), cold.resource(), List.of(old)));
        assertThat(assembler.assemble()).isEmpty();
    }

    @Test
    void tenThousandClustersOneAssignmentAtATime() {
        List<ParseOutcome> clusters =
                IntStream.range(0, 10_000).<ParseOutcome>mapToObj(i -> eds("c" + i, 50)).toList();
        assembler.stateOfTheWorld(ResourceType.CLUSTER, clusters);
        assembler.delta(
                ResourceType.ENDPOINTS,
                IntStream.range(0, 10_000).<ParseOutcome>mapToObj(i -> assignment("c" + i, 140)).toList(),
                List.of());
        snapshot();

        for (int i = 0; i < 100; i++) {
            delta(assignment("c" + i, 150));
            assertThat(snapshot().assignments()).hasSize(10_000);
        }
    }

    private static Accepted withTls(String name, String... secrets) {
        return withCertificates(name, String.join(" ", secrets), Stream.of(secrets).map(TlsContext.NamedCertificate::new));
    }

    private static Accepted withCertificates(String name, String bytes, Stream<? extends TlsContext.CertificateSource> certificates) {
        List<TransportSockets.Match> matches = certificates
                .map(certificate -> new TransportSockets.Match("", Map.of(), new TransportSocket.UpstreamTls(
                        new TlsContext(
                                new TlsContext.Parameters(
                                        TlsContext.Version.TLS_1_2, TlsContext.Version.TLS_1_3, List.of()),
                                List.of(), Optional.of(certificate), new TlsContext.NoValidation()),
                        "")))
                .toList();
        return accepted(
                ResourceType.CLUSTER,
                new Cluster(name, new Cluster.OriginalDestination(),
                        LoadBalancing.of(LoadBalancing.RoundRobin.DEFAULT), Resilience.DEFAULT,
                        new TransportSockets(matches, new TransportSocket.Plaintext()),
                        HttpVersion.HTTP_1_1,
                        false,
                        Map.of()),
                "1",
                bytes);
    }

    private static Accepted secret(String name, String hash) {
        return accepted(ResourceType.SECRET, new Secret(name, new Secret.Validation(new CertificateValidation(
                new CertificateValidation.SystemAuthorities(), List.of(), List.of(hash), List.of()))), "1");
    }

    @Test
    void whatHoldsAPrivateKeyIsNotForTheCache() {
        Accepted inline = withCertificates("payments", "inline", Stream.of(new TlsContext.InlineCertificate(new TlsCertificate(List.of(), null))));
        delta(withTls("orders", "identity"), inline);

        assertThat(snapshot().clusters()).containsOnlyKeys("orders", "payments");
        assertThat(assembler.resources()).extracting(RawResource::name).containsExactly("orders");
    }

    @Test
    void aSecretIsAskedForAndHeldForAsLongAsSomethingRefersToIt() {
        delta(withTls("orders", "identity", "roots"), listener("out"));
        assertThat(assembler.wanted(ResourceType.SECRET)).containsExactlyInAnyOrder("identity", "roots");
        assertThat(assembler.complete()).isFalse();

        delta(secret("identity", "1"), secret("roots", "1"), secret("not asked for", "1"));
        assertThat(assembler.complete()).isTrue();
        assertThat(snapshot().secrets()).containsOnlyKeys("identity", "roots");
        assertThat(assembler.versions(ResourceType.SECRET)).containsOnlyKeys("identity", "roots");

        Secret before = assembler.assemble().map(PolicySnapshot::secrets).orElse(Map.of()).get("roots");
        assertThat(before).isNull();
        delta(secret("roots", "2"));
        assertThat(snapshot().secrets().get("roots")).isEqualTo(secret("roots", "2").resource());

        remove(ResourceType.SECRET, "identity");
        assertThat(assembler.assemble()).isEmpty();
        assertThat(assembler.versions(ResourceType.SECRET)).containsOnlyKeys("roots");

        delta(withTls("orders", "roots"));
        assertThat(snapshot().secrets()).containsOnlyKeys("roots");
        remove(ResourceType.CLUSTER, "orders");
        assertThat(snapshot().secrets()).isEmpty();
        assertThat(assembler.wanted(ResourceType.SECRET)).isEmpty();
    }

    @Test
    void aRefusedSecretLeavesTheLastGoodOneInForce() {
        delta(withTls("orders", "roots"), secret("roots", "1"), refused(ResourceType.SECRET, "roots"));
        assertThat(snapshot().secrets().get("roots")).isEqualTo(secret("roots", "1").resource());
    }

    @Test
    void aClusterDoesNotWaitForItsSecretsAndNoSecretIsForTheDisk() {
        delta(withTls("orders", "roots"));
        assertThat(snapshot().clusters()).containsOnlyKeys("orders");

        delta(secret("roots", "1"));
        assertThat(assembler.resources()).extracting(RawResource::type).containsOnly(ResourceType.CLUSTER);
    }

    @Test
    void whatIsInForceChangesTogetherWithTheSecretsThatItAsksFor() {
        delta(eds("orders", 1), assignment("orders", 100), listener("out"));
        assertThat(snapshot().clusters()).containsOnlyKeys("orders");

        delta(withTls("orders", "identity", "roots"), eds("users", 1), assignment("users", 100));
        assertThat(assembler.certificatesAwaited()).containsExactlyInAnyOrder("identity", "roots");
        PolicySnapshot meanwhile = snapshot();
        assertThat(meanwhile.clusters()).containsOnlyKeys("orders", "users");
        assertThat(meanwhile.clusters().get("orders").transport().secrets()).isEmpty();
        // What was in force has its endpoints still.
        assertThat(meanwhile.assignments()).containsKey("orders");

        delta(secret("identity", "1"));
        assertThat(assembler.certificatesAwaited()).containsExactly("roots");
        assertThat(snapshot().clusters().get("orders").transport().secrets()).isEmpty();
        delta(secret("roots", "1"));
        assertThat(assembler.certificatesAwaited()).isEmpty();
        PolicySnapshot then = snapshot();
        assertThat(then.clusters().get("orders").transport().secrets()).containsExactlyInAnyOrder("identity", "roots");
        assertThat(then.secrets()).containsOnlyKeys("identity", "roots");
        assertThat(then.assignments()).containsOnlyKeys("users");
    }

    @Test
    void orWithoutOnceNobodyWaitsForThemAnyMore() {
        delta(eds("orders", 1), assignment("orders", 100), listener("out"));
        snapshot();
        delta(withTls("orders", "roots"));
        assembler.awaitNoMore(Set.of("roots"));
        assertThat(assembler.certificatesAwaited()).isEmpty();
        assertThat(snapshot().clusters().get("orders").transport().secrets()).containsExactly("roots");

        delta(withTls("orders", "roots", "roots"));
        assertThat(snapshot().clusters().get("orders").transport().matches()).hasSize(2);
        delta(withTls("orders", "roots", "identity"));
        assertThat(assembler.certificatesAwaited()).containsExactly("identity");
    }

    @Test
    void aNewerVersionOrTheEndOfWhatWaitsForOneIsObeyed() {
        delta(eds("orders", 1), assignment("orders", 100), listener("out"));
        snapshot();
        delta(withTls("orders", "roots"), eds("orders", 2));
        assertThat(assembler.certificatesAwaited()).isEmpty();
        assertThat(snapshot().clusters().get("orders").loadBalancing().panicThreshold()).isEqualTo(2);

        delta(withTls("orders", "roots"));
        remove(ResourceType.CLUSTER, "orders");
        assertThat(assembler.certificatesAwaited()).isEmpty();
        assertThat(snapshot().clusters()).isEmpty();
    }
}
