package io.weft.instrumentation.reactornetty;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.weft.dataplane.LocalReply;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class ReplyHandlerTest {

    @Test
    void theAnswerComesWhenAllIsSent() {
        EmbeddedChannel channel = new EmbeddedChannel(new ReplyHandler("POST", LocalReply.of(503, "no healthy upstream")));

        assertThat(channel.writeOutbound(new DefaultHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.POST, "/"))).isFalse();
        assertThat((Object) channel.readInbound()).isNull();
        channel.writeOutbound(LastHttpContent.EMPTY_LAST_CONTENT);

        HttpResponse head = channel.readInbound();
        assertThat(head.status().code()).isEqualTo(503);
        assertThat(head.headers().get("content-length")).isEqualTo("19");
        HttpContent body = channel.readInbound();
        assertThat(body.content().toString(StandardCharsets.UTF_8)).isEqualTo("no healthy upstream");
        assertThat((Object) channel.readInbound()).isSameAs(LastHttpContent.EMPTY_LAST_CONTENT);
        assertThat((Object) channel.readOutbound()).as("nothing goes anywhere").isNull();
        body.release();
    }

    @Test
    void headGetsNoBody() {
        assertBodiless("HEAD", LocalReply.of(200, "hello"), "5");
    }

    @Test
    void noContentHasNoLength() {
        assertBodiless("GET", new LocalReply(204, List.of(), new byte[0]), null);
    }

    private static void assertBodiless(String method, LocalReply reply, String length) {
        EmbeddedChannel channel = new EmbeddedChannel(new ReplyHandler(method, reply));
        channel.writeOutbound(new DefaultFullHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.valueOf(method), "/"));
        HttpResponse head = channel.readInbound();
        assertThat(head.headers().get("content-length")).isEqualTo(length);
        assertThat((Object) channel.readInbound()).isSameAs(LastHttpContent.EMPTY_LAST_CONTENT);
    }
}
