package io.weft.dataplane;

import static io.weft.dataplane.Policies.any;
import static io.weft.dataplane.Policies.endpoint;
import static io.weft.dataplane.Policies.forward;
import static io.weft.dataplane.Policies.snapshot;
import static org.assertj.core.api.Assertions.assertThat;

import io.weft.policy.model.FilterOverrides;
import io.weft.policy.model.Format;
import io.weft.policy.model.FormatOperator;
import io.weft.policy.model.HashPolicy;
import io.weft.policy.model.HeaderChanges;
import io.weft.policy.model.HeaderChanges.Action;
import io.weft.policy.model.HeaderChanges.Addition;
import io.weft.policy.model.HostPort;
import io.weft.policy.model.HttpFilter.AccessControl;
import io.weft.policy.model.HttpFilter.SetFilterState;
import io.weft.policy.model.HttpFilter.StateValue;
import io.weft.policy.model.Listener;
import io.weft.policy.model.LoadBalancing.RingHash;
import io.weft.policy.model.NamedFilter;
import io.weft.policy.model.Rbac;
import io.weft.policy.model.Resending;
import io.weft.policy.model.Route;
import io.weft.policy.model.RouteAction.ClusterChoice;
import io.weft.policy.model.RouteAction.Forward;
import io.weft.policy.model.RouteAction.Rewrite;
import io.weft.policy.model.RouteAction.Timeouts;
import io.weft.policy.model.RouteAction.WeightedCluster;
import io.weft.policy.model.RouteConfiguration;
import io.weft.policy.model.RoutingPriority;
import io.weft.policy.model.StringMatch;
import java.net.InetSocketAddress;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What filters put down of a request, and who asks for it: rules, hash policies and formats, on both sides. */
class FilterStateTest {
    private static final Format TENANT = operator(FormatOperator.REQ, "x-tenant");

    private static Format operator(FormatOperator operator, String... arguments) {
        return new Format(List.of(new Format.Command(operator, List.of(arguments), Integer.MAX_VALUE)));
    }

    private static StateValue tenant(boolean hashable) {
        return new StateValue("tenant", hashable, TENANT, true, true);
    }

    private static StateValue text(String value) {
        return new StateValue("tenant", false, Format.of(value), true, false);
    }

    private static HeaderChanges tell(Format format) {
        return new HeaderChanges(
                List.of(new Addition("x-told", format, Action.OVERWRITE_IF_EXISTS_OR_ADD, false)), List.of(), List.of(), List.of());
    }

    private static String told(Incoming request, SetFilterState filter, FilterOverrides ofRoute, String... arguments) {
        Route route = new Route("", any(), forward("local"), tell(operator(FormatOperator.FILTER_STATE, arguments)), ofRoute);
        RouteConfiguration routes = Policies.routes(Policies.host("*", route));
        Fixture mesh = Fixture.with(snapshot().listener(
                "inbound", Listener.Kind.INBOUND, new HostPort("0.0.0.0", 8080), List.of(new NamedFilter("f", filter, false)), routes));
        Inbound.Port port = mesh.dataPlane.inbound().opened("test", new InetSocketAddress("0.0.0.0", 8080), false);
        port.enter(request);
        port.close();
        request.next();
        return request.requestChanges().set().stream()
                .filter(header -> header.getKey().equals("x-told")).map(Map.Entry::getValue).findFirst().orElse(null);
    }

    private static Incoming of(String tenant) {
        return Incoming.get("/").with("x-tenant", tenant);
    }

    @Test
    void headersTellWhatIsThere() {
        SetFilterState filter = new SetFilterState(List.of(tenant(false)));
        assertThat(told(of("blue"), filter, FilterOverrides.NONE, "tenant", "PLAIN")).isEqualTo("blue");
        assertThat(told(of("a\"b"), filter, FilterOverrides.NONE, "tenant")).as("JSON").isEqualTo("\"a\\\"b\"");
        assertThat(told(of("blue"), filter, FilterOverrides.NONE, "tenant", "TYPED")).isEqualTo("\"blue\"");
        assertThat(told(of("blue"), filter, FilterOverrides.NONE, "tenant", "FIELD", "x")).as("a string has none").isNull();
        assertThat(told(Incoming.get("/"), filter, FilterOverrides.NONE, "tenant", "PLAIN")).as("skipped").isNull();
    }

