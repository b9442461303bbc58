package io.weft.dataplane.filter;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.policy.model.DescriptorLimits;
import io.weft.policy.model.DescriptorLimits.OfRoutes;
import io.weft.policy.model.DescriptorLimits.VirtualHosts;
import io.weft.policy.model.FilterOverrides.RateLimits;
import io.weft.policy.model.RateLimit;
import io.weft.policy.model.RateLimit.DestinationCluster;
import io.weft.policy.model.RateLimit.RemoteAddress;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Whose {@code rate_limits} count: the route's, the virtual host's, or both. */
class RouteLimitsTest {
    private static final RateLimit ROUTES = new RateLimit(0, List.of(new RemoteAddress()), 1);
    private static final RateLimit HOSTS = new RateLimit(0, List.of(new DestinationCluster()), 1);

    private static List<RateLimit> limits(RateLimits route, VirtualHosts hosts, int stage) {
        return new RouteLimits(route, new RateLimits(List.of(HOSTS), false))
                .of(new DescriptorLimits(List.of(), List.of(), new OfRoutes(stage, hosts), true, 20));
    }

    @Test
    void theVirtualHostsCountAsTheFilterSaysOrTheRoute() {
        RateLimits own = new RateLimits(List.of(ROUTES), false);
        assertThat(limits(own, VirtualHosts.OVERRIDE, 0)).containsExactly(ROUTES);
        assertThat(limits(RateLimits.NONE, VirtualHosts.OVERRIDE, 0)).containsExactly(HOSTS);
        assertThat(limits(own, VirtualHosts.INCLUDE, 0)).containsExactly(ROUTES, HOSTS);
        assertThat(limits(RateLimits.NONE, VirtualHosts.IGNORE, 0)).isEmpty();
        assertThat(limits(new RateLimits(List.of(ROUTES), true), VirtualHosts.IGNORE, 0)).containsExactly(ROUTES, HOSTS);
    }

    @Test
    void anotherStageIsForAnotherFilter() {
        RateLimit later = new RateLimit(3, List.of(new RemoteAddress()), 1);
        assertThat(limits(new RateLimits(List.of(ROUTES, later), false), VirtualHosts.INCLUDE, 3)).containsExactly(later);
    }
}
