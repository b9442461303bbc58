package io.weft.policy.model;

/** {@code envoy.config.core.v3.RoutingPriority}. */
public enum RoutingPriority { DEFAULT, HIGH }
