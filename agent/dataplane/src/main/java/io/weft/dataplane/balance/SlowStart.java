package io.weft.dataplane.balance;

import io.weft.policy.model.LoadBalancing;
import java.util.concurrent.TimeUnit;

/** Which share of its weight a host has by its age, in Envoy's milliseconds. Immutable. */
final class SlowStart {
    final long windowNanos;
    private final long windowMillis;
    private final double exponent;
    private final double least;

    SlowStart(LoadBalancing.SlowStart policy) {
        windowNanos = policy.window().toNanos();
        windowMillis = policy.window().toMillis();
        exponent = 1 / policy.aggression();
        least = policy.minWeightPercent() / 100;
    }

    /** @return above zero, 1 at most */
    double factor(long sinceNanos, long nowNanos) {
        long age = TimeUnit.NANOSECONDS.toMillis(nowNanos - sinceNanos);
        if (age >= windowMillis) {
            return 1;
        }
        double share = (double) Math.max(1, age) / windowMillis;
        return Math.max(Double.MIN_NORMAL, Math.max(least, exponent == 1 ? share : Math.pow(share, exponent)));
    }
}
