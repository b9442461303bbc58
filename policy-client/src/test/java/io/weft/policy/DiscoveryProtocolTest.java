package io.weft.policy;

import static io.weft.policy.Resources.assignment;
import static io.weft.policy.Resources.cluster;
import static io.weft.policy.Resources.impossibleCluster;
import static io.weft.policy.Resources.routes;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.InvalidProtocolBufferException;
import io.netty.handler.codec.http2.Http2Headers;
import io.weft.policy.PolicyClientStatus.Connected;
import io.weft.policy.PolicyClientStatus.Variant;
import io.weft.policy.ScriptedControlPlane.Call;
import io.weft.policy.ScriptedControlPlane.Script;
import io.weft.policy.ScriptedControlPlane.StreamScript;
import io.weft.policy.model.EndpointAssignment.Locality;
import io.weft.policy.model.PolicySnapshot;
import io.weft.policy.model.RouteAction;
import io.weft.policy.model.VirtualHost;
import io.weft.policy.parse.ResourceType;
import io.weft.policy.proto.envoy.service.discovery.v3.DeltaDiscoveryRequest;
import io.weft.policy.proto.envoy.service.discovery.v3.DeltaDiscoveryResponse;
import io.weft.policy.proto.envoy.service.discovery.v3.DiscoveryRequest;
import io.weft.policy.proto.envoy.service.discovery.v3.DiscoveryResponse;
import io.weft.policy.proto.envoy.service.discovery.v3.Resource;
import java.io.UncheckedIOException;
import java.net.URI;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What the client says to a control plane, request by request. */
class DiscoveryProtocolTest {

    @ParameterizedTest
    @EnumSource
    void aPolicyComesChangesAndGoes(Variant variant) {
        ServedPolicy policy = ServedPolicy.of("orders", 1001);
        try (ScriptedControlPlane controlPlane = new ScriptedControlPlane(script(policy, variant));
                ClientUnderTest under = new ClientUnderTest(controlPlane.uri())) {
            PolicySnapshot first = under.awaitCluster("orders");
            assertThat(first.listeners()).containsOnlyKeys("outbound");
            assertThat(first.routeConfigurations()).containsOnlyKeys("routes");
            assertThat(first.assignments()).containsOnlyKeys("orders");
            assertThat(first.generation()).isEqualTo(1);

            policy.put(cluster("users"));
            policy.put(assignment("users", 1002));
            policy.push();
            under.awaitSnapshot(snapshot -> snapshot.assignments().containsKey("users"));

            policy.put(routes("routes", "orders", "users"));
            policy.push();
            under.awaitSnapshot(snapshot -> !snapshot.routeConfigurations().equals(first.routeConfigurations()));

            policy.remove(ResourceType.CLUSTER, "orders");
            policy.push();
            PolicySnapshot without = under.awaitSnapshot(snapshot -> !snapshot.clusters().containsKey("orders"));
            assertThat(without.assignments()).containsOnlyKeys("users");

            policy.put(cluster("orders"));
            policy.push();
            under.awaitSnapshot(snapshot -> snapshot.assignments().containsKey("orders"));

            policy.remove(ResourceType.LISTENER, "outbound");
            policy.push();
            PolicySnapshot last = under.awaitSnapshot(snapshot -> snapshot.listeners().isEmpty());
            assertThat(last.routeConfigurations()).isEmpty();
            assertThat(under.snapshots).extracting(PolicySnapshot::generation).isSorted().doesNotHaveDuplicates();
            assertThat(under.client.status().variant()).isEqualTo(variant);
            assertThat(under.client.status().controlPlane()).isEqualTo("scripted");
            assertThat(under.client.status().refused()).isEmpty();
            assertThat(under.client.status().lastResponse()).isPresent();
        }
    }

