package io.weft.controlplane.xds;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.controlplane.identity.MeshSecurity;
import io.weft.controlplane.identity.ServedCertificates;
import io.weft.controlplane.identity.Workload;
import io.weft.controlplane.policy.AppliedPolicies;
import io.weft.controlplane.policy.Document;
import io.weft.controlplane.policy.Metadata;
import io.weft.controlplane.policy.PolicySet;
import io.weft.controlplane.policy.Protocol;
import io.weft.controlplane.policy.ResourceId;
import io.weft.controlplane.policy.ResourceParser;
import io.weft.controlplane.registry.ClientNode;
import io.weft.controlplane.registry.Registry.Health;
import io.weft.controlplane.service.Service;
import io.weft.controlplane.service.ServiceCatalog;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** What is made from what was made before is what would be made without. */
class MadeResourcesTest {

    /** Each may be there or not. */
    private static final List<String> POLICIES = List.of(
            policy("MeshTimeout", "short", "{kind: Mesh}", "{http: {requestTimeout: 2s}}"),
            policy("MeshTimeout", "of-orders", "{kind: MeshService, name: orders}", "{http: {requestTimeout: 3s}}"),
            policy("MeshTimeout", "of-route", "{kind: MeshHTTPRoute, name: canary}", "{http: {requestTimeout: 4s}}"),
            policy("MeshRetry", "never", "{kind: MeshService, name: users}", "{http: {numRetries: 0}}"),
            policy("MeshCircuitBreaker", "few", "{kind: Mesh}", "{connectionLimits: {maxConnections: 7}}"),
            policy("MeshLoadBalancingStrategy", "near", "{kind: Mesh}", "{localityAwareness: {disabled: true}}"),
            policy("MeshAccessLog", "log", "{kind: MeshService, name: orders}", "{backends: [{type: File, file: {path: /dev/stdout}}]}"),
            """
            type: MeshTimeout
            name: for-a-route
            mesh: default
            spec:
              targetRef: {kind: MeshHTTPRoute, name: canary}
              to: [{targetRef: {kind: Mesh}, default: {http: {requestTimeout: 5s}}}]
            """,
            route("canary", "{kind: Mesh}", "orders", "users"),
            route("second", "{kind: MeshSubset, tags: {version: v1}}", "users", "orders"));

    private static String policy(String kind, String name, String to, String conf) {
        return """
                type: %s
                name: %s
                mesh: default
                spec: {targetRef: {kind: Mesh}, to: [{targetRef: %s, default: %s}]}
                """.formatted(kind, name, to, conf);
    }

    private static String route(String name, String whose, String from, String to) {
        return """
                type: MeshHTTPRoute
                name: %s
                mesh: default
                spec:
                  targetRef: %s
                  to:
                  - targetRef: {kind: MeshService, name: %s}
                    rules:
                    - matches: [{path: {type: PathPrefix, value: /new}}]
                      default: {backendRefs: [{kind: MeshService, name: %s}]}
                """.formatted(name, whose, from, to);
    }

    private final Random random = new Random(7);
    private final Map<String, Service> services = new TreeMap<>();
    private final Map<String, PolicySet.Sourced> parsed = new TreeMap<>();

    private static ClientNode node(String namespace, String version) {
        Metadata metadata = new Metadata(new ResourceId("Dataplane", "default", "me"), "me", namespace, Map.of());
        return new ClientNode("default.me", "me", ClientNode.Kind.AGENT, metadata, Optional.empty(),
                new ClientNode.Binding("127.0.0.1", Map.of()), false,
                Optional.of(new ClientNode.Pod(Workload.ofService("me"), Map.of("version", version, "kuma.io/service", "me"))));
    }

