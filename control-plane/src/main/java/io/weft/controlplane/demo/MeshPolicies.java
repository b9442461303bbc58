package io.weft.controlplane.demo;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** The policy files about identities, TLS and permissions that the demo writes, as an operator would. */
final class MeshPolicies {
    private final Path folder;

    MeshPolicies(Path folder) {
        this.folder = folder;
    }

    /** Everyone gets an identity, and everyone may call everyone. */
    void identities() throws IOException {
        write("permissions.yaml", """
                type: MeshTrafficPermission
                name: everyone
                mesh: default
                spec:
                  rules:
                  - default: {allow: [{spiffeID: {type: Prefix, value: "spiffe://default.default.mesh.local/"}}]}
                """);
        mode("Permissive");
        write("identity.yaml", """
                type: MeshIdentity
                name: everyone
                mesh: default
                spec:
                  selector: {dataplane: {matchLabels: {}}}
                  provider: {type: Bundled, bundled: {autogenerate: {enabled: true}, certificateParameters: {expiry: 1h}}}
                """);
    }

    /** @param mode {@code Permissive} or {@code Strict} */
    void mode(String mode) throws IOException {
        write("tls.yaml", """
                type: MeshTLS
                name: mode
                mesh: default
                spec:
                  targetRef: {kind: Mesh}
                  rules: [{default: {mode: %s}}]
                """.formatted(mode));
    }

    /** Orders hears storefront and nobody else; the others hear everyone. */
    void ordersForStorefront() throws IOException {
        write("permissions.yaml", """
                type: MeshTrafficPermission
                name: storefront
                mesh: default
                spec:
                  targetRef: {kind: MeshSubset, tags: {kuma.io/service: storefront}}
                  rules:
                  - default: {allow: [{spiffeID: {type: Prefix, value: "spiffe://default.default.mesh.local/"}}]}
                ---
                type: MeshTrafficPermission
                name: orders
                mesh: default
                spec:
                  targetRef: {kind: MeshSubset, tags: {kuma.io/service: orders}}
                  rules:
                  - default: {allow: [{spiffeID: {type: Exact, value: "spiffe://default.default.mesh.local/workload/storefront"}}]}
                """);
    }

    private void write(String name, String text) throws IOException {
        Path next = folder.resolve(name + ".new");
        Files.writeString(next, text);
        Files.move(next, folder.resolve(name), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }
}
