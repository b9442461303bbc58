package io.weft.dataplane;

import static io.weft.dataplane.Fixture.NO_HEADERS;
import static io.weft.dataplane.Policies.*;
import static org.assertj.core.api.Assertions.assertThat;

import io.weft.dataplane.Exchange.Failure;
import io.weft.dataplane.Exchange.Replay;
import io.weft.policy.model.Resending;
import io.weft.policy.model.RetryPolicy.On;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** A body that Envoy would not have buffered is not sent again. */
class BufferLimitTest {

    private static Fixture mesh(Resending resending) {
        return Fixture.with(snapshot()
                .routes(host("orders", route(any(), forward("orders", resending, Duration.ZERO))))
                .cluster("orders", 1, 2));
    }

    private static boolean retried(Fixture mesh, Request request) {
        mesh.dialled(request);
        boolean again = request.onResponse(503, NO_HEADERS);
        request.end();
        return again;
    }

    @Test
    void whatIsLongerIsSentOnce() {
        Fixture mesh = mesh(Resending.of(retryOn(1, On.SERVER_ERROR_5XX)).within(4));

        assertThat(retried(mesh, new Request("POST", "orders", "/").body("four"))).isTrue();
        assertThat(retried(mesh, new Request("POST", "orders", "/").body("five5"))).isFalse();
        assertThat(retried(mesh, Request.get("orders", "/"))).isTrue();
        assertThat(mesh.dataPlane.stats().get(0).abandoned()).isEqualTo(1);
    }

    @Test
    void aLengthThatNobodyKnowsIsTooLong() {
        Fixture mesh = mesh(Resending.of(retryOn(1, On.SERVER_ERROR_5XX)).within(4));
        Request unknown = new Request("POST", "orders", "/") {
            @Override
            public long bodyLength() {
                return -1;
            }
        };
        assertThat(retried(mesh, unknown.with(Replay.REPEATABLE))).isFalse();
    }

    @Test
    void withoutALimitNothingIsTooLong() {
        Fixture mesh = mesh(Resending.of(retryOn(1, On.SERVER_ERROR_5XX)));

        assertThat(retried(mesh, new Request("POST", "orders", "/").body("x".repeat(3 << 20)))).isTrue();
    }

    @Test
    void whatWasNotSentAtAllMayGoElsewhere() {
        Fixture mesh = mesh(Resending.of(retryOn(1, On.SERVER_ERROR_5XX)).within(0));
        Request request = mesh.dialled(new Request("POST", "orders", "/").body("body"));

        assertThat(request.onFailure(Failure.CONNECT)).isTrue();
    }
}
