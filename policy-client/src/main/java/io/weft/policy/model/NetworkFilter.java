package io.weft.policy.model;

import io.weft.policy.model.RouteMatch.Fraction;

/** A network filter in front of HTTP, a record for each that is supported. */
public sealed interface NetworkFilter {

    /**
     * {@code envoy.extensions.filters.network.local_ratelimit.v3.LocalRateLimit}: a new connection takes a token or is closed.
     *
     * @param enabled share of the connections that need one
     */
    record LocalRateLimit(TokenBucket bucket, Fraction enabled) implements NetworkFilter {}
}
