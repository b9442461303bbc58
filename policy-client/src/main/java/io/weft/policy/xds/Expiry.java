package io.weft.policy.xds;

import io.netty.channel.EventLoop;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/** Tells when what is held has expired. Confined to the event loop. */
final class Expiry {
    private final EventLoop loop;
    private final Clock clock;
    private final Runnable expired;
    private Future<?> end;

    Expiry(EventLoop loop, Clock clock, Runnable expired) {
        this.loop = loop;
        this.clock = clock;
        this.expired = expired;
    }

    /** @return how long it is good for from now on; not above zero: not at all, and what was held before still expires in its time */
    Duration at(Instant expires) {
        Duration left = Duration.between(clock.instant(), expires);
        if (left.compareTo(Duration.ZERO) > 0) {
            cancel();
            end = loop.schedule(expired, left.toMillis() + 1, TimeUnit.MILLISECONDS);
        }
        return left;
    }

    void cancel() {
        if (end != null) {
            end.cancel(false);
        }
    }
}
