package io.weft.policy.model;

import io.weft.policy.model.RateLimit.Entry;
import java.util.List;

/**
 * Buckets of a local rate limit for requests with certain descriptors.
 *
 * @param buckets each for other descriptors; of several that a descriptor fits, one without wildcards counts, and else the first
 * @param own which descriptors requests have; empty: route and virtual host say it
 * @param takesCommon who takes a token of these buckets takes one of the bucket for all, too
 * @param mostValues above zero; how many buckets are kept at most for one with wildcards, those of the latest requests
 */
public record DescriptorLimits(List<Bucket> buckets, List<RateLimit> own, OfRoutes ofRoutes, boolean takesCommon, int mostValues) {
    public static final DescriptorLimits NONE =
            new DescriptorLimits(List.of(), List.of(), new OfRoutes(0, VirtualHosts.OVERRIDE), true, 20);

    public DescriptorLimits {
        buckets = List.copyOf(buckets);
        own = List.copyOf(own);
    }

    /** @param descriptor an entry with an empty value is a wildcard: each value has a bucket of its own */
    public record Bucket(List<Entry> descriptor, TokenBucket tokens) {
        public Bucket {
            descriptor = List.copyOf(descriptor);
        }
    }

    /**
     * What counts of that which routes and virtual hosts say.
     *
     * @param stage only what is for this one
     */
    public record OfRoutes(int stage, VirtualHosts virtualHosts) {}

    /** When what the virtual host says counts. */
    public enum VirtualHosts {
        /** Where the route says nothing. */
        OVERRIDE,
        /** Beside what the route says. */
        INCLUDE,
        IGNORE
    }
}
