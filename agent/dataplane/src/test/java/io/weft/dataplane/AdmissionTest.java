package io.weft.dataplane;

import static io.weft.dataplane.Policies.any;
import static io.weft.dataplane.Policies.cluster;
import static io.weft.dataplane.Policies.endpoint;
import static io.weft.dataplane.Policies.forward;
import static io.weft.dataplane.Policies.host;
import static io.weft.dataplane.Policies.retryOn;
import static io.weft.dataplane.Policies.route;
import static io.weft.dataplane.Policies.snapshot;
import static org.assertj.core.api.Assertions.assertThat;

import io.weft.dataplane.Exchange.Failure;
import io.weft.dataplane.Exchange.Step;
import io.weft.policy.model.Cluster.CircuitBreaker;
import io.weft.policy.model.RetryPolicy.On;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

class AdmissionTest {

    private static Fixture mesh(CircuitBreaker limits) {
        return Fixture.with(snapshot()
                .routes(host("orders", route(any(), forward("orders", retryOn(3, On.RESET), Duration.ZERO))))
                .cluster(cluster("orders").with(limits), endpoint(1), endpoint(2)));
    }

    @Test
    void beyondTheLimitARequestIsAnsweredAtOnce() {
        Fixture mesh = mesh(new CircuitBreaker(1024, 1024, 2, 3));
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
        Fixture mesh = mesh(new CircuitBreaker(1024, 1024, 1, 3));
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
        Fixture mesh = mesh(new CircuitBreaker(1, 2, 1024, 3));
        for (int i = 0; i < 3; i++) {
            mesh.dialled(Request.get("orders", "/"));
        }
        mesh.reply(Request.get("orders", "/"));

        Fixture unlimited = mesh(new CircuitBreaker(Integer.MAX_VALUE, Integer.MAX_VALUE, Integer.MAX_VALUE, 3));
        unlimited.dialled(Request.get("orders", "/"));
    }

    @Test
    void aLimitOfNoneAdmitsNobody() {
        mesh(new CircuitBreaker(1024, 1024, 0, 3)).reply(Request.get("orders", "/"));
    }
}
