package io.weft.controlplane.rollout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.weft.controlplane.policy.FolderReader;
import io.weft.controlplane.policy.MeshHttpRoute;
import io.weft.controlplane.policy.PolicyHistory;
import io.weft.controlplane.policy.PolicySet;
import io.weft.controlplane.policy.ResourceParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FolderRoutesTest {

    @TempDir
    private Path folder;

    private static final String HEAD = """
            # 😀 before anything else
            type: MeshTLS
            name: mode
            mesh: default
            spec: {rules: [{default: {mode: Permissive}}]}
            ---
            # who changes this asks the orders team
            type: MeshHTTPRoute
            name: orders-canary
            mesh: default
            spec:
              to:
              - targetRef: {kind: MeshService, name: other}
                rules: []
              - targetRef: {kind: MeshService, name: orders}
                rules:
                - matches: [{path: {type: Exact, value: /health}}]
                  default: {filters: []}
                - matches: [{path: {type: PathPrefix, value: /}}]
                  default:
            """;

    @Test
    void onlyTheWeightsChange() throws Exception {
        String before = HEAD + """
                        backendRefs:
                        - {kind: MeshServiceSubset, name: orders, tags: {version: v1}, weight: 90} # March
                        - kind: MeshServiceSubset   # the new one
                          name: orders
                          tags: {version: v2}
                          weight:   10
                ---
                type: MeshHTTPRoute
                name: after
                mesh: default
                spec: {to: [{targetRef: {kind: MeshService, name: stock}, rules: []}]}
                """;
        write("orders.yaml", before);

        routes().share("default", "orders", weights(75, 25));

        assertThat(read("orders.yaml")).isEqualTo(
                before.replace("weight: 90}", "weight: 75}").replace("weight:   10", "weight:   25"));
        assertThat(routes().split("default", "orders")).hasValueSatisfying(split -> {
            assertThat(split.policy()).isEqualTo("orders-canary");
            assertThat(split.weights()).isEqualTo(weights(75, 25));
            assertThat(split.percent("v2")).isEqualTo(25);
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "        backendRefs: [{kind: MeshServiceSubset, name: orders, tags: {version: v1}}]\n",
        "        backendRefs:\n        - {kind: MeshServiceSubset, name: orders, tags: {version: v1}}\n",
        "        backendRefs:\n        - {kind: MeshServiceSubset, name: orders, tags: {version: v1}, weight: 1}\n"
                + "        - kind: MeshServiceSubset\n          name: orders\n          tags: {version: v2}\n",
        "        backendRefs:\n        - kind: MeshServiceSubset\n          tags: {version: v2}\n          name: orders\n"
                + "        - {kind: MeshServiceSubset, name: orders, tags: {version: v1}}\n",
    })
    void whatIsMissingIsAdded(String references) throws Exception {
        write("orders.yaml", HEAD + references);

        routes().share("default", "orders", weights(60, 40));

        assertThat(routes().split("default", "orders").orElseThrow().weights()).containsOnly(Map.entry("v1", 60L), Map.entry("v2", 40L));
        assertThat(read("orders.yaml")).startsWith(HEAD);
        assertThat(policies().problems()).isEmpty();
    }

    @Test
    void aVersionThatIsNotNamedGetsNothing() throws Exception {
        write("orders.yaml", HEAD + """
                        backendRefs:
                        - {kind: MeshServiceSubset, name: orders, tags: {version: v1}, weight: 50}
                        - {kind: MeshServiceSubset, name: orders, tags: {version: v2}, weight: 50}
                        - {kind: MeshServiceSubset, name: orders, tags: {version: v3}, weight: 0}
                """);

        routes().share("default", "orders", Map.of("v3", 1L));

        assertThat(routes().split("default", "orders").orElseThrow().weights())
                .containsOnly(Map.entry("v1", 0L), Map.entry("v2", 0L), Map.entry("v3", 1L));
    }

    @Test
    void whereThereIsNoPolicyOneIsMade() throws Exception {
        routes().share("default", "orders", weights(95, 5));

        assertThat(policies().problems()).isEmpty();
        assertThat(routes().split("default", "orders").orElseThrow().weights()).isEqualTo(weights(95, 5));
        assertThat(folder.toFile().list()).containsExactly("orders-canary.yaml");

        routes().share("default", "orders", weights(0, 100));
        assertThat(routes().split("default", "orders").orElseThrow().weights()).isEqualTo(weights(0, 100));
    }

    @Test
    void aFileOfThatNameIsNotOverwritten() throws Exception {
        write("orders-canary.yaml", "# mine\n");

        assertThatThrownBy(() -> routes().share("default", "orders", weights(95, 5)))
                .isInstanceOf(RolloutException.class).hasMessageContaining("orders-canary.yaml is there already");
        assertThat(read("orders-canary.yaml")).isEqualTo("# mine\n");
        assertThat(folder.toFile().list()).containsExactly("orders-canary.yaml");
    }

    @Test
    void twoRulesThatShareTheSameRequestsAreNotChosenFrom() throws Exception {
        String share = "        backendRefs: [{kind: MeshServiceSubset, name: orders, tags: {version: v1}}]\n";
        write("a.yaml", HEAD + share);
        write("b.yaml", HEAD.replace("orders-canary", "another").replace("name: mode", "name: mode2") + share);

        assertThatThrownBy(() -> routes().share("default", "orders", weights(95, 5)))
                .isInstanceOf(RolloutException.class).hasMessageContaining("2 rules").hasMessageContaining("a.yaml:8");
        assertThat(Split.of(policies().all(MeshHttpRoute.class, "default"))).as("none is the one").isEmpty();
    }

    @Test
    void rulesForSomeRequestsOnlyAreLeftAlone() throws Exception {
        write("orders.yaml", HEAD.replace("- matches: [{path: {type: PathPrefix, value: /}}]",
                "- matches: [{path: {type: PathPrefix, value: /}, headers: [{type: Exact, name: x, value: y}]}]")
                + "        backendRefs: [{kind: MeshServiceSubset, name: orders, tags: {version: v2}}]\n");

        assertThat(routes().split("default", "orders")).isEmpty();
    }

    @Test
    void aFileKeepsItsPermissionsAndItsLink() throws Exception {
        Path real = Files.createDirectory(folder.resolve("real")).resolve("orders.yaml");
        Files.writeString(real, HEAD + "        backendRefs: [{kind: MeshServiceSubset, name: orders, tags: {version: v1}}]\n");
        Files.setPosixFilePermissions(real, PosixFilePermissions.fromString("rw-r-----"));
        Files.createSymbolicLink(folder.resolve("orders.yaml"), real);

        routes().share("default", "orders", weights(95, 5));

        assertThat(folder.resolve("orders.yaml")).isSymbolicLink();
        assertThat(Files.getPosixFilePermissions(real)).isEqualTo(PosixFilePermissions.fromString("rw-r-----"));
        assertThat(read("orders.yaml")).contains("weight: 95");
    }

    @Test
    void byHeaderIsAPolicyOfItsOwnThatCanBeTakenBack() throws Exception {
        write("orders.yaml", HEAD + "        backendRefs: [{kind: MeshServiceSubset, name: orders, tags: {version: v1}}]\n");
        routes().sendByHeader("default", "orders", Map.entry("x-group", "yes"), "v2", "v1");

        assertThat(policies().problems()).isEmpty();
        assertThat(read("orders-ab.yaml")).contains("name: \"x-group\"").contains("version: \"v2\"").doesNotContain("version: \"v1\"");
        assertThat(routes().split("default", "orders").orElseThrow().weights()).as("as before").containsOnlyKeys("v1");

        assertThat(routes().endByHeader("default", "orders")).isTrue();
        assertThat(routes().endByHeader("default", "orders")).isFalse();
        assertThat(folder.resolve("orders-ab.yaml")).doesNotExist();
    }

    @Test
    void byHeaderTheRestGoesToTheOldVersion() throws Exception {
        routes().sendByHeader("default", "orders", Map.entry("x-group", "yes"), "v2", "v1");

        assertThat(policies().problems()).isEmpty();
        assertThat(routes().split("default", "orders").orElseThrow().weights()).containsOnlyKeys("v1");
    }

    @ParameterizedTest
    @ValueSource(strings = {"../orders", "", "a\"b", "a/b"})
    void namesThatWouldLeadElsewhereAreRefused(String service) {
        assertThatThrownBy(() -> routes().share("default", service, weights(95, 5))).isInstanceOf(RolloutException.class);
        assertThat(folder.toFile().list()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "../default", "default\nspec: {}", "a: b", "{x: y}", "default # all", "'default'", "de fault"})
    void aMeshIsNothingButAName(String mesh) {
        assertThatThrownBy(() -> routes().share(mesh, "orders", weights(95, 5)))
                .isInstanceOf(RolloutException.class).hasMessageContaining("cannot be a mesh's name");
        assertThatThrownBy(() -> routes().sendByHeader(mesh, "orders", Map.entry("x-group", "yes"), "v2", "v1"))
                .isInstanceOf(RolloutException.class).hasMessageContaining("cannot be a mesh's name");
        assertThat(folder.toFile().list()).isEmpty();
    }

    /** As the threads of the page do. */
    @Test
    void changesAtTheSameTimeComeOneAfterTheOther() throws Exception {
        FolderRoutes routes = routes();
        routes.share("default", "orders", weights(50, 50));
        int threads = 4;
        CyclicBarrier together = new CyclicBarrier(threads);
        ExecutorService executor = Executors.newFixedThreadPool(threads);
        try {
            List<Future<?>> changes = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                long own = i;
                changes.add(executor.submit(() -> {
                    together.await();
                    for (int round = 0; round < 20; round++) {
                        routes.share("default", "orders", weights(10 * own + 1, round));
                    }
                    return null;
                }));
            }
            for (Future<?> change : changes) {
                // Nobody hears that somebody else was in between.
                change.get(60, TimeUnit.SECONDS);
            }
        } finally {
            executor.shutdownNow();
        }
        assertThat(routes.split("default", "orders").orElseThrow().weights()).containsEntry("v2", 19L);
        assertThat(folder.toFile().list()).containsExactly("orders-canary.yaml");
    }

    private FolderRoutes routes() {
        return new FolderRoutes(folder);
    }

    private PolicySet policies() throws IOException {
        return new PolicyHistory(new ResourceParser()).update(new FolderReader(folder).read());
    }

    private void write(String name, String text) throws IOException {
        Files.writeString(folder.resolve(name), text);
    }

    private String read(String name) throws IOException {
        return Files.readString(folder.resolve(name));
    }

    private static Map<String, Long> weights(long v1, long v2) {
        Map<String, Long> weights = new LinkedHashMap<>();
        weights.put("v1", v1);
        weights.put("v2", v2);
        return weights;
    }
}
