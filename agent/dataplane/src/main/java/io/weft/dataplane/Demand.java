package io.weft.dataplane;

import java.util.concurrent.atomic.AtomicLong;

/**
 * The pieces of a response that its app has asked for and was not told of. While there are none, and while the app is busy with one, nobody
 * waits for the endpoint.
 *
 * <p>Thread rule: the app asks and pauses on any thread, before the library hears of it; it is told of one piece after the other.
 */
public final class Demand {
    private final AtomicLong pieces;
    private volatile boolean telling;

    /** @param pieces that are asked for from the beginning; {@code Long.MAX_VALUE}: all */
    public Demand(long pieces) {
        this.pieces = new AtomicLong(pieces);
    }

    /** @param exchange null: not of the mesh */
    public void asks(Exchange exchange, long more) {
        long wanted = pieces.accumulateAndGet(more, (some, further) -> some + further < 0 ? Long.MAX_VALUE : some + further);
        if (exchange != null && wanted > 0 && !telling) {
            exchange.awaitsBytes();
        }
    }

    /** What was asked for is not wanted any more. */
    public void pauses(Exchange exchange) {
        pieces.set(0);
        if (exchange != null) {
            exchange.awaitsNothing();
        }
    }

    /** The app is about to be told: of so many pieces, or of none but the response's head. {@link #told} is next. */
    public void tells(Exchange exchange, long told) {
        telling = true;
        if (exchange != null) {
            exchange.awaitsNothing();
        }
        pieces.getAndAccumulate(told, (some, fewer) -> some == Long.MAX_VALUE ? some : Math.max(0, some - fewer));
    }

    /** The app has returned. */
    public void told(Exchange exchange) {
        telling = false;
        if (exchange != null && pieces.get() > 0) {
            exchange.awaitsBytes();
        }
    }
}
