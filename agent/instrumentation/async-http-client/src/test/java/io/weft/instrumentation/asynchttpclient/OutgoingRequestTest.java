package io.weft.instrumentation.asynchttpclient;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpVersion;
import io.weft.dataplane.Exchange.Replay;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.asynchttpclient.RequestBuilder;
import org.asynchttpclient.request.body.generator.ByteArrayBodyGenerator;
import org.asynchttpclient.request.body.generator.InputStreamBodyGenerator;
import org.asynchttpclient.request.body.generator.UnboundedQueueFeedableBodyGenerator;
import org.asynchttpclient.request.body.multipart.InputStreamPart;
import org.asynchttpclient.request.body.multipart.StringPart;
import org.junit.jupiter.api.Test;

/** What of a request the mesh may send again, and what it can tell of it. */
class OutgoingRequestTest {
    private static final byte[] BODY = "body".getBytes(StandardCharsets.US_ASCII);

    private static RequestBuilder post() {
        return new RequestBuilder("POST").setUrl("http://orders/x");
    }

    private static ByteArrayInputStream stream() {
        return new ByteArrayInputStream(BODY);
    }

    /** As the library sends what comes in parts. */
    private static HttpRequest head() {
        return new DefaultHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.POST, "/x");
    }

    private static Replay replay(RequestBuilder request) {
        return new OutgoingRequest(request.build(), head()).replay();
    }

    @Test
    void whatIsReadFromAStreamIsSentOnce() {
        assertThat(replay(post().setBody(stream()))).isEqualTo(Replay.ONE_SHOT);
        assertThat(replay(post().setBody(new InputStreamBodyGenerator(stream(), BODY.length)))).isEqualTo(Replay.ONE_SHOT);
        assertThat(replay(post().setBody(new UnboundedQueueFeedableBodyGenerator()))).isEqualTo(Replay.ONE_SHOT);
        assertThat(replay(post().addBodyPart(new StringPart("a", "b")).addBodyPart(new InputStreamPart("c", stream(), "d"))))
                .isEqualTo(Replay.ONE_SHOT);
    }

    @Test
    void whatTheLibraryCanMakeAgainIsSentAgain() {
        assertThat(replay(post().setBody(new ByteArrayBodyGenerator(BODY)))).isEqualTo(Replay.REPEATABLE);
        assertThat(replay(post().setBody(Path.of("file").toFile()))).isEqualTo(Replay.REPEATABLE);
        assertThat(replay(post().addBodyPart(new StringPart("a", "b")))).isEqualTo(Replay.REPEATABLE);
    }

    @Test
    void whatIsInMemoryIsCopiedAsLongAsItMayBe() {
        HttpRequest whole = new DefaultFullHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.POST, "/x", Unpooled.wrappedBuffer(BODY));
        whole.headers().set("X-Tenant", "blue").set("Content-Length", BODY.length);
        OutgoingRequest request = new OutgoingRequest(post().setBody(BODY).build(), whole);

        assertThat(request.replay()).isEqualTo(Replay.REPEATABLE);
        assertThat(request.bodyLength()).isEqualTo(BODY.length);
        assertThat(request.copy(BODY.length).body()).isEqualTo(BODY);
        assertThat(request.copy(BODY.length - 1)).isNull();
        assertThat(request.header("x-tenant")).isEqualTo("blue");
    }

    @Test
    void whatHasNoBodyHasNone() {
        OutgoingRequest request = new OutgoingRequest(
                new RequestBuilder().setUrl("http://orders/").build(),
                new DefaultFullHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.GET, "/", Unpooled.EMPTY_BUFFER));

        assertThat(request.replay()).isEqualTo(Replay.NO_BODY);
        assertThat(request.bodyLength()).isZero();
    }
}