    @Test
    void deltaSaysOnReconnectingWhatItHolds() {
        ServedPolicy before = ServedPolicy.of("orders", 1001);
        ServedPolicy after = ServedPolicy.of("orders", 1002);
        try (ScriptedControlPlane controlPlane = new ScriptedControlPlane(before.script());
                ClientUnderTest under = new ClientUnderTest(controlPlane.uri())) {
            PolicySnapshot first = under.awaitCluster("orders");
            controlPlane.become(after.script());
            under.awaitSnapshot(snapshot -> !snapshot.assignments().equals(first.assignments()));

            for (ResourceType type : EnumSet.of(ResourceType.CLUSTER, ResourceType.ENDPOINTS, ResourceType.LISTENER, ResourceType.ROUTES)) {
                DeltaDiscoveryRequest fresh = firstOf(before.deltaRequests(), type);
                assertThat(fresh.getInitialResourceVersionsMap()).isEmpty();
                DeltaDiscoveryRequest again = firstOf(after.deltaRequests(), type);
                assertThat(again.getInitialResourceVersionsMap()).hasSize(1);
                assertThat(again.getResponseNonce()).isEmpty();
                assertThat(again.getResourceNamesSubscribeCount()).isEqualTo(type.wildcard() ? 0 : 1);
            }
        }
    }

    @Test
    void deltaLearnsOnReconnectingWhatIsGone() {
        ServedPolicy after = new ServedPolicy(cluster("users"), assignment("users", 1002));
        try (ScriptedControlPlane controlPlane = new ScriptedControlPlane(ServedPolicy.of("orders", 1001).script());
                ClientUnderTest under = new ClientUnderTest(controlPlane.uri())) {
            under.awaitCluster("orders");
            controlPlane.become(after.script());
            PolicySnapshot now = under.awaitSnapshot(snapshot -> !snapshot.clusters().containsKey("orders"));
            assertThat(now.clusters()).containsOnlyKeys("users");
            assertThat(now.listeners()).isEmpty();
        }
    }

    private static List<DiscoveryRequest> withoutNonce(List<DiscoveryRequest> requests, int from) {
        return requests.subList(from, requests.size()).stream().filter(request -> request.getResponseNonce().isEmpty()).toList();
    }

    @Test
    void stateOfTheWorldNamesEverythingEachTimeAndTheVersionThatItHolds() {
        ServedPolicy policy = ServedPolicy.of("orders", 1001);
        try (ScriptedControlPlane controlPlane = new ScriptedControlPlane(policy.scriptWithoutDelta());
                ClientUnderTest under = new ClientUnderTest(controlPlane.uri())) {
            under.awaitCluster("orders");
            policy.put(cluster("users"));
            policy.put(assignment("users", 1002));
            policy.push();
            under.awaitSnapshot(snapshot -> snapshot.assignments().containsKey("users"));
            int before = policy.requests().size();
            List<String> endpointsNamed = policy.requests().stream()
                    .filter(request -> request.getTypeUrl().equals(ResourceType.ENDPOINTS.typeUrl()))
                    .reduce((earlier, later) -> later).orElseThrow().getResourceNamesList();
            assertThat(endpointsNamed).containsExactlyInAnyOrder("orders", "users");

            controlPlane.dropConnections();
            // An ACK from before may come late; it has a nonce.
            await().until(() -> withoutNonce(policy.requests(), before).size() >= 4);
            for (DiscoveryRequest again : withoutNonce(policy.requests(), before)) {
                assertThat(again.getVersionInfo()).as(again.getTypeUrl()).isNotEmpty();
            }
        }
    }

    private static ServedPolicy partial(String... services) {
        ServedPolicy policy = new ServedPolicy(Resources.listener("outbound", "routes"), Resources.partialRoutes("routes"));
        for (String service : services) {
            policy.put(cluster(service));
            policy.put(assignment(service, 1001));
            policy.put(Resources.host("routes", service, service));
        }
        return policy;
    }

    private static Map<String, String> clustersByHost(PolicySnapshot snapshot) {
        return snapshot.routeConfigurations().values().stream()
                .flatMap(routes -> routes.virtualHosts().stream())
                .collect(Collectors.toMap(VirtualHost::name, host ->
                        ((RouteAction.Forward) host.routes().get(0).action()).clusters().toString()));
    }

