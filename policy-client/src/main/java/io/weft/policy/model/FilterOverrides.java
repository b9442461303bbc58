package io.weft.policy.model;

import java.util.List;
import java.util.Map;

/**
 * What a route configuration, virtual host, route or weighted cluster says to filters, mostly in {@code typed_per_filter_config}. Of
 * several levels the most specific that names a filter counts: weighted cluster, route, virtual host, route configuration.
 *
 * @param byFilter by {@link NamedFilter#name}; those that name no filter of the connection manager mean nothing
 * @param rateLimits of a virtual host or a route
 */
public record FilterOverrides(Map<String, Override> byFilter, RateLimits rateLimits) {
    public static final FilterOverrides NONE = new FilterOverrides(Map.of());

    public FilterOverrides {
        byFilter = Map.copyOf(byFilter);
    }

    public FilterOverrides(Map<String, Override> byFilter) {
        this(byFilter, RateLimits.NONE);
    }

    public FilterOverrides with(RateLimits limits) {
        return new FilterOverrides(byFilter, limits);
    }

    /**
     * {@code rate_limits}, for filters that limit by descriptors.
     *
     * @param includesVirtualHost those of the virtual host count beside the route's, whatever the filter says
     */
    public record RateLimits(List<RateLimit> limits, boolean includesVirtualHost) {
        public static final RateLimits NONE = new RateLimits(List.of(), false);

        public RateLimits {
            limits = List.copyOf(limits);
        }
    }

    public sealed interface Override {}

    /** The filter does not act. */
    public record Disabled() implements Override {}

    /** The filter acts as the connection manager says, also when it is disabled there. */
    public record Enabled() implements Override {}

    /** The filter acts as this says, also when it is disabled in the connection manager. */
    public record Configured(HttpFilter filter) implements Override {}
}
