package io.weft.dataplane;

import static io.weft.dataplane.Policies.forward;
import static io.weft.dataplane.Policies.host;
import static io.weft.dataplane.Policies.match;
import static io.weft.dataplane.Policies.retryOn;
import static io.weft.dataplane.Policies.route;
import static io.weft.dataplane.Policies.snapshot;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.weft.dataplane.Exchange.Failure;
import io.weft.dataplane.Exchange.Step;
import io.weft.dataplane.Explanation.Choice;
import io.weft.dataplane.Explanation.Outcome;
import io.weft.policy.model.HttpFilter.AccessControl;
import io.weft.policy.model.Rbac;
import io.weft.policy.model.RetryPolicy.On;
import io.weft.policy.model.RouteAction;
import io.weft.policy.model.RouteAction.WeightedCluster;
import io.weft.policy.model.RouteMatch;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Why a request went where it went, for who is permitted to ask; and where one would go. */
class DebuggingTest {
    private static final String ASKING = "x-weft-debug";

    private final List<String> logged = new ArrayList<>();
    private final Fixture mesh = Fixture.with(snapshot()
            .routes(host("orders",
                    route(match(new RouteMatch.Exact("/direct")), new RouteAction.DirectResponse(403, "no")),
                    route(match(new RouteMatch.Prefix("/r")), forward("orders", retryOn(1, On.SERVER_ERROR_5XX), Duration.ZERO)),
                    route(match(new RouteMatch.Exact("/empty")), forward("empty")),
                    route(match(new RouteMatch.Exact("/split")),
                            forward(WeightedCluster.of("orders", 90), WeightedCluster.of("gone", 10)))))
            .cluster("orders", 1001)
            .cluster("empty"));

    private static String debugged(Exchange exchange) {
        return exchange.responseChanges().add().stream()
                .filter(header -> header.getKey().equals(ASKING)).map(Map.Entry::getValue).findFirst().orElse(null);
    }

    @Test
    void allAttemptsAreTold() {
        mesh.dataPlane.tellDecisions(true, 0, logged::add);
        Request request = mesh.dialled(Request.get("orders", "/r").with(ASKING, "1"));
        assertThat(request.onResponse(503, Fixture.NO_HEADERS)).isTrue();
        request.next();
        request.onResponse(200, Fixture.NO_HEADERS);
        assertThat(debugged(request)).isEqualTo("{\"reporter\":\"source\",\"virtualHost\":\"orders\",\"route\":\"\",\"cluster\":\"orders\","
                + "\"endpoint\":\"127.0.0.1:1001\",\"responseCode\":200,\"responseFlags\":\"-\",\"details\":\"via_upstream\","
                + "\"attempts\":[{\"endpoint\":\"127.0.0.1:1001\",\"outcome\":\"503\"},{\"endpoint\":\"127.0.0.1:1001\",\"outcome\":\"200\"}]}");
        assertThat(logged).isEmpty();
    }

    @Test
    void theMeshsOwnAnswersSayWhyTheyAre() {
        mesh.dataPlane.tellDecisions(true, 0, logged::add);
        LocalReply none = mesh.reply(Request.get("orders", "/empty").with(ASKING, "1"));
        assertThat(none.header(ASKING)).contains("\"responseFlags\":\"UH\"", "\"details\":\"no_healthy_upstream\"", "\"attempts\":[]");
        assertThat(mesh.reply(Request.get("orders", "/direct").with(ASKING, "1")).header(ASKING)).contains("\"details\":\"direct_response\"");
        assertThat(mesh.reply(Request.get("orders", "/nowhere").with(ASKING, "1")).header(ASKING)).contains("\"virtualHost\":null", "\"responseFlags\":\"NR\"");
    }

    @Test
    void whatEndsWithoutAResponseIsLogged() {
        mesh.dataPlane.tellDecisions(true, 0, logged::add);
        mesh.dialled(Request.get("orders", "/split").with(ASKING, "1")).onFailure(Failure.CONNECT);
        assertThat(logged).singleElement().asString().contains("\"responseFlags\":\"UF\"", "\"outcome\":\"CONNECT\"");
    }

    @Test
    void nobodyIsToldUnlessTheOperatorPermitsIt() {
        Request request = mesh.dialled(Request.get("orders", "/split").with(ASKING, "1"));
        request.onResponse(200, Fixture.NO_HEADERS);
        assertThat(debugged(request)).isNull();
        assertThat(mesh.reply(Request.get("orders", "/empty").with(ASKING, "1")).header(ASKING)).isNull();

        mesh.dataPlane.tellDecisions(true, 0, logged::add);
        Request unasked = mesh.dialled(Request.get("orders", "/split"));
        unasked.onResponse(200, Fixture.NO_HEADERS);
        assertThat(debugged(unasked)).isNull();
    }