    @Test
    void virtualHostsMayComeOneByOne() {
        ServedPolicy policy = partial("orders", "users");
        try (ScriptedControlPlane controlPlane = new ScriptedControlPlane(policy.script());
                ClientUnderTest under = new ClientUnderTest(controlPlane.uri())) {
            PolicySnapshot first = under.awaitSnapshot(snapshot -> snapshot.listeners().containsKey("outbound"));
            assertThat(clustersByHost(first)).containsOnlyKeys("orders", "users");
            assertThat(policy.deltaRequests().get(0).getNode().getClientFeaturesList()).contains("io.weft.virtual-hosts");
            assertThat(firstOf(policy.deltaRequests(), ResourceType.VIRTUAL_HOSTS).getResourceNamesSubscribeList())
                    .containsExactly("routes");

            policy.put(Resources.host("routes", "orders", "users"));
            policy.push();
            PolicySnapshot second = under.awaitSnapshot(
                    snapshot -> !clustersByHost(snapshot).get("orders").equals(clustersByHost(first).get("orders")));
            assertThat(second.routeConfigurations().get("routes").virtualHosts())
                    .filteredOn(host -> host.name().equals("users")).singleElement()
                    .isSameAs(first.routeConfigurations().get("routes").virtualHosts().get(1));

            controlPlane.become(partial("orders").script());
            // What is gone is told type by type.
            under.awaitSnapshot(snapshot -> !snapshot.clusters().containsKey("users")
                    && clustersByHost(snapshot).keySet().equals(Set.of("orders")));
            assertThat(under.client.status().refused()).isEmpty();
        }
    }

    @Test
    void withoutIncrementsThereAreNoVirtualHostsOneByOne() {
        ServedPolicy policy = partial("orders");
        try (ScriptedControlPlane controlPlane = new ScriptedControlPlane(policy.scriptWithoutDelta());
                ClientUnderTest under = new ClientUnderTest(controlPlane.uri())) {
            under.awaitStatus(status -> status.refused().stream().anyMatch(refusal -> refusal.path().equals("vhds")));
            assertThat(policy.requests()).noneMatch(request -> request.getNode().getClientFeaturesList().contains("io.weft.virtual-hosts"));
            assertThat(policy.requests()).noneMatch(request -> request.getTypeUrl().equals(ResourceType.VIRTUAL_HOSTS.typeUrl()));
            policy.put(routes("routes", "orders", "orders"));
            policy.push();
            under.awaitSnapshot(snapshot -> snapshot.listeners().containsKey("outbound"));
        }
    }

    @Test
    void aControlPlaneWithoutDeltaIsRememberedForAWhile() {
        ServedPolicy policy = ServedPolicy.of("orders", 1001);
        try (ScriptedControlPlane controlPlane = new ScriptedControlPlane(policy.scriptWithoutDelta());
                ClientUnderTest under = new ClientUnderTest(controlPlane.uri())) {
            under.awaitCluster("orders");
            under.awaitConnected();
            controlPlane.dropConnections();
            await().until(() -> policy.paths().size() == 3);
            assertThat(policy.paths()).extracting(path -> path.contains("Delta")).containsExactly(true, false, false);

            // ClientUnderTest's environment asks again after 700 ms.
            await().pollDelay(Duration.ofMillis(800)).until(() -> under.client.status().connection() instanceof Connected);
            controlPlane.become(policy.script());
            under.awaitStatus(status -> status.variant() == Variant.DELTA && status.connection() instanceof Connected);
        }
    }