    @Test
    void ofSeveralLevelsTheMostSpecificComesLast() {
        FilterOverrides green = new FilterOverrides(Map.of("f", new FilterOverrides.Configured(new SetFilterState(List.of(text("green"))))));
        assertThat(told(of("blue"), new SetFilterState(List.of(tenant(false))), green, "tenant", "PLAIN")).isEqualTo("green");
        assertThat(told(of("blue"), new SetFilterState(List.of(text("first"), text("second"))), FilterOverrides.NONE, "tenant", "PLAIN"))
                .isEqualTo("second");
    }

    @Test
    void aRuleAsksForIt() {
        Rbac blueOnly = new Rbac(Optional.of(new Rbac.Policies(Rbac.Action.ALLOW, List.of(new Rbac.Policy(
                "p", List.of(new Rbac.Any()), List.of(new Rbac.FilterState("tenant", new StringMatch.Exact("blue", false))))))), Optional.empty());
        RouteConfiguration routes = Policies.routes(
                Policies.host("*", new Route("", any(), forward("local"), HeaderChanges.NONE, FilterOverrides.NONE)));
        Fixture mesh = Fixture.with(snapshot().listener("inbound", Listener.Kind.INBOUND, new HostPort("0.0.0.0", 8080),
                List.of(new NamedFilter("state", new SetFilterState(List.of(tenant(false))), false),
                        new NamedFilter("rules", new AccessControl(blueOnly), false)), routes));
        assertThat(enter(mesh, of("blue")).next()).isEqualTo(InboundExchange.Step.PROCEED);
        assertThat(enter(mesh, of("green")).next()).isEqualTo(InboundExchange.Step.REPLY);
        assertThat(enter(mesh, Incoming.get("/")).next()).as("nothing is there").isEqualTo(InboundExchange.Step.REPLY);
    }

    private static Incoming enter(Fixture mesh, Incoming request) {
        Inbound.Port port = mesh.dataPlane.inbound().opened("test", new InetSocketAddress("0.0.0.0", 8080), false);
        port.enter(request);
        port.close();
        return request;
    }

    @Test
    void requestsOfOneHashableObjectStayWithOneEndpoint() {
        assertThat(endpoints(true, "blue")).hasSize(1);
        assertThat(endpoints(false, "blue")).as("what is not hashable says nothing").hasSizeGreaterThan(1);
        Set<Integer> all = new HashSet<>();
        for (int i = 0; i < 50; i++) {
            all.addAll(endpoints(true, "tenant-" + i));
        }
        assertThat(all).as("another key, another endpoint").hasSize(3);
    }

    private static Set<Integer> endpoints(boolean hashable, String tenant) {
        Forward forward = new Forward(
                ClusterChoice.of(WeightedCluster.of("orders", 1)), Rewrite.NONE, Resending.NONE, Timeouts.NONE,
                List.of(new HashPolicy.FilterState("tenant", false)), Map.of(), RoutingPriority.DEFAULT);
        RouteConfiguration routes = Policies.routes(Policies.host("orders", Policies.route(any(), forward)));
        Fixture mesh = Fixture.with(snapshot()
                .listener("outbound", Listener.Kind.OUTBOUND, new HostPort("0.0.0.0", 80),
                        List.of(new NamedFilter("state", new SetFilterState(List.of(tenant(hashable))), false)), routes)
                .cluster(Policies.cluster("orders").with(RingHash.DEFAULT), endpoint(1), endpoint(2), endpoint(3)));
        Set<Integer> chosen = new HashSet<>();
        for (int i = 0; i < 30; i++) {
            Request request = mesh.dialled(Request.get("orders", "/").with("x-tenant", tenant));
            chosen.add(Fixture.port(request));
            request.onResponse(200, Fixture.NO_HEADERS);
            request.end();
        }
        return chosen;
    }
}
