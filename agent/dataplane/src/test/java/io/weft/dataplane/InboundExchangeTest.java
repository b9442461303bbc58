package io.weft.dataplane;

import static io.weft.dataplane.Policies.addition;
import static io.weft.dataplane.Policies.any;
import static io.weft.dataplane.Policies.forward;
import static io.weft.dataplane.Policies.match;
import static io.weft.dataplane.Policies.snapshot;
import static org.assertj.core.api.Assertions.assertThat;

import io.weft.dataplane.Inbound.Port;
import io.weft.dataplane.InboundExchange.Step;
import io.weft.policy.model.FilterOverrides;
import io.weft.policy.model.HeaderChanges;
import io.weft.policy.model.HeaderChanges.Action;
import io.weft.policy.model.HostPort;
import io.weft.policy.model.HttpFilter;
import io.weft.policy.model.Listener;
import io.weft.policy.model.NamedFilter;
import io.weft.policy.model.Route;
import io.weft.policy.model.RouteAction;
import io.weft.policy.model.RouteConfiguration;
import io.weft.policy.model.RouteMatch;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What becomes of requests that come in on a port that a policy names, and on one that none names. */
class InboundExchangeTest {
    private static final HeaderChanges CHANGES = new HeaderChanges(
            List.of(addition("x-in", "1", Action.OVERWRITE_IF_EXISTS_OR_ADD)),
            List.of("x-secret"),
            List.of(addition("x-out", "2", Action.APPEND_IF_EXISTS_OR_ADD)),
            List.of("server"));

    private static Fixture mesh(List<NamedFilter> filters, Route... routes) {
        RouteConfiguration configuration = Policies.routes(Policies.host("*", routes));
        return Fixture.with(snapshot()
                .listener("inbound", Listener.Kind.INBOUND, new HostPort("10.0.0.1", 8080), filters, configuration));
    }

    private static Route route(RouteMatch match, RouteAction action) {
        return new Route("", match, action, CHANGES, FilterOverrides.NONE);
    }

    private static Incoming enter(Fixture mesh, int port, Incoming request) {
        Port opened = mesh.dataPlane.inbound().opened("test", new InetSocketAddress("0.0.0.0", port), false);
        opened.enter(request);
        opened.close();
        return request;
    }

    @Test
    void aPortThatNoPolicyNamesIsNotTouched() {
        Incoming request = enter(mesh(List.of(), route(match(new RouteMatch.Exact("/a")), forward("local"))), 9090, Incoming.get("/b"));
        assertThat(request.claimed()).isFalse();
        assertThat(request.next()).isEqualTo(Step.PROCEED);
        request.onResponse(200, Fixture.NO_HEADERS);
        assertThat(request.requestChanges()).isSameAs(RequestChanges.NONE);
        assertThat(request.responseChanges()).isEqualTo(ResponseChanges.NONE);
        request.end();
    }

    @Test
    void aRoutesHeadersAreChangedInBothDirections() {
        Incoming request = enter(mesh(List.of(), route(any(), forward("local"))), 8080, Incoming.get("/"));
        assertThat(request.next()).isEqualTo(Step.PROCEED);
        assertThat(request.requestChanges())
                .isEqualTo(new RequestChanges(null, null, List.of(Map.entry("x-in", "1")), List.of(), List.of("x-secret")));
        request.onResponse(200, Fixture.NO_HEADERS);
        assertThat(request.responseChanges().add()).containsExactly(Map.entry("x-out", "2"));
        request.end();
        assertThat(request.upstreamCluster()).isEqualTo("local");
    }

    @Test
    void whatARouteAnswersDoesNotReachTheApp() {
        Fixture mesh = mesh(List.of(), route(match(new RouteMatch.Exact("/a")), new RouteAction.DirectResponse(418, "tea")));
        Incoming direct = enter(mesh, 8080, Incoming.get("/a"));
        assertThat(direct.next()).isEqualTo(Step.REPLY);
        assertThat(direct.reply().status()).isEqualTo(418);
        assertThat(direct.reply().header("x-out")).isEqualTo("2");
        Incoming unrouted = enter(mesh, 8080, Incoming.get("/b"));
        assertThat(unrouted.next()).isEqualTo(Step.REPLY);
        assertThat(unrouted.reply().status()).isEqualTo(404);
        assertThat(mesh.dataPlane.inbound().inFlight()).isEqualTo(2);
        direct.end();
        unrouted.end();
        assertThat(mesh.dataPlane.inbound().inFlight()).isZero();
    }

    @Test
    void aServersNonForwardingRouteIsTheApp() {
        Incoming request = enter(mesh(List.of(), route(any(), new RouteAction.NonForwarding())), 8080, Incoming.get("/"));
        assertThat(request.next()).isEqualTo(Step.PROCEED);
        assertThat(request.requestChanges().set()).containsExactly(Map.entry("x-in", "1"));
    }

    @Test
    void filtersComeBeforeTheRoutesAnswerAndOneExchangeServesManyRequests() {
        Fixture mesh = mesh(
                List.of(new NamedFilter("limit", new HttpFilter.Buffer(10), false)), route(any(), forward("local")));
        Incoming request = Incoming.get("/").with("content-length", "11");
        enter(mesh, 8080, request);
        assertThat(request.next()).isEqualTo(Step.REPLY);
        assertThat(request.reply().status()).isEqualTo(413);
        assertThat(request.reply().header("x-out")).isEqualTo("2");
        request.end();
        request.end();

        request.with("content-length", "10");
        enter(mesh, 8080, request);
        assertThat(request.next()).isEqualTo(Step.PROCEED);
        assertThat(request.maxRequestBytes()).isEqualTo(10);
        request.end();
        assertThat(mesh.dataPlane.inbound().inFlight()).isZero();
    }
}
