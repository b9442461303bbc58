package io.weft.instrumentation.micronauthttpclient;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.DefaultEventLoopGroup;
import io.netty.channel.EventLoopGroup;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Of a library from 4.1 to 4.6, which drops the answer that comes in place of the leave to send a body. */
class MeshChannelTest {
    private final EventLoopGroup group = new DefaultEventLoopGroup(1);
    private final MeshChannel channel = new MeshChannel(null);

    /** As the library's own. */
    private static final class Awaiting extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            context.pipeline().remove(this);
        }
    }

    @BeforeEach
    void connect() {
        group.register(channel).syncUninterruptibly();
        channel.connect(new InetSocketAddress(1)).syncUninterruptibly();
    }

    @AfterEach
    void shutDown() {
        group.shutdownGracefully(0, 0, TimeUnit.SECONDS).syncUninterruptibly();
    }

    /** @param status of a head */
    private void comes(int status) {
        onLoop(() -> channel.receives(new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.valueOf(status))));
    }

    private void ends(boolean closes) {
        onLoop(() -> {
            channel.receives(LastHttpContent.EMPTY_LAST_CONTENT);
            channel.isAnswered(closes);
        });
    }

    private void awaitsLeave(ChannelHandler handler) {
        onLoop(() -> channel.pipeline().addLast("continue-handler", handler));
    }

    private void onLoop(Runnable task) {
        channel.eventLoop().submit(task).syncUninterruptibly();
    }

    @Test
    void anAnswerThatIsMissedIsHeardOfByTheEndOfTheChannel() {
        awaitsLeave(new Awaiting());
        comes(417);
        assertThat(channel.isActive()).as("before the answer is whole").isTrue();
        ends(true);
        assertThat(channel.isActive()).isFalse();
    }

    @Test
    void soItIsWhereTheLibraryBeginsToAwaitLeaveAfterTheHead() {
        comes(417);
        awaitsLeave(new Awaiting());
        ends(true);
        assertThat(channel.isActive()).isFalse();
    }

    @Test
    void itIsNotWhereTheConnectionIsKept() {
        awaitsLeave(new Awaiting());
        comes(417);
        ends(false);
        assertThat(channel.isActive()).isTrue();
    }

    @Test
    void anAnswerAfterTheLeaveIsSeen() {
        awaitsLeave(new Awaiting());
        comes(100);
        comes(200);
        ends(true);
        assertThat(channel.isActive()).isTrue();
    }

    @Test
    void soIsOneThatWasNotAwaited() {
        comes(200);
        ends(true);
        assertThat(channel.isActive()).isTrue();
    }
}
