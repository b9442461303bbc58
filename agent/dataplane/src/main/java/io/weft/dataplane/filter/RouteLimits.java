package io.weft.dataplane.filter;

import io.weft.policy.model.DescriptorLimits;
import io.weft.policy.model.FilterOverrides.RateLimits;
import io.weft.policy.model.RateLimit;
import java.util.List;
import java.util.stream.Stream;

/** What a route and its virtual host say of their requests' descriptors. */
public record RouteLimits(RateLimits route, RateLimits virtualHost) {
    public static final RouteLimits NONE = new RouteLimits(RateLimits.NONE, RateLimits.NONE);

    /** As a filter wants them. */
    List<RateLimit> of(DescriptorLimits filter) {
        boolean both = route.includesVirtualHost()
                || switch (filter.ofRoutes().virtualHosts()) {
                    case INCLUDE -> true;
                    case OVERRIDE -> route.limits().isEmpty();
                    case IGNORE -> false;
                };
        return Stream.concat(route.limits().stream(), both ? virtualHost.limits().stream() : Stream.empty())
                .filter(limit -> limit.stage() == filter.ofRoutes().stage())
                .toList();
    }
}
