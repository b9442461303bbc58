package io.weft.agent.link;

import io.weft.instrumentation.Adapter;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * An adapter in force and its handlers. The only strong reference to it hangs on a class of the app loader that it serves
 * (see {@link Anchor}), so both are collected together.
 */
final class Link {
    private final Adapter adapter;
    private final Map<LibrarySlot, Bound> handlers = new ConcurrentHashMap<>();

    Link(Adapter adapter) {
        this.adapter = adapter;
    }

    Adapter adapter() {
        return adapter;
    }

    Bound keep(LibrarySlot slot, Bound bound) {
        Bound earlier = handlers.putIfAbsent(slot, bound);
        return earlier == null ? bound : earlier;
    }
}
