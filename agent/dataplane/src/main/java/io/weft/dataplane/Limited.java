package io.weft.dataplane;

import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;
import java.util.concurrent.atomic.AtomicLongFieldUpdater;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * What has time limits, and when each of them is over. One thread at a time drives it; the timer thread only looks.
 *
 * <p>What is under way is ended either by its driver or by the timer thread, never by both: whoever moves {@link #watch} first.
 * The upper bits of that field count the turns, so that what the timer thread has read of one attempt says nothing of the next.
 *
 * <p>Who has got a response may never come to say that it is over: what the timer thread ends after the delivery, it also releases.
 */
public abstract class Limited extends HttpStream {
    private static final AtomicIntegerFieldUpdater<Limited> WATCH =
            AtomicIntegerFieldUpdater.newUpdater(Limited.class, "watch");

    private static final AtomicLongFieldUpdater<Limited> PENDING =
            AtomicLongFieldUpdater.newUpdater(Limited.class, "pendingNanos");
    private static final AtomicIntegerFieldUpdater<Limited> MOVED =
            AtomicIntegerFieldUpdater.newUpdater(Limited.class, "moved");

    private static final AtomicIntegerFieldUpdater<Limited> DELIVERED =
            AtomicIntegerFieldUpdater.newUpdater(Limited.class, "delivered");

    private static final int STATE = 7;
    private static final int OFF = 0;
    private static final int ON = 1;
    /** The timer thread is in {@link #abort}. */
    private static final int ENDING = 2;
    private static final int ENDED = 3;
    /** The timer thread gives back what is held, or has done so. */
    private static final int RELEASED = 4;
    private static final int TURN = 8;

    /** How soon the timer thread looks again at what it has ended and its driver may just be handing on. */
    private static final long HANDED_ON_NANOS = 100_000_000;

    /** The limits that few requests have; kept apart, since each request pays for the size of its object. */
    private static final class RareLimits {
        private long perTryTimeoutAt;
        private long upstreamMaxStreamDurationAt;
        private long connectTimeoutAt;
        private long perTryIdleNanos;
        private volatile long receivedAt;
        /** Nobody waits for the endpoint: its time stands still. */
        private volatile boolean awaitsNothing;
    }

    private static final TimeLimit[] LIMITS = TimeLimit.values();
    private static final int TIMEOUT = 1 << TimeLimit.TIMEOUT.ordinal();
    private static final int IDLE_TIMEOUT = 1 << TimeLimit.IDLE_TIMEOUT.ordinal();

    private static final int OF_AN_ATTEMPT =
            1 << TimeLimit.PER_TRY_TIMEOUT.ordinal() | 1 << TimeLimit.PER_TRY_IDLE_TIMEOUT.ordinal();
    private static final int OF_ALL_ATTEMPTS = TIMEOUT | IDLE_TIMEOUT | 1 << TimeLimit.MAX_STREAM_DURATION.ordinal();

    /** No limit is set that could be over. */
    static final long NEVER = Long.MAX_VALUE;

    private volatile int watch;
    /** 1 once the driver has handed the response on; from then on it changes nothing that {@link #release} reads. */
    private volatile int delivered;
    /** A bit for each limit that counts now. Like the times below, written only while {@link #watch} is off. */
    private int armed;
    private long timeoutAt;
    /** How long from the timer thread's next look, where that starts the timeout; 0: it has a time. */
    private volatile long pendingNanos;
    /** 1: since its last look something moved on, for which the timer thread is yet to put down a time. */
    private volatile int moved;
    private long maxStreamDurationAt;
    private long idleNanos;
    private volatile long activeAt;
    /** Null: no such limit was set so far. */
    private RareLimits rare;
    /** Written by the timer thread before it moves {@link #watch} to ended. */
    private TimeLimit expired;

    /** Random bits of its own; the upper ones decide about the route. */
    long random;

    // Where the deadlines keep it; for them alone.
    AtomicReferenceArray<Limited> slots;
    int slot;

    /**
     * Ends what is under way at once: whoever waits for it sees a failure. On the timer thread, at most once for an attempt;
     * must neither block nor throw.
     */
    protected abstract void abort();

    /** Gives back all that is held by what was {@link #expired}. On the timer thread, at most once, and then never by the driver. */
    abstract void release();

    /**
     * Whether what is under way goes on though the limit is over: one of a single attempt, which is then no limit any more. On the
     * timer thread; must neither block nor throw.
     */
    boolean outlasts(TimeLimit limit) {
        return false;
    }

    /** The limits of all attempts together are those of another. */
    final void limitAs(Limited other) {
        timeoutAt = other.timeoutAt;
        maxStreamDurationAt = other.maxStreamDurationAt;
        idleNanos = other.idleNanos;
        activeAt = other.activeAt;
        armed = other.armed & OF_ALL_ATTEMPTS;
    }

    final boolean isArmed(TimeLimit limit) {
        return (armed & 1 << limit.ordinal()) != 0;
    }

    /** Whether there is a limit that the attempt may {@link #outlasts outlast}. */
    final boolean isAttemptLimited() {
        return (armed & OF_AN_ATTEMPT) != 0;
    }

    final boolean isLimited() {
        return armed != 0;
    }

    /** @param nanos above zero; of an idle limit the time without activity, of another the time that it has from now on */
    final void arm(TimeLimit limit, long nanos, long nowNanos) {
        startPending(nowNanos);
        switch (limit) {
            case TIMEOUT -> timeoutAt = nowNanos + nanos;
            case PER_TRY_TIMEOUT -> rare().perTryTimeoutAt = nowNanos + nanos;
            case MAX_STREAM_DURATION -> maxStreamDurationAt = nowNanos + nanos;
            case UPSTREAM_MAX_STREAM_DURATION -> rare().upstreamMaxStreamDurationAt = nowNanos + nanos;
            case CONNECT_TIMEOUT -> rare().connectTimeoutAt = nowNanos + nanos;
            case IDLE_TIMEOUT -> {
                idleNanos = nanos;
                activeAt = nowNanos;
            }
            case PER_TRY_IDLE_TIMEOUT -> {
                rare().perTryIdleNanos = nanos;
                rare.receivedAt = nowNanos;
                rare.awaitsNothing = false;
            }
        }
        armed |= 1 << limit.ordinal();
    }

    private RareLimits rare() {
        if (rare == null) {
            rare = new RareLimits();
        }
        return rare;
    }

    /**
     * Arms limits without a look at the clock: {@link #startPending} says from when on they count.
     *
     * @param timeout 0: none
     * @param idle 0: none
     */
    final void armPending(long timeout, long idle) {
        if (timeout != 0) {
            PENDING.lazySet(this, timeout);
            armed |= TIMEOUT;
        }
        if (idle != 0) {
            idleNanos = idle;
            armed |= IDLE_TIMEOUT;
            MOVED.lazySet(this, 1);
        }
    }

    /** Whether the timer thread has to look soon, to put down a time. */
    final boolean isPending() {
        return pendingNanos != 0 || moved != 0;
    }

    /** Puts down a time for what is pending. By the driver or by the timer thread: if by both, it makes no difference who was last. */
    final void startPending(long nowNanos) {
        long nanos = pendingNanos;
        if (nanos != 0) {
            timeoutAt = nowNanos + nanos;
            PENDING.lazySet(this, 0);
        }
        if (moved != 0) {
            MOVED.lazySet(this, 0);
            activeAt = nowNanos;
        }
    }

    final void disarm(TimeLimit limit) {
        armed &= ~(1 << limit.ordinal());
    }

    /** When the limit, which is armed and not pending, is over unless something happens before. */
    final long endOf(TimeLimit limit) {
        return switch (limit) {
            case TIMEOUT -> timeoutAt;
            case PER_TRY_TIMEOUT -> rare.perTryTimeoutAt;
            case MAX_STREAM_DURATION -> maxStreamDurationAt;
            case UPSTREAM_MAX_STREAM_DURATION -> rare.upstreamMaxStreamDurationAt;
            case CONNECT_TIMEOUT -> rare.connectTimeoutAt;
            case IDLE_TIMEOUT -> activeAt + idleNanos;
            case PER_TRY_IDLE_TIMEOUT -> rare.receivedAt + rare.perTryIdleNanos;
        };
    }

    /** How long nothing may move on, if there is such a limit. */
    final long idleNanos() {
        return idleNanos;
    }

    /** @return whether the timer thread has to be told */
    final boolean wasActive() {
        boolean first = moved == 0;
        if (first) {
            MOVED.lazySet(this, 1);
        }
        return first;
    }

    final void wasActive(long nowNanos) {
        activeAt = nowNanos;
    }

    final void hasReceived(long nowNanos) {
        activeAt = nowNanos;
        // Of another thread, which may see that the limit is armed before it sees this.
        RareLimits limits = rare;
        if (limits != null) {
            limits.receivedAt = nowNanos;
        }
    }

    /** @param awaitsMore whether somebody waits for what the endpoint sends next */
    final void hasReceived(long nowNanos, boolean awaitsMore) {
        hasReceived(nowNanos);
        RareLimits limits = rare;
        if (limits != null) {
            limits.awaitsNothing = !awaitsMore;
        }
    }

    final void awaits(long nowNanos) {
        RareLimits limits = rare;
        if (limits != null && limits.awaitsNothing) {
            limits.receivedAt = nowNanos;
            limits.awaitsNothing = false;
        }
    }

    final void rests() {
        RareLimits limits = rare;
        if (limits != null) {
            limits.awaitsNothing = true;
        }
    }

    /** From here on a limit may end what is under way. */
    final void watchOn() {
        watch = (watch & ~STATE) + TURN | ON;
    }

    /** The same for what the timer thread does not know yet. */
    final void watchOnBeforeEntry() {
        WATCH.lazySet(this, (watch & ~STATE) + TURN | ON);
    }

    /** Whether a limit may end what is under way, and none has so far. */
    final boolean isWatched() {
        return (watch & STATE) == ON;
    }

    /** Whether a limit has ended what was under way. From any thread. */
    final boolean isEnded() {
        return (watch & STATE) > ON;
    }

    /** @return false: a limit has ended what was under way, and {@link #expired} says which */
    final boolean watchOff() {
        while (true) {
            int seen = watch;
            switch (seen & STATE) {
                case OFF -> {
                    return true;
                }
                case ON -> {
                    if (WATCH.compareAndSet(this, seen, seen & ~STATE)) {
                        return true;
                    }
                }
                case ENDED, RELEASED -> {
                    return false;
                }
                // The other thread is closing a connection, which it does without waiting for anything.
                default -> Thread.onSpinWait();
            }
        }
    }

    /** The response is the app's now. Ordered before whatever else lets the timer thread see it, and costs no barrier. */
    final void delivered() {
        DELIVERED.lazySet(this, 1);
    }

    /** @return whether the driver is to release what is held: false when the timer thread does */
    final boolean settle() {
        while (true) {
            int seen = watch;
            switch (seen & STATE) {
                case OFF -> {
                    return true;
                }
                case ON, ENDED -> {
                    if (WATCH.compareAndSet(this, seen, seen & ~STATE)) {
                        return true;
                    }
                }
                case RELEASED -> {
                    return false;
                }
                default -> Thread.onSpinWait();
            }
        }
    }

    /** After {@link #watchOff} said that there is one, or after {@link #settle}. Null: none has ended what was under way last. */
    final TimeLimit expired() {
        return expired;
    }

    /** The limit has done what it had to do. */
    final void forgetExpired() {
        if (expired != null) {
            expired = null;
            watch &= ~STATE;
        }
    }

    /**
     * Ends what is under way if one of its limits is over. On the timer thread.
     *
     * @return when to look again; {@link #NEVER}: not for what is under way now
     */
    final long check(long nowNanos) {
        int seen = watch;
        int ended = seen & ~STATE | ENDED;
        if (seen == ended) {
            return releaseDelivered(ended, nowNanos);
        }
        if ((seen & STATE) != ON) {
            return NEVER;
        }
        startPending(nowNanos);
        RareLimits limits = rare;
        if (limits != null && limits.awaitsNothing) {
            limits.receivedAt = nowNanos;
        }
        TimeLimit first = first();
        if (first == null) {
            return NEVER;
        }
        long end = endOf(first);
        if (end - nowNanos > 0) {
            return end;
        }
        if (!WATCH.compareAndSet(this, seen, seen & ~STATE | ENDING)) {
            return NEVER;
        }
        boolean goesOn = false;
        expired = first;
        try {
            goesOn = outlasts(first);
        } finally {
            end = goesOn ? goOn(seen) : end(ended, nowNanos);
        }
        return end;
    }

    private long end(int ended, long nowNanos) {
        long next;
        try {
            abort();
        } finally {
            watch = ended;
            next = releaseDelivered(ended, nowNanos);
        }
        return next;
    }

    private long goOn(int seen) {
        expired = null;
        armed &= ~OF_AN_ATTEMPT;
        TimeLimit next = first();
        watch = (seen & ~STATE) + TURN | ON;
        return next == null ? NEVER : endOf(next);
    }

    private long releaseDelivered(int ended, long nowNanos) {
        if (delivered == 0) {
            return nowNanos + HANDED_ON_NANOS;
        }
        if (WATCH.compareAndSet(this, ended, ended & ~STATE | RELEASED)) {
            release();
        }
        return NEVER;
    }

    /** The armed limit that is over first of those that are not pending; null: there is none. */
    final TimeLimit first() {
        TimeLimit first = null;
        int left = armed & ~(pendingNanos != 0 ? TIMEOUT : 0) & ~(moved != 0 ? IDLE_TIMEOUT : 0);
        while (left != 0) {
            TimeLimit limit = LIMITS[Integer.numberOfTrailingZeros(left)];
            left &= left - 1;
            if (first == null || endOf(limit) - endOf(first) < 0) {
                first = limit;
            }
        }
        return first;
    }
}