    @Test
    void theNodeIsSaidOnceAStreamAndWhenItChanges() {
        ServedPolicy policy = ServedPolicy.of("orders", 1001);
        try (ScriptedControlPlane controlPlane = new ScriptedControlPlane(policy.script());
                ClientUnderTest under = new ClientUnderTest(controlPlane.uri())) {
            under.awaitCluster("orders");
            assertThat(policy.deltaRequests().get(0).getNode().getId()).isEqualTo("default.web-1");
            assertThat(policy.deltaRequests().get(0).getNode().getUserAgentName()).isEqualTo("weft");
            assertThat(policy.deltaRequests().get(0).getNode().getMetadata().getFieldsOrThrow("answer").getNumberValue())
                    .isEqualTo(42);
            assertThat(policy.deltaRequests()).filteredOn(DeltaDiscoveryRequest::hasNode).hasSize(1);

            under.client.update(local -> new Node(
                    "default.web-1", "web", Locality.UNKNOWN, Map.of("address", local.getHostAddress())));
            await().until(() -> policy.deltaRequests().stream().filter(DeltaDiscoveryRequest::hasNode).count() == 2);
            DeltaDiscoveryRequest changed = policy.deltaRequests().get(policy.deltaRequests().size() - 1);
            assertThat(changed.getTypeUrl()).isEqualTo(ResourceType.CLUSTER.typeUrl());
            assertThat(changed.getResourceNamesSubscribeList()).isEmpty();
            assertThat(changed.getResourceNamesUnsubscribeList()).isEmpty();
            assertThat(changed.getNode().getMetadata().getFieldsOrThrow("address").getStringValue()).isEqualTo("127.0.0.1");

            controlPlane.dropConnections();
            await().until(() -> policy.deltaRequests().stream().filter(DeltaDiscoveryRequest::hasNode).count() == 3);
            assertThat(policy.deltaRequests()).filteredOn(DeltaDiscoveryRequest::hasNode).last()
                    .satisfies(request -> assertThat(request.getNode().getMetadata().getFieldsMap()).containsKey("address"));
        }
    }

    @Test
    void whatHasNotChangedIsNotSaidAgain() {
        ServedPolicy policy = ServedPolicy.of("orders", 1001);
        try (ScriptedControlPlane controlPlane = new ScriptedControlPlane(policy.script());
                ClientUnderTest under = new ClientUnderTest(controlPlane.uri())) {
            under.awaitCluster("orders");
            under.client.update(local -> ClientUnderTest.NODE);
            under.client.update(new Node("default.web-1", "web", Locality.UNKNOWN, Map.of("state", "NotReady")));
            await().until(() -> policy.deltaRequests().stream().filter(DeltaDiscoveryRequest::hasNode).count() == 2);
            assertThat(policy.deltaRequests()).filteredOn(DeltaDiscoveryRequest::hasNode).last()
                    .satisfies(request -> assertThat(request.getNode().getMetadata().getFieldsMap()).containsKey("state"));
        }
    }

    @ParameterizedTest
    @EnumSource
    void kumaIsToldOfAChangeByANewStream(Variant variant) {
        ServedPolicy policy = ServedPolicy.of("orders", 1001);
        PolicyClientConfig plain = ClientUnderTest.config(URI.create("grpc://127.0.0.1:1"));
        try (ScriptedControlPlane controlPlane = new ScriptedControlPlane(script(policy, variant));
                ClientUnderTest under = new ClientUnderTest(new PolicyClientConfig(
                        controlPlane.uri(), Dialect.KUMA, plain.caFile(), plain.tokenFile(), plain.clientCertificate(), plain.cache(),
                        plain.identity(), plain.initialBackoff(), plain.maxBackoff()))) {
            under.awaitCluster("orders");
            under.client.update(local -> ClientUnderTest.NODE);
            under.client.update(new Node("default.web-1-1", "web", Locality.UNKNOWN, Map.of()));
            await().until(() -> nodes(policy).size() == 2);
            assertThat(nodes(policy)).containsExactly("default.web-1", "default.web-1-1");
            assertThat(policy.farewells()).isEqualTo(1);
            under.awaitStatus(status -> status.connection() instanceof Connected);
            policy.put(cluster("users"));
            policy.put(assignment("users", 1002));
            policy.push();
            under.awaitCluster("users");
        }
    }

    @Test
    void namesAreAskedOfIstioOnly() {
        ServedPolicy policy = ServedPolicy.of("orders", 1001);
        ServedPolicy istio = ServedPolicy.of("orders", 1001);
        try (ScriptedControlPlane controlPlane = new ScriptedControlPlane(policy.script());
                ScriptedControlPlane istiod = new ScriptedControlPlane(istio.script());
                ClientUnderTest under = new ClientUnderTest(controlPlane.uri());
                ClientUnderTest member = new ClientUnderTest(istio(istiod.uri()))) {
            under.awaitCluster("orders");
            member.awaitCluster("orders");
            assertThat(istio.deltaRequests()).extracting(DeltaDiscoveryRequest::getTypeUrl).contains(ResourceType.NAMES.typeUrl());
            assertThat(policy.deltaRequests()).extracting(DeltaDiscoveryRequest::getTypeUrl).doesNotContain(ResourceType.NAMES.typeUrl());
        }
    }

