package io.weft.policy.model;

/**
 * A filter's place in an HTTP connection manager.
 *
 * @param name under which a route's overrides are found
 * @param disabled it acts only where an override enables it
 */
public record NamedFilter(String name, HttpFilter filter, boolean disabled) {}
