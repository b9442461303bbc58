package io.weft.controlplane.demo;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** The policy file that the demo edits, as an operator would with an editor. */
final class CanaryPolicy {
    private final Path file;
    private volatile String summary = "none yet";

    CanaryPolicy(Path folder) {
        this.file = folder.resolve("orders-canary.yaml");
    }

    Path file() {
        return file;
    }

    /** What it says now, in a few words. */
    String summary() {
        return summary;
    }

    /** From now on somebody else edits it. */
    void handOver() {
        summary = "yours to edit";
    }

    void weights(int v1, int v2) throws IOException {
        write(
                "v1 %d %%, v2 %d %%".formatted(v1, v2),
                """
                    - matches:
                      - path: {type: PathPrefix, value: /}
                      default:
                        backendRefs:
                        - {kind: MeshServiceSubset, name: orders, tags: {version: v1}, weight: %d}
                        - {kind: MeshServiceSubset, name: orders, tags: {version: v2}, weight: %d}
                """
                        .formatted(v1, v2));
    }

    void canaryByHeader() throws IOException {
        write(
                "x-canary: yes to v2, else v1",
                """
                    - matches:
                      - path: {type: PathPrefix, value: /}
                        headers:
                        - {type: Exact, name: x-canary, value: "yes"}
                      default:
                        backendRefs:
                        - {kind: MeshServiceSubset, name: orders, tags: {version: v2}}
                    - matches:
                      - path: {type: PathPrefix, value: /}
                      default:
                        backendRefs:
                        - {kind: MeshServiceSubset, name: orders, tags: {version: v1}}
                """);
    }

    private void write(String inShort, String rules) throws IOException {
        String document =
                """
                # A Kuma policy: it works on Kong Mesh as it is. Save it, and every caller obeys.
                type: MeshHTTPRoute
                name: orders-canary
                mesh: default
                spec:
                  targetRef: {kind: Mesh}
                  to:
                  - targetRef: {kind: MeshService, name: orders}
                    rules:
                """
                        + rules;
        Path next = file.resolveSibling(file.getFileName() + ".new");
        Files.writeString(next, document);
        Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        summary = inShort;
    }
}
