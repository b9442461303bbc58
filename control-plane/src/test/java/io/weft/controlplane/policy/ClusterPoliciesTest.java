package io.weft.controlplane.policy;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What a cluster's policies may say: a namespace speaks for itself, and who somebody is nobody's label says. */
class ClusterPoliciesTest {

    private static final String IDENTITY = """
            spec:
              selector: {dataplane: {matchLabels: {}}}
              provider: {type: Bundled, bundled: {autogenerate: {enabled: true}}}
            """;
    private static final String TIMEOUT = "spec: {to: [{targetRef: %s, default: {http: {requestTimeout: 1s}}}]}\n";
    private static final String ROUTE = """
            spec:
              to:
              - targetRef: %s
                rules:
                - {matches: [{path: {type: PathPrefix, value: /}}], default: {}}
            """;
    private static final String PERMISSION =
            "spec: {rules: [{default: {allow: [{spiffeID: {type: Prefix, value: \"spiffe://td/\"}}]}}]}\n";

    private static Document parse(String text) {
        return new ResourceParser(new ResourceParser.Cluster("weft-system", "prod")).parseFile("p.yaml", text).get(0);
    }

    private static Resource resource(String text) {
        Document document = parse(text);
        assertThat(document.problems()).isEmpty();
        return document.resource().orElseThrow();
    }

    private static String object(String kind, String namespace, String labels, String spec) {
        return "apiVersion: kuma.io/v1alpha1\nkind: " + kind + "\nmetadata: {name: a, namespace: " + namespace + ", labels: {" + labels
                + "}}\n" + spec;
    }

    private static Metadata ofPod(String namespace) {
        return new Metadata(new ResourceId("Dataplane", "prod", "pod." + namespace), "pod", namespace,
                Map.of(Labels.NAMESPACE, namespace));
    }

    @Test
    void whatDoesNotSayItsMeshIsOfTheControlPlanes() {
        assertThat(resource(object("MeshIdentity", "weft-system", "", IDENTITY)).metadata().mesh()).isEqualTo("prod");
        assertThat(resource(object("MeshTLS", "shop", "kuma.io/mesh: other", "spec: {rules: [{default: {mode: Strict}}]}\n")).metadata()
                .mesh()).isEqualTo("other");
    }

    static Stream<Arguments> rolesByNamespace() {
        String permissive = "spec: {rules: [{default: {mode: Permissive}}]}\n";
        return Stream.of(
                Arguments.of("MeshTLS", permissive, "workload-owner"),
                Arguments.of("MeshTrafficPermission", PERMISSION, "workload-owner"),
                Arguments.of("MeshRateLimit",
                        "spec: {rules: [{default: {local: {http: {requestRate: {num: 1, interval: 1s}}}}}]}\n", "workload-owner"),
                Arguments.of("MeshTimeout", TIMEOUT.formatted("{kind: MeshService, name: orders}"), "producer"),
                Arguments.of("MeshTimeout", TIMEOUT.formatted("{kind: MeshService, name: orders, namespace: shop}"), "producer"),
                Arguments.of("MeshTimeout", TIMEOUT.formatted("{kind: MeshService, name: orders, namespace: other}"), "consumer"),
                Arguments.of("MeshTimeout", TIMEOUT.formatted("{kind: Mesh}"), "consumer"),
                Arguments.of("MeshHTTPRoute", ROUTE.formatted("{kind: MeshService, name: orders}"), "producer"),
                Arguments.of("MeshHTTPRoute", ROUTE.formatted("{kind: MeshService, name: orders, namespace: other}"), "consumer"),
                Arguments.of("MeshHTTPRoute", ROUTE.formatted("{kind: MeshService, labels: {team: a}}"), "consumer"));
    }

    /** Whatever its labels say; in the control plane's own namespace they count. */
    @ParameterizedTest
    @MethodSource
    void rolesByNamespace(String kind, String spec, String role) {
        for (String labels : List.of("", "kuma.io/policy-role: system", "kuma.io/policy-role: producer, k8s.kuma.io/namespace: other")) {
            Metadata metadata = resource(object(kind, "shop", labels, spec)).metadata();
            assertThat(metadata.role()).as(labels).isEqualTo(role);
            assertThat(metadata.reaches(ofPod("shop"))).isTrue();
            assertThat(metadata.reaches(ofPod("other"))).as(labels).isEqualTo(role.equals("producer"));
        }
        Metadata ofAll = resource(object(kind, "weft-system", "", spec)).metadata();
        assertThat(ofAll.role()).isEqualTo("system");
        assertThat(ofAll.reaches(ofPod("shop"))).isTrue();
        Metadata synced = resource(object(kind, "weft-system", "kuma.io/policy-role: consumer, k8s.kuma.io/namespace: shop", spec))
                .metadata();
        assertThat(synced.reaches(ofPod("shop"))).isTrue();
        assertThat(synced.reaches(ofPod("other"))).isFalse();
    }

    /** Else a denial for one pod would be one for none. */
    @Test
    void aDataPlaneThatIsNamedWithoutANamespaceIsOfThePolicysOwn() {
        String spec = "spec: {targetRef: {kind: Dataplane, name: pod%s}, rules: [{default: {deny: [{spiffeID: {type: Prefix, value:"
                + " \"spiffe://td/\"}}]}}]}\n";
        MeshTrafficPermission own =
                (MeshTrafficPermission) resource(object("MeshTrafficPermission", "shop", "", spec.formatted("")));
        assertThat(own.target().dataplanes().selects(ofPod("shop"), List.of())).isTrue();
        assertThat(own.target().dataplanes().selects(ofPod("other"), List.of())).isFalse();
        MeshTrafficPermission named = (MeshTrafficPermission) resource(
                object("MeshTrafficPermission", "weft-system", "", spec.formatted(", namespace: other")));
        assertThat(named.target().dataplanes().selects(ofPod("other"), List.of())).isTrue();
    }

