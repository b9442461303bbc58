package io.weft.controlplane.policy;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.controlplane.policy.MeshTrafficPermission.Action;
import io.weft.controlplane.policy.MeshTrafficPermission.Anyone;
import io.weft.controlplane.policy.MeshTrafficPermission.Caller;
import io.weft.controlplane.policy.MeshTrafficPermission.From;
import io.weft.controlplane.policy.MeshTrafficPermission.OfService;
import io.weft.controlplane.policy.MeshTrafficPermission.Rule;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Identities, TLS and permissions as they stand in files. */
class SecurityPoliciesTest {

    private static final String IDENTITY = """
            spec:
              selector: {dataplane: {matchLabels: {}}}
              spiffeID: {trustDomain: "{{ .Mesh }}.{{ .Zone }}.mesh.local", path: "/workload/{{ .Workload }}"}
              provider:
                type: Bundled
                bundled:
                  meshTrustCreation: Enabled
                  insecureAllowSelfSigned: true
                  certificateParameters: {expiry: 30m}
                  autogenerate: {enabled: true}
            """;

    private static List<Document> parse(String text) {
        return new ResourceParser().parseFile("p.yaml", text);
    }

    private static <T extends Resource> T only(Class<T> type, String text) {
        List<Document> documents = parse(text);
        assertThat(documents).hasSize(1);
        assertThat(documents.get(0).problems()).isEmpty();
        return type.cast(documents.get(0).resource().orElseThrow());
    }

    private static String universal(String type, String spec) {
        return "type: " + type + "\nname: a\nmesh: m\n" + spec;
    }

    private static String kubernetes(String type, String spec) {
        return "apiVersion: kuma.io/v1alpha1\nkind: " + type
                + "\nmetadata: {name: a, namespace: kuma-system, labels: {kuma.io/mesh: m}}\n" + spec;
    }

    @Test
    void anIdentityInBothForms() {
        MeshIdentity identity = only(MeshIdentity.class, universal("MeshIdentity", IDENTITY));
        assertThat(identity.service()).isEmpty();
        assertThat(identity.source()).isEqualTo(new CaSource.Generated());
        assertThat(identity.expiry()).isEqualTo(Duration.ofMinutes(30));
        assertThat(identity.trusted()).isTrue();
        SpiffeTemplate.Values values = new SpiffeTemplate.Values("m", "z", "orders", "", "");
        assertThat(identity.trustDomain().render(values)).isEqualTo("m.z.mesh.local");
        assertThat(identity.path().render(values)).isEqualTo("/workload/orders");
        MeshIdentity other = only(MeshIdentity.class, kubernetes("MeshIdentity", IDENTITY));
        assertThat(other.path()).isEqualTo(identity.path());
        assertThat(other.metadata().id().name()).isEqualTo("a.kuma-system");
    }

    @Test
    void anIdentityWithAnAuthorityOfTheOperator() {
        MeshIdentity identity = only(MeshIdentity.class, universal("MeshIdentity", """
                spec:
                  selector: {dataplane: {matchLabels: {kuma.io/workload: orders}}}
                  provider:
                    type: Bundled
                    bundled:
                      meshTrustCreation: Disabled
                      ca:
                        certificate: {type: File, file: {path: /etc/weft/ca.pem}}
                        privateKey: {type: File, file: {path: /etc/weft/ca.key}}
                """));
        assertThat(identity.service()).contains("orders");
        assertThat(identity.source()).isEqualTo(new CaSource.Files(Path.of("/etc/weft/ca.pem"), Path.of("/etc/weft/ca.key")));
        assertThat(identity.expiry()).isEqualTo(Duration.ofHours(24));
        assertThat(identity.trusted()).isFalse();
    }

    @Test
    void aMeshWithABackend() {
        String mtls = """
                mtls:
                  enabledBackend: ca-1
                  backends:
                  - {name: ca-1, type: builtin, mode: PERMISSIVE, dpCert: {rotation: {expiration: 1d}}}
                  - {name: ca-2, type: provided, conf: {cert: {file: /c.pem}, key: {file: /k.pem}}}
                """;
        Mesh.Mtls backend = only(Mesh.class, "type: Mesh\nname: m\n" + mtls).mtls().orElseThrow();
        assertThat(backend).isEqualTo(new Mesh.Mtls(
                TlsMode.PERMISSIVE, SpiffeTemplate.of("/{{ .Workload }}"), new CaSource.Generated(), Duration.ofDays(1)));
        Mesh.Mtls provided = only(Mesh.class, "type: Mesh\nname: m\n" + mtls.replace("Backend: ca-1", "Backend: ca-2")).mtls().orElseThrow();
        assertThat(provided.source()).isEqualTo(new CaSource.Files(Path.of("/c.pem"), Path.of("/k.pem")));
        assertThat(provided.mode()).isEqualTo(TlsMode.STRICT);
        String spec = "apiVersion: kuma.io/v1alpha1\nkind: Mesh\nmetadata: {name: m}\nspec:\n" + mtls.indent(2);
        assertThat(only(Mesh.class, spec).mtls()).contains(backend);
        assertThat(only(Mesh.class, "type: Mesh\nname: m\nmtls: {backends: []}\n").mtls()).isEmpty();
    }

