package io.weft.controlplane.load;

/**
 * The instances of one version of a service.
 *
 * @param version their tag {@code version}; empty: they have none
 */
public record Called(String mesh, String service, String version) {}
