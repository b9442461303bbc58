package io.weft.controlplane.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.weft.controlplane.ca.Authority;
import io.weft.controlplane.ca.Leaf;
import io.weft.controlplane.ca.Pem;
import io.weft.controlplane.ca.Root;
import io.weft.controlplane.ca.RootFile;
import io.weft.controlplane.policy.CaSource;
import io.weft.controlplane.policy.Dataplane;
import io.weft.controlplane.policy.MeshTrafficPermission.Caller;
import io.weft.controlplane.policy.PolicyHistory;
import io.weft.controlplane.policy.PolicySet;
import io.weft.controlplane.policy.ResourceParser;
import io.weft.controlplane.policy.SourceText;
import io.weft.controlplane.policy.TlsMode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MeshSecurityTest {

    private static final String IDENTITY = """
            type: MeshIdentity
            name: all
            spec:
              selector: {dataplane: {matchLabels: {}}}
              provider: {type: Bundled, bundled: {autogenerate: {enabled: true}, certificateParameters: {expiry: 1h}}}
            ---
            """;
    private static final String DOMAIN = "spiffe://default.default.mesh.local/";
    private static final String STOREFRONT = DOMAIN + "workload/storefront";

    @TempDir
    private Path state;

    private final SettableClock clock = new SettableClock();

    private static final class SettableClock extends Clock {
        private Instant now = Instant.parse("2026-11-25T12:00:00Z");

        @Override
        public ZoneId getZone() {
            return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(ZoneId zone) {
            return this;
        }

        @Override
        public Instant instant() {
            return now;
        }
    }

    private final List<String> failures = new ArrayList<>();

    private MeshSecurity security(String text) {
        MeshSecurity security = security(text, MeshSecurity.NONE);
        assertThat(failures).isEmpty();
        return security;
    }

    private MeshSecurity security(String text, MeshSecurity last) {
        return security(new ResourceParser(), text, last);
    }

    private MeshSecurity ofCluster(String text) {
        MeshSecurity security =
                security(new ResourceParser(new ResourceParser.Cluster("weft-system", "default")), text, MeshSecurity.NONE);
        assertThat(failures).isEmpty();
        return security;
    }

    private MeshSecurity security(ResourceParser parser, String text, MeshSecurity last) {
        PolicySet policies = new PolicyHistory(parser)
                .update(List.of(new SourceText("p.yaml", Optional.of(text), Optional.empty())));
        assertThat(policies.problems()).isEmpty();
        return MeshSecurity.of("default", policies, new Authorities(mesh -> new RootFile(state, mesh), clock), last, failures::add);
    }

    private static InboundSecurity inbound(MeshSecurity security, String service, int port) {
        Map<String, String> tags = Map.of("kuma.io/service", service, "version", "v1");
        Dataplane.Inbound inbound = new Dataplane.Inbound(
                port, "127.0.0.1", Optional.of("main"), port, "127.0.0.1", true, tags, Optional.empty(), Set.of());
        var metadata = new io.weft.controlplane.policy.Metadata(
                new io.weft.controlplane.policy.ResourceId("Dataplane", "default", service + "-1"), service + "-1", "", Map.of());
        return security.inbound(metadata, List.of(tags), Workload.ofService(service), inbound).orElseThrow();
    }

    private static List<String> texts(List<Permissions.Entry> entries) {
        return entries.stream()
                .map(entry -> (entry.allows() ? "allow " : "deny ")
                        + entry.callers().stream().map(Caller::value).toList())
                .toList();
    }

    @Test
    void whoIsWho() throws IOException {
        MeshSecurity security = security(IDENTITY + """
                type: MeshIdentity
                name: orders-alone
                labels: {kuma.io/zone: east}
                spec:
                  selector: {dataplane: {matchLabels: {kuma.io/workload: orders}}}
                  spiffeID: {trustDomain: "{{ .Mesh }}.{{ .Zone }}.shop", path: "/{{ .Workload }}"}
                  provider: {type: Bundled, bundled: {autogenerate: {enabled: true}}}
                """);
        assertThat(security.identity(Workload.ofService("storefront")).orElseThrow().spiffeId()).isEqualTo(STOREFRONT);
        assertThat(security.identity(Workload.ofService("storefront")).orElseThrow().lifetime()).isEqualTo(Duration.ofHours(1));
        assertThat(security.identity(Workload.ofService("orders")).orElseThrow().spiffeId()).isEqualTo("spiffe://default.east.shop/orders");
        assertThat(security.trust().keySet()).containsExactly("default.default.mesh.local", "default.east.shop");
        assertThat(security("type: Mesh\nname: default\n").givesIdentities()).isFalse();
        MeshSecurity legacy = security("type: Mesh\nname: default\nmtls: {enabledBackend: b, backends: [{name: b, type: builtin}]}\n");
        assertThat(legacy.identity(Workload.ofService("orders")).orElseThrow().spiffeId()).isEqualTo("spiffe://default/orders");
    }

    /** Nobody loses an identity, or gets another one, because of an edit that is not in order; and what else is edited counts. */
    @Test
    void anIdentityWhoseFilesAreBrokenFreezesNothingElse() {
        String permissive = "---\ntype: MeshTLS\nname: mode\nspec: {rules: [{default: {mode: Permissive}}]}\n";
        String broken = """
                type: MeshIdentity
                name: supplied
                spec:
                  selector: {dataplane: {matchLabels: {}}}
                  provider: {type: Bundled, bundled: {ca: {certificate: {type: File, file: {path: /none.pem}}, privateKey: {type: File, file: {path: /none.key}}}}}
                """;
        MeshSecurity before = security(IDENTITY);
        for (String edit : List.of(IDENTITY + "---\n" + broken, broken)) {
            failures.clear();
            MeshSecurity after = security(edit + permissive, before);
            assertThat(failures).singleElement().asString().contains("supplied", "/none.pem is not there")
                    .startsWith("p.yaml:" + (edit.startsWith(IDENTITY) ? IDENTITY.lines().count() + 2 : 1) + ": spec.provider.bundled: ");
            assertThat(after.identity(Workload.ofService("storefront")).orElseThrow().spiffeId()).isEqualTo(STOREFRONT);
            assertThat(after.trust()).isEqualTo(before.trust());
            assertThat(inbound(before, "orders", 80).mode()).isEqualTo(TlsMode.STRICT);
            assertThat(inbound(after, "orders", 80).mode()).isEqualTo(TlsMode.PERMISSIVE);
        }
        assertThat(security(broken, MeshSecurity.NONE).givesIdentities()).isFalse();
    }

    @Test
    void anotherMeshIsBelievedWhereATrustSaysSo() throws IOException {
        Root other = new io.weft.controlplane.ca.RootFile(state, "other").at(clock.instant(), Duration.ofHours(1)).signing();
        MeshSecurity security = security(IDENTITY + "type: MeshTrust\nname: other\nspec:\n  trustDomain: other.mesh\n  caBundles:\n"
                + "  - type: Pem\n    pem:\n      value: |\n" + Pem.of(other.chain()).indent(8));
        assertThat(security.trust().get("other.mesh")).isEqualTo(other.chain());
        assertThat(security.trust()).containsKey("default.default.mesh.local");
    }

    @Test
    void strictUnlessAPolicySaysOtherwiseAndTheMoreSpecificOneCounts() throws IOException {
        assertThat(inbound(security(IDENTITY), "orders", 80).mode()).isEqualTo(TlsMode.STRICT);
        MeshSecurity security = security(IDENTITY + """
                type: MeshTLS
                name: z-mesh
                spec: {rules: [{default: {mode: Permissive, tlsVersion: {min: TLS13}}}]}
                ---
                type: MeshTLS
                name: a-one-port
                spec: {targetRef: {kind: Dataplane, name: orders-1, sectionName: main}, rules: [{default: {mode: Strict}}]}
                ---
                type: MeshTLS
                name: shadow
                labels: {kuma.io/effect: shadow}
                spec: {targetRef: {kind: Dataplane}, rules: [{default: {mode: Permissive}}]}
                """);
        assertThat(inbound(security, "storefront", 80).mode()).isEqualTo(TlsMode.PERMISSIVE);
        assertThat(inbound(security, "orders", 80).mode()).isEqualTo(TlsMode.STRICT);
        assertThat(inbound(security, "orders", 80).tls().minimum()).isPresent();
        assertThat(security.calling().minimum()).isPresent();
    }

    @Test
    void nobodyMayCallWithoutAPermission() throws IOException {
        assertThat(inbound(security(IDENTITY), "orders", 80).permissions().entries()).isEmpty();
    }

    @Test
    void everyDenialComesBeforeAnyPermission() throws IOException {
        Permissions permissions = inbound(security(IDENTITY + """
                type: MeshTrafficPermission
                name: a
                spec: {rules: [{default: {allow: [{spiffeID: {type: Prefix, value: "spiffe://x/"}}]}}]}
                ---
                type: MeshTrafficPermission
                name: b
                spec:
                  targetRef: {kind: Dataplane, name: orders-1}
                  rules:
                  - default:
                      deny: [{spiffeID: {type: Exact, value: "spiffe://x/y"}}]
                      allowWithShadowDeny: [{spiffeID: {type: Exact, value: "spiffe://x/z"}}]
                ---
                type: MeshTrafficPermission
                name: of-another
                spec:
                  targetRef: {kind: Dataplane, name: other-1}
                  rules: [{default: {allow: [{spiffeID: {type: Exact, value: "spiffe://no/one"}}]}}]
                """), "orders", 80).permissions();
        assertThat(texts(permissions.entries()))
                .containsExactly("deny [spiffe://x/y]", "allow [spiffe://x/]", "allow [spiffe://x/z]");
        assertThat(texts(permissions.shadow())).containsExactly("deny [spiffe://x/z]");
    }

    private static final String OF_CLUSTER = """
            apiVersion: kuma.io/v1alpha1
            kind: MeshIdentity
            metadata: {name: everyone, namespace: weft-system}
            spec:
              selector: {dataplane: {matchLabels: {}}}
              provider: {type: Bundled, bundled: {autogenerate: {enabled: true}}}
            ---
            """;

    private static String permissive(String namespace, String labels) {
        return """
                apiVersion: kuma.io/v1alpha1
                kind: MeshTLS
                metadata: {name: a, namespace: %s, labels: {%s}}
                spec: {rules: [{default: {mode: Permissive}}]}
                ---
                apiVersion: kuma.io/v1alpha1
                kind: MeshTrafficPermission
                metadata: {name: a, namespace: %s, labels: {%s}}
                spec: {rules: [{default: {allow: [{spiffeID: {type: Prefix, value: "spiffe://x/"}}]}}]}
                """.formatted(namespace, labels, namespace, labels);
    }

    private static InboundSecurity ofPod(MeshSecurity security, String namespace) {
        Map<String, String> tags = Map.of("kuma.io/service", "orders", "k8s.kuma.io/namespace", namespace);
        Dataplane.Inbound inbound = new Dataplane.Inbound(
                80, "127.0.0.1", Optional.of("main"), 80, "127.0.0.1", true, tags, Optional.empty(), Set.of());
        var metadata = new io.weft.controlplane.policy.Metadata(
                new io.weft.controlplane.policy.ResourceId("Dataplane", "default", "pod." + namespace), "pod", namespace, tags);
        return security.inbound(metadata, List.of(tags), new Workload("orders", namespace, "web"), inbound).orElseThrow();
    }

    /** Fails closed: another's namespace is opened by no policy, whatever its labels say. */
    @Test
    void inAClusterNobodyOpensWhatIsNotInHisNamespace() {
        for (String labels : List.of("", "kuma.io/policy-role: system", "kuma.io/policy-role: producer, k8s.kuma.io/namespace: shop")) {
            MeshSecurity security = ofCluster(OF_CLUSTER + permissive("elsewhere", labels));
            assertThat(ofPod(security, "shop").mode()).as(labels).isEqualTo(TlsMode.STRICT);
            assertThat(ofPod(security, "shop").permissions().entries()).as(labels).isEmpty();
            assertThat(ofPod(security, "elsewhere").mode()).isEqualTo(TlsMode.PERMISSIVE);
            assertThat(ofPod(security, "elsewhere").permissions().entries()).hasSize(1);
        }
        MeshSecurity ofAll = ofCluster(OF_CLUSTER + permissive("weft-system", ""));
        assertThat(ofPod(ofAll, "shop").mode()).isEqualTo(TlsMode.PERMISSIVE);
        assertThat(ofPod(ofAll, "shop").permissions().entries()).hasSize(1);
    }

    /** A pod's label names its service, and whoever creates pods chooses labels. */
    @Test
    void inAClusterWhoSomebodyIsHangsOnNoLabel() {
        String mesh = "apiVersion: kuma.io/v1alpha1\nkind: Mesh\nmetadata: {name: default}\n"
                + "spec: {mtls: {enabledBackend: b, backends: [{name: b, type: builtin}]}}\n";
        for (String text : List.of(OF_CLUSTER, mesh)) {
            MeshSecurity security = ofCluster(text);
            String honest = security.identity(new Workload("storefront", "shop", "web")).orElseThrow().spiffeId();
            assertThat(honest).endsWith("/ns/shop/sa/web");
            assertThat(security.identity(new Workload("orders", "shop", "web")).orElseThrow().spiffeId()).isEqualTo(honest);
            assertThat(security.identity(new Workload("storefront", "shop", "other")).orElseThrow().spiffeId()).isNotEqualTo(honest);
        }
    }

    @Test
    void ofTheOlderFormTheMostSpecificSourceCounts() throws IOException {
        String policies = """
                type: MeshTrafficPermission
                name: storefront-may
                spec:
                  targetRef: {kind: MeshService, name: orders}
                  from:
                  - {targetRef: {kind: MeshService, name: storefront}, default: {action: Allow}}
                ---
                type: MeshTrafficPermission
                name: nobody-may
                spec:
                  targetRef: {kind: Mesh}
                  from:
                  - {targetRef: {kind: MeshService, name: storefront}, default: {action: Deny}}
                  - {targetRef: {kind: Mesh}, default: {action: Deny}}
                """;
        assertThat(texts(inbound(security(IDENTITY + policies), "orders", 80).permissions().entries()))
                .containsExactly("allow [" + STOREFRONT + "]", "deny [" + STOREFRONT + "]", "deny [" + DOMAIN + "]");
        assertThat(texts(inbound(security(IDENTITY + policies), "other", 80).permissions().entries()))
                .containsExactly("deny [" + STOREFRONT + "]", "deny [" + DOMAIN + "]");
    }

    @Test
    void servedCertificatesAreRenewedBetweenHalfAndTwoThirdsOfTheirLifetime() throws IOException {
        Identity identity = security(IDENTITY).identity(Workload.ofService("orders")).orElseThrow();
        ServedCertificates certificates = new ServedCertificates(clock, new Random(7));
        for (int node = 0; node < 20; node++) {
            String name = "node-" + node;
            Instant made = clock.now;
            ServedCertificates.Certificate first = certificates.of(name, identity).orElseThrow();
            clock.now = made.plus(Duration.ofMinutes(30)).minusMillis(1);
            assertThat(certificates.of(name, identity)).containsSame(first);
            clock.now = made.plus(Duration.ofMinutes(40)).plusMillis(1);
            Leaf renewed = certificates.of(name, identity).orElseThrow().leaf();
            assertThat(renewed).isNotEqualTo(first.leaf());
            assertThat(certificates.nextRenewal().orElseThrow())
                    .isBetween(clock.now.plus(Duration.ofMinutes(30)), clock.now.plus(Duration.ofMinutes(40)));
            certificates.retain(Set.of());
        }
    }

    @Test
    void aServedCertificateThatIsNotValidYetIsReplacedWhenTheClockIsSetBack() throws IOException {
        Identity identity = security(IDENTITY).identity(Workload.ofService("orders")).orElseThrow();
        ServedCertificates certificates = new ServedCertificates(clock, new Random(7));
        clock.now = clock.now.plus(Duration.ofDays(30));
        Leaf early = certificates.of("node", identity).orElseThrow().leaf();
        assertThat(certificates.due()).isFalse();
        clock.now = clock.now.minus(Duration.ofDays(29));
        assertThat(certificates.due()).isTrue();
        Leaf now = certificates.of("node", identity).orElseThrow().leaf();
        assertThat(now).isNotEqualTo(early);
        assertThat(now.certificate().getNotBefore().toInstant()).isBeforeOrEqualTo(clock.now);
    }

    @Test
    void nearTheEndOfItsRootACertificateIsRenewedInTimeAndThenNoMore() throws IOException {
        Identity identity = security(IDENTITY).identity(Workload.ofService("orders")).orElseThrow();
        ServedCertificates certificates = new ServedCertificates(clock, new Random(7));
        Instant end = identity.authority().bundle().get(0).getNotAfter().toInstant();
        clock.now = end.minus(Duration.ofMinutes(12));
        ServedCertificates.Certificate last = certificates.of("node", identity).orElseThrow();
        assertThat(last.leaf().certificate().getNotAfter().toInstant()).isEqualTo(end);
        assertThat(certificates.nextRenewal().orElseThrow()).isBefore(end);
        clock.now = end;
        assertThat(certificates.of("node", identity)).containsSame(last);
        assertThat(certificates.of("other", identity)).isEmpty();
    }

    /** A new root in place of one that is lost would leave everybody with a certificate that nobody believes. */
    @Test
    void anAuthorityWhoseFileIsLostOrOpenGoesOn() throws IOException {
        Authorities authorities = new Authorities(mesh -> new RootFile(state, mesh), clock);
        Duration hour = Duration.ofHours(1);
        Authority first = authorities.of("default", new CaSource.Generated(), hour);
        // Just made, it is read once more.
        assertThat(authorities.of("default", new CaSource.Generated(), hour)).isSameAs(first);
        Path file = new RootFile(state, "default").path();
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
        assertThat(authorities.of("default", new CaSource.Generated(), hour.multipliedBy(2))).isSameAs(first);
        assertThatThrownBy(() -> new Authorities(mesh -> new RootFile(state, mesh), clock).of("default", new CaSource.Generated(), hour))
                .hasMessageContaining("is open to others");
        Files.move(file, state.resolve("away"));
        assertThat(authorities.changed()).isTrue();
        assertThat(authorities.of("default", new CaSource.Generated(), hour)).isSameAs(first);
        assertThat(file).doesNotExist();
        Files.move(state.resolve("away"), file);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        assertThat(authorities.of("default", new CaSource.Generated(), hour)).isSameAs(first);
        assertThat(authorities.changed()).isFalse();
    }

    @Test
    void aRootIsReplacedInTimeThoughNothingElseChanges() throws IOException {
        Authorities authorities = new Authorities(mesh -> new RootFile(state, mesh), clock);
        Authority first = authorities.of("default", new CaSource.Generated(), Duration.ofHours(1));
        clock.now = authorities.due().orElseThrow();
        assertThat(clock.now).isBefore(first.bundle().get(0).getNotAfter().toInstant().minus(Duration.ofDays(900)));
        assertThat(authorities.changed()).isTrue();
        assertThat(authorities.of("default", new CaSource.Generated(), Duration.ofHours(1)).bundle()).hasSize(2);
    }
}
