package io.weft.policy.xds;

import java.time.Duration;

/**
 * How silence is probed, across connections: a server that finds the probes too many (GOAWAY with ENHANCE_YOUR_CALM,
 * "too_many_pings") gets half as many from then on, as gRPC's proposal A8 has it.
 */
final class Keepalive {
    private static final Duration LONGEST = Duration.ofHours(1);

    private final Duration timeout;
    private Duration idle;

    Keepalive(Duration idle, Duration timeout) {
        this.idle = idle;
        this.timeout = timeout;
    }

    long idleNanos() {
        return idle.toNanos();
    }

    long timeoutNanos() {
        return timeout.toNanos();
    }

    void calmDown() {
        Duration doubled = idle.multipliedBy(2);
        idle = doubled.compareTo(LONGEST) > 0 ? LONGEST : doubled;
    }
}
