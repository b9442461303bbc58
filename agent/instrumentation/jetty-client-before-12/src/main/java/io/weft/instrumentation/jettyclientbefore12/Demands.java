package io.weft.instrumentation.jettyclientbefore12;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongConsumer;
import org.eclipse.jetty.client.api.Response.DemandedContentListener;

/** What the app's listeners want of a response's content, as one: each piece is for all of them. Thread-safe. */
final class Demands {
    private final List<DemandedContentListener> listeners;
    private final LongConsumer demand;

    /** Pieces that each has asked for and that nobody else has. Guarded by itself. */
    private final Map<Object, Long> pending = new HashMap<>();

    /** @param demand asks for pieces */
    Demands(List<DemandedContentListener> listeners, LongConsumer demand) {
        this.listeners = listeners;
        this.demand = demand;
    }

    void accept(Object listener, long pieces) {
        if (listeners.size() == 1) {
            demand.accept(pieces);
            return;
        }
        long all;
        synchronized (pending) {
            pending.merge(listener, pieces, (some, more) -> some + more < 0 ? Long.MAX_VALUE : some + more);
            if (pending.size() < listeners.size()) {
                return;
            }
            long least = pending.values().stream().mapToLong(Long::longValue).min().orElse(0);
            pending.replaceAll((asker, wanted) -> wanted - least);
            pending.values().removeIf(wanted -> wanted == 0);
            all = least;
        }
        if (all > 0) {
            demand.accept(all);
        }
    }
}
