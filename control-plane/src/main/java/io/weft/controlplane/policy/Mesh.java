package io.weft.controlplane.policy;

/** Kuma's {@code Mesh}. A mesh needs no document of its own. */
public record Mesh(Metadata metadata) implements Resource {}
