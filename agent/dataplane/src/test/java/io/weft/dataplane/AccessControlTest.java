package io.weft.dataplane;

import static io.weft.dataplane.Policies.any;
import static io.weft.dataplane.Policies.forward;
import static io.weft.dataplane.Policies.snapshot;
import static org.assertj.core.api.Assertions.assertThat;

import io.weft.dataplane.Exchange.Step;
import io.weft.dataplane.authorize.AccessStats.RuleStats;
import io.weft.policy.model.FilterOverrides;
import io.weft.policy.model.FilterOverrides.Configured;
import io.weft.policy.model.HeaderChanges;
import io.weft.policy.model.HostPort;
import io.weft.policy.model.HttpFilter;
import io.weft.policy.model.HttpFilter.AccessControl;
import io.weft.policy.model.HttpFilter.Skip;
import io.weft.policy.model.Listener;
import io.weft.policy.model.MatchTree;
import io.weft.policy.model.MatchTree.Act;
import io.weft.policy.model.MatchTree.Branch;
import io.weft.policy.model.MatchTree.ConnectionInput;
import io.weft.policy.model.NamedFilter;
import io.weft.policy.model.Rbac;
import io.weft.policy.model.Rbac.Action;
import io.weft.policy.model.Rbac.Policy;
import io.weft.policy.model.Rbac.Rule;
import io.weft.policy.model.Resending;
import io.weft.policy.model.Route;
import io.weft.policy.model.RouteConfiguration;
import io.weft.policy.model.StringMatch;
import io.weft.policy.model.VirtualHost;
import io.weft.policy.model.VirtualHost.AttemptCount;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** RBAC filters in their chain: what the client is told, who hears of it, and what happens when they fail. */
class AccessControlTest {
    private static final String STOREFRONT = "spiffe://mesh/storefront";
    private static final Rule ANY = new Rbac.Any();

    private static Rbac.Engine policies(Action action, String name, String principal) {
        Rule peer = new Rbac.Authenticated(Optional.of(new StringMatch.Exact(principal, false)));
        return new Rbac.Policies(action, List.of(new Policy(name, List.of(ANY), List.of(peer))));
    }

    private static NamedFilter filter(String name, Rbac.Engine enforced, Rbac.Engine shadow) {
        return new NamedFilter(
                name, new AccessControl(new Rbac(Optional.ofNullable(enforced), Optional.ofNullable(shadow))), false);
    }

    private static Fixture mesh(FilterOverrides route, NamedFilter... filters) {
        return mesh(new Fixture(), route, filters);
    }

    /** Where faults are no surprise. */
    private static Fixture faulty(NamedFilter... filters) {
        return mesh(new Fixture((where, fault) -> assertThat(fault).hasMessage("a fault of the agent")), FilterOverrides.NONE, filters);
    }

    private static Fixture mesh(Fixture fixture, FilterOverrides route, NamedFilter... filters) {
        VirtualHost host = new VirtualHost(
                "orders",
                List.of("orders"),
                List.of(new Route("", any(), forward("orders"), HeaderChanges.NONE, route)),
                false, AttemptCount.NOWHERE, Resending.NONE,
                HeaderChanges.NONE,
                FilterOverrides.NONE);
        fixture.apply(snapshot()
                .listener(
                        "outbound",
                        Listener.Kind.OUTBOUND,
                        new HostPort("0.0.0.0", 80),
                        List.of(filters),
                        new RouteConfiguration("routes", List.of(host), false, false, HeaderChanges.NONE, FilterOverrides.NONE))
                .cluster("orders", 1001));
        return fixture;
    }

    private static Fixture mesh(NamedFilter... filters) {
        return mesh(FilterOverrides.NONE, filters);
    }

    private static Request from(String peer) {
        return Request.get("orders", "/").over(Peers.tls(peer));
    }

    private static boolean passes(Fixture mesh, Request request) {
        return mesh.claimed(request).next() == Step.DIAL;
    }

