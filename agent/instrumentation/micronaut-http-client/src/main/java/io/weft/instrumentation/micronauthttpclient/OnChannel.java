package io.weft.instrumentation.micronauthttpclient;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;
import io.netty.util.ReferenceCountUtil;

/** On a connection to an endpoint, for one attempt. It reads when the attempt says so. For the connection's event loop. */
final class OnChannel extends ChannelInboundHandlerAdapter {
    static final String NAME = "weft.attempt";
    private static final String READ_TIMEOUT = "read-timeout";

    private final Attempt attempt;
    private final boolean autoRead;

    private OnChannel(Attempt attempt, boolean autoRead) {
        this.attempt = attempt;
        this.autoRead = autoRead;
    }

    /**
     * From any thread.
     *
     * @param ofTheMesh nobody else uses the connection: the app's time limit is on the {@link MeshChannel}
     */
    static void begin(Channel channel, Attempt attempt, boolean ofTheMesh) {
        ChannelPipeline pipeline = channel.pipeline();
        if (ofTheMesh && pipeline.get(READ_TIMEOUT) != null) {
            pipeline.remove(READ_TIMEOUT);
        }
        boolean autoRead = channel.config().isAutoRead();
        channel.config().setAutoRead(false);
        pipeline.addLast(NAME, new OnChannel(attempt, autoRead));
        if (!channel.isActive()) {
            // Perhaps before this was there to hear of it.
            attempt.onLoop(attempt::inactive);
        }
    }

    /** Before the pool looks at the connection. */
    static void end(Channel channel) {
        if (channel.pipeline().get(NAME) instanceof OnChannel on) {
            channel.pipeline().remove(on);
            channel.config().setAutoRead(on.autoRead);
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        // What comes later is the codec's word for the end.
        boolean open = context.channel().isActive();
        if (!attempt.onLoop(() -> attempt.read(message, open))) {
            ReferenceCountUtil.release(message);
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        attempt.onLoop(attempt::readAll);
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        context.fireChannelInactive();
        attempt.onLoop(attempt::inactive);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        attempt.onLoop(() -> attempt.exception(cause));
    }
}