    private static List<String> nodes(ServedPolicy policy) {
        return Stream.concat(
                        policy.deltaRequests().stream().filter(DeltaDiscoveryRequest::hasNode).map(DeltaDiscoveryRequest::getNode),
                        policy.requests().stream().filter(DiscoveryRequest::hasNode).map(DiscoveryRequest::getNode))
                .map(io.weft.policy.proto.envoy.config.core.v3.Node::getId).toList();
    }

    @Test
    void inTheStateOfTheWorldAChangedNodeRepeatsTheLastAcknowledgement() {
        ServedPolicy policy = ServedPolicy.of("orders", 1001);
        try (ScriptedControlPlane controlPlane = new ScriptedControlPlane(policy.scriptWithoutDelta());
                ClientUnderTest under = new ClientUnderTest(controlPlane.uri())) {
            under.awaitCluster("orders");
            int before = policy.requests().size();
            under.client.update(new Node("default.web-1", "web", Locality.UNKNOWN, Map.of("state", "NotReady")));
            await().until(() -> policy.requests().stream().filter(DiscoveryRequest::hasNode).count() == 2);
            DiscoveryRequest said = policy.requests().stream().skip(before).filter(DiscoveryRequest::hasNode).findFirst().orElseThrow();
            DiscoveryRequest acknowledged = policy.requests().stream()
                    .filter(request -> request.getTypeUrl().equals(ResourceType.CLUSTER.typeUrl())
                            && !request.getResponseNonce().isEmpty())
                    .findFirst().orElseThrow();
            assertThat(said.toBuilder().clearNode().build()).isEqualTo(acknowledged);
        }
    }

    @ParameterizedTest
    @EnumSource
    void aRefusedResourceIsNamedAndTheLastGoodOneStays(Variant variant) {
        ServedPolicy policy = ServedPolicy.of("orders", 1001);
        try (ScriptedControlPlane controlPlane = new ScriptedControlPlane(script(policy, variant));
                ClientUnderTest under = new ClientUnderTest(controlPlane.uri())) {
            PolicySnapshot good = under.awaitCluster("orders");
            policy.put(impossibleCluster("orders"));
            policy.put(cluster("users"));
            policy.put(assignment("users", 1002));
            policy.push();

            PolicySnapshot partly = under.awaitCluster("users");
            assertThat(partly.clusters().get("orders")).isSameAs(good.clusters().get("orders"));
            PolicyClientStatus status = under.awaitStatus(now -> !now.refused().isEmpty());
            assertThat(status.refused()).singleElement()
                    .satisfies(refusal -> assertThat(refusal.resource()).isEqualTo("Cluster orders"));
            await().untilAsserted(() -> assertThat(nacks(policy, variant)).anyMatch(text -> text.contains("orders")));

            policy.put(cluster("orders"));
            policy.push();
            under.awaitStatus(now -> now.refused().isEmpty());
        }
    }

    @ParameterizedTest
    @EnumSource
    void whatIsMissingHoldsAChangeBackForABoundedTimeAndOnlyOnce(Variant variant) {
        ServedPolicy policy = ServedPolicy.of("orders", 1001);
        try (ScriptedControlPlane controlPlane = new ScriptedControlPlane(script(policy, variant));
                ClientUnderTest under = new ClientUnderTest(controlPlane.uri())) {
            PolicySnapshot first = under.awaitCluster("orders");
            policy.put(cluster("ghost"));
            policy.put(routes("routes", "ghost", "ghost"));
            policy.push();
            PolicySnapshot second = under.awaitSnapshot(snapshot -> snapshot != first);
            assertThat(second.clusters()).doesNotContainKey("ghost");
            assertThat(second.routeConfigurations()).isNotEqualTo(first.routeConfigurations());

            policy.put(assignment("ghost", 1002));
            policy.push();
            under.awaitCluster("ghost");
        }
    }

