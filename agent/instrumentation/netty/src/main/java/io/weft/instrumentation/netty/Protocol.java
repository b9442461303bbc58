package io.weft.instrumentation.netty;

import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.weft.instrumentation.Handler;

/** A protocol whose requests the mesh looks at, where the app has Netty's codec for it. Thread-safe. */
interface Protocol {
    /** A handler was added to the pipeline of a connection that was accepted. On its event loop. */
    void added(ChannelHandlerContext handler, Accepted accepted);

    /** For a hook within Netty's codec for it; null: it is no hook of this protocol. */
    Handler.Argument handler(String hook);

    /** The name of what looks at the requests of this handler, and stands behind it; null: it is no codec of this protocol. */
    String behind(ChannelPipeline pipeline, ChannelHandlerContext handler);

    /** Whether all requests that reach this handler, or those behind it, are looked at. */
    boolean governs(ChannelHandler handler);
}
