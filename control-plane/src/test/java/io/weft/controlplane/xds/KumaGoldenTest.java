package io.weft.controlplane.xds;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.protobuf.Message;
import com.google.protobuf.TypeRegistry;
import com.google.protobuf.util.JsonFormat;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.listener.v3.Listener;
import io.envoyproxy.envoy.config.rbac.v3.Action;
import io.envoyproxy.envoy.config.route.v3.RouteConfiguration;
import io.envoyproxy.envoy.extensions.access_loggers.file.v3.FileAccessLog;
import io.envoyproxy.envoy.extensions.common.matching.v3.ExtensionWithMatcher;
import io.envoyproxy.envoy.extensions.filters.common.matcher.action.v3.SkipFilter;
import io.envoyproxy.envoy.extensions.filters.http.fault.v3.HTTPFault;
import io.envoyproxy.envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit;
import io.envoyproxy.envoy.extensions.filters.http.rbac.v3.RBAC;
import io.envoyproxy.envoy.extensions.filters.http.router.v3.Router;
import io.envoyproxy.envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.envoyproxy.envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy;
import io.envoyproxy.envoy.extensions.matching.common_inputs.ssl.v3.UriSanInput;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext;
import io.envoyproxy.envoy.extensions.upstreams.http.v3.HttpProtocolOptions;
import io.weft.controlplane.ca.RootFile;
import io.weft.controlplane.identity.Authorities;
import io.weft.controlplane.identity.MeshSecurity;
import io.weft.controlplane.identity.ServedCertificates;
import io.weft.controlplane.policy.AppliedPolicies;
import io.weft.controlplane.policy.Dataplane;
import io.weft.controlplane.policy.Document;
import io.weft.controlplane.policy.MeshService;
import io.weft.controlplane.policy.PolicySet;
import io.weft.controlplane.policy.ResourceParser;
import io.weft.controlplane.registry.ClientNode;
import io.weft.controlplane.registry.Registry.Health;
import io.weft.controlplane.registry.Registry.Instance;
import io.weft.controlplane.registry.Registry.Transport;
import io.weft.controlplane.service.ServiceCatalog;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What a policy changes in what is served here is, field by field, what it changes in what a real kuma-cp serves for the same
 * policy, see {@code kuma/README.md} among the resources. Names, addresses and statistics aside; where the two differ on purpose the
 * reason is here. Prints which fields.
 */
class KumaGoldenTest {

    private static final TypeRegistry TYPES = TypeRegistry.newBuilder()
            .add(List.of(
                    HttpConnectionManager.getDescriptor(), Router.getDescriptor(), TcpProxy.getDescriptor(), RBAC.getDescriptor(),
                    io.envoyproxy.envoy.extensions.filters.network.rbac.v3.RBAC.getDescriptor(), Action.getDescriptor(),
                    UriSanInput.getDescriptor(), DownstreamTlsContext.getDescriptor(), UpstreamTlsContext.getDescriptor(),
                    TlsInspector.getDescriptor(), HttpProtocolOptions.getDescriptor(), FileAccessLog.getDescriptor(),
                    LocalRateLimit.getDescriptor(), HTTPFault.getDescriptor(), ExtensionWithMatcher.getDescriptor(),
                    SkipFilter.getDescriptor()))
            .build();

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

    /**
     * What differs on purpose.
     *
     * @param policy of which; empty: of all
     * @param field a part of its path
     */
    private record Difference(String policy, String field, String reason) {}

    private static final List<Difference> DIFFERENT = List.of(
            new Difference("meshtimeout", "explicitHttpConfig",
                    "kuma-dp speaks HTTP/2 to every kuma-dp; an agent's app speaks what it speaks"),
            new Difference("meshaccesslog", "accessLog[0].filter",
                    "marks what no route logs by itself, with the help of a Lua filter: it holds for all here"),
            new Difference("meshtls", "SecretConfig", "a name"),
            new Difference("meshtls", "rules", "MeshTrafficPermission's, which allows nobody here until one is written"),
            new Difference("meshtls", "imeout", "MeshTimeout's: without one a server has all the time that the caller has"),
            new Difference("meshtls", "lientCertDetails", "no certificate is asked for on this chain, and none forwarded"));

