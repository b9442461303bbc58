package io.weft.controlplane.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.GRPCRoute;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.HTTPRoute;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.RouteParentStatus;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.weft.controlplane.policy.MeshHttpRoute;
import io.weft.controlplane.policy.Protocol;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** To which ports routes are attached, where they lead, and what they are told of both. */
class RouteAttachmentTest {

    private static final String NOW = "2026-01-01T00:00:00Z";

    private final ClusterState state = new ClusterState();
    private final GatewayRoutes routes = new GatewayRoutes(state, "default");

    @BeforeEach
    void services() {
        service("orders",
                new Facts.ServicePort(80, "http", Protocol.HTTP),
                new Facts.ServicePort(90, "grpc", Protocol.GRPC),
                new Facts.ServicePort(6379, "redis", Protocol.TCP));
    }

    private void service(String name, Facts.ServicePort... ports) {
        state.put(new Facts.OfService(new ObjectName("shop", name), "default", Map.of(), Optional.empty(), List.of("10.96.0.7"),
                List.of("IPv4"), List.of(ports)));
    }

    private static HTTPRoute http(String name, String namespace, String parent) {
        return http(name, namespace, parent, "name: orders, namespace: shop, port: 80");
    }

    private static HTTPRoute http(String name, String namespace, String parent, String backend) {
        return Serialization.unmarshal("""
                apiVersion: gateway.networking.k8s.io/v1
                kind: HTTPRoute
                metadata: {name: %s, namespace: %s, generation: 1}
                spec:
                  parentRefs: [{%s}]
                  rules: [{backendRefs: [{%s}]}]
                """.formatted(name, namespace, parent, backend), HTTPRoute.class);
    }

    private static GRPCRoute grpc(String namespace, String parent) {
        return Serialization.unmarshal("""
                apiVersion: gateway.networking.k8s.io/v1
                kind: GRPCRoute
                metadata: {name: g, namespace: %s, generation: 1}
                spec:
                  parentRefs: [{%s}]
                  rules: [{backendRefs: [{name: orders, namespace: shop, port: 90}]}]
                """.formatted(namespace, parent), GRPCRoute.class);
    }

    private static final String ORDERS = "group: '', kind: Service, name: orders, namespace: shop";

    /** What a route is told of its first parent, as "type status reason". */
    private List<String> told(HasMetadata route) {
        RouteStatus status = routes.now().statuses().stream().filter(each -> each.route() == route).findFirst().orElseThrow();
        return status.next(route, NOW).orElseThrow().get(0).getConditions().stream()
                .map(each -> each.getType() + " " + each.getStatus() + " " + each.getReason())
                .toList();
    }

    /** The ports to which the routes in force are attached, as "route: port"; "all": without one. */
    private List<String> attached() {
        return routes.now().inForce().stream()
                .map(each -> (MeshHttpRoute) each.resource())
                .flatMap(route -> route.to().stream().map(to ->
                        route.metadata().displayName() + ": " + to.destination().section().orElse("all")))
                .toList();
    }

    @Test
    void aParentWithoutSuchAPortIsNone() {
        Map<String, String> reasons = Map.of(
                ", port: 80", "Accepted True Accepted",
                ", sectionName: grpc", "Accepted True Accepted",
                "", "Accepted True Accepted",
                ", port: 81", "Accepted False NoMatchingParent",
                ", sectionName: admin", "Accepted False NoMatchingParent",
                ", port: 80, sectionName: grpc", "Accepted False NoMatchingParent",
                ", port: 6379", "Accepted False NoMatchingParent");
        reasons.forEach((port, reason) -> {
            HTTPRoute route = http("a", "shop", ORDERS + port);
            routes.put(route);
            assertThat(told(route)).as(port).containsExactly(reason, "ResolvedRefs True ResolvedRefs");
            assertThat(attached().isEmpty()).as(port).isEqualTo(reason.contains("False"));
        });
    }

    @Test
    void aPortThatIsThereLaterIsFound() {
        HTTPRoute route = http("a", "shop", ORDERS + ", port: 81");
        routes.put(route);
        assertThat(attached()).isEmpty();
        service("orders", new Facts.ServicePort(80, "http", Protocol.HTTP), new Facts.ServicePort(81, "", Protocol.HTTP));
        assertThat(told(route)).startsWith("Accepted True Accepted");
        assertThat(attached()).containsExactly("a: 81");
    }

