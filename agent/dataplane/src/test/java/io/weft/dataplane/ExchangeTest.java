package io.weft.dataplane;

import static io.weft.dataplane.Policies.forward;
import static io.weft.dataplane.Policies.host;
import static io.weft.dataplane.Policies.retryOn;
import static io.weft.dataplane.Policies.route;
import static io.weft.dataplane.Policies.snapshot;
import static io.weft.dataplane.Policies.to;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.weft.dataplane.Exchange.Failure;
import io.weft.dataplane.Exchange.Step;
import io.weft.policy.model.RetryPolicy.On;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class ExchangeTest {
    private final Fixture mesh = Fixture.with(snapshot()
            .routes(
                    host("orders", to("orders")),
                    host("retried", route(Policies.any(), forward("orders", retryOn(1, On.CONNECT_FAILURE), Duration.ZERO))))
            .cluster("orders", 1001, 1002));

    @Test
    void aRequestForAnUnknownHostIsNotTouched() {
        assertThat(mesh.dataPlane.claims(Request.get("example.com", "/"))).isFalse();
    }

    @Test
    void aRequestGoesToAnEndpointAndComesBack() {
        Request request = mesh.dialled(Request.get("orders", "/"));

        assertThat(Fixture.port(request)).isIn(1001, 1002);
        assertThat(request.requestChanges()).isSameAs(RequestChanges.NONE);
        assertThat(request.responseChanges()).isEqualTo(ResponseChanges.NONE);
        assertThat(request.onResponse(200, Fixture.NO_HEADERS)).isFalse();
        request.end();
    }

    @Test
    void aFailedConnectIsTriedElsewhere() {
        Request request = mesh.dialled(Request.get("retried", "/"));
        int first = Fixture.port(request);

        assertThat(request.onFailure(Failure.CONNECT)).isTrue();
        assertThat(request.backoffNanos()).isBetween(0L, Duration.ofMillis(25).toNanos() - 1);
        assertThat(request.next()).isEqualTo(Step.DIAL);
        assertThat(Fixture.port(request)).isNotEqualTo(first);
        assertThat(request.onFailure(Failure.CONNECT)).isFalse();
    }

    @Test
    void anAttemptThatIsNotDueIsAProgrammingError() {
        Request request = Request.get("orders", "/");
        assertThatThrownBy(request::next).isInstanceOf(IllegalStateException.class);

        mesh.dialled(request);
        assertThatThrownBy(request::next).isInstanceOf(IllegalStateException.class);

        request.end();
        assertThatThrownBy(request::next).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void endIsSafeInEveryState() {
        Request request = Request.get("orders", "/");
        request.end();
        mesh.claimed(request).end();
        request.end();

        Request failed = mesh.dialled(Request.get("orders", "/"));
        assertThat(failed.onFailure(Failure.RESET)).isFalse();
        failed.end();
        failed.end();
        assertThat(failed.onFailure(Failure.RESET)).isFalse();
        assertThat(failed.onResponse(200, Fixture.NO_HEADERS)).isFalse();
    }

    @Test
    void anAddressCanBePickedWithoutAnExchange() {
        assertThat(mesh.dataPlane.pick("http", "orders", "GET", "/").address().getPort()).isIn(1001, 1002);
        assertThat(mesh.dataPlane.pick("http", "example.com", "GET", "/")).isNull();
        assertThat(mesh.dataPlane.pick("https", "orders", "GET", "/")).isNull();
    }

    @Test
    void aHostHasItsNameBeforeThereIsARequest() {
        assertThat(mesh.dataPlane.names("orders")).isTrue();
        assertThat(mesh.dataPlane.names("example.com")).isFalse();
    }

    @Test
    void whoMustKeepWhatItSendsKnowsWhetherItMayBeNeededAgain() {
        assertThat(mesh.dialled(Request.get("orders", "/")).mayBeTriedAgain()).isFalse();

        Request retried = mesh.dialled(Request.get("retried", "/"));
        assertThat(retried.mayBeTriedAgain()).isTrue();
        assertThat(retried.resendLimit()).isEqualTo(1 << 20);
        assertThat(retried.onFailure(Failure.CONNECT)).isTrue();
        retried.next();
        assertThat(retried.mayBeTriedAgain()).as("the last one").isFalse();
    }
}
