package io.weft.controlplane.policy;

import java.nio.file.Path;

/** Where the key that signs certificates comes from. */
public sealed interface CaSource {

    /** The control plane makes it and keeps it, one for the mesh. */
    record Generated() implements CaSource {}

    /** The operator brings it, as PEM. */
    record Files(Path certificate, Path key) implements CaSource {}
}