    @Test
    void tls() {
        MeshTls tls = only(MeshTls.class, universal("MeshTLS", """
                spec:
                  targetRef: {kind: Mesh}
                  rules: [{default: {mode: Strict, tlsVersion: {min: TLS12, max: TLS13}, tlsCiphers: [ECDHE-ECDSA-AES128-GCM-SHA256]}}]
                """));
        assertThat(tls.settings()).isEqualTo(new MeshTls.Settings(
                Optional.of(TlsMode.STRICT), Optional.of(MeshTls.Version.TLS_1_2), Optional.of(MeshTls.Version.TLS_1_3),
                Optional.of(List.of("ECDHE-ECDSA-AES128-GCM-SHA256"))));
        MeshTls older = only(MeshTls.class, kubernetes("MeshTLS", """
                spec:
                  targetRef: {kind: Dataplane, labels: {app: x}, sectionName: admin}
                  from: [{targetRef: {kind: Mesh}, default: {mode: Permissive}}]
                """));
        assertThat(older.settings().mode()).contains(TlsMode.PERMISSIVE);
        assertThat(older.target().section()).contains("admin");
    }

    @Test
    void permissionsByIdentity() {
        MeshTrafficPermission permission = only(MeshTrafficPermission.class, universal("MeshTrafficPermission", """
                spec:
                  rules:
                  - default:
                      deny: [{spiffeID: {type: Exact, value: "spiffe://td/ns/legacy"}}]
                      allow: [{spiffeID: {type: Prefix, value: "spiffe://td/ns/"}}]
                      allowWithShadowDeny: [{spiffeID: {type: Exact, value: "spiffe://td/new"}}]
                """));
        assertThat(permission.rules()).containsExactly(new Rule(
                List.of(new Caller(Caller.Kind.EXACT, "spiffe://td/ns/legacy")),
                List.of(new Caller(Caller.Kind.PREFIX, "spiffe://td/ns/")),
                List.of(new Caller(Caller.Kind.EXACT, "spiffe://td/new"))));
    }

    @Test
    void permissionsByService() {
        MeshTrafficPermission permission = only(MeshTrafficPermission.class, kubernetes("MeshTrafficPermission", """
                spec:
                  targetRef: {kind: MeshService, name: orders}
                  from:
                  - {targetRef: {kind: Mesh}, default: {action: Deny}}
                  - {targetRef: {kind: MeshService, name: storefront}, default: {action: Allow}}
                  - {targetRef: {kind: MeshSubset, tags: {kuma.io/service: batch}}, default: {action: AllowWithShadowDeny}}
                """));
        assertThat(permission.from()).containsExactly(
                new From(new Anyone(), Action.DENY),
                new From(new OfService("storefront"), Action.ALLOW),
                new From(new OfService("batch"), Action.ALLOW_WITH_SHADOW_DENY));
    }

