package io.weft.upstream;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.SimpleChannelInboundHandler;
import io.weft.dataplane.health.HealthProber.Result;
import io.weft.policy.model.HealthCheck;
import java.nio.charset.StandardCharsets;

/** Connects, and if something is to be received, sends and waits for it. */
final class TcpProbe extends ConnectionProbe {
    /** More than this without what is waited for is no answer. */
    private static final int MAX_BYTES = 1 << 20;

    private final HealthCheck.Tcp check;

    TcpProbe(Target target, HealthCheck.Tcp check) {
        super(target);
        this.check = check;
    }

    @Override
    void initialize(ChannelPipeline pipeline) {
        pipeline.addLast(new Answer());
    }

    @Override
    void ask(Channel connected) {
        if (check.receive().isEmpty()) {
            // A test of connecting is over with the connection.
            finish(Result.HEALTHY, false);
        } else if (!check.send().latin1().isEmpty()) {
            connected.writeAndFlush(Unpooled.copiedBuffer(check.send().latin1(), StandardCharsets.ISO_8859_1));
        }
    }

    private final class Answer extends SimpleChannelInboundHandler<ByteBuf> {
        private final StringBuilder received = new StringBuilder();

        @Override
        protected void channelRead0(ChannelHandlerContext context, ByteBuf bytes) {
            received.append(bytes.toString(StandardCharsets.ISO_8859_1));
            if (Received.holds(check.receive(), received)) {
                received.setLength(0);
                finish(Result.HEALTHY, true);
            } else if (received.length() > MAX_BYTES) {
                context.close();
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable broken) {
            context.close();
        }
    }
}
