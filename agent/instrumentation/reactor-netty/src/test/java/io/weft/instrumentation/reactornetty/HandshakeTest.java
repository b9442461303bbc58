package io.weft.instrumentation.reactornetty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ConnectTimeoutException;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.weft.dataplane.Endpoint;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import javax.net.ssl.SSLHandshakeException;
import org.junit.jupiter.api.Test;

class HandshakeTest {
    private final Endpoint endpoint = new Endpoint(new InetSocketAddress(InetAddress.getLoopbackAddress(), 1), null);
    private boolean active;
    private final EmbeddedChannel channel = new EmbeddedChannel(
            new Handshake(endpoint, new OnChannel(endpoint)), new ChannelInboundHandlerAdapter() {
                @Override
                public void channelActive(ChannelHandlerContext context) {
                    active = true;
                }
            });

    @Test
    void aFailureIsOneToConnect() {
        channel.pipeline().fireUserEventTriggered(new SslHandshakeCompletionEvent(new SSLHandshakeException("not who policy says")));

        assertThatThrownBy(channel::checkException)
                .isInstanceOf(ConnectException.class)
                .isNotInstanceOf(ConnectTimeoutException.class)
                .hasMessageContaining("not who policy says")
                .hasCauseInstanceOf(SSLHandshakeException.class);
        assertThat(active).as("nobody sends anything").isFalse();
    }

    @Test
    void whatElseIsSaidOfAFailureIsNot() {
        channel.pipeline().fireUserEventTriggered(new SslHandshakeCompletionEvent(new SSLHandshakeException("once")));
        assertThatThrownBy(channel::checkException).hasMessageContaining("once");

        channel.pipeline().fireExceptionCaught(new SSLHandshakeException("twice"));
        channel.checkException();
    }
}