    static Stream<Arguments> refused() {
        return Stream.of(
                Arguments.of(universal("MeshIdentity", IDENTITY.replace("Bundled", "Spire")),
                        "p.yaml:8: spec.provider.type: must be one of Bundled, not 'Spire'"),
                Arguments.of(universal("MeshIdentity", IDENTITY.replace("{{ .Workload }}", "{{ label \\\"team\\\" }}")),
                        "p.yaml:6: spec.spiffeID.path: {{ label \"team\" }} is not supported: nothing proves it here"),
                Arguments.of(universal("MeshIdentity", IDENTITY.replace("/{{ .Workload }}", "")),
                        "p.yaml:6: spec.spiffeID.path: needs {{ .Workload }}, or a selector for one service"),
                Arguments.of(universal("MeshIdentity", IDENTITY.replace("/workload/", "workload/")),
                        "spec.spiffeID.path: must become a path"),
                Arguments.of(universal("MeshIdentity", IDENTITY.replace("mesh.local", "MESH")),
                        "spec.spiffeID.trustDomain: must become a trust domain"),
                Arguments.of(universal("MeshIdentity", IDENTITY.replace("matchLabels: {}", "matchLabels: {env: prod}")),
                        "spec.selector.dataplane.matchLabels: selects by env, which a data plane says of itself"),
                Arguments.of(universal("MeshIdentity", IDENTITY.replace("30m", "500ms")),
                        "expiry: must be at least 1s"),
                Arguments.of(universal("MeshIdentity", IDENTITY.replace("30m", "soon")),
                        "expiry: needs a duration as in 24h, 1h30m or 1.5s, not 'soon'"),
                Arguments.of(universal("MeshIdentity", IDENTITY.replace("autogenerate: {enabled: true}",
                                "ca: {certificate: {type: File, file: {path: ca.pem}}, privateKey: {type: InsecureInline}}")),
                        "spec.provider.bundled.ca.certificate.file.path: must be an absolute path"),
                Arguments.of(universal("MeshIdentity", IDENTITY.replace("autogenerate: {enabled: true}",
                                "ca: {certificate: {type: File, file: {path: /ca.pem}}, privateKey: {type: InsecureInline}}")),
                        "spec.provider.bundled.ca.privateKey.type: 'InsecureInline' is not supported; keep it in a file"),
                Arguments.of(universal("MeshTrust", "spec: {trustDomain: other.mesh, caBundles: [{type: Pem, pem: {value: nonsense}}]}\n"),
                        "spec.caBundles[0].pem.value: "),
                Arguments.of(universal("MeshTrust", "spec: {trustDomain: \"spiffe://x\", caBundles: []}\n"),
                        "spec.trustDomain: must be a trust domain without spiffe://"),
                Arguments.of("type: Mesh\nname: m\nmtls: {enabledBackend: b, backends: [{name: a, type: builtin}]}\n",
                        "p.yaml:3: mtls.enabledBackend: names no backend; there are [a]"),
                Arguments.of(universal("MeshTLS", "spec: {rules: [{default: {mode: Off}}]}\n"),
                        "p.yaml:4: spec.rules[0].default.mode: "),
                Arguments.of(universal("MeshTLS", "spec: {rules: [{default: {tlsVersion: {min: TLS13, max: TLS12}}}]}\n"),
                        "spec.rules[0].default.tlsVersion.min: must not be above max"),
                Arguments.of(universal("MeshTLS", "spec: {targetRef: {kind: Dataplane}, rules: [{default: {tlsCiphers: []}}]}\n"),
                        "spec.rules[0].default.tlsCiphers: can only be set for the whole mesh"),
                Arguments.of(universal("MeshTrafficPermission", "spec: {targetRef: {kind: Mesh}}\n"),
                        "spec.rules: needs at least one rule"),
                Arguments.of(universal("MeshTrafficPermission", "spec: {rules: [{default: {allow: []}}]}\n"),
                        "spec.rules[0].default: needs at least one of allow"),
                Arguments.of(universal("MeshTrafficPermission",
                                "spec: {rules: [{default: {allow: [{spiffeID: {type: Exact, value: storefront}}]}}]}\n"),
                        "spec.rules[0].default.allow[0].spiffeID.value: must be a SPIFFE ID"),
                Arguments.of(universal("MeshTrafficPermission",
                                "spec: {rules: [{default: {allow: [{sni: {type: Exact, value: x}}]}}]}\n"),
                        "spec.rules[0].default.allow[0].sni: tells apart what passes an ingress or egress of a zone"),
                Arguments.of(universal("MeshTrafficPermission",
                                "spec: {from: [{targetRef: {kind: MeshSubset, tags: {team: x}}, default: {action: Allow}}]}\n"),
                        "spec.from[0].targetRef.kind: selects callers by the tags [team], which no certificate proves"),
                Arguments.of(universal("MeshTrafficPermission",
                                "spec: {from: [{targetRef: {kind: Mesh}, default: {action: ALLOW}}]}\n"),
                        "spec.from[0].default.action: must be one of Allow, Deny, AllowWithShadowDeny, not 'ALLOW'"));
    }

    @ParameterizedTest
    @MethodSource
    void refused(String text, String problem) {
        List<Problem> problems = parse(text).get(0).problems();
        assertThat(problems).anySatisfy(each -> assertThat(each.toString()).contains(problem));
    }
}
