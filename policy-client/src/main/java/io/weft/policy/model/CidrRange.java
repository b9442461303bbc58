package io.weft.policy.model;

/**
 * {@code envoy.config.core.v3.CidrRange}. An address of the other family is never in it.
 *
 * @param address an IPv4 or IPv6 literal
 * @param prefixLength 0 to 32, or to 128 for IPv6
 */
public record CidrRange(String address, int prefixLength) {}
