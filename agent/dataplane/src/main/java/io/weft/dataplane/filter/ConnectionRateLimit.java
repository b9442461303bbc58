package io.weft.dataplane.filter;

import io.weft.dataplane.NanoClock;
import io.weft.dataplane.Randomness;
import io.weft.policy.model.NetworkFilter.LocalRateLimit;

/** {@code envoy.filters.network.local_ratelimit}: a new connection takes a token or is closed. */
final class ConnectionRateLimit implements ConnectionFilter {
    private final TokenBucketState tokens;
    private final Share enabled;

    ConnectionRateLimit(LocalRateLimit limit, NanoClock clock, Randomness randomness) {
        tokens = new TokenBucketState(limit.bucket(), clock);
        enabled = new Share(limit.enabled(), randomness);
    }

    @Override
    public boolean admits() {
        return !enabled.includesOne() || tokens.take();
    }
}
