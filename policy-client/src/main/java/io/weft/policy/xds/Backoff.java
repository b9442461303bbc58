package io.weft.policy.xds;

import java.time.Duration;
import java.util.random.RandomGenerator;

/** Exponential, with equal jitter: never less than half of the nominal interval, so that the rate is bounded. */
final class Backoff {
    private final long initialNanos;
    private final long maxNanos;
    private final RandomGenerator random;
    private long nominal;

    Backoff(Duration initial, Duration max, RandomGenerator random) {
        this.initialNanos = initial.toNanos();
        this.maxNanos = Math.max(max.toNanos(), initialNanos);
        this.random = random;
        this.nominal = initialNanos;
    }

    Duration next() {
        long half = nominal / 2;
        Duration delay = Duration.ofNanos(half + random.nextLong(half + 1));
        nominal = nominal > maxNanos / 2 ? maxNanos : nominal * 2;
        return delay;
    }

    void reset() {
        nominal = initialNanos;
    }
}
