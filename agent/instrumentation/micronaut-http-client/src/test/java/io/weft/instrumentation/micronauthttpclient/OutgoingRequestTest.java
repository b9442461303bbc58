package io.weft.instrumentation.micronauthttpclient;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpVersion;
import io.weft.dataplane.Exchange.Replay;
import io.weft.dataplane.RequestCopy;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.Test;

class OutgoingRequestTest {

    @Test
    void thePathIsOneThatRoutesMayLookAt() {
        assertThat(seen(part("")).path()).isEqualTo("/");
        assertThat(seen(part("?q=1")).path()).isEqualTo("/?q=1");
        assertThat(seen(part("/a?q=1")).path()).isEqualTo("/a?q=1");
    }

    @Test
    void theHostIsTheAppsIfItSaysOne() {
        HttpRequest request = part("/");
        assertThat(seen(request).authority()).isEqualTo("orders");

        request.headers().set("Host", "users");

        assertThat(seen(request).authority()).isEqualTo("users");
    }

    @Test
    void whatIsThereAtOnceIsSentAsOftenAsItTakes() {
        assertThat(seen(whole("")).replay()).isEqualTo(Replay.NO_BODY);
        assertThat(seen(whole("body")).replay()).isEqualTo(Replay.REPEATABLE);
        assertThat(seen(whole("body")).bodyLength()).isEqualTo(4);

        HttpRequest inParts = part("/");
        assertThat(seen(inParts).replay()).isEqualTo(Replay.ONE_SHOT);
        assertThat(seen(inParts).bodyLength()).isEqualTo(-1);
        inParts.headers().set("Content-Length", "12");
        assertThat(seen(inParts).bodyLength()).isEqualTo(12);
        inParts.headers().set("Content-Length", "many");
        assertThat(seen(inParts).bodyLength()).isEqualTo(-1);
    }

    @Test
    void aMirrorGetsWhatIsThereAtOnceAndNotTooLong() {
        FullHttpRequest request = whole("body");
        request.headers().add("X-A", "1");

        RequestCopy copy = seen(request).copy(4);

        assertThat(copy.body()).isEqualTo("body".getBytes(StandardCharsets.UTF_8));
        assertThat(copy.headers()).extracting(Map.Entry::getKey, Map.Entry::getValue).containsExactly(tuple("X-A", "1"));
        assertThat(request.content().readableBytes()).as("left to read").isEqualTo(4);
        assertThat(seen(request).copy(3)).isNull();
        assertThat(seen(part("/")).copy(100)).isNull();
    }

    private static OutgoingRequest seen(HttpRequest request) {
        return new OutgoingRequest(request, null, "orders");
    }

    private static HttpRequest part(String target) {
        return new DefaultHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.POST, target);
    }

    private static FullHttpRequest whole(String body) {
        return new DefaultFullHttpRequest(
                HttpVersion.HTTP_1_1, HttpMethod.POST, "/", Unpooled.copiedBuffer(body, StandardCharsets.UTF_8));
    }
}
