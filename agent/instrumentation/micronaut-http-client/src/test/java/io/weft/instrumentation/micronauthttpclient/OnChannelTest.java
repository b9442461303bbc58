package io.weft.instrumentation.micronauthttpclient;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.DefaultEventLoopGroup;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpVersion;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What comes over a connection of one event loop for a request of another. */
class OnChannelTest {

    /** Nobody is there any more who would let go of it. */
    @Test
    void whatComesWhenTheClientIsClosedIsReleased() {
        EventLoopGroup group = new DefaultEventLoopGroup(1);
        MeshChannel channel = new MeshChannel(null);
        group.register(channel).syncUninterruptibly();
        Hop hop = new Hop(null, channel, new DefaultFullHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.GET, "/"));
        EmbeddedChannel connection = new EmbeddedChannel();
        OnChannel.begin(connection, new Attempt(hop, null), false);
        group.shutdownGracefully(0, 0, TimeUnit.SECONDS).syncUninterruptibly();

        ByteBuf bytes = Unpooled.copiedBuffer("half", StandardCharsets.US_ASCII);
        assertThat(connection.writeInbound(new DefaultHttpContent(bytes))).as("handed on").isFalse();
        assertThat(bytes.refCnt()).isZero();
    }
}
