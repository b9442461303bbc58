package io.weft.controlplane.service;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.controlplane.policy.InitialPolicies;
import io.weft.controlplane.policy.Mesh;
import io.weft.controlplane.policy.MeshHttpRoute;
import io.weft.controlplane.policy.MeshRetry;
import io.weft.controlplane.policy.MeshTimeout;
import io.weft.controlplane.policy.Metadata;
import io.weft.controlplane.policy.Policy;
import io.weft.controlplane.policy.PolicyKinds;
import io.weft.controlplane.policy.Protocol;
import io.weft.controlplane.policy.ResourceId;
import java.time.Duration;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Which policy wins, and what is left of the others. */
class OutboundRulesTest {

    private static final Service.Port MAIN = new Service.Port(80, Optional.of("main"), Protocol.HTTP, List.of());
    private static final Service.Port ADMIN = new Service.Port(81, Optional.of("admin"), Protocol.HTTP, List.of());
    private static final Service ORDERS = service("orders", MAIN, ADMIN);
    private static final Service.Port OTHER_PORT = new Service.Port(80, Optional.empty(), Protocol.HTTP, List.of());
    private static final Service OTHER = service("other", OTHER_PORT);

    private static final InitialPolicies NONE = InitialPolicies.of(Optional.of(new Mesh(
            metadata("Mesh", "default", ""), Set.of("*"), Optional.empty())));

    private static Service service(String name, Service.Port... ports) {
        return service(name, "", ports);
    }

    private static Service service(String name, String namespace, Service.Port... ports) {
        Metadata metadata = new Metadata(
                new ResourceId("MeshService", "default", name + namespace), name, namespace, Map.of("team", "shop"));
        return Service.of(metadata, true, Service.Hosts.ofMesh(metadata), List.of(ports));
    }

    private static Metadata metadata(String type, String name, String namespace) {
        return new Metadata(new ResourceId(type, "default", name), name, namespace, Map.of());
    }

    /** A policy for what goes to some destination: the request's timeout in seconds. */
    private static String timeout(String name, String target, String to, int seconds) {
        return """
                type: MeshTimeout
                name: %s
                spec:
                  targetRef: %s
                  to: [{targetRef: %s, default: {http: {requestTimeout: %ds}}}]
                ---
                """.formatted(name, target, to, seconds);
    }

    private static final String MESH = "{kind: Mesh}";
    private static final String TO_ORDERS = "{kind: MeshService, name: orders}";

    private static OutboundRules rules(String policies, MeshHttpRoute... routes) {
        return new OutboundRules(Policies.read(Policy.class, policies), List.of(routes), NONE);
    }

    private static BitSet applicable(OutboundRules rules) {
        return rules.applicable(
                metadata("Dataplane", "web-1", "shop"), List.of(Map.of("kuma.io/service", "web", "version", "v1")));
    }

    private static long seconds(String policies, Service service, Service.Port port) {
        OutboundRules rules = rules(policies);
        return rules.of(PolicyKinds.TIMEOUT, applicable(rules), service, port)
                .flatMap(timeout -> timeout.http().request())
                .map(Duration::toSeconds)
                .orElse(-1L);
    }

    @Test
    void aServiceIsMoreSpecificThanTheMesh() {
        String policies = timeout("a", MESH, MESH, 1) + timeout("b", MESH, TO_ORDERS, 2);
        assertThat(seconds(policies, ORDERS, MAIN)).isEqualTo(2);
        assertThat(seconds(policies, OTHER, OTHER_PORT)).isEqualTo(1);
    }

    @Test
    void aPortIsMoreSpecificThanItsService() {
        String policies = timeout("a", MESH, TO_ORDERS, 1)
                + timeout("b", MESH, "{kind: MeshService, name: orders, sectionName: admin}", 2);
        assertThat(seconds(policies, ORDERS, MAIN)).isEqualTo(1);
        assertThat(seconds(policies, ORDERS, ADMIN)).isEqualTo(2);
    }

    @Test
    void servicesAreSelectedByLabels() {
        String policies = timeout("a", MESH, "{kind: MeshService, labels: {team: shop}}", 1)
                + timeout("b", MESH, "{kind: MeshService, labels: {kuma.io/display-name: other}}", 2);
        assertThat(seconds(policies, ORDERS, MAIN)).isEqualTo(1);
        assertThat(seconds(policies, OTHER, OTHER_PORT)).isEqualTo(1);
    }

    /** Even where it says less of where the requests go. */
    @Test
    void whomAPolicyIsForCountsBeforeWhatItIsAbout() {
        String policies = timeout("a", MESH, TO_ORDERS, 1)
                + timeout("b", "{kind: MeshSubset, tags: {version: v1}}", MESH, 2)
                + timeout("c", "{kind: MeshSubset, tags: {version: v2}}", MESH, 3);
        assertThat(seconds(policies, ORDERS, MAIN)).isEqualTo(2);
    }

