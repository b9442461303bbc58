package io.weft.controlplane.injector;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.concurrent.Future;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** Closes a connection on which a request has begun that is not there as a whole in time. Between requests it waits. */
final class RequestDeadline extends ChannelInboundHandlerAdapter {

    private final Duration time;
    /** Null: no request has begun. Confined to the event loop. */
    private Future<?> end;

    RequestDeadline(Duration time) {
        this.time = time;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        if (end == null) {
            end = context.executor().schedule(() -> context.close(), time.toMillis(), TimeUnit.MILLISECONDS);
        }
        context.fireChannelRead(message);
    }

    /** The request is there. On the event loop. */
    void met() {
        if (end != null) {
            end.cancel(false);
            end = null;
        }
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext context) {
        met();
    }
}
