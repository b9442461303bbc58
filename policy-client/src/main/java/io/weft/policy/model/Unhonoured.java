package io.weft.policy.model;

/**
 * A field that was set, that has no effect here, and that changes nothing of what the operator meant for the rest.
 *
 * @param resource kind and name, as {@code Cluster orders}
 * @param path path of the field, as {@code upstream_connection_options.tcp_keepalive}
 */
public record Unhonoured(String resource, String path) {}
