package io.weft.it.client;

import static io.weft.it.harness.Routes.to;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.UInt32Value;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.config.route.v3.RouteAction.RequestMirrorPolicy;
import io.weft.driver.HttpAnswer;
import io.weft.driver.HttpCall.Way;
import io.weft.it.harness.Policy;
import io.weft.it.harness.RecordedRequest;
import io.weft.it.harness.Upstream;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** A copy of what goes to {@code a} goes to {@code b}, and the app cannot tell. */
abstract class MirrorExpectations extends Expectations {

    private void serve(int bufferLimit) {
        Route.Builder route = to("orders").toBuilder().setPerRequestBufferLimitBytes(UInt32Value.of(bufferLimit));
        route.getRouteBuilder().addRequestMirrorPolicies(RequestMirrorPolicy.newBuilder().setCluster("shadow"));
        stage().serve(Policy.empty()
                .virtualHost("orders", route.build())
                .cluster("orders", a.address())
                .cluster("shadow", b.address()));
    }

    private List<RecordedRequest> mirrored(int count) {
        await().pollInterval(Duration.ofMillis(10)).atMost(Duration.ofSeconds(30)).until(() -> b.requests().size() >= count);
        return b.requests();
    }

    /** What one connection says of itself is not the request's. */
    private static List<String> withoutConnection(RecordedRequest request) {
        return request.headers().stream()
                .filter(header -> !header.matches("(?i)(host|connection|proxy-connection|upgrade|http2-settings):.*"))
                .map(header -> header.replaceFirst("^[^:]*", header.substring(0, header.indexOf(':')).toLowerCase()))
                .sorted()
                .toList();
    }

    @Test
    void theMirrorGetsTheSameRequest() {
        serve(1 << 20);

        HttpAnswer answer = stage().send(Call.post("http://orders/x?y=z", "the body").header("X-Tenant", "blue"));

        assertThat(answer.body()).isEqualTo("a");
        RecordedRequest original = a.requests().get(0);
        RecordedRequest copy = mirrored(1).get(0);
        assertThat(copy.line()).isEqualTo("POST /x?y=z HTTP/1.1");
        assertThat(copy.text()).isEqualTo("the body");
        assertThat(original.text()).isEqualTo("the body");
        assertThat(copy.header("host")).hasValue("orders-shadow");
        assertThat(original.header("host")).hasValue(stage().client.host("orders"));
        assertThat(withoutConnection(copy)).isEqualTo(withoutConnection(original));
        assertThat(a.requests()).hasSize(1);
    }

    @Test
    void whatTheMirrorSaysIsNobodysBusiness() {
        serve(1 << 20);
        b.answer(503);

        IntStream.range(0, 10).forEach(i -> assertThat(stage().send(Call.get("http://orders/" + i)).body()).isEqualTo("a"));

        assertThat(mirrored(10)).extracting(RecordedRequest::target)
                .containsExactlyInAnyOrder(IntStream.range(0, 10).mapToObj(i -> "/" + i).toArray(String[]::new));
        assertThat(a.requests()).as("nothing is tried again for it").hasSize(10);
    }

    @Test
    void aMirrorThatHangsHoldsUpNobody() {
        serve(1 << 20);
        b.react(request -> new Upstream.Hang());

        IntStream.range(0, 5).forEach(i -> assertThat(stage().send(Call.post("http://orders/", "body " + i)).body()).isEqualTo("a"));

        mirrored(5);
        assertThat(b.openConnections()).as("not one of them has been answered").isEqualTo(5);
    }

    @Test
    void aDeadMirrorCostsNothing() {
        b.die();
        serve(1 << 20);

        IntStream.range(0, 10).forEach(i -> assertThat(stage().send(Call.post("http://orders/", "body")).body()).isEqualTo("a"));

        assertThat(a.requests()).hasSize(10);
    }

    @Test
    void whatCanBeReadOnceOrIsTooLongGoesToTheOriginalAlone() {
        serve(8);

        stage().send(Call.post("http://orders/stream", "once").way(Way.STREAM));
        stage().send(Call.post("http://orders/fixed", "once").way(Way.STREAM_FIXED));
        stage().send(Call.post("http://orders/long", "too long for a copy"));
        stage().send(Call.post("http://orders/short", "in time"));
        stage().send(Call.get("http://orders/last"));

        assertThat(a.requests()).extracting(RecordedRequest::text)
                .containsExactly("once", "once", "too long for a copy", "in time", "");
        assertThat(mirrored(2)).extracting(RecordedRequest::target).containsExactlyInAnyOrder("/short", "/last");
    }
}
