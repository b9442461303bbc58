package io.weft.controlplane.xds;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.weft.controlplane.registry.ClientNode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What a policy changes in what is served here is, field by field, what it changes in what a real kuma-cp serves for the same
 * policy, see {@code kuma/README.md} among the resources. Names, addresses and statistics aside; where the two differ on purpose the
 * reason is here. Prints which fields.
 */
class KumaGoldenTest {

    private static final String ZONE = "kuma-3";

    /** The mesh around Kuma's policies, without any that nobody wrote. */
    private static final String MESH = """
            type: Mesh
            name: envoyconfig
            skipCreatingInitialPolicies: ["*"]
            mtls: {enabledBackend: ca-1, backends: [{name: ca-1, type: builtin}]}
            ---
            type: Dataplane
            name: demo-client
            mesh: envoyconfig
            networking:
              address: 10.0.0.1
              inbound: [{port: 3000, tags: {kuma.io/service: demo-client, kuma.io/protocol: tcp, kuma.io/zone: kuma-3}}]
            ---
            type: Dataplane
            name: test-server
            mesh: envoyconfig
            networking:
              address: 10.0.0.2
              inbound: [{port: 80, servicePort: 8080, tags: {kuma.io/service: test-server, kuma.io/protocol: http, kuma.io/zone: kuma-3}}]
            ---
            type: MeshService
            name: test-server
            mesh: envoyconfig
            labels: {kuma.io/zone: kuma-3}
            spec:
              selector: {dataplaneTags: {kuma.io/service: test-server}}
              ports: [{port: 80, targetPort: 80, appProtocol: http}]
            ---
            """;

    /** As in Kuma's tests. */
    private static final String ALL_MAY = """
            type: MeshTrafficPermission
            name: all
            mesh: envoyconfig
            spec: {from: [{targetRef: {kind: Mesh}, default: {action: Allow}}]}
            """;

    /**
     * What differs on purpose.
     *
     * @param policy of which; empty: of all
     * @param field a part of its path
     */
    private record Difference(String policy, String field, String reason) {}

    private static final List<Difference> DIFFERENT = List.of(
            new Difference("no-policies", "commonHttpProtocolOptions", "Envoy's own values, which are said by nobody here: an hour, and no limit"),
            new Difference("no-policies", "route.idleTimeout", "Envoy's own five minutes; Kuma says half an hour even then"),
            new Difference("meshtimeout", "explicitHttpConfig",
                    "kuma-dp speaks HTTP/2 to every kuma-dp; an agent's app speaks what it speaks"),
            new Difference("meshaccesslog", "accessLog[0].filter",
                    "marks what no route logs by itself, with the help of a Lua filter: it holds for all here"),
            new Difference("meshtls", "SecretConfig", "a name"),
            new Difference("meshtls", "rules", "MeshTrafficPermission's, which allows nobody here until one is written"),
            new Difference("meshtls", "imeout", "MeshTimeout's: without one a server has all the time that the caller has"),
            new Difference("meshtls", "lientCertDetails", "no certificate is asked for on this chain, and none forwarded"));

    /** What policies to callers set. */
    private static final Pattern BY_POLICIES = Pattern.compile("^cluster test-server\\.(connectTimeout|circuitBreakers|outlierDetection|healthChecks"
            + "|lbPolicy|.*LbConfig|.*commonHttpProtocolOptions)|^outbound 80\\..*\\.(route\\.|accessLog|tracing|httpFilters)");

    /** What is none of the policy's: names, addresses, statistics, and whatever listens on the app's side. */
    private static final List<String> ASIDE = List.of(
            "statPrefix", ".cluster", "routeConfig.name", "internalAddressConfig", "requestHeadersToRemove", "validateClusters");

    @TempDir
    private static Path state;

    static final List<String> POLICIES = List.of(
            "meshaccesslog-outbound", "meshcircuitbreaker-outbound", "meshfaultinjection-inbound-rules",
            "meshloadbalancingstrategy-outbound-ringhash", "meshratelimit-inbound-rules", "meshretry-outbound",
            "meshtimeout-outbound", "meshtls-inbound-permissive-rules", "meshtrafficpermission-inbound-rules");

