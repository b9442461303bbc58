package io.weft.instrumentation.micronauthttpclient;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.timeout.ReadTimeoutException;

/** On a channel of the mesh's, where messages are what comes and goes. The library's time limits are below it. */
final class InPlaceOfCodec extends ChannelInboundHandlerAdapter {
    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        if (cause instanceof ReadTimeoutException) {
            ((MeshChannel) context.channel()).patienceIsOver();
        }
        context.fireExceptionCaught(cause);
    }
}
