package io.weft.instrumentation.reactornetty;

import io.netty.channel.ChannelHandlerAdapter;

/** Nothing of the app's is sent when the mesh answers by itself. */
final class ReplyRequest extends ChannelHandlerAdapter implements HopHandler {
    private final Hop hop;

    ReplyRequest(Hop hop) {
        this.hop = hop;
    }

    @Override
    public Object request(Object handler, Object operations) throws Throwable {
        return hop.requestWithoutBody(handler, operations);
    }

    @Override
    public boolean drops(Object operations) {
        return false;
    }
}
