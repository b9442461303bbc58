package io.weft.controlplane.page;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.controlplane.policy.Document;
import io.weft.controlplane.policy.MeshHttpRoute;
import io.weft.controlplane.policy.Metadata;
import io.weft.controlplane.policy.Resource;
import io.weft.controlplane.policy.ResourceId;
import io.weft.controlplane.policy.ResourceParser;
import io.weft.controlplane.registry.ClientNode;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the page says of whom a policy is for. */
class PolicyTargetTest {

    private static final ClientNode SHOP = node("shop", "");
    private static final ClientNode OTHER = node("other", "");

    private static ClientNode node(String service, String namespace) {
        return new ClientNode(
                "default." + service + "-1",
                service,
                ClientNode.Kind.AGENT,
                new Metadata(new ResourceId("Dataplane", "default", service + "-1"), service + "-1", namespace, Map.of()),
                Optional.empty(),
                new ClientNode.Binding("127.0.0.1", Map.of()),
                false,
                Optional.empty());
    }

    private static Resource read(String text) {
        List<Document> documents = new ResourceParser().parseFile("test.yaml", text);
        assertThat(documents).singleElement().satisfies(each -> assertThat(each.problems()).isEmpty());
        return documents.get(0).resource().orElseThrow();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "MeshTimeout        | 'targetRef: {kind: Mesh}, to: [{targetRef: {kind: Mesh}, default: {http: {requestTimeout: 1s}}}]'"
                + " | everyone → everything                 | true | true",
        "MeshTimeout        | 'targetRef: {kind: MeshSubset, tags: {kuma.io/service: shop}}, to: [{targetRef: {kind: MeshService, name: orders},"
                + " default: {http: {requestTimeout: 1s}}}]'"
                + " | kuma.io/service=shop → orders         | true | false",
        "MeshRetry          | 'targetRef: {kind: MeshService, name: shop}, to: [{targetRef: {kind: MeshService, name: orders},"
                + " default: {http: {numRetries: 1, retryOn: [5xx]}}}]'"
                + " | shop → orders                         | true | false",
        "MeshFaultInjection | 'targetRef: {kind: MeshSubset, tags: {kuma.io/service: other}}, from: [{targetRef: {kind: Mesh},"
                + " default: {http: [{abort: {httpStatus: 500, percentage: 1}}]}}]'"
                + " | kuma.io/service=other                 | false | true",
        "MeshTimeout        | 'targetRef: {kind: MeshHTTPRoute, name: slow}, to: [{targetRef: {kind: Mesh}, default: {http: {requestTimeout: 1s}}}]'"
                + " | those of route slow → everything      | true | false",
        "MeshTimeout        | 'targetRef: {kind: Mesh}, to: [{targetRef: {kind: MeshHTTPRoute, name: slow}, default: {http: {requestTimeout: 1s}}}]'"
                + " | everyone → route slow                 | true | true",
    })
    void aPolicyActsOnThoseForWhomItIs(String kind, String spec, String described, boolean shop, boolean other) {
        Resource policy = read("type: " + kind + "\nname: a\nmesh: default\nspec: {" + spec + "}\n");
        MeshHttpRoute slow = (MeshHttpRoute) read("""
                type: MeshHTTPRoute
                name: slow
                mesh: default
                spec:
                  targetRef: {kind: MeshSubset, tags: {kuma.io/service: shop}}
                  to: [{targetRef: {kind: MeshService, name: orders}, rules: [{matches: [{path: {type: PathPrefix, value: /}}], default: {}}]}]
                """);
        assertThat(PolicyTarget.describe(policy)).isEqualTo(described);
        assertThat(PolicyTarget.selects(policy, SHOP, List.of(slow))).as("shop").isEqualTo(shop);
        assertThat(PolicyTarget.selects(policy, OTHER, List.of(slow))).as("other").isEqualTo(other);
    }

    @Test
    void aConsumersPolicyActsInItsNamespaceAlone() {
        Resource policy = read("""
                apiVersion: kuma.io/v1alpha1
                kind: MeshTimeout
                metadata: {name: a, namespace: front}
                spec: {to: [{targetRef: {kind: MeshService, name: orders, namespace: backend}, default: {http: {requestTimeout: 1s}}}]}
                """);
        assertThat(PolicyTarget.selects(policy, node("shop", "front"), List.of())).isTrue();
        assertThat(PolicyTarget.selects(policy, node("shop", "elsewhere"), List.of())).isFalse();
    }
}
