package io.weft.controlplane.policy;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class PolicyHistoryTest {

    private final PolicyHistory history = new PolicyHistory(new ResourceParser());

    private static SourceText file(String name, String text) {
        return new SourceText(name, Optional.of(text), Optional.empty());
    }

    private PolicySet update(SourceText... files) {
        return history.update(List.of(files));
    }

    /** A service; its only port tells versions apart. */
    private static String service(String name, int port) {
        return """
                ---
                type: MeshService
                name: %s
                spec:
                  selector: {dataplaneTags: {kuma.io/service: %s}}
                  ports: [{port: %d}]
                """.formatted(name, name, port);
    }

    private static List<String> inForce(PolicySet set) {
        List<String> inForce = new ArrayList<>();
        set.all(MeshService.class, "default").forEach(service ->
                inForce.add(service.metadata().displayName() + ":" + service.ports().get(0).port()));
        return inForce;
    }

    @Test
    void theNewestGoodVersionIsInForce() {
        assertThat(inForce(update(file("a.yaml", service("a", 1) + service("b", 1))))).containsExactly("a:1", "b:1");
        assertThat(inForce(update(file("a.yaml", service("a", 2) + service("b", 1))))).containsExactly("a:2", "b:1");
    }

    @Test
    void ofABadDocumentTheLastGoodVersionStays() {
        update(file("a.yaml", service("a", 1) + service("b", 1)));
        PolicySet set = update(file("a.yaml", service("a", 0) + service("b", 2)));
        assertThat(inForce(set)).containsExactly("a:1", "b:2");
        assertThat(set.outdated()).containsExactly(new ResourceId("MeshService", "default", "a"));
        assertThat(set.problems()).singleElement().satisfies(problem ->
                assertThat(problem.toString()).startsWith("a.yaml:6: spec.ports[0].port: must be from 1 to 65535"));
        // Mended, it takes effect again.
        set = update(file("a.yaml", service("a", 3) + service("b", 2)));
        assertThat(inForce(set)).containsExactly("a:3", "b:2");
        assertThat(set.outdated()).isEmpty();
        assertThat(set.problems()).isEmpty();
    }

    @Test
    void aDocumentThatWasNeverGoodIsNotInForce() {
        assertThat(inForce(update(file("a.yaml", service("a", 0) + service("b", 1))))).containsExactly("b:1");
    }

    @Test
    void aSyntaxErrorKeepsWhatTheFileHadBefore() {
        update(file("a.yaml", service("a", 1) + service("b", 1)), file("c.yaml", service("c", 1)));
        PolicySet set = update(file("a.yaml", "---\ntype: [MeshService\nname: a\n" + service("b", 2)));
        // c is gone with its file; a may be what the broken part means.
        assertThat(inForce(set)).containsExactly("a:1", "b:2");
        assertThat(set.problems()).hasSize(1);
    }

    @Test
    void anUnreadableFileKeepsWhatItHadBefore() {
        update(file("a.yaml", service("a", 1)));
        Problem problem = new Problem("a.yaml", 0, "", "cannot be read");
        PolicySet set = update(new SourceText("a.yaml", Optional.empty(), Optional.of(problem)));
        assertThat(inForce(set)).containsExactly("a:1");
        assertThat(set.problems()).containsExactly(problem);
    }

    @Test
    void whatHasChangedIsNamed() {
        PolicySet before = new PolicyHistory(new ResourceParser()).update(List.of());
        PolicyHistory history = new PolicyHistory(new ResourceParser());
        String mesh = "type: Mesh\nname: %s\n";
        PolicySet first = history.update(List.of(new SourceText("a.yaml", Optional.of(mesh.formatted("a") + "---\n" + mesh.formatted("b")), Optional.empty())));
        PolicySet second = history.update(List.of(new SourceText("a.yaml",
                Optional.of(mesh.formatted("a") + "skipCreatingInitialPolicies: ['*']\n---\n" + mesh.formatted("c")), Optional.empty())));

        assertThat(first.changedFrom(before)).extracting(ResourceId::name).containsExactly("a", "b");
        assertThat(second.changedFrom(first)).extracting(ResourceId::name).containsExactly("a", "b", "c");
        assertThat(second.changedFrom(second)).isEmpty();
    }

    @Test
    void aRemovedDocumentIsGone() {
        update(file("a.yaml", service("a", 1) + service("b", 1)));
        assertThat(inForce(update(file("a.yaml", service("b", 1))))).containsExactly("b:1");
        assertThat(inForce(update())).isEmpty();
    }

    @Test
    void ofTwoWithOneNameTheOneThatWasThereStays() {
        update(file("m.yaml", service("a", 1)));
        PolicySet set = update(file("c.yaml", service("a", 2)), file("m.yaml", service("a", 1)));
        assertThat(inForce(set)).containsExactly("a:1");
        assertThat(set.problems()).singleElement().satisfies(problem -> assertThat(problem.toString())
                .isEqualTo("c.yaml:2: MeshService a (mesh default) stands already in m.yaml:2;"
                        + " rename or remove one of the two"));
        // A file that is moved goes on under its new name.
        assertThat(inForce(update(file("c.yaml", service("a", 2))))).containsExactly("a:2");
    }

    @Test
    void meshesAreApart() {
        PolicySet set = update(file("a.yaml", service("a", 1) + service("a", 2).replace("name: a", "name: a\nmesh: two")));
        assertThat(set.problems()).isEmpty();
        assertThat(set.all(MeshService.class, "two")).hasSize(1);
        assertThat(inForce(set)).containsExactly("a:1");
    }
}
