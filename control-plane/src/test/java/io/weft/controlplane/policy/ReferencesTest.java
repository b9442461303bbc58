package io.weft.controlplane.policy;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.controlplane.policy.References.Known;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What is warned of, and what is not since nobody can know. */
class ReferencesTest {
    private static final String CANARY = """
            type: MeshHTTPRoute
            name: canary
            mesh: default
            spec:
              to:
              - targetRef: {kind: MeshService, name: orders}
                rules:
                - matches: [{path: {type: PathPrefix, value: /}}]
                  default:
                    backendRefs:
                    - {kind: MeshServiceSubset, name: orders, tags: {version: v1}, weight: 90}
                    - {kind: MeshServiceSubset, name: orders, tags: {version: v2}, weight: 10}
            """;
    private static final String ORDERS = """
            ---
            type: MeshService
            name: orders
            mesh: default
            spec: {selector: {dataplaneTags: {kuma.io/service: orders}}, ports: [{port: 80, targetPort: 8080, appProtocol: http}]}
            """;
    private static final Known RUNNING = new Known(
            Map.of("default", Map.of("orders", List.of(Map.of("version", "v1"), Map.of("version", "v2")), "shop", List.of(Map.of()))), true);

    private static List<String> unmet(String text, Known known) {
        PolicySet set = new PolicyHistory(new ResourceParser()).update(List.of(new SourceText("a.yaml", Optional.of(text), Optional.empty())));
        assertThat(set.problems()).isEmpty();
        return References.unmet(set, known).stream().map(each -> each.problem().toString()).toList();
    }

    @Test
    void whoeverRunsOrIsDefinedIsThere() {
        assertThat(unmet(CANARY, RUNNING)).isEmpty();
        assertThat(unmet(CANARY + ORDERS, Known.NOTHING)).isEmpty();
    }

    @Test
    void fromFilesThatDefineNoServiceNothingIsKnown() {
        assertThat(unmet(CANARY, Known.NOTHING)).isEmpty();
        assertThat(unmet(CANARY.replace("mesh: default", "mesh: shop"), Known.NOTHING)).isEmpty();
    }

    @Test
    void aServiceThatNobodyIsIsNamedOnce() {
        String wrong = CANARY.replace("name: orders", "name: ordres");
        assertThat(unmet(wrong, RUNNING)).containsExactly(
                "a.yaml:1: MeshHTTPRoute canary (mesh default): names service ordres, which nobody is an instance of now. Did you mean orders?");
        assertThat(unmet(wrong + ORDERS, Known.NOTHING)).containsExactly("a.yaml:1: MeshHTTPRoute canary (mesh default): names service ordres, "
                + "which no file here defines; an agent with WEFT_SERVICE=ordres would. Did you mean orders?");
    }

    @Test
    void aSubsetThatNobodyIsInGetsNothingButErrors() {
        assertThat(unmet(CANARY.replace("version: v2", "version: v3"), RUNNING)).containsExactly("a.yaml:1: MeshHTTPRoute canary (mesh default): "
                + "sends requests to instances of orders with version=v3, of which there are none now: they get 503. Its instances have version=v1, version=v2");
        assertThat(unmet(CANARY.replace("version: v2}, weight: 10", "version: v3}, weight: 0"), RUNNING)).isEmpty();
    }

    @Test
    void aShadowMayBeOfASubsetThatIsYetToCome() {
        String wrong = CANARY.replace("version: v2", "version: v3");
        assertThat(unmet(wrong.replace("name: canary", "name: canary\nlabels: {kuma.io/effect: shadow}"), RUNNING)).isEmpty();
    }

    @Test
    void aMeshThatNobodyIsIn() {
        String elsewhere = CANARY.replace("mesh: default", "mesh: defualt");
        assertThat(unmet(elsewhere, RUNNING)).containsExactly(
                "a.yaml:1: MeshHTTPRoute canary (mesh defualt): nobody is in mesh defualt; there is default. Did you mean default?");
        assertThat(unmet(elsewhere + "---\ntype: Mesh\nname: default\n", Known.NOTHING)).containsExactly("a.yaml:1: MeshHTTPRoute canary (mesh defualt): "
                + "nobody is in mesh defualt, as far as these files say; there is default. Did you mean default?");
    }

    @Test
    void dataPlanesAndSourcesAreNamedToo() {
        String timeout = """
                type: MeshRateLimit
                name: limit
                mesh: default
                spec:
                  targetRef: {kind: MeshSubset, tags: {kuma.io/service: odrers}}
                  from:
                  - targetRef: {kind: Mesh}
                    default: {local: {http: {requestRate: {num: 1, interval: 1s}}}}
                """;
        assertThat(unmet(timeout, RUNNING)).singleElement().asString().contains("names service odrers", "Did you mean orders?");
    }
}