    @Test
    void whoIsDeniedIsToldSoAsEnvoySaysIt() {
        LocalReply reply = mesh(filter("rbac", policies(Action.ALLOW, "p", STOREFRONT), null)).reply(from("spiffe://mesh/other"));

        assertThat(reply.status()).isEqualTo(403);
        assertThat(reply.body()).asString(StandardCharsets.US_ASCII).isEqualTo("RBAC: access denied");
        assertThat(reply.headers()).containsExactly(Map.entry("content-length", "19"), Map.entry("content-type", "text/plain"));
    }

    @Test
    void aGrpcClientIsToldInItsOwnWay() {
        LocalReply reply = mesh(filter("rbac", policies(Action.ALLOW, "p", STOREFRONT), null))
                .reply(from("spiffe://mesh/other").with("content-type", "application/grpc+proto"));

        assertThat(reply.status()).isEqualTo(200);
        assertThat(reply.body()).isEmpty();
        assertThat(reply.headers()).containsExactly(
                Map.entry("content-type", "application/grpc"),
                Map.entry("grpc-status", "7"),
                Map.entry("grpc-message", "RBAC: access denied"));
    }

    @Test
    void ofSeveralFiltersEachMustAllow() {
        Fixture mesh = mesh(
                filter("deny", policies(Action.DENY, "d", STOREFRONT + "/old"), null),
                filter("allow", policies(Action.ALLOW, "a", STOREFRONT), null));

        assertThat(passes(mesh, from(STOREFRONT))).isTrue();
        assertThat(passes(mesh, from(STOREFRONT + "/old"))).isFalse();
        assertThat(passes(mesh, from("spiffe://mesh/other"))).isFalse();
        assertThat(passes(mesh, Request.get("orders", "/"))).isFalse();
    }

    @Test
    void shadowRulesAreOnlyCounted() {
        Fixture mesh = mesh(filter("rbac", null, policies(Action.ALLOW, "p", STOREFRONT)));

        assertThat(passes(mesh, from("spiffe://mesh/other"))).isTrue();
        assertThat(mesh.dataPlane.accessStats()).containsExactly(
                new RuleStats("rbac", "p", true, true, 0), new RuleStats("rbac", "-", true, false, 1));
    }

    @Test
    void whatEachRuleDecidedIsCountedForAsLongAsItIsInForce() {
        NamedFilter deny = filter("deny", policies(Action.DENY, "d", STOREFRONT + "/old"), null);
        NamedFilter allow = filter("allow", policies(Action.ALLOW, "a", STOREFRONT), null);
        Fixture mesh = mesh(deny, allow);
        passes(mesh, from(STOREFRONT));
        passes(mesh, from(STOREFRONT));
        passes(mesh, from(STOREFRONT + "/old"));
        passes(mesh, Request.get("orders", "/"));

        assertThat(mesh.dataPlane.accessStats()).contains(
                new RuleStats("deny", "d", false, false, 1),
                new RuleStats("deny", "-", false, true, 3),
                new RuleStats("allow", "a", false, true, 2),
                new RuleStats("allow", "-", false, false, 1));
    }

    @Test
    void aRouteHasRulesOfItsOwn() {
        FilterOverrides own = new FilterOverrides(Map.of(
                "rbac", new Configured(filter("", policies(Action.ALLOW, "p", "spiffe://mesh/other"), null).filter())));
        Fixture mesh = mesh(own, filter("rbac", policies(Action.ALLOW, "p", STOREFRONT), null));

        assertThat(passes(mesh, from("spiffe://mesh/other"))).isTrue();
        assertThat(passes(mesh, from(STOREFRONT))).isFalse();
    }

    @Test
    void whatARouteSaysToAnotherFilterUnderTheSameNameTakesNoRuleAway() {
        FilterOverrides misplaced = new FilterOverrides(Map.of("rbac", new Configured(new HttpFilter.Buffer(1_000))));
        Fixture mesh = mesh(misplaced, filter("rbac", policies(Action.ALLOW, "p", STOREFRONT), null));

        assertThat(passes(mesh, from("spiffe://mesh/other"))).isFalse();
    }