    @Test
    void whoIsRefusedLearnsByWhichRule() {
        Rbac.Policy admins = new Rbac.Policy("admins", List.of(new Rbac.Any()), List.of(new Rbac.Any()));
        Served served = Served.with(new AccessControl(new Rbac(
                Optional.of(new Rbac.Policies(Rbac.Action.DENY, List.of(admins))), Optional.empty())));
        served.mesh.dataPlane.tellDecisions(true, 0, logged::add);
        Incoming refused = served.enter(Incoming.get("/").with(ASKING, "1"));
        assertThat(refused.next()).isEqualTo(InboundExchange.Step.REPLY);
        assertThat(refused.reply().header(ASKING)).isEqualTo("{\"reporter\":\"destination\",\"peer\":null,\"virtualHost\":\"*\",\"route\":\"\","
                + "\"cluster\":\"local\",\"endpoint\":null,\"responseCode\":403,\"responseFlags\":\"-\","
                + "\"details\":\"rbac_access_denied_matched_policy[admins]\"}");
    }

    @Test
    void aShareOfTheRequestsIsLoggedWhenTheyAreOver() {
        mesh.dataPlane.tellDecisions(false, 1, logged::add);
        Request request = mesh.dialled(Request.get("orders", "/r").with(ASKING, "1"));
        assertThat(request.onResponse(503, Fixture.NO_HEADERS)).isTrue();
        assertThat(logged).as("it goes on").isEmpty();
        request.next();
        request.onResponse(200, Fixture.NO_HEADERS);
        request.end();
        assertThat(debugged(request)).as("nobody may ask").isNull();
        assertThat(logged).singleElement().asString().contains("\"responseCode\":200", "\"outcome\":\"503\"},{");

        assertThat(mesh.reply(Request.get("orders", "/empty")).header(ASKING)).isNull();
        assertThat(logged).hasSize(2).last().asString().contains("\"responseFlags\":\"UH\"");
        mesh.dialled(Request.get("orders", "/split")).onFailure(Failure.CONNECT);
        assertThat(logged).hasSize(3).last().asString().contains("\"outcome\":\"CONNECT\"");
    }

    @Test
    void theShareIsThatOfAllRequests() {
        mesh.dataPlane.tellDecisions(true, 0.25, logged::add);
        for (int i = 0; i < 4_000; i++) {
            Request request = mesh.dialled(Request.get("orders", "/r"));
            request.onResponse(200, Fixture.NO_HEADERS);
            request.end();
        }
        assertThat(logged).hasSizeBetween(850, 1_150);
    }

    @Test
    void whatComesInIsLoggedWithWhoRefusedIt() {
        Rbac.Policy admins = new Rbac.Policy("admins", List.of(new Rbac.Any()), List.of(new Rbac.Any()));
        Served served = Served.with(new AccessControl(new Rbac(
                Optional.of(new Rbac.Policies(Rbac.Action.DENY, List.of(admins))), Optional.empty())));
        served.mesh.dataPlane.tellDecisions(false, 1, logged::add);
        assertThat(served.serve(Incoming.get("/"))).isEqualTo(403);
        assertThat(logged).singleElement().asString().contains("\"reporter\":\"destination\"", "rbac_access_denied_matched_policy[admins]");
    }

    @Test
    void explainsWithoutSendingAnything() {
        Explanation split = mesh.dataPlane.explain(Request.get("orders", "/split"));
        assertThat(split.outcome()).isEqualTo(Outcome.SENT);
        assertThat(split.virtualHost()).isEqualTo("orders");
        assertThat(split.clusters()).extracting(Choice::cluster, Choice::weight, Choice::known)
                .containsExactly(tuple("orders", 90L, true), tuple("gone", 10L, false));
        assertThat(mesh.dataPlane.explain(Request.get("orders", "/r")).limits()).isEqualTo(new Explanation.Limits(0, 0, 1));
        assertThat(split.clusters().get(0).endpoints()).singleElement().satisfies(endpoint -> assertThat(endpoint.address().getPort()).isEqualTo(1001));
        assertThat(mesh.dataPlane.explain(Request.get("orders", "/direct")).outcome()).isEqualTo(Outcome.ANSWERED);
        assertThat(mesh.dataPlane.explain(Request.get("orders", "/nowhere")).outcome()).isEqualTo(Outcome.NO_ROUTE);
        assertThat(mesh.dataPlane.explain(Request.get("example.com", "/")).inMesh()).isFalse();
        assertThat(mesh.dataPlane.requestStats()).isEmpty();
        assertThat(mesh.claimed(Request.get("orders", "/direct")).next()).isEqualTo(Step.REPLY);
    }
}
