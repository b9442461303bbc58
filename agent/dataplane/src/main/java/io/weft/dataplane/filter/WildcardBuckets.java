package io.weft.dataplane.filter;

import io.weft.dataplane.NanoClock;
import io.weft.policy.model.DescriptorLimits.Bucket;
import io.weft.policy.model.RateLimit.Entry;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A bucket for each descriptor that fits one with wildcards. Whoever calls may make up values without end, so only those that were
 * asked for last are kept; one that comes again later has a full bucket. Thread-safe.
 */
final class WildcardBuckets {
    /** Of which the oldest is given up: looking at all of very many would take as long. */
    private static final int MOST_LOOKED_AT = 1_000;

    private final Bucket config;
    private final int most;
    private final NanoClock clock;
    private final Map<List<Entry>, Kept> kept = new ConcurrentHashMap<>();
    private final AtomicLong uses = new AtomicLong();

    WildcardBuckets(Bucket config, int most, NanoClock clock) {
        this.config = config;
        this.most = most;
        this.clock = clock;
    }

    /** @return null: the descriptor does not fit */
    TokenBucketState of(List<Entry> descriptor) {
        if (!fits(descriptor)) {
            return null;
        }
        Kept found = kept.get(descriptor);
        if (found == null) {
            found = kept.computeIfAbsent(descriptor, added -> new Kept(new TokenBucketState(config.tokens(), clock)));
        }
        found.lastUse = uses.incrementAndGet();
        while (kept.size() > most) {
            giveUpOldest();
        }
        return found.bucket;
    }

    private boolean fits(List<Entry> descriptor) {
        List<Entry> entries = config.descriptor();
        if (descriptor.size() != entries.size()) {
            return false;
        }
        for (int i = 0; i < entries.size(); i++) {
            Entry wanted = entries.get(i);
            Entry entry = descriptor.get(i);
            if (!wanted.key().equals(entry.key()) || !wanted.value().isEmpty() && !wanted.value().equals(entry.value())) {
                return false;
            }
        }
        return true;
    }

    private void giveUpOldest() {
        Map.Entry<List<Entry>, Kept> oldest = null;
        int looked = 0;
        for (Map.Entry<List<Entry>, Kept> entry : kept.entrySet()) {
            if (oldest == null || entry.getValue().lastUse < oldest.getValue().lastUse) {
                oldest = entry;
            }
            if (++looked == MOST_LOOKED_AT) {
                break;
            }
        }
        if (oldest != null) {
            kept.remove(oldest.getKey(), oldest.getValue());
        }
    }

    private static final class Kept {
        final TokenBucketState bucket;
        /** In the order of {@link #uses}; the largest until it is first used. */
        volatile long lastUse = Long.MAX_VALUE;

        Kept(TokenBucketState bucket) {
            this.bucket = bucket;
        }
    }
}