    /** What is none of the policy's: names, addresses, statistics, and whatever listens on the app's side. */
    private static final List<String> ASIDE = List.of(
            "statPrefix", ".cluster", "routeConfig.name", "internalAddressConfig", "requestHeadersToRemove", "validateClusters");

    @TempDir
    private static Path state;

    static Stream<String> cases() {
        return Stream.of(
                        "meshaccesslog-outbound", "meshcircuitbreaker-outbound", "meshfaultinjection-inbound-rules",
                        "meshloadbalancingstrategy-outbound-ringhash", "meshratelimit-inbound-rules", "meshretry-outbound",
                        "meshtimeout-outbound", "meshtls-inbound-permissive-rules", "meshtrafficpermission-inbound-rules")
                .flatMap(name -> Stream.of(name + ".demo-client", name + ".test-server"));
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
        List<PolicySet.Sourced> resources = new ArrayList<>();
        for (Document document : new ResourceParser().parseFile("kuma.yaml", MESH + policies)) {
            assertThat(document.problems()).isEmpty();
            resources.add(new PolicySet.Sourced(document.resource().orElseThrow(), document.file(), document.line()));
        }
        PolicySet set = new PolicySet(resources, List.of(), List.of());
        MeshSecurity security = MeshSecurity.of(
                "envoyconfig", set, new Authorities(mesh -> new RootFile(state, mesh), Clock.systemUTC()), MeshSecurity.NONE, failure -> {
                    throw new AssertionError(failure);
                });
        AppliedPolicies applied = AppliedPolicies.of(set, "envoyconfig");
        ServiceCatalog services = ServiceCatalog.build(
                "envoyconfig",
                set.all(Dataplane.class, "envoyconfig").stream()
                        .map(each -> new Instance(each, Health.HEALTHY, Transport.READY))
                        .toList(),
                set.all(MeshService.class, "envoyconfig"),
                applied.routes(),
                security);
        Dataplane own = set.all(Dataplane.class, "envoyconfig").stream()
                .filter(each -> each.metadata().displayName().equals(dataplane))
                .findFirst()
                .orElseThrow();
        ClientNode node = new ClientNode("envoyconfig." + dataplane, dataplane, ClientNode.Kind.PROXY, own.metadata(),
                Optional.of(own), new ClientNode.Binding("127.0.0.1", Map.of()), true, Optional.empty());
        NodeConfig config = new MeshCompiler(
                        services, applied, security, new ServedCertificates(Clock.systemUTC(), new Random(1)), new MadeResources())
                .configFor(node, false);
        ObjectNode served = Served.object();
        set(served, "cluster test-server", config, ResourceType.CLUSTER, "kri_msvc_envoyconfig_kuma-3__test-server_80", Cluster.class);
        int port = own.inbounds().get(0).port();
        set(served, "inbound " + port, config, ResourceType.LISTENER, "self_inbound_dp_" + port, Listener.class);
        set(served, "outbound 80", config, ResourceType.LISTENER, "outbound_80", Listener.class);
        // Kuma has the routes in the listener.
        ObjectNode manager = (ObjectNode) served.at("/outbound 80/filterChains/0/filters/0/typedConfig");
        manager.set("routeConfig", json(config, ResourceType.ROUTE, "outbound_80", RouteConfiguration.class));
        return served;
    }

    private static <T extends Message> void set(
            ObjectNode served, String name, NodeConfig config, ResourceType type, String resource, Class<T> message)
            throws IOException {
        served.set(name, json(config, type, resource, message));
    }

    private static <T extends Message> JsonNode json(NodeConfig config, ResourceType type, String name, Class<T> message)
            throws IOException {
        Versioned resource = config.of(type).get(name);
        assertThat(resource).as(name).isNotNull();
        return Served.read(JsonFormat.printer()
                .usingTypeRegistry(TYPES)
                .omittingInsignificantWhitespace()
                .print(resource.message().unpack(message)));
    }
}
