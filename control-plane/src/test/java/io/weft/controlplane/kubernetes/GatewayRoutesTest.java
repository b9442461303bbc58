package io.weft.controlplane.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.HTTPRoute;
import io.fabric8.kubernetes.api.model.gatewayapi.v1beta1.ReferenceGrant;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.weft.controlplane.policy.MeshHttpRoute;
import io.weft.controlplane.policy.Problem;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Which version of a route is in force, and where it may lead. */
class GatewayRoutesTest {

    private static final String ROUTE = """
            apiVersion: gateway.networking.k8s.io/v1
            kind: HTTPRoute
            metadata: {name: %s, namespace: shop, generation: %d}
            spec:
              parentRefs: [{group: "", kind: Service, name: orders, port: 80}]
              rules:
              - matches: [{path: {type: PathPrefix, value: /}}]
                filters: [%s]
                backendRefs: [{name: orders-next, namespace: backend, port: 80}]
            """;
    private static final String UNSUPPORTED =
            "{type: ExtensionRef, extensionRef: {group: example.com, kind: Filter, name: mine}}";
    /** No schema lets it pass. */
    private static final String BROKEN = "{type: RequestMirror}";

    private final ClusterState state = new ClusterState();
    private final GatewayRoutes routes = new GatewayRoutes(state, "default");
    private final ReferenceGrant grant = Serialization.unmarshal("""
            apiVersion: gateway.networking.k8s.io/v1beta1
            kind: ReferenceGrant
            metadata: {name: shop-may, namespace: backend}
            spec:
              from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: shop}]
              to: [{group: "", kind: Service}]
            """, ReferenceGrant.class);

    @BeforeEach
    void services() {
        service("shop", "orders");
        service("backend", "orders-next");
        routes.put(grant);
    }

    private void service(String namespace, String name) {
        state.put(new FactReader("default").service(Serialization.unmarshal("""
                apiVersion: v1
                kind: Service
                metadata: {name: %s, namespace: %s}
                spec: {clusterIP: 10.96.0.7, ports: [{port: 80, protocol: TCP}]}
                """.formatted(name, namespace), Service.class)));
    }

    private static HTTPRoute route(String name, int generation, String filter) {
        return Serialization.unmarshal(ROUTE.formatted(name, generation, filter), HTTPRoute.class);
    }

    /** Where the routes that are in force lead; empty: to an answer of 500. */
    private static List<String> backends(GatewayRoutes.Reading reading) {
        return reading.inForce().stream()
                .map(each -> (MeshHttpRoute) each.resource())
                .map(each -> each.to().get(0).rules().get(0).backends().orElseThrow().get(0).name().orElseThrow())
                .toList();
    }

    /** Fails closed: who takes back a grant need not ask whether the route that used it can be read. */
    @Test
    void aVersionThatIsKeptLeadsNowhereWhereItMayNotLeadAnyMore() {
        routes.put(route("canary", 1, ""));
        assertThat(backends(routes.now())).containsExactly("orders-next");
        routes.put(route("canary", 2, UNSUPPORTED));
        GatewayRoutes.Reading kept = routes.now();
        assertThat(backends(kept)).containsExactly("orders-next");
        assertThat(kept.outdated()).hasSize(1);
        assertThat(kept.problems()).extracting(Problem::message).singleElement().asString().startsWith("is not supported");
        routes.remove(grant);
        GatewayRoutes.Reading taken = routes.now();
        assertThat(backends(taken)).containsExactly("");
        assertThat(taken.outdated()).hasSize(1);
        routes.put(grant);
        assertThat(backends(routes.now())).containsExactly("orders-next");
    }

    @Test
    void oneThatCannotBeReadKeepsItsLastGoodAndFreezesNoOther() {
        routes.put(route("a", 1, ""));
        routes.put(route("b", 1, ""));
        routes.now();
        routes.put(route("a", 2, BROKEN));
        HTTPRoute without = route("c", 1, "");
        without.setSpec(null);
        routes.put(without);
        routes.put(route("d", 1, ""));
        GatewayRoutes.Reading reading = routes.now();
        assertThat(reading.inForce()).extracting(each -> each.resource().metadata().displayName()).containsExactly("a", "b", "d");
        assertThat(reading.problems()).extracting(Problem::file).containsExactly("HTTPRoute shop/a", "HTTPRoute shop/c");
        assertThat(reading.problems()).extracting(Problem::message).allSatisfy(message -> assertThat(message).startsWith("could not be read"));
        routes.put(route("a", 3, ""));
        routes.remove(without);
        assertThat(routes.now().problems()).isEmpty();
    }
}