    /** In a folder, where a namespace is no boundary, nothing is computed for what decides who may call. */
    @Test
    void inAFolderLabelsCount() {
        Document document = new ResourceParser().parseFile("p.yaml", object("MeshTrafficPermission", "shop", "", PERMISSION)).get(0);
        assertThat(document.resource().orElseThrow().metadata().role()).isEqualTo("system");
    }

    @Test
    void aMeshWithABackendGivesIdentitiesByServiceAccount() {
        Mesh mesh = (Mesh) resource("""
                apiVersion: kuma.io/v1alpha1
                kind: Mesh
                metadata: {name: prod}
                spec: {mtls: {enabledBackend: b, backends: [{name: b, type: builtin}]}}
                """);
        assertThat(mesh.mtls().orElseThrow().path().render(new SpiffeTemplate.Values("prod", "z", "orders", "shop", "web")))
                .isEqualTo("/ns/shop/sa/web");
    }

    @Test
    void aPathThatTellsServiceAccountsApart() {
        MeshIdentity identity = (MeshIdentity) resource(object("MeshIdentity", "weft-system", "",
                IDENTITY + "  spiffeID: {path: \"/{{ .ServiceAccount }}/of/{{ .Namespace }}\"}\n"));
        assertThat(identity.path().render(new SpiffeTemplate.Values("prod", "z", "orders", "shop", "web"))).isEqualTo("/web/of/shop");
    }

    static Stream<Arguments> refused() {
        String selected = IDENTITY.replace("matchLabels: {}", "matchLabels: {kuma.io/workload: orders}");
        String needed = "spec.spiffeID.path: needs {{ .Namespace }} and {{ .ServiceAccount }}, each between slashes";
        String path = IDENTITY + "  spiffeID: {path: \"%s\"}\n";
        String byService = "from[0].targetRef.kind: selects callers by their service, which in a cluster no certificate proves";
        return Stream.of(
                Arguments.of(object("MeshIdentity", "shop", "", IDENTITY),
                        "metadata.namespace: must be weft-system, the control plane's own"),
                Arguments.of(object("MeshIdentity", "shop", "kuma.io/policy-role: system", IDENTITY), "metadata.namespace: must be"),
                Arguments.of(object("MeshExternalService", "shop", "",
                                "spec: {match: {port: 80, protocol: http}, endpoints: [{address: a.b, port: 80}]}\n"),
                        "metadata.namespace: must be"),
                Arguments.of(object("MeshTrust", "shop", "", "spec: {trustDomain: x, caBundles: []}\n"), "metadata.namespace: must be"),
                Arguments.of(object("MeshIdentity", "weft-system", "", selected),
                        "matchLabels: selects by kuma.io/workload, which whoever creates a pod may choose"),
                Arguments.of(object("MeshIdentity", "weft-system", "", selected + "  spiffeID: {path: /orders}\n"), needed),
                Arguments.of(object("MeshIdentity", "weft-system", "", path.formatted("/x")), needed),
                Arguments.of(object("MeshIdentity", "weft-system", "", path.formatted("/{{ .ServiceAccount }}")), needed),
                Arguments.of(object("MeshIdentity", "weft-system", "", path.formatted("/{{ .ServiceAccount }}.Namespace")), needed),
                Arguments.of(object("MeshIdentity", "weft-system", "", path.formatted("/{{ .Namespace }}-{{ .ServiceAccount }}")), needed),
                Arguments.of(object("MeshIdentity", "weft-system", "", path.formatted("/{{ .Namespace }}{{ .ServiceAccount }}")), needed),
                Arguments.of(object("MeshTrafficPermission", "shop", "",
                                "spec: {from: [{targetRef: {kind: MeshService, name: evil}, default: {action: Deny}}]}\n"), byService),
                Arguments.of(object("MeshTrafficPermission", "shop", "",
                                "spec: {from: [{targetRef: {kind: MeshServiceSubset, name: evil}, default: {action: Deny}}]}\n"), byService),
                Arguments.of(object("MeshTrafficPermission", "shop", "",
                                "spec: {from: [{targetRef: {kind: MeshSubset, tags: {kuma.io/service: evil}}, default: {action: Deny}}]}\n"),
                        byService),
                Arguments.of(object("MeshTLS", "shop", "", "spec: {rules: [{default: {tlsVersion: {min: TLS13}}}]}\n"),
                        "tlsVersion: can only be set for the whole mesh"));
    }

    @ParameterizedTest
    @MethodSource
    void refused(String text, String problem) {
        Document document = parse(text);
        assertThat(document.problems()).anySatisfy(each -> assertThat(each.toString()).contains(problem));
        assertThat(document.resource()).isEmpty();
    }

    /** What no rule by service can say in a cluster, a merged policy cannot either. */
    @Test
    void noMergedPolicyTellsCallersByTheirService() {
        Document document = parse(object("MeshFaultInjection", "shop", "",
                "spec: {from: [{targetRef: {kind: MeshService, name: evil}, default: {http: [{abort: {httpStatus: 503, percentage: 50}}]}}]}\n"));
        assertThat(document.problems()).anySatisfy(each -> assertThat(each.toString()).contains("write rules with spiffeID"));
    }
}
