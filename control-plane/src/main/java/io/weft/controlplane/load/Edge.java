package io.weft.controlplane.load;

/**
 * From one service to the instances of one version of another.
 *
 * @param from the calling service
 * @param to the called service
 * @param version the tag {@code version} of the called instances; empty: they have none
 */
public record Edge(String mesh, String from, String to, String version) {}
