package io.weft.policy.xds;

import io.weft.policy.parse.ResourceType;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Some control planes answer a NACK with the same resources at once. The first NACK of a type goes out at once, each further
 * one in a row waits twice as long as the one before, so that the two do not chase each other.
 */
final class NackPacer {
    private static final Duration FIRST_PAUSE = Duration.ofMillis(500);
    private static final int MAX_DOUBLINGS = 6;

    private final ScheduledExecutorService loop;
    private final Map<ResourceType, Integer> inARow = new EnumMap<>(ResourceType.class);
    private final Map<ResourceType, Future<?>> waiting = new EnumMap<>(ResourceType.class);

    NackPacer(ScheduledExecutorService loop) {
        this.loop = loop;
    }

    /** The type's latest response was good, or another came: what waits to be said about an older one is not said. */
    void supersede(ResourceType type) {
        Future<?> old = waiting.remove(type);
        if (old != null) {
            old.cancel(false);
        }
    }

    void acknowledged(ResourceType type) {
        inARow.remove(type);
    }

    void nack(ResourceType type, Runnable send) {
        int before = inARow.merge(type, 1, Integer::sum) - 1;
        if (before == 0) {
            send.run();
            return;
        }
        long pause = FIRST_PAUSE.toNanos() << Math.min(before - 1, MAX_DOUBLINGS);
        waiting.put(type, loop.schedule(() -> {
            waiting.remove(type);
            send.run();
        }, pause, TimeUnit.NANOSECONDS));
    }

    void stop() {
        waiting.values().forEach(future -> future.cancel(false));
        waiting.clear();
    }
}
