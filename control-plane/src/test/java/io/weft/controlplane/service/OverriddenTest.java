package io.weft.controlplane.service;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.controlplane.policy.PolicySet;
import io.weft.controlplane.policy.Resource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Which policies are said to have no effect. */
class OverriddenTest {

    private static final String ORDERS = "{kind: MeshService, name: orders}";

    /** By name, what overrides them. */
    private static Map<String, String> overridden(String... texts) {
        List<PolicySet.Sourced> sourced = new ArrayList<>();
        for (Resource resource : Policies.read(Resource.class, String.join("\n---\n", texts))) {
            sourced.add(new PolicySet.Sourced(resource, "test.yaml", 1));
        }
        Map<String, String> names = new TreeMap<>();
        Overridden.in(new PolicySet(sourced, List.of(), List.of())).forEach((id, by) -> names.put(id.name(), String.join(", ", by)));
        return names;
    }

    private static String timeout(String name, String to, String conf) {
        return "type: MeshTimeout\nname: " + name + "\nspec: {to: [{targetRef: " + to + ", default: " + conf + "}]}";
    }

    private static String inbound(String kind, String name, String conf) {
        return "type: " + kind + "\nname: " + name + "\nspec: {rules: [{default: " + conf + "}]}";
    }

    private static String route(String name, String prefix, String conf) {
        return "type: MeshHTTPRoute\nname: " + name + "\nspec: {to: [{targetRef: " + ORDERS + ", rules: [{matches: [{path: {type: PathPrefix, value: "
                + prefix + "}}], default: " + conf + "}]}]}";
    }

    private static String backend(String version) {
        return "{backendRefs: [{kind: MeshServiceSubset, name: orders, tags: {version: " + version + "}, weight: 1}]}";
    }

    @Test
    void ofTwoThatSayTheSameOfTheSameTheAlphabeticallyFirstCounts() {
        assertThat(overridden(
                timeout("b", ORDERS, "{http: {requestTimeout: 5s}}"),
                timeout("a", ORDERS, "{http: {requestTimeout: 2s}}"))).containsExactly(Map.entry("b", "a"));
        assertThat(overridden(
                timeout("c", ORDERS, "{http: {requestTimeout: 5s}}"),
                timeout("b", ORDERS, "{http: {requestTimeout: 3s}}"),
                timeout("a", ORDERS, "{http: {requestTimeout: 2s}}"))).containsExactly(Map.entry("b", "a"), Map.entry("c", "a"));
    }

    @Test
    void whatSaysAnythingElseHasAnEffect() {
        assertThat(overridden(
                timeout("b", ORDERS, "{connectionTimeout: 1s, http: {requestTimeout: 5s}}"),
                timeout("a", ORDERS, "{http: {requestTimeout: 2s}}"))).as("a field that is left open").isEmpty();
        assertThat(overridden(
                timeout("b", "{kind: Mesh}", "{http: {requestTimeout: 5s}}"),
                timeout("a", ORDERS, "{http: {requestTimeout: 2s}}"))).as("another destination").isEmpty();
        assertThat(overridden(
                timeout("b", ORDERS, "{http: {requestTimeout: 5s}}"),
                timeout("a", ORDERS, "{http: {requestTimeout: 2s}}")
                        .replace("spec: {", "spec: {targetRef: {kind: Dataplane, labels: {app: web}}, "))).as("other callers").isEmpty();
        assertThat(overridden(
                timeout("b", ORDERS, "{http: {requestTimeout: 5s}}"),
                timeout("a", ORDERS, "{http: {requestTimeout: 2s}}") + "\nlabels: {kuma.io/effect: shadow}")).as("a shadow").isEmpty();
        assertThat(overridden(
                timeout("b", ORDERS, "{http: {requestTimeout: 5s}}"),
                timeout("a", ORDERS, "{http: {requestTimeout: 2s}}") + "\nmesh: other")).as("another mesh").isEmpty();
        assertThat(overridden(
                timeout("b", ORDERS, "{http: {requestTimeout: 5s}}"),
                inbound("MeshTimeout", "a", "{http: {requestTimeout: 2s}}"))).as("what comes in").isEmpty();
    }

    @Test
    void aRoleCountsBeforeAName() {
        String consumer = "\nlabels: {kuma.io/policy-role: consumer, k8s.kuma.io/namespace: shop}";
        assertThat(overridden(
                timeout("a", ORDERS, "{http: {requestTimeout: 5s}}") + consumer,
                timeout("b", ORDERS, "{http: {requestTimeout: 2s}}"))).as("others than the namespace's consumers are left").isEmpty();
        assertThat(overridden(
                timeout("b", ORDERS, "{http: {requestTimeout: 5s}}") + consumer,
                timeout("a", ORDERS, "{http: {requestTimeout: 2s}}") + consumer)).containsExactly(Map.entry("b", "a"));
        assertThat(overridden(
                timeout("b", ORDERS, "{http: {requestTimeout: 5s}}") + consumer,
                timeout("a", ORDERS, "{http: {requestTimeout: 2s}}") + consumer.replace("shop", "other"))).isEmpty();
    }

    @Test
    void ofRoutesEachRuleCounts() {
        assertThat(overridden(route("b", "/", backend("v1")), route("a", "/", backend("v2")))).containsExactly(Map.entry("b", "a"));
        assertThat(overridden(route("b", "/x", backend("v1")), route("a", "/", backend("v2")))).as("another match").isEmpty();
        assertThat(overridden(
                route("b", "/", backend("v1")),
                route("a", "/", "{filters: [{type: RequestHeaderModifier, requestHeaderModifier: {remove: [x]}}]}")))
                .as("the backends are left").isEmpty();
    }

    @Test
    void whatActsBesideOthersIsNotOverridden() {
        String faults = "{http: [{abort: {httpStatus: 500, percentage: 10}}]}";
        assertThat(overridden(inbound("MeshFaultInjection", "b", faults), inbound("MeshFaultInjection", "a", faults))).isEmpty();
        String limit = "{local: {http: {requestRate: {num: 5, interval: 1s}}}}";
        assertThat(overridden(inbound("MeshRateLimit", "b", limit), inbound("MeshRateLimit", "a", limit)))
                .containsExactly(Map.entry("b", "a"));
        assertThat(overridden(inbound("MeshTLS", "b", "{mode: Strict}"), inbound("MeshTLS", "a", "{mode: Permissive}")))
                .containsExactly(Map.entry("b", "a"));
        assertThat(overridden(inbound("MeshTLS", "b", "{mode: Strict, tlsVersion: {min: TLS13}}"), inbound("MeshTLS", "a", "{mode: Strict}")))
                .isEmpty();
    }
}
