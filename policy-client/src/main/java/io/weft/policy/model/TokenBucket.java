package io.weft.policy.model;

import java.time.Duration;

/**
 * {@code envoy.type.v3.TokenBucket}. It is full at first and fills evenly.
 *
 * @param maxTokens above zero
 * @param tokensPerFill above zero
 * @param fillInterval in which that many tokens come
 */
public record TokenBucket(int maxTokens, int tokensPerFill, Duration fillInterval) {}