    @Test
    void ofEqualsTheFirstInTheAlphabetWins() {
        String policies = timeout("b", MESH, MESH, 1) + timeout("a", MESH, MESH, 2) + timeout("c", MESH, MESH, 3);
        assertThat(seconds(policies, ORDERS, MAIN)).isEqualTo(2);
    }

    @Test
    void whatTheWinnerLeavesOpenIsTheOthers() {
        OutboundRules rules = rules("""
                type: MeshTimeout
                name: a
                spec: {to: [{targetRef: {kind: Mesh}, default: {idleTimeout: 9s, http: {requestTimeout: 1s, streamIdleTimeout: 8s}}}]}
                ---
                type: MeshTimeout
                name: b
                spec: {to: [{targetRef: {kind: MeshService, name: orders}, default: {http: {requestTimeout: 2s}}}]}
                ---
                type: MeshRetry
                name: c
                spec: {to: [{targetRef: {kind: Mesh}, default: {http: {retryOn: [5xx, Reset]}}}]}
                ---
                type: MeshRetry
                name: d
                spec: {to: [{targetRef: {kind: MeshService, name: orders}, default: {http: {numRetries: 1, retryOn: [GatewayError]}}}]}
                """);
        MeshTimeout timeout = rules.of(PolicyKinds.TIMEOUT, applicable(rules), ORDERS, MAIN).orElseThrow();
        assertThat(timeout.idle()).contains(Duration.ofSeconds(9));
        assertThat(timeout.http().request()).contains(Duration.ofSeconds(2));
        assertThat(timeout.http().streamIdle()).contains(Duration.ofSeconds(8));
        MeshRetry retry = rules.of(PolicyKinds.RETRY, applicable(rules), ORDERS, MAIN).orElseThrow();
        assertThat(retry.http().orElseThrow().conditions()).containsExactly("gateway-error");
    }

    @Test
    void underAllOfThemIsWhatIsThereFromTheStart() {
        OutboundRules rules = new OutboundRules(
                Policies.read(Policy.class, """
                        type: MeshRetry
                        name: a
                        spec: {to: [{targetRef: {kind: Mesh}, default: {http: {numRetries: 1}}}]}
                        """),
                List.of(),
                InitialPolicies.of(Optional.empty()));
        MeshRetry retry = rules.of(PolicyKinds.RETRY, applicable(rules), ORDERS, MAIN).orElseThrow();
        assertThat(retry.http().orElseThrow().common().retries()).hasValue(1);
        assertThat(retry.http().orElseThrow().common().backOff().orElseThrow().base()).contains(Duration.ofMillis(25));
        assertThat(rules.of(PolicyKinds.TIMEOUT, applicable(rules), ORDERS, MAIN)).isEmpty();
    }

    private static final String ROUTE = """
            type: MeshHTTPRoute
            name: slow
            labels: {speed: slow}
            spec:
              targetRef: %s
              to: [{targetRef: {kind: MeshService, name: orders}, rules: [{matches: [{path: {type: PathPrefix, value: /slow}}], default: {}}]}]
            """;

    private static MeshHttpRoute route(String target) {
        return Policies.read(MeshHttpRoute.class, ROUTE.formatted(target)).get(0);
    }

    @Test
    void whatIsForARouteTakesThePlaceOfWhatIsForItsService() {
        MeshHttpRoute route = route(MESH);
        for (String policy : List.of(
                timeout("r", MESH, "{kind: MeshHTTPRoute, name: slow}", 3),
                timeout("r", MESH, "{kind: MeshHTTPRoute, labels: {speed: slow}}", 3),
                timeout("r", "{kind: MeshHTTPRoute, name: slow}", MESH, 3))) {
            OutboundRules rules = rules(policy + timeout("s", MESH, TO_ORDERS, 2) + timeout("m", MESH, MESH, 1), route);
            BitSet applicable = applicable(rules);
            assertThat(rules.of(PolicyKinds.TIMEOUT, applicable, ORDERS, MAIN, route.metadata()).orElseThrow().http().request())
                    .contains(Duration.ofSeconds(3));
            assertThat(rules.of(PolicyKinds.TIMEOUT, applicable, ORDERS, MAIN).orElseThrow().http().request())
                    .contains(Duration.ofSeconds(2));
        }
    }

