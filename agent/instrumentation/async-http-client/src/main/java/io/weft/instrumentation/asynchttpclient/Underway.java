package io.weft.instrumentation.asynchttpclient;

import io.netty.bootstrap.Bootstrap;
import io.weft.dataplane.Exchange.Failure;
import org.asynchttpclient.netty.channel.NettyConnectListener;

/** What a hop is at. */
interface Underway {
    /** Somebody has given up. On any thread, more than once. The library closes the channel by itself, if it knows of one. */
    void gaveUp(Failure failure);

    /** A time limit is over. On the timer thread, which must not do the work. */
    default void abort() {}

    /** In place of the library's connecting. */
    default void connect(Bootstrap apps, NettyConnectListener<?> listener) {
        throw new IllegalStateException("nothing is to be connected");
    }
}