    @Test
    void aRefusalIsHeardWithTheRuleThatDecided() {
        Fixture mesh = mesh(
                filter("deny", policies(Action.DENY, "no-old-ones", STOREFRONT + "/old"), null),
                filter("allow", policies(Action.ALLOW, "storefront", STOREFRONT), null));
        List<String> heard = new ArrayList<>();
        mesh.dataPlane.onRefusal(new Refusals() {
            @Override
            public boolean heard() {
                return true;
            }

            @Override
            public void refused(String rule, Caller caller) {
                heard.add(rule + " " + caller.head().path() + " " + caller.connection().peer().uriSans());
            }

            @Override
            public void connectionRefused(Rejection why, Connection connection) {
                throw new AssertionError(why);
            }
        });

        passes(mesh, from(STOREFRONT));
        passes(mesh, from(STOREFRONT + "/old"));
        passes(mesh, from("spiffe://mesh/other"));

        assertThat(heard).containsExactly("no-old-ones / [" + STOREFRONT + "/old]", "- / [spiffe://mesh/other]");
    }

    /** A request that the agent cannot read. */
    private static final class Unreadable extends Request {
        Unreadable() {
            super("GET", "orders", "/");
        }

        @Override
        public Connection connection() {
            throw new IllegalStateException("a fault of the agent");
        }
    }

    @Test
    void aFaultIsARefusal() {
        Fixture mesh = faulty(filter("rbac", policies(Action.DENY, "p", STOREFRONT), null));

        LocalReply reply = mesh.reply(new Unreadable());

        assertThat(reply.status()).isEqualTo(403);
    }

    @Test
    void aFaultInAConditionIsARefusalWhereTheFilterProtects() {
        MatchTree.Predicate storefront = new MatchTree.Text(ConnectionInput.URI_SAN, new StringMatch.Exact(STOREFRONT, false));
        MatchTree<Skip> condition = new MatchTree<>(
                Optional.of(new MatchTree.Sequence<>(List.of(new Branch<>(storefront, new Act<>(new Skip()))))), Optional.empty());
        NamedFilter nobodyElse = new NamedFilter(
                "rbac",
                new HttpFilter.Conditional(
                        condition, filter("", new Rbac.Policies(Action.ALLOW, List.of()), null).filter()),
                false);

        assertThat(passes(mesh(nobodyElse), from(STOREFRONT))).isTrue();
        assertThat(passes(mesh(nobodyElse), from("spiffe://mesh/other"))).isFalse();
        assertThat(faulty(nobodyElse).reply(new Unreadable()).status()).isEqualTo(403);
    }

    @Test
    void aRouteHasAConditionOfItsOwn() {
        MatchTree<Skip> always = new MatchTree<>(Optional.empty(), Optional.of(new Act<>(new Skip())));
        MatchTree<Skip> never = new MatchTree<>(Optional.empty(), Optional.empty());
        NamedFilter limit = new NamedFilter("limit", new HttpFilter.Conditional(never, new HttpFilter.Buffer(1)), false);
        FilterOverrides skipped = new FilterOverrides(Map.of("limit", new Configured(new HttpFilter.ConditionOfRoute(always))));
        FilterOverrides larger = new FilterOverrides(Map.of("limit", new Configured(new HttpFilter.Buffer(5))));

        assertThat(passes(mesh(limit), from(STOREFRONT).body("x".repeat(2)))).isFalse();
        assertThat(passes(mesh(skipped, limit), from(STOREFRONT).body("x".repeat(2)))).isTrue();
        assertThat(passes(mesh(larger, limit), from(STOREFRONT).body("x".repeat(2)))).isTrue();
        assertThat(passes(mesh(larger, limit), from(STOREFRONT).body("x".repeat(6)))).isFalse();
    }
}