    @Test
    void aBackendHasThePortAndItIsHttp() {
        service("cache", new Facts.ServicePort(6379, "redis", Protocol.TCP));
        Map<String, String> reasons = Map.of(
                "name: orders, port: 90", "ResolvedRefs True ResolvedRefs",
                "name: none, port: 80", "ResolvedRefs False BackendNotFound",
                "name: orders, port: 81", "ResolvedRefs False BackendNotFound",
                "name: orders, port: 6379", "ResolvedRefs False UnsupportedProtocol",
                "name: cache, port: 6379", "ResolvedRefs False UnsupportedProtocol");
        reasons.forEach((backend, reason) -> {
            HTTPRoute route = http("a", "shop", ORDERS, backend);
            routes.put(route);
            assertThat(told(route)).as(backend).containsExactly("Accepted True Accepted", reason);
        });
    }

    /** GEP-1294, "Route types". */
    @Test
    void ofBothKindsOnOnePortThatOfGrpcCounts() {
        HTTPRoute route = http("h", "shop", ORDERS + ", port: 90");
        HTTPRoute all = http("i", "shop", ORDERS);
        routes.put(route);
        routes.put(all);
        assertThat(attached()).containsExactly("h: 90", "i: all");
        GRPCRoute winner = grpc("shop", ORDERS + ", port: 90");
        routes.put(winner);
        assertThat(attached()).containsExactly("g: 90", "i: 80");
        assertThat(told(route)).startsWith("Accepted False Conflicted");
        assertThat(told(all)).startsWith("Accepted True Accepted");
        assertThat(told(winner)).startsWith("Accepted True Accepted");
        routes.remove(winner);
        assertThat(attached()).containsExactly("h: 90", "i: all");
    }

    /** Of another namespace it is for the callers of that one, and no affair of the others'. */
    @Test
    void aRouteOfGrpcForOtherCallersIsNoConflict() {
        HTTPRoute route = http("h", "shop", ORDERS + ", port: 90");
        routes.put(route);
        routes.put(grpc("elsewhere", ORDERS));
        assertThat(attached()).containsExactly("g: all", "h: 90");
        assertThat(told(route)).startsWith("Accepted True Accepted");
    }

    @Test
    void labelsAreAChangeAndWhatIsSaidOfItIsNone() {
        HTTPRoute route = http("a", "shop", ORDERS);
        assertThat(routes.put(route)).isTrue();
        HTTPRoute labelled = http("a", "shop", ORDERS);
        labelled.getMetadata().setLabels(Map.of("speed", "slow"));
        assertThat(routes.put(labelled)).isTrue();
        HTTPRoute told = http("a", "shop", ORDERS);
        told.getMetadata().setLabels(Map.of("speed", "slow"));
        RouteStatus.say(told, List.of(new RouteParentStatus()));
        assertThat(routes.put(told)).isFalse();
    }

    @Test
    void whoIsAttachedToNoServiceAnyMoreIsToldNothingOfThat() {
        HTTPRoute before = http("a", "shop", ORDERS);
        routes.put(before);
        List<RouteParentStatus> said = routes.now().statuses().get(0).next(before, NOW).orElseThrow();
        HTTPRoute after = http("a", "shop", "group: gateway.networking.k8s.io, kind: Gateway, name: edge");
        RouteStatus.say(after, said);
        routes.put(after);
        GatewayRoutes.Reading reading = routes.now();
        assertThat(reading.inForce()).isEmpty();
        assertThat(reading.statuses()).singleElement()
                .satisfies(status -> assertThat(status.next(after, NOW)).contains(List.of()));
        RouteStatus.say(after, List.of());
        assertThat(after.getStatus()).isNull();
        assertThat(reading.statuses().get(0).next(after, NOW)).isEmpty();
    }

    @Test
    void whatOthersHaveSaidStaysWhereItIs() {
        HTTPRoute route = http("a", "shop", ORDERS);
        routes.put(route);
        RouteParentStatus own = routes.now().statuses().get(0).next(route, NOW).orElseThrow().get(0);
        RouteParentStatus others = new RouteParentStatus();
        others.setControllerName("example.com/gateway");
        for (List<RouteParentStatus> said : List.of(List.of(own, others), List.of(others, own))) {
            RouteStatus.say(route, said);
            route.getMetadata().setGeneration(1L);
            RouteStatus status = routes.now().statuses().get(0);
            assertThat(status.next(route, "2027-01-01T00:00:00Z")).as("nothing is to be written").isEmpty();
            route.getMetadata().setGeneration(2L);
            assertThat(status.next(route, NOW).orElseThrow()).extracting(RouteParentStatus::getControllerName)
                    .isEqualTo(said.stream().map(RouteParentStatus::getControllerName).toList());
        }
    }
}
