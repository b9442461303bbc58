package io.weft.controlplane.service;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.controlplane.policy.MeshHttpRoute;
import io.weft.controlplane.policy.Metadata;
import io.weft.controlplane.policy.Protocol;
import io.weft.controlplane.policy.ResourceId;
import io.weft.controlplane.service.RouteRules.Resolved;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class RouteRulesTest {

    private static final Service.Port MAIN = new Service.Port(80, Optional.of("main"), Protocol.HTTP, List.of());
    private static final Service.Port ADMIN = new Service.Port(81, Optional.empty(), Protocol.HTTP, List.of());
    private static final Service ORDERS = Service.of(
            new Metadata(new ResourceId("MeshService", "default", "orders"), "orders", "", Map.of("team", "shop")),
            true,
            new Service.Hosts(List.of("orders"), Map.of()),
            List.of(MAIN, ADMIN));

    /** Each route as "what it matches -> first backend (number of filters)", in the order in which they are tried. */
    private static List<String> routes(Service.Port port, String policies) {
        return RouteRules.of(ORDERS, port, Policies.read(MeshHttpRoute.class, policies)).stream()
                .map(RouteRulesTest::show)
                .toList();
    }

    private static String show(Resolved route) {
        StringBuilder text = new StringBuilder();
        MeshHttpRoute.Path path = route.match().path().orElseThrow();
        text.append(path.kind()).append(' ').append(path.value());
        route.match().method().ifPresent(method -> text.append(' ').append(method));
        route.match().headers().forEach(header -> text.append(" h:").append(header.name()));
        route.match().query().forEach(query -> text.append(" q:").append(query.name()));
        text.append(" -> ").append(route.rule().backends().map(refs -> refs.get(0).name().orElseThrow()).orElse("itself"));
        route.rule().filters().ifPresent(filters -> text.append(" +").append(filters.size()));
        return text.toString();
    }

    private static String policy(String name, String target, String to, String... rules) {
        return """
                ---
                type: MeshHTTPRoute
                name: %s
                spec:
                  targetRef: %s
                  to:
                  - targetRef: %s
                    rules:
                """.formatted(name, target, to) + String.join("\n", rules).indent(4);
    }

    private static String rule(String match, String backend) {
        return "- matches: [" + match + "]\n  default: {backendRefs: [{kind: MeshService, name: " + backend + "}]}";
    }

    private static final String MESH = "{kind: Mesh}";
    private static final String TO = "{kind: MeshService, name: orders}";
    private static final String ALL = "{path: {type: PathPrefix, value: /}}";

    @Test
    void withoutAPolicyEverythingGoesToTheServiceItself() {
        assertThat(RouteRules.of(ORDERS, MAIN, List.of())).extracting(RouteRulesTest::show)
                .containsExactly("PREFIX / -> itself");
    }

    @Test
    void routesAreTriedAsKumaTriesThem() {
        assertThat(routes(MAIN, policy("p", MESH, TO,
                rule("{headers: [{name: a, value: b}]}", "header-only"),
                rule("{path: {type: RegularExpression, value: '/a.*'}}", "regex"),
                rule("{path: {type: PathPrefix, value: /a}}", "short"),
                rule("{path: {type: PathPrefix, value: /a/b}}", "long"),
                rule("{path: {type: PathPrefix, value: /a}, queryParams: [{type: Exact, name: q, value: v}]}", "query"),
                rule("{path: {type: PathPrefix, value: /a}, headers: [{name: x, value: y}]}", "header"),
                rule("{path: {type: PathPrefix, value: /a}, method: GET}", "method"),
                rule("{path: {type: Exact, value: /z}}", "exact")))).containsExactly(
                "EXACT /z -> exact",
                "PREFIX /a/b -> long",
                "PREFIX /a GET -> method",
                "PREFIX /a h:x -> header",
                "PREFIX /a q:q -> query",
                "PREFIX /a -> short",
                "REGEX /a.* -> regex",
                "PREFIX / h:a -> header-only",
                "PREFIX / -> itself");
    }

    @Test
    void ofEqualMatchesTheFirstRuleOfAPolicyWins() {
        assertThat(routes(MAIN, policy("p", MESH, TO, rule(ALL, "first"), rule(ALL, "second"))))
                .containsExactly("PREFIX / -> first");
        assertThat(routes(MAIN, policy("p", MESH, TO, rule("{path: {type: Exact, value: /a}}", "first"),
                rule("{path: {type: Exact, value: /b}}", "second"))))
                .containsExactly("EXACT /a -> first", "EXACT /b -> second", "PREFIX / -> itself");
    }

    @Test
    void theMoreSpecificTargetWins() {
        String mesh = policy("a", MESH, TO, rule(ALL, "mesh"));
        String dataplanes = policy("b", "{kind: Dataplane}", TO, rule(ALL, "dataplanes"));
        String named = policy("d", "{kind: Dataplane, name: a}", TO, rule(ALL, "named"));
        String subset = policy("e", "{kind: MeshSubset, tags: {a: b}}", TO, rule(ALL, "subset"));
        String service = policy("f", "{kind: MeshService, name: a}", TO, rule(ALL, "service"));
        String serviceSubset =
                policy("g", "{kind: MeshServiceSubset, name: a, tags: {a: b}}", TO, rule(ALL, "service-subset"));
        List<String> ascending = List.of(mesh, dataplanes, named, subset, service, serviceSubset);
        List<String> winners =
                List.of("mesh", "dataplanes", "named", "subset", "service", "service-subset");
        for (int i = 1; i < ascending.size(); i++) {
            assertThat(routes(MAIN, ascending.get(i - 1) + ascending.get(i)))
                    .containsExactly("PREFIX / -> " + winners.get(i));
            assertThat(routes(MAIN, ascending.get(i) + ascending.get(i - 1)))
                    .containsExactly("PREFIX / -> " + winners.get(i));
        }
    }

    /** Kuma's CompareDataplaneKind. */
    @Test
    void labelsOfDataplanesAreNoMoreSpecificThanNoneAndLessThanAName() {
        String labels = policy("b", "{kind: Dataplane, labels: {a: b}}", TO, rule(ALL, "labels"));
        assertThat(routes(MAIN, labels + policy("a", "{kind: Dataplane}", TO, rule(ALL, "all")))).containsExactly("PREFIX / -> all");
        assertThat(routes(MAIN, labels + policy("c", "{kind: Dataplane, name: a}", TO, rule(ALL, "named"))))
                .containsExactly("PREFIX / -> named");
    }

    /** As a route of Gateway API becomes one. */
    private static MeshHttpRoute ofGateway(String role, String name, String match) {
        MeshHttpRoute route = Policies.read(MeshHttpRoute.class, policy(name, MESH, TO, rule(match, "of-" + name))).get(0);
        Metadata metadata = new Metadata(route.metadata().id(), name, "", Map.of("kuma.io/policy-role", role));
        return new MeshHttpRoute(metadata, route.target(), MeshHttpRoute.Unmatched.NOT_FOUND, route.to());
    }

    /** GEP-1294, "Multiple routes for a Service". */
    @Test
    void gatewayRoutesOfTheCallersTakeThePlaceOfTheServices() {
        MeshHttpRoute producer = ofGateway("producer", "a", ALL);
        MeshHttpRoute consumer = ofGateway("consumer", "b", "{path: {type: Exact, value: /b}}");
        MeshHttpRoute another = ofGateway("consumer", "c", "{path: {type: Exact, value: /c}}");
        MeshHttpRoute kuma = Policies.read(
                MeshHttpRoute.class, policy("d", MESH, TO, rule("{path: {type: Exact, value: /d}}", "of-d"))).get(0);
        assertThat(RouteRules.of(ORDERS, MAIN, List.of(producer, consumer, another, kuma))).extracting(RouteRulesTest::show)
                .containsExactly("EXACT /b -> of-b", "EXACT /c -> of-c", "EXACT /d -> of-d");
        assertThat(RouteRules.of(ORDERS, MAIN, List.of(producer, kuma))).extracting(RouteRulesTest::show)
                .containsExactly("EXACT /d -> of-d", "PREFIX / -> of-a");
    }

    @Test
    void otherwiseTheAlphabeticallyFirstNameWins() {
        String a = policy("a", MESH, TO, rule(ALL, "from-a"));
        String b = policy("b", MESH, TO, rule(ALL, "from-b"));
        assertThat(routes(MAIN, a + b)).containsExactly("PREFIX / -> from-a");
        assertThat(routes(MAIN, b + a)).containsExactly("PREFIX / -> from-a");
    }

    @Test
    void aSectionIsMoreSpecificThanTheWholeService() {
        String whole = policy("a", MESH, TO, rule(ALL, "whole"));
        String main = policy("b", MESH, "{kind: MeshService, name: orders, sectionName: main}", rule(ALL, "by-name"));
        String admin = policy("c", MESH, "{kind: MeshService, name: orders, sectionName: '81'}", rule(ALL, "by-number"));
        assertThat(routes(MAIN, whole + main + admin)).containsExactly("PREFIX / -> by-name");
        assertThat(routes(ADMIN, whole + main + admin)).containsExactly("PREFIX / -> by-number");
    }

    @Test
    void servicesAreFoundByTheirLabels() {
        String byLabel = policy("a", MESH, "{kind: MeshService, labels: {team: shop}}", rule(ALL, "found"));
        String other = policy("b", MESH, "{kind: MeshService, labels: {team: other}}", rule(ALL, "not-found"));
        String byName = policy("c", MESH, "{kind: MeshService, labels: {kuma.io/display-name: orders}}",
                rule("{path: {type: Exact, value: /n}}", "by-name"));
        assertThat(routes(MAIN, byLabel + other + byName)).containsExactly("EXACT /n -> by-name", "PREFIX / -> found");
    }

    @Test
    void equalMatchesOfSeveralPoliciesAreMerged() {
        String filters = policy("a", MESH, TO, "- matches: [" + ALL + "]\n  default:\n    filters:\n"
                + "    - {type: URLRewrite, urlRewrite: {hostname: h}}");
        String backends = policy("b", "{kind: MeshSubset, tags: {a: b}}", TO, rule(ALL, "other"));
        assertThat(routes(MAIN, filters + backends)).containsExactly("PREFIX / -> other +1");
        String differentMatch = policy("c", MESH, TO, rule("{method: GET}", "gets"));
        assertThat(routes(MAIN, filters + backends + differentMatch))
                .containsExactly("PREFIX / -> other +1", "PREFIX / GET -> gets");
    }

    @Test
    void theOriginIsThePolicyThatWon() {
        String lower = policy("lower", MESH, TO, rule(ALL, "x"));
        String higher = policy("higher", "{kind: MeshService, name: a}", TO, rule("{method: GET}", "y"), rule(ALL, "z"));
        List<Resolved> resolved =
                RouteRules.of(ORDERS, MAIN, Policies.read(MeshHttpRoute.class, lower + higher));
        assertThat(resolved.get(0).origin()).hasValueSatisfying(origin -> {
            assertThat(origin.policy().displayName()).isEqualTo("higher");
            assertThat(origin.rule()).isEqualTo(1);
        });
    }
}