    static Stream<String> cases() {
        return POLICIES.stream().flatMap(name -> Stream.of(name + ".demo-client", name + ".test-server"));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void whatAPolicyChangesIsWhatItChangesInKuma(String name) throws IOException {
        String dataplane = name.substring(name.indexOf('.') + 1);
        JsonNode golden = Served.read(text("kuma/" + name + ".json"));
        Map<String, String> before = canonical(Served.unpatched(golden.path("served"), golden.path("patch")));
        Map<String, String> after = canonical(golden.path("served"));
        String policies = text("kuma/" + name.substring(0, name.indexOf('.')) + ".yaml");
        String routes = Stream.of(policies.split("---\n"))
                .filter(document -> !document.contains("kuma.io/effect: shadow"))
                .reduce("", (all, document) -> all + "---\n" + document);
        String applied = policies.replace("kuma.io/effect: shadow", "kuma.io/zone: " + ZONE);
        Map<String, String> ours = Served.leaves(served(dataplane, routes));
        Map<String, String> with = Served.leaves(served(dataplane, applied));

        List<String> table = new ArrayList<>();
        List<String> wrong = new ArrayList<>();
        Map<String, String> changed = new TreeMap<>(difference(before, after));
        changed.forEach((field, value) -> judge(name, field, value, with.get(field), table, wrong));
        difference(ours, with).forEach((field, value) -> {
            if (!changed.containsKey(field) && !value.equals(after.get(field))) {
                judge(name, field, after.get(field), value, table, wrong);
            }
        });
        before.keySet().stream().filter(field -> !after.containsKey(field) && with.containsKey(field)).forEach(field ->
                judge(name, field, null, with.get(field), table, wrong));
        System.out.println(name + "\n" + String.join("\n", table));
        assertThat(wrong).as(name).isEmpty();
        assertThat(table.isEmpty()).as("nothing was compared").isEqualTo(golden.path("patch").isEmpty());
    }

    /** What policies would change, where there are none. */
    @ParameterizedTest
    @ValueSource(strings = {"demo-client", "test-server"})
    void whatHoldsWithoutAPolicyIsWhatHoldsInKuma(String dataplane) throws IOException {
        Map<String, String> theirs = canonical(Served.read(text("kuma/no-policies." + dataplane + ".json")).path("served"));
        Map<String, String> ours = Served.leaves(served(dataplane, ALL_MAY));
        List<String> table = new ArrayList<>();
        List<String> wrong = new ArrayList<>();
        Set<String> fields = new TreeSet<>(theirs.keySet());
        fields.addAll(ours.keySet());
        fields.stream().filter(BY_POLICIES.asPredicate()).forEach(field -> judge("no-policies", field, theirs.get(field), ours.get(field), table, wrong));
        System.out.println("no-policies." + dataplane + "\n" + String.join("\n", table));
        assertThat(wrong).isEmpty();
    }

    private static void judge(String name, String field, String theirs, String ours, List<String> table, List<String> wrong) {
        if (ASIDE.stream().anyMatch(field::contains) || field.contains("virtualHosts") && field.endsWith("].name")) {
            return;
        }
        Optional<String> reason = DIFFERENT.stream()
                .filter(each -> name.startsWith(each.policy) && field.contains(each.field))
                .map(Difference::reason)
                .findFirst();
        if (theirs != null && theirs.equals(ours)) {
            table.add("  equal      " + field + " = " + ours);
        } else if (reason.isPresent()) {
            table.add("  different  " + field + ": " + theirs + ", here " + ours + ": " + reason.get());
        } else {
            table.add("  WRONG      " + field + ": " + theirs + ", here " + ours);
            wrong.add(field + ": " + theirs + ", here " + ours);
        }
    }

    private static Map<String, String> difference(Map<String, String> before, Map<String, String> after) {
        Map<String, String> changed = new TreeMap<>(after);
        before.forEach((field, value) -> {
            if (value.equals(after.get(field))) {
                changed.remove(field);
            }
        });
        return changed;
    }

    private static String text(String resource) throws IOException {
        try (InputStream in = KumaGoldenTest.class.getClassLoader().getResourceAsStream(resource)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    /** Kuma's resources under the names that they have here. */
    private static Map<String, String> canonical(JsonNode served) {
        ObjectNode renamed = Served.object();
        served.fields().forEachRemaining(type -> type.getValue().fields().forEachRemaining(resource -> {
            String name = resource.getKey()
                    .replaceFirst("envoyconfig_(.*)__kuma-3_msvc_(.*)", "cluster $1")
                    .replaceFirst("inbound:.*:(\\d+)", "inbound $1")
                    .replaceFirst("outbound:.*:(\\d+)", "outbound $1");
            renamed.set(name, resource.getValue());
        }));
        return Served.leaves(renamed);
    }

    private static JsonNode served(String dataplane, String policies) throws IOException {
        NodeConfig config = KumaMesh.of(MESH + policies, new KumaMesh.Keys(state), failure -> {
                    throw new AssertionError(failure);
                })
                .config(dataplane, ClientNode.Kind.PROXY);
        int port = dataplane.equals("demo-client") ? 3000 : 80;
        ObjectNode served = Served.object();
        served.set("cluster test-server", json(config, ResourceType.CLUSTER, "kri_msvc_envoyconfig_kuma-3__test-server_80"));
        served.set("inbound " + port, json(config, ResourceType.LISTENER, "self_inbound_dp_" + port));
        served.set("outbound 80", json(config, ResourceType.LISTENER, "outbound_80"));
        // Kuma has the routes in the listener.
        ObjectNode manager = (ObjectNode) served.at("/outbound 80/filterChains/0/filters/0/typedConfig");
        manager.set("routeConfig", json(config, ResourceType.ROUTE, "outbound_80"));
        return served;
    }

    private static JsonNode json(NodeConfig config, ResourceType type, String name) throws IOException {
        Versioned resource = config.of(type).get(name);
        assertThat(resource).as(name).isNotNull();
        ObjectNode json = (ObjectNode) KumaMesh.json(resource.message());
        json.remove("@type");
        return json;
    }
}
