package io.weft.dataplane;

import static io.weft.dataplane.Policies.forward;
import static io.weft.dataplane.Policies.match;
import static io.weft.dataplane.Policies.snapshot;
import static org.assertj.core.api.Assertions.assertThat;

import io.weft.dataplane.Exchange.Step;
import io.weft.policy.model.FilterOverrides;
import io.weft.policy.model.FilterOverrides.Configured;
import io.weft.policy.model.FilterOverrides.Disabled;
import io.weft.policy.model.FilterOverrides.Enabled;
import io.weft.policy.model.HeaderChanges;
import io.weft.policy.model.HostPort;
import io.weft.policy.model.HttpFilter;
import io.weft.policy.model.Listener;
import io.weft.policy.model.NamedFilter;
import io.weft.policy.model.Resending;
import io.weft.policy.model.Route;
import io.weft.policy.model.RouteAction.Named;
import io.weft.policy.model.RouteAction.WeightedCluster;
import io.weft.policy.model.RouteConfiguration;
import io.weft.policy.model.RouteMatch;
import io.weft.policy.model.VirtualHost;
import io.weft.policy.model.VirtualHost.AttemptCount;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Which filters act on a request, and as which level has them. Shown with the limit of a request's size. */
class FilterTest {
    private static final FilterOverrides NONE = FilterOverrides.NONE;

    private static FilterOverrides limit(long bytes) {
        return override(new Configured(new HttpFilter.Buffer(bytes)));
    }

    private static FilterOverrides override(FilterOverrides.Override override) {
        return new FilterOverrides(Map.of("buffer", override));
    }

    private static Fixture mesh(boolean disabled, FilterOverrides configuration, FilterOverrides host, FilterOverrides route, FilterOverrides cluster) {
        WeightedCluster orders =
                new WeightedCluster(new Named("orders"), 1, HeaderChanges.NONE, Optional.empty(), cluster, Map.of());
        VirtualHost virtualHost = new VirtualHost(
                "orders",
                List.of("orders"),
                List.of(new Route("", match(new RouteMatch.Prefix("/a")), forward(orders), HeaderChanges.NONE, route)),
                false,
                AttemptCount.NOWHERE,
                Resending.NONE,
                HeaderChanges.NONE,
                host);
        return Fixture.with(snapshot()
                .listener(
                        "outbound",
                        Listener.Kind.OUTBOUND,
                        new HostPort("0.0.0.0", 80),
                        List.of(new NamedFilter("buffer", new HttpFilter.Buffer(1), disabled)),
                        new RouteConfiguration("routes", List.of(virtualHost), false, false, HeaderChanges.NONE, configuration))
                .cluster("orders", 1001));
    }

    /** The largest body that is let through; -1: any. */
    private static long limit(Fixture mesh) {
        for (int bytes = 0; bytes < 8; bytes++) {
            Request request = mesh.claimed(Request.get("orders", "/a").body("x".repeat(bytes)));
            if (request.next() == Step.REPLY) {
                assertThat(request.reply().status()).isEqualTo(413);
                return bytes - 1;
            }
        }
        return -1;
    }

    @Test
    void theMostSpecificLevelCounts() {
        assertThat(limit(mesh(false, NONE, NONE, NONE, NONE))).isEqualTo(1);
        assertThat(limit(mesh(false, limit(2), NONE, NONE, NONE))).isEqualTo(2);
        assertThat(limit(mesh(false, limit(2), limit(3), NONE, NONE))).isEqualTo(3);
        assertThat(limit(mesh(false, limit(2), limit(3), limit(4), NONE))).isEqualTo(4);
        assertThat(limit(mesh(false, limit(2), limit(3), limit(4), limit(5)))).isEqualTo(5);
    }

    @Test
    void aLevelDisablesAndEnablesAFilter() {
        assertThat(limit(mesh(false, NONE, override(new Disabled()), NONE, NONE))).isEqualTo(-1);
        assertThat(limit(mesh(false, NONE, override(new Disabled()), limit(4), NONE))).isEqualTo(4);
        assertThat(limit(mesh(true, NONE, NONE, NONE, NONE))).isEqualTo(-1);
        assertThat(limit(mesh(true, NONE, NONE, override(new Enabled()), NONE))).isEqualTo(1);
        assertThat(limit(mesh(true, limit(6), NONE, override(new Enabled()), NONE))).isEqualTo(6);
    }

    @Test
    void aRequestWithoutARouteHasTheFiltersOfTheConnectionManager() {
        Request request = mesh(false, limit(2), NONE, NONE, NONE).claimed(Request.get("orders", "/b").body("xx"));
        assertThat(request.next()).isEqualTo(Step.REPLY);
        assertThat(request.reply().status()).isEqualTo(413);
    }

    @Test
    void aBodyOfUnknownLengthGoesOutAndThatIsSaidOnce() {
        Fixture mesh = mesh(false, limit(2), NONE, NONE, NONE);
        List<String> notices = new ArrayList<>();
        mesh.dataPlane.noticesTo(notices::add);

        mesh.dialled(Request.get("orders", "/a").body("xx"));
        assertThat(notices).isEmpty();
        mesh.dialled(Request.get("orders", "/a").with(Exchange.Replay.ONE_SHOT));
        mesh.dialled(Request.get("orders", "/a").with(Exchange.Replay.ONE_SHOT));
        assertThat(notices).singleElement().asString().contains("orders", "2 bytes");
    }
}
