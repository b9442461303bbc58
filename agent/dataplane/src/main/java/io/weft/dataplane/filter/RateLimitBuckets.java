package io.weft.dataplane.filter;

import io.weft.dataplane.NanoClock;
import io.weft.dataplane.filter.RequestDescriptors.Descriptor;
import io.weft.policy.model.DescriptorLimits.Bucket;
import io.weft.policy.model.HttpFilter.LocalRateLimit;
import io.weft.policy.model.RateLimit.Entry;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The tokens of a local rate limit: of one bucket for all requests, and of those for requests with a certain descriptor. Thread-safe. */
final class RateLimitBuckets {
    private static final Comparator<Taking> SLOWEST_FIRST =
            Comparator.comparingLong((Taking taking) -> taking.bucket.nanosPerToken()).reversed();

    /** Null: there is none, and who has no other passes. */
    private final TokenBucketState common;
    private final Map<List<Entry>, TokenBucketState> byDescriptor = new HashMap<>();
    private final List<WildcardBuckets> wildcards = new ArrayList<>();
    private final boolean takesCommon;

    RateLimitBuckets(LocalRateLimit limit, NanoClock clock) {
        common = limit.bucket().map(bucket -> new TokenBucketState(bucket, clock)).orElse(null);
        for (Bucket bucket : limit.descriptors().buckets()) {
            if (bucket.descriptor().stream().anyMatch(entry -> entry.value().isEmpty())) {
                wildcards.add(new WildcardBuckets(bucket, limit.descriptors().mostValues(), clock));
            } else {
                byDescriptor.put(bucket.descriptor(), new TokenBucketState(bucket.tokens(), clock));
            }
        }
        takesCommon = limit.descriptors().takesCommon();
    }

    /** @param bucket null: none */
    record Taken(boolean all, TokenBucketState bucket) {}

    /**
     * Takes tokens of each bucket that the descriptors have, of the one that fills slowest first: who gets nothing there takes nothing
     * of the others.
     *
     * @return with the bucket that has too little, or else with the one that says how much the request has left
     */
    Taken take(List<Descriptor> descriptors) {
        List<Taking> takings = takings(descriptors);
        for (int i = 0; i < takings.size(); i++) {
            Taking taking = takings.get(i);
            if (!taking.bucket.take(taking.hits)) {
                return new Taken(false, taking.bucket);
            }
        }
        if (common != null && (takings.isEmpty() || takesCommon) && !common.take()) {
            return new Taken(false, common);
        }
        return new Taken(true, takings.isEmpty() ? common : takings.get(0).bucket);
    }

    private record Taking(TokenBucketState bucket, int hits) {}

    private List<Taking> takings(List<Descriptor> descriptors) {
        if (descriptors.isEmpty()) {
            return List.of();
        }
        List<Taking> takings = new ArrayList<>(descriptors.size());
        for (Descriptor descriptor : descriptors) {
            TokenBucketState bucket = bucket(descriptor.entries());
            if (bucket != null) {
                takings.add(new Taking(bucket, descriptor.hits()));
            }
        }
        takings.sort(SLOWEST_FIRST);
        return takings;
    }

    private TokenBucketState bucket(List<Entry> descriptor) {
        TokenBucketState bucket = byDescriptor.get(descriptor);
        for (int i = 0; bucket == null && i < wildcards.size(); i++) {
            bucket = wildcards.get(i).of(descriptor);
        }
        return bucket;
    }
}
