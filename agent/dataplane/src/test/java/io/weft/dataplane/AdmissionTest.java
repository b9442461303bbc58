package io.weft.dataplane;

import static io.weft.dataplane.Policies.any;
import static io.weft.dataplane.Policies.cluster;
import static io.weft.dataplane.Policies.endpoint;
import static io.weft.dataplane.Policies.forward;
import static io.weft.dataplane.Policies.host;
import static io.weft.dataplane.Policies.limits;
import static io.weft.dataplane.Policies.retryOn;
import static io.weft.dataplane.Policies.route;
import static io.weft.dataplane.Policies.snapshot;
import static org.assertj.core.api.Assertions.assertThat;

import io.weft.dataplane.Exchange.Failure;
import io.weft.dataplane.Exchange.Step;
import io.weft.policy.model.CircuitBreakers;
import io.weft.policy.model.CircuitBreakers.RetryBudget;
import io.weft.policy.model.CircuitBreakers.Thresholds;
import io.weft.policy.model.RetryPolicy.On;
import io.weft.policy.model.RouteAction;
import io.weft.policy.model.RoutingPriority;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class AdmissionTest {

    private static Fixture mesh(CircuitBreakers limits) {
        return Fixture.with(snapshot()
                .routes(host("orders", route(any(), forward("orders", retryOn(3, On.RESET), Duration.ZERO))))
                .cluster(cluster("orders").with(limits), endpoint(1), endpoint(2)));
    }

    @Test
    void beyondTheLimitARequestIsAnsweredAtOnce() {
        Fixture mesh = mesh(limits(1024, 1024, 2, 3));
        Request first = mesh.dialled(Request.get("orders", "/"));
        Request second = mesh.dialled(Request.get("orders", "/"));

        LocalReply reply = mesh.reply(Request.get("orders", "/"));
        assertThat(reply.status()).isEqualTo(503);
        assertThat(reply.headers()).contains(Map.entry("x-envoy-overloaded", "true"));
        assertThat(reply.body()).asString().contains("overflow");

        first.onResponse(200, Fixture.NO_HEADERS);
        mesh.reply(Request.get("orders", "/"));
        first.end();
        first.end();
        mesh.dialled(Request.get("orders", "/"));
        mesh.reply(Request.get("orders", "/"));

        second.onFailure(Failure.CANCELLED);
        mesh.dialled(Request.get("orders", "/"));
    }

    @Test
    void anAttemptThatIsRepeatedGivesItsPlaceBack() {
        Fixture mesh = mesh(limits(1024, 1024, 1, 3));
        Request request = mesh.dialled(Request.get("orders", "/"));

        assertThat(request.onFailure(Failure.RESET)).isTrue();
        Request other = mesh.dialled(Request.get("orders", "/"));
        assertThat(request.next()).isEqualTo(Step.REPLY);
        assertThat(request.reply().headers()).contains(Map.entry("x-envoy-overloaded", "true"));
        other.end();
        mesh.dialled(Request.get("orders", "/"));
    }

    @Test
    void connectionsAndWaitingRequestsTogetherLimitRequestsToo() {
        Fixture mesh = mesh(limits(1, 2, 1024, 3));
        for (int i = 0; i < 3; i++) {
            mesh.dialled(Request.get("orders", "/"));
        }
        mesh.reply(Request.get("orders", "/"));

        Fixture unlimited = mesh(limits(Integer.MAX_VALUE, Integer.MAX_VALUE, Integer.MAX_VALUE, 3));
        unlimited.dialled(Request.get("orders", "/"));
    }

    @Test
    void aLimitOfNoneAdmitsNobody() {
        mesh(limits(1024, 1024, 0, 3)).reply(Request.get("orders", "/"));
    }

    private static Fixture byPriority(CircuitBreakers limits) {
        RouteAction.Forward forward = forward("orders", retryOn(3, On.RESET), Duration.ZERO);
        RouteAction.Forward high = new RouteAction.Forward(
                forward.clusters(), forward.rewrite(), forward.resending(), forward.timeouts(), forward.hashPolicies(),
                forward.metadataMatch(), RoutingPriority.HIGH);
        return Fixture.with(snapshot()
                .routes(host("orders", route(any(), forward)), host("urgent", route(any(), high)))
                .cluster(cluster("orders").with(limits), endpoint(1), endpoint(2)));
    }

    @Test
    void eachPriorityHasItsOwnLimits() {
        Fixture mesh = byPriority(new CircuitBreakers(
                limits(1024, 1024, 1, 3).normal(), limits(1024, 1024, 2, 3).normal()));
        mesh.dialled(Request.get("orders", "/"));
        mesh.reply(Request.get("orders", "/"));
        Request urgent = mesh.dialled(Request.get("urgent", "/"));
        mesh.dialled(Request.get("urgent", "/"));
        mesh.reply(Request.get("urgent", "/"));
        urgent.end();
        mesh.reply(Request.get("orders", "/"));
        mesh.dialled(Request.get("urgent", "/"));
    }

    @Test
    void retriesMayBeAShareOfTheRequests() {
        Fixture mesh = mesh(new CircuitBreakers(
                new Thresholds(1024, 1024, 1024, 0, Optional.of(new RetryBudget(50, 1)), Integer.MAX_VALUE),
                Thresholds.DEFAULT));
        Request[] requests = new Request[8];
        for (int i = 0; i < requests.length; i++) {
            requests[i] = mesh.dialled(Request.get("orders", "/"));
        }
        int retries = 0;
        for (Request request : requests) {
            retries += request.onFailure(Failure.RESET) ? 1 : 0;
        }
        assertThat(retries).as("each that failed is under way no more").isEqualTo(3);

        Fixture none = mesh(new CircuitBreakers(
                new Thresholds(1024, 1024, 1024, 5, Optional.of(new RetryBudget(0, 0)), Integer.MAX_VALUE), Thresholds.DEFAULT));
        assertThat(none.dialled(Request.get("orders", "/")).onFailure(Failure.RESET)).isFalse();
    }

    @Test
    void aHostHasItsOwnLimit() {
        Fixture mesh = mesh(new CircuitBreakers(
                new Thresholds(1024, 0, 1024, 3, Optional.empty(), 1), Thresholds.DEFAULT));
        mesh.dialled(Request.get("orders", "/"));
        Request second = mesh.dialled(Request.get("orders", "/"));
        mesh.reply(Request.get("orders", "/"));
        second.end();
        int admitted = 0;
        for (int i = 0; i < 2; i++) {
            admitted += mesh.claimed(Request.get("orders", "/")).next() == Step.DIAL ? 1 : 0;
        }
        assertThat(admitted).isEqualTo(1);
        assertThat(mesh.dataPlane.stats().get(0).overflows()).isEqualTo(2);
    }
}