    @Test
    void aPolicyForARouteIsForThoseForWhomTheRouteIs() {
        MeshHttpRoute others = route("{kind: MeshSubset, tags: {version: v2}}");
        OutboundRules rules = rules(timeout("r", "{kind: MeshHTTPRoute, name: slow}", MESH, 3), others);
        assertThat(applicable(rules).isEmpty()).isTrue();
    }

    private static String inNamespace(String namespace, String name, String to, int seconds) {
        return """
                apiVersion: kuma.io/v1alpha1
                kind: MeshTimeout
                metadata: {name: %s, namespace: %s}
                spec: {to: [{targetRef: %s, default: {http: {requestTimeout: %ds}}}]}
                ---
                """.formatted(name, namespace, to, seconds);
    }

    /** Or whoever may write into one namespace would set the timeouts of services of all the others. */
    @Test
    void whatIsNamedWithoutANamespaceIsOfThePolicysOwn() {
        Metadata ofBackend = new Metadata(new ResourceId("MeshService", "default", "orders.backend"), "orders", "backend", Map.of());
        Service orders = Service.of(ofBackend, true, Service.Hosts.ofMesh(ofBackend), List.of(MAIN));
        assertThat(seconds(inNamespace("backend", "a", TO_ORDERS, 1), orders, MAIN)).isEqualTo(1);
        assertThat(seconds(inNamespace("elsewhere", "a", TO_ORDERS, 1), orders, MAIN)).isEqualTo(-1);
    }

    @Test
    void aNameMeansTheServiceOfItsNamespaceAndElseOfThePolicys() {
        Service backend = service("orders", "backend", MAIN);
        Service other = service("orders", "other", OTHER_PORT);
        String own = inNamespace("backend", "a", TO_ORDERS, 1);
        assertThat(seconds(own, backend, MAIN)).isEqualTo(1);
        assertThat(seconds(own, other, OTHER_PORT)).isEqualTo(-1);
        String named = inNamespace("shop", "a", "{kind: MeshService, name: orders, namespace: other}", 2);
        assertThat(seconds(named, backend, MAIN)).isEqualTo(-1);
        assertThat(seconds(named, other, OTHER_PORT)).isEqualTo(2);
        String byDisplayName = inNamespace("shop", "a", "{kind: MeshService, labels: {kuma.io/display-name: orders}}", 3);
        assertThat(seconds(byDisplayName, backend, MAIN)).isEqualTo(3);
        assertThat(seconds(byDisplayName, other, OTHER_PORT)).isEqualTo(3);
    }

    @Test
    void aRouteIsNamedWithinANamespaceToo() {
        MeshHttpRoute route = Policies.read(MeshHttpRoute.class, """
                apiVersion: kuma.io/v1alpha1
                kind: MeshHTTPRoute
                metadata: {name: slow, namespace: backend}
                spec:
                  to: [{targetRef: {kind: MeshService, name: orders}, rules: [{matches: [{path: {type: PathPrefix, value: /}}], default: {}}]}]
                """).get(0);
        String byTarget = """
                apiVersion: kuma.io/v1alpha1
                kind: MeshTimeout
                metadata: {name: a, namespace: %s}
                spec:
                  targetRef: {kind: MeshHTTPRoute, name: slow}
                  to: [{targetRef: {kind: Mesh}, default: {http: {requestTimeout: 3s}}}]
                """;
        for (String namespace : List.of("backend", "shop")) {
            OutboundRules ofTarget = rules(byTarget.formatted(namespace), route);
            boolean own = namespace.equals("backend");
            assertThat(ofTarget.of(PolicyKinds.TIMEOUT, all(), ORDERS, MAIN, route.metadata()).isPresent()).isEqualTo(own);
            OutboundRules ofDestination = rules(inNamespace(namespace, "a", "{kind: MeshHTTPRoute, name: slow}", 3), route);
            assertThat(ofDestination.of(PolicyKinds.TIMEOUT, all(), ORDERS, MAIN, route.metadata()).isPresent()).isEqualTo(own);
        }
    }

    private static BitSet all() {
        BitSet all = new BitSet();
        all.set(0, 100);
        return all;
    }

    @Test
    void aProducersPolicyIsForEverybodyAndAConsumersForItsNamespace() {
        String producer = inNamespace("backend", "a", TO_ORDERS, 1);
        String consumer = inNamespace("shop", "b", "{kind: MeshService, name: orders, namespace: backend}", 2);
        String elsewhere = inNamespace("elsewhere", "c", "{kind: MeshService, name: orders, namespace: backend}", 3);
        assertThat(seconds(producer, ORDERS, MAIN)).isEqualTo(1);
        assertThat(seconds(producer + elsewhere, ORDERS, MAIN)).isEqualTo(1);
        assertThat(seconds(producer + consumer + elsewhere, ORDERS, MAIN)).isEqualTo(2);
    }
}
