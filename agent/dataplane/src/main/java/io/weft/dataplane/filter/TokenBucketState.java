package io.weft.dataplane.filter;

import io.weft.dataplane.NanoClock;
import io.weft.policy.model.TokenBucket;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A {@link TokenBucket} in use. All of its state is one number: the moment at which it was, or would have been, empty. The tokens in
 * it are those that came since then, at most as many as it holds; taking one moves the moment on by the time that one needs. So it
 * fills without a timer, and taking is one compare-and-set. Thread-safe.
 */
final class TokenBucketState {
    private final NanoClock clock;
    private final int maxTokens;
    private final long nanosPerToken;
    private final long nanosToFill;
    private final AtomicLong empty;

    TokenBucketState(TokenBucket bucket, NanoClock clock) {
        this.clock = clock;
        maxTokens = bucket.maxTokens();
        nanosPerToken = Math.max(1, bucket.fillInterval().toNanos() / bucket.tokensPerFill());
        nanosToFill = nanosPerToken > Long.MAX_VALUE / 4 / maxTokens ? Long.MAX_VALUE / 4 : nanosPerToken * maxTokens;
        empty = new AtomicLong(clock.nanoTime() - nanosToFill);
    }

    boolean take() {
        return take(1);
    }

    /**
     * All of them or none.
     *
     * @param tokens above zero
     */
    boolean take(int tokens) {
        if (nanosPerToken > nanosToFill / tokens) {
            // More than it ever holds.
            return false;
        }
        long needed = nanosPerToken * tokens;
        long now = clock.nanoTime();
        while (true) {
            long before = empty.get();
            long since = since(before, now);
            if (since < needed) {
                return false;
            }
            if (empty.compareAndSet(before, now - since + needed)) {
                return true;
            }
        }
    }

    /** The longer, the slower it fills. */
    long nanosPerToken() {
        return nanosPerToken;
    }

    int maxTokens() {
        return maxTokens;
    }

    long tokens() {
        return since(empty.get(), clock.nanoTime()) / nanosPerToken;
    }

    /** Until there is a token; 0: there is one. */
    long nanosToNext() {
        return Math.max(0, nanosPerToken - since(empty.get(), clock.nanoTime()));
    }

    private long since(long empty, long now) {
        return Math.min(now - empty, nanosToFill);
    }
}
