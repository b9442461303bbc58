package io.weft.policy.model;

/**
 * {@code envoy.config.route.v3.HedgePolicy}.
 *
 * @param onPerTryTimeout an attempt that takes longer than the retry policy's {@code per_try_timeout} is not ended: another is
 *     begun beside it, and the first good response counts
 */
public record HedgePolicy(boolean onPerTryTimeout) {}
