package io.weft.dataplane;

import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;
import java.util.concurrent.atomic.AtomicLongFieldUpdater;

/**
 * The pieces of a response that its app has asked for and was not told of. While there are none, and while the app is busy with one, nobody
 * waits for the endpoint.
 *
 * <p>Thread rule: the app asks and pauses on any thread, before the library hears of it; it is told of one piece after the other.
 */
public final class Demand {
    private static final AtomicLongFieldUpdater<Demand> PIECES = AtomicLongFieldUpdater.newUpdater(Demand.class, "pieces");
    private static final AtomicIntegerFieldUpdater<Demand> TELLING = AtomicIntegerFieldUpdater.newUpdater(Demand.class, "telling");
    private static final long ALL = Long.MAX_VALUE;

    private volatile long pieces;
    /** 1: the app is being told. */
    private volatile int telling;

    /** @param pieces that are asked for from the beginning; {@code Long.MAX_VALUE}: all */
    public Demand(long pieces) {
        PIECES.lazySet(this, pieces);
    }

    /** @param exchange null: not of the mesh */
    public void asks(Exchange exchange, long more) {
        long wanted = PIECES.accumulateAndGet(this, more, (some, further) -> some + further < 0 ? ALL : some + further);
        if (exchange != null && wanted > 0 && telling == 0) {
            exchange.awaitsBytes();
        }
    }

    /** What was asked for is not wanted any more. */
    public void pauses(Exchange exchange) {
        pieces = 0;
        if (exchange != null) {
            exchange.awaitsNothing();
        }
    }

    /** The app is about to be told: of so many pieces, or of none but the response's head. {@link #told} is next. */
    public void tells(Exchange exchange, long told) {
        TELLING.lazySet(this, 1);
        if (exchange != null) {
            exchange.awaitsNothing();
        }
        // Most apps want all that there is.
        if (pieces != ALL) {
            PIECES.getAndAccumulate(this, told, (some, fewer) -> some == ALL ? some : Math.max(0, some - fewer));
        }
    }

    /** The app has returned. */
    public void told(Exchange exchange) {
        boolean wanted = pieces > 0;
        if (wanted) {
            TELLING.lazySet(this, 0);
        } else {
            // Who asks now either sees this or is seen.
            telling = 0;
            wanted = pieces > 0;
        }
        if (exchange != null && wanted) {
            exchange.awaitsBytes();
        }
    }
}