    @Test
    void aDuplicateIsRefused() {
        try (Answering answering = new Answering(List.of(delta("1", "a", cluster("orders"), cluster("orders"))));
                ClientUnderTest under = new ClientUnderTest(answering.controlPlane.uri())) {
            await().untilAsserted(() -> assertThat(answering.acks(ResourceType.CLUSTER)).singleElement()
                    .satisfies(ack -> assertThat(ack.getErrorDetail().getMessage()).contains("orders")));
            assertThat(under.awaitStatus(status -> !status.refused().isEmpty()).refused()).hasSize(1);
        }
    }

    @Test
    void anUnknownTypeIsNotAnsweredAndHarmsNothing() {
        DeltaDiscoveryResponse unknown = DeltaDiscoveryResponse.newBuilder()
                .setTypeUrl("type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret").setNonce("s").build();
        try (Answering answering = new Answering(List.of(unknown, delta("1", "a", cluster("orders"))));
                ClientUnderTest under = new ClientUnderTest(answering.controlPlane.uri())) {
            await().untilAsserted(() -> assertThat(answering.acks(ResourceType.CLUSTER)).hasSize(1));
            assertThat(answering.requests).noneMatch(request -> request.getTypeUrl().contains("Secret"));
            assertThat(under.client.status().refused()).singleElement()
                    .satisfies(refusal -> assertThat(refusal.resource()).contains("Secret"));
        }
    }

    @Test
    void aVersionThatGoesBackIsTakenAsSent() {
        try (Answering answering = new Answering(List.of(
                        delta("7", "a", cluster("orders")),
                        delta("3", "b", cluster("orders").toBuilder().setConnectTimeout(
                                io.weft.policy.proto.protobuf.Duration.newBuilder().setSeconds(9)).build())));
                ClientUnderTest under = new ClientUnderTest(answering.controlPlane.uri())) {
            await().untilAsserted(() -> assertThat(answering.acks(ResourceType.CLUSTER))
                    .extracting(DeltaDiscoveryRequest::getResponseNonce).containsExactly("a", "b"));
            assertThat(answering.acks(ResourceType.CLUSTER)).noneMatch(DeltaDiscoveryRequest::hasErrorDetail);
            under.awaitStatus(status -> "3".equals(status.versions().get("Cluster")));
            answering.controlPlane.dropConnections();
            await().untilAsserted(() -> assertThat(answering.requests).filteredOn(DeltaDiscoveryRequest::hasNode).last()
                    .satisfies(again -> assertThat(again.getInitialResourceVersionsMap()).containsEntry("orders", "3")));
        }
    }

    @ParameterizedTest
    @EnumSource
    void aControlPlaneThatAnswersRefusalsAtOnceIsNotChased(Variant variant) {
        AtomicInteger refusals = new AtomicInteger();
        Script stubborn = ScriptedControlPlane.http2(() -> new StreamScript() {
            private int nonce;

            @Override
            public void headers(Call call, Http2Headers headers) {
                if (variant == Variant.STATE_OF_THE_WORLD && headers.path().toString().contains("Delta")) {
                    call.trailersOnly(12, "");
                } else {
                    call.respond();
                }
            }

            @Override
            public void message(Call call, byte[] message) {
                String type = variant == Variant.DELTA
                        ? parsed(() -> DeltaDiscoveryRequest.parseFrom(message)).getTypeUrl()
                        : parsed(() -> DiscoveryRequest.parseFrom(message)).getTypeUrl();
                if (!type.equals(ResourceType.CLUSTER.typeUrl())) {
                    return;
                }
                nonce++;
                refusals.incrementAndGet();
                call.message(variant == Variant.DELTA
                        ? delta("1", "n" + nonce, impossibleCluster("orders")).toByteArray()
                        : DiscoveryResponse.newBuilder().setTypeUrl(ResourceType.CLUSTER.typeUrl()).setVersionInfo("1")
                                .setNonce("n" + nonce).addResources(Resources.any(impossibleCluster("orders")))
                                .build().toByteArray());
            }
        });
        try (ScriptedControlPlane controlPlane = new ScriptedControlPlane(stubborn);
                ClientUnderTest under = new ClientUnderTest(controlPlane.uri())) {
            under.awaitStatus(status -> !status.refused().isEmpty());
            // At once, after 0.5 s, after another second.
            await().during(Duration.ofMillis(1200)).atMost(Duration.ofSeconds(3)).until(() -> refusals.get() <= 4);
            assertThat(refusals.get()).isGreaterThanOrEqualTo(3);
        }
    }

