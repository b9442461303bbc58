package io.weft.policy.xds;

import java.time.Clock;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.random.RandomGenerator;

/**
 * What a test would want to be different.
 *
 * @param clock for what is shown, never for what is waited for
 * @param random for jitter
 * @param firstSnapshotWait how long after its first response an incomplete policy is held back
 * @param laterSnapshotWait how long a later change is held back while something that it names has not come yet
 * @param certificateWait how long it is held back for a certificate that it names
 * @param deltaRetry how long a control plane that refused delta is asked for the state of the world
 */
public record Environment(
        Clock clock,
        RandomGenerator random,
        TransportLimits limits,
        Duration firstSnapshotWait,
        Duration laterSnapshotWait,
        Duration certificateWait,
        Duration deltaRetry) {

    public static Environment production() {
        // Fifteen seconds is Envoy's initial_fetch_timeout.
        return new Environment(
                Clock.systemUTC(), () -> ThreadLocalRandom.current().nextLong(), TransportLimits.DEFAULT,
                Duration.ofSeconds(15), Duration.ofSeconds(1), Duration.ofSeconds(15), Duration.ofMinutes(10));
    }
}
