package io.weft.policy.xds;

import io.weft.policy.parse.ResourceType;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Some control planes answer a NACK with the same resources at once. The NACK of what was not refused just before goes out at once:
 * a control plane may have nothing newer to say before it has its answer. One that comes back waits, each time twice as long as the
 * time before, so that the two do not chase each other.
 */
final class NackPacer {
    private static final Duration FIRST_PAUSE = Duration.ofMillis(500);
    private static final int MAX_DOUBLINGS = 4;

    private record Waiting(Runnable send, Future<?> future) {}

    /** @param content hash of the resources, without their versions */
    private record Refused(int content, int times) {}

    private final ScheduledExecutorService loop;
    private final Map<ResourceType, Refused> inARow = new EnumMap<>(ResourceType.class);
    private final Map<ResourceType, Waiting> waiting = new EnumMap<>(ResourceType.class);

    NackPacer(ScheduledExecutorService loop) {
        this.loop = loop;
    }

    /** The type's latest response was good, or another came: what waits to be said about an older one is not said. */
    void supersede(ResourceType type) {
        Waiting old = waiting.remove(type);
        if (old != null) {
            old.future.cancel(false);
        }
    }

    /** Another request of the type is about to go out, which must not overtake the answer. */
    void hurry(ResourceType type) {
        Waiting answer = waiting.get(type);
        if (answer != null) {
            supersede(type);
            answer.send.run();
        }
    }

    void acknowledged(ResourceType type) {
        inARow.remove(type);
    }

    /** @param content hash of the resources that were refused, without their versions */
    void nack(ResourceType type, int content, Runnable send) {
        Refused before = inARow.get(type);
        boolean again = before != null && before.content == content;
        inARow.put(type, new Refused(content, again ? before.times + 1 : 1));
        if (!again) {
            send.run();
            return;
        }
        long pause = FIRST_PAUSE.toNanos() << Math.min(before.times - 1, MAX_DOUBLINGS);
        waiting.put(type, new Waiting(send, loop.schedule(() -> {
            waiting.remove(type);
            send.run();
        }, pause, TimeUnit.NANOSECONDS)));
    }

    void stop() {
        waiting.values().forEach(answer -> answer.future.cancel(false));
        waiting.clear();
    }
}