    @Test
    void oneByteAtATimeIsSlowButNotWrong() {
        try (ScriptedControlPlane controlPlane = new ScriptedControlPlane(
                        ScriptedControlPlane.byteByByte(ServedPolicy.of("orders", 1001).script()));
                ClientUnderTest under = new ClientUnderTest(controlPlane.uri())) {
            under.awaitCluster("orders");
            assertThat(controlPlane.connections()).isEqualTo(1);
        }
    }

    @Test
    void anIdleConnectionToALivingControlPlaneIsKept() {
        ServedPolicy policy = ServedPolicy.of("orders", 1001);
        try (ScriptedControlPlane controlPlane = new ScriptedControlPlane(policy.script());
                ClientUnderTest under = new ClientUnderTest(controlPlane.uri())) {
            under.awaitCluster("orders");
            // Idle after 200 ms, given up 200 ms later if PINGs went unanswered.
            await().during(Duration.ofMillis(1500)).atMost(Duration.ofSeconds(3))
                    .until(() -> controlPlane.connections() == 1 && under.client.status().connection() instanceof Connected);
        }
    }

    @Test
    void aListenerThatThrowsDoesNotStopThePolicy() {
        ServedPolicy policy = ServedPolicy.of("orders", 1001);
        try (ScriptedControlPlane controlPlane = new ScriptedControlPlane(policy.script());
                PolicyClient client = PolicyClient.start(
                        ClientUnderTest.config(controlPlane.uri()), ClientUnderTest.NODE, snapshot -> {
                            throw new IllegalStateException("broken listener");
                        })) {
            await().until(() -> client.snapshot().clusters().containsKey("orders"));
            policy.put(cluster("users"));
            policy.put(assignment("users", 1002));
            policy.push();
            await().until(() -> client.snapshot().clusters().containsKey("users"));
            await().until(() -> client.status().problem().orElse("").contains("broken listener"));
        }
    }

    @Test
    void closingEndsTheStreamInGoodOrderAndTheThreadAndLeavesTheSnapshot() {
        ServedPolicy policy = ServedPolicy.of("orders", 1001);
        try (ScriptedControlPlane controlPlane = new ScriptedControlPlane(policy.script());
                ClientUnderTest under = new ClientUnderTest(controlPlane.uri())) {
            under.awaitCluster("orders");
            List<Thread> threads = Thread.getAllStackTraces().keySet().stream()
                    .filter(thread -> thread.getName().equals("weft-policy")).toList();
            assertThat(threads).isNotEmpty().allMatch(Thread::isDaemon);
            under.client.close();
            assertThat(threads).noneMatch(Thread::isAlive);
            await().until(() -> policy.farewells() == 1);
            assertThat(under.client.snapshot().clusters()).containsKey("orders");
            assertThat(under.client.status().connection()).isInstanceOf(PolicyClientStatus.Closed.class);
            under.client.update(ClientUnderTest.NODE);
            under.client.close();
        }
    }

    private static List<String> health(ServedPolicy policy) {
        return Stream.concat(
                policy.deltaRequests().stream().filter(request -> request.getTypeUrl().equals(ServedPolicy.HEALTH))
                        .map(request -> request.hasErrorDetail() ? request.getErrorDetail().getMessage() : "good"),
                policy.requests().stream().filter(request -> request.getTypeUrl().equals(ServedPolicy.HEALTH))
                        .map(request -> request.hasErrorDetail() ? request.getErrorDetail().getMessage() : "good")).toList();
    }

    @ParameterizedTest
    @EnumSource
    void istiodIsToldOnEachStreamHowTheNodeIs(Variant variant) {
        ServedPolicy policy = ServedPolicy.of("orders", 1001);
        ServedPolicy next = ServedPolicy.of("orders", 1001);
        try (ScriptedControlPlane controlPlane = new ScriptedControlPlane(script(policy, variant));
                ClientUnderTest under = new ClientUnderTest(istio(controlPlane.uri()))) {
            under.client.health(Health.bad("no port"));
            await().until(() -> health(policy), List.of("no port")::equals);
            under.client.health(Health.GOOD);
            under.client.health(Health.GOOD);
            under.client.health(Health.bad("stops"));
            await().until(() -> health(policy), List.of("no port", "good", "stops")::equals);
            under.awaitCluster("orders");

            controlPlane.become(script(next, variant));
            await().until(() -> health(next), List.of("stops")::equals);
            boolean first = variant == Variant.DELTA
                    ? next.deltaRequests().get(0).getTypeUrl().equals(ServedPolicy.HEALTH)
                    : next.requests().get(0).getTypeUrl().equals(ServedPolicy.HEALTH);
            assertThat(first).as("from a node that istiod does not know yet").isFalse();
        }
    }

