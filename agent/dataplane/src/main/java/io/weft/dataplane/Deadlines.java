package io.weft.dataplane;

import io.weft.dataplane.Timers.Timer;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * All that has time limits now. A request takes a slot and gives it back, without a lock and without an allocation; nothing
 * happens on the timer thread until the first limit could be over. Then it looks through all slots, which is once in about as long
 * as the shortest limit that is in use.
 *
 * <p>Thread-safe. Slots grow with the number of requests under way and are never given back.
 */
final class Deadlines {
    /**
     * Limits that are at least this long may be {@link Limited#armPending pending}: to read the clock for each request costs more
     * than all else that its time limit does. They are late by up to {@link #LOOK_NANOS}, one in a hundred.
     */
    static final long LONG_NANOS = 10_000_000_000L;
    private static final long LOOK_NANOS = LONG_NANOS / 100;

    private static final int FIRST_SLOTS = 64;
    private static final int PROBES = 8;

    private final NanoClock clock;
    private final Timers timers;
    /** The newest and largest last. */
    private volatile AtomicReferenceArray<Limited>[] tables = tables(new AtomicReferenceArray<>(FIRST_SLOTS));
    /** When the timer thread looks next; null when nothing could be over. */
    private final AtomicReference<Look> next = new AtomicReference<>();

    /** What the timer thread does about what is pending. */
    private enum Looks {
        NONE,
        /** It looks once more than it was asked to: who asks meanwhile need not wake it, which would cost a request microseconds. */
        ENDING,
        ASKED
    }

    private final AtomicReference<Looks> looks = new AtomicReference<>(Looks.NONE);

    Deadlines(NanoClock clock, Timers timers) {
        this.clock = clock;
        this.timers = timers;
    }

    NanoClock clock() {
        return clock;
    }

    /** @param nanos at once when not above zero */
    void later(long nanos, Runnable task) {
        timers.schedule(nanos, task);
    }

    /** Lets the limits end what is under way. {@link #leave} must follow in the end; until then all that it refers to is reachable. */
    void watch(Limited limited) {
        boolean pending = limited.isPending();
        TimeLimit first = limited.first();
        if (first == null && !pending) {
            return;
        }
        if (limited.slots == null) {
            // Whoever finds it in its slot finds it watched, and the slot is taken with a barrier: it needs none of its own.
            limited.watchOnBeforeEntry();
            enter(limited);
        } else {
            limited.watchOn();
        }
        if (pending) {
            lookSoon();
        }
        if (first != null) {
            wakeBy(limited.endOf(first));
        }
    }

    /** A part of a body moved on, where an idle limit is armed. From any thread. */
    void wasActive(Limited limited) {
        if (limited.idleNanos() < LONG_NANOS) {
            limited.wasActive(clock.nanoTime());
        } else if (limited.wasActive()) {
            lookSoon();
        }
    }

    void leave(Limited limited) {
        AtomicReferenceArray<Limited> slots = limited.slots;
        if (slots != null) {
            limited.slots = null;
            // What is not watched may be found there a little longer.
            slots.lazySet(limited.slot, null);
        }
    }

    /** Anywhere, so that threads do not meet; no decision depends on it. */
    private void enter(Limited limited) {
        AtomicReferenceArray<Limited>[] all = tables;
        while (!enter(limited, all, (int) limited.random) && !enter(limited, all, ThreadLocalRandom.current().nextInt())) {
            grow(all);
            all = tables;
        }
    }

    private static boolean enter(Limited limited, AtomicReferenceArray<Limited>[] all, int start) {
        AtomicReferenceArray<Limited> newest = all[all.length - 1];
        int mask = newest.length() - 1;
        for (int i = 0; i < PROBES; i++) {
            int slot = start + i & mask;
            if (newest.get(slot) == null && newest.compareAndSet(slot, null, limited)) {
                limited.slots = newest;
                limited.slot = slot;
                return true;
            }
        }
        return false;
    }

    private synchronized void grow(AtomicReferenceArray<Limited>[] full) {
        if (tables != full) {
            return;
        }
        tables = tables(new AtomicReferenceArray<>(2 * full[full.length - 1].length()), full);
    }

    @SafeVarargs
    @SuppressWarnings("unchecked")
    private static AtomicReferenceArray<Limited>[] tables(
            AtomicReferenceArray<Limited> newest, AtomicReferenceArray<Limited>... others) {
        AtomicReferenceArray<Limited>[] all = new AtomicReferenceArray[others.length + 1];
        System.arraycopy(others, 0, all, 0, others.length);
        all[others.length] = newest;
        return all;
    }

    /** Sees to it that the timer thread looks then or before. */
    private void wakeBy(long nanos) {
        Look planned = next.get();
        while (planned == null || nanos - planned.at < 0) {
            Look look = new Look(nanos);
            if (next.compareAndSet(planned, look)) {
                look.timer = timers.schedule(nanos - clock.nanoTime(), look);
                if (planned != null) {
                    planned.cancel();
                }
                return;
            }
            planned = next.get();
        }
    }

    /** Without a barrier it may be missed by the look that is about to be made, but not by the one before a limit is over. */
    private void lookSoon() {
        if (looks.get() != Looks.ASKED && looks.getAndSet(Looks.ASKED) == Looks.NONE) {
            timers.schedule(LOOK_NANOS, this::startPending);
        }
    }

    private void startPending() {
        // Before the first slot is read: who comes later has it looked for once more.
        if (looks.compareAndSet(Looks.ENDING, Looks.NONE)) {
            return;
        }
        looks.set(Looks.ENDING);
        try {
            lookThrough();
        } finally {
            timers.schedule(LOOK_NANOS, this::startPending);
        }
    }

    private void lookThrough() {
        long now = clock.nanoTime();
        long first = Limited.NEVER;
        RuntimeException fault = null;
        for (AtomicReferenceArray<Limited> slots : tables) {
            for (int i = 0; i < slots.length(); i++) {
                Limited limited = slots.get(i);
                if (limited == null) {
                    continue;
                }
                try {
                    long end = limited.check(now);
                    if (end != Limited.NEVER && (first == Limited.NEVER || end - first < 0)) {
                        first = end;
                    }
                } catch (RuntimeException e) {
                    fault = e;
                }
            }
        }
        if (first != Limited.NEVER) {
            wakeBy(first);
        }
        if (fault != null) {
            throw fault;
        }
    }

    private final class Look implements Runnable {
        private final long at;
        private volatile Timer timer;

        Look(long at) {
            this.at = at;
        }

        @Override
        public void run() {
            // Before the first slot is read: who comes later plans a look of its own. One that was overtaken does nothing.
            if (next.compareAndSet(this, null)) {
                lookThrough();
            }
        }

        void cancel() {
            Timer scheduled = timer;
            if (scheduled != null) {
                scheduled.cancel();
            }
        }
    }
}
