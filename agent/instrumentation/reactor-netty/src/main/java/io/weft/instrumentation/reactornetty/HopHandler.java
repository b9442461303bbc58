package io.weft.instrumentation.reactornetty;

import io.netty.channel.ChannelHandler;
import reactor.netty.Connection;

/** In the pipeline of what a hop is sent by, directly above the codec. */
interface HopHandler extends ChannelHandler {
    String NAME = "weft.hop";

    /** Null: the mesh has nothing to do with it. */
    static ChannelHandler of(Connection connection) {
        return connection.channel().pipeline().get(NAME);
    }

    /**
     * In place of {@code requestWithBody}.
     *
     * @param handler whose method it is
     */
    Object request(Object handler, Object operations) throws Throwable;

    /** Asked for with a response's head: whether the library is to drop the response, which it then knows. */
    boolean drops(Object operations) throws Throwable;
}
