package io.weft.instrumentation.reactornetty;

import io.netty.channel.Channel;

/** What a hop is at. */
interface Underway {
    /** The app gives up. From any thread, more than once. */
    void cancel();

    /** A time limit is over. On the timer thread, which must not do the work. */
    default void abort() {}

    /** Null: none. */
    default Channel channel() {
        return null;
    }
}