    /** A new object, as a cluster's is when anything of it has changed. */
    private void change(String name) {
        String namespace = random.nextBoolean() ? "shop" : "other";
        Metadata metadata = new Metadata(new ResourceId("MeshService", "default", name + "." + namespace), name, namespace, Map.of());
        List<Service.Instance> instances = new ArrayList<>();
        for (int i = random.nextInt(3); i > 0; i--) {
            instances.add(new Service.Instance("10.0.0." + random.nextInt(9), 8080, random.nextBoolean() ? "east" : "west",
                    random.nextInt(4) == 0 ? Set.of("east") : Set.of(), Workload.NOBODY, Map.of("version", "v1"), Health.HEALTHY, false));
        }
        Service.Hosts hosts = new Service.Hosts(
                random.nextBoolean() ? List.of(name + "." + namespace) : List.of(name + "." + namespace, "shared"),
                Map.of(namespace, List.of(name)));
        services.put(name, Service.of(metadata, true, hosts, List.of(
                new Service.Port(80, Optional.of("http"), Protocol.HTTP, instances),
                new Service.Port(81, Optional.empty(), random.nextBoolean() ? Protocol.HTTP : Protocol.TCP, instances))));
    }

    private void step() {
        String name = List.of("orders", "users", "invoices").get(random.nextInt(3));
        switch (random.nextInt(6)) {
            case 0 -> services.remove(name);
            case 1, 2 -> change(name);
            case 3, 4 -> {
                String policy = POLICIES.get(random.nextInt(POLICIES.size()));
                if (parsed.remove(policy) == null) {
                    for (Document document : new ResourceParser().parseFile("test.yaml", policy)) {
                        assertThat(document.problems()).isEmpty();
                        parsed.put(policy, new PolicySet.Sourced(document.resource().orElseThrow(), document.file(), document.line()));
                    }
                }
            }
            default -> {
                // Something else has changed, and nothing of this.
            }
        }
    }

    private MeshCompiler compiler(MadeResources made) {
        return new MeshCompiler(
                ServiceCatalog.of(services.values()),
                AppliedPolicies.of(new PolicySet(List.copyOf(parsed.values()), List.of(), List.of()), "default"),
                MeshSecurity.NONE, new ServedCertificates(Clock.systemUTC(), new Random(1)), made);
    }

    private static Map<String, String> versions(NodeConfig config) {
        Map<String, String> versions = new TreeMap<>();
        for (ResourceType type : ResourceType.values()) {
            config.of(type).forEach(resource -> versions.put(type + " " + resource.name(), resource.version()));
            versions.put(type + " as a whole", config.of(type).shared().version() + config.of(type).own().version());
        }
        return versions;
    }

    @Test
    void itIsTheSameAsWithout() {
        MadeResources made = new MadeResources();
        Set<Integer> seen = new TreeSet<>();
        for (int round = 0; round < 300; round++) {
            step();
            MeshCompiler compiler = compiler(made);
            MeshCompiler without = compiler(new MadeResources());
            for (ClientNode node : List.of(node("shop", "v1"), node("other", "v2"), node("", "v1"))) {
                for (boolean incremental : new boolean[] {true, false}) {
                    Map<String, String> versions = versions(compiler.configFor(node, incremental));
                    assertThat(versions).as("round %d", round).isEqualTo(versions(without.configFor(node, incremental)));
                    seen.add(versions.hashCode());
                }
            }
            assertThat(compiler.destinations()).isEqualTo(without.destinations());
        }
        assertThat(seen).as("different ones").hasSizeGreaterThan(300);
    }

    @Test
    void ofAServiceOfWhichNothingHasChangedTheObjectsAreTheSame() {
        MadeResources made = new MadeResources();
        change("orders");
        change("users");
        NodeConfig first = compiler(made).configFor(node("shop", "v1"), true);
        change("users");
        NodeConfig second = compiler(made).configFor(node("shop", "v1"), true);
        for (ResourceType type : List.of(ResourceType.CLUSTER, ResourceType.ENDPOINT, ResourceType.VIRTUAL_HOST)) {
            List<Versioned> orders = new ArrayList<>();
            first.of(type).forEach(resource -> {
                if (resource.name().contains("orders")) {
                    orders.add(resource);
                }
            });
            assertThat(orders).as(type.toString()).isNotEmpty().allSatisfy(
                    resource -> assertThat(second.of(type).get(resource.name())).isSameAs(resource));
        }
    }
}