    @Test
    void otherControlPlanesHearNothingOfIt() {
        ServedPolicy policy = ServedPolicy.of("orders", 1001);
        try (ScriptedControlPlane controlPlane = new ScriptedControlPlane(policy.script());
                ClientUnderTest under = new ClientUnderTest(controlPlane.uri())) {
            under.client.health(Health.GOOD);
            under.awaitCluster("orders");
            assertThat(health(policy)).isEmpty();
        }
    }

    private static PolicyClientConfig istio(URI controlPlane) {
        PolicyClientConfig plain = ClientUnderTest.config(controlPlane);
        return new PolicyClientConfig(
                controlPlane, Dialect.ISTIO, plain.caFile(), plain.tokenFile(), plain.clientCertificate(), plain.cache(), plain.identity(),
                plain.initialBackoff(), plain.maxBackoff());
    }

    private static Script script(ServedPolicy policy, Variant variant) {
        return variant == Variant.DELTA ? policy.script() : policy.scriptWithoutDelta();
    }

    private static List<String> nacks(ServedPolicy policy, Variant variant) {
        return variant == Variant.DELTA
                ? policy.deltaRequests().stream().map(request -> request.getErrorDetail().getMessage()).toList()
                : policy.requests().stream().map(request -> request.getErrorDetail().getMessage()).toList();
    }

    private static DeltaDiscoveryRequest firstOf(List<DeltaDiscoveryRequest> requests, ResourceType type) {
        return requests.stream().filter(request -> request.getTypeUrl().equals(type.typeUrl())).findFirst().orElseThrow();
    }

    private static DeltaDiscoveryResponse delta(
            String version, String nonce, io.weft.policy.proto.envoy.config.cluster.v3.Cluster... clusters) {
        DeltaDiscoveryResponse.Builder response = DeltaDiscoveryResponse.newBuilder()
                .setTypeUrl(ResourceType.CLUSTER.typeUrl()).setSystemVersionInfo(version).setNonce(nonce);
        for (var cluster : clusters) {
            response.addResources(Resource.newBuilder()
                    .setName(cluster.getName()).setVersion(version).setResource(Resources.any(cluster)));
        }
        return response.build();
    }

    private interface Parsing<T> {
        T parse() throws InvalidProtocolBufferException;
    }

    private static <T> T parsed(Parsing<T> parsing) {
        try {
            return parsing.parse();
        } catch (InvalidProtocolBufferException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Says these responses to the first request of each stream, whatever is asked. */
    private static final class Answering implements AutoCloseable {
        final List<DeltaDiscoveryRequest> requests = new CopyOnWriteArrayList<>();
        final ScriptedControlPlane controlPlane;

        Answering(List<DeltaDiscoveryResponse> responses) {
            controlPlane = new ScriptedControlPlane(ScriptedControlPlane.http2(() -> new StreamScript() {
                @Override
                public void headers(Call call, Http2Headers headers) {
                    call.respond();
                }

                @Override
                public void message(Call call, byte[] message) {
                    DeltaDiscoveryRequest request = parsed(() -> DeltaDiscoveryRequest.parseFrom(message));
                    requests.add(request);
                    if (request.hasNode()) {
                        responses.forEach(response -> call.message(response.toByteArray()));
                    }
                }
            }));
        }

        List<DeltaDiscoveryRequest> acks(ResourceType type) {
            return requests.stream()
                    .filter(request -> request.getTypeUrl().equals(type.typeUrl()) && !request.getResponseNonce().isEmpty())
                    .toList();
        }

        @Override
        public void close() {
            controlPlane.close();
        }
    }
}
