package io.weft.instrumentation.netty;

import static io.weft.instrumentation.Hook.argument;
import static io.weft.instrumentation.Hook.around;
import static io.weft.instrumentation.Hook.result;

import io.weft.instrumentation.Hook;
import io.weft.instrumentation.InstrumentationModule;
import io.weft.instrumentation.Releases;
import java.util.List;

/**
 * Netty as a server, whatever is built on it, and copies of it under other names.
 *
 * <p>The seams: a server channel that is bound gets a handler, which sees what it accepts and puts one first into the pipeline of each
 * such connection, before the app's own. That one decides by the first bytes, secures the connection where policy says so, and stays first.
 * A request is looked at where it is decoded: behind the codec of HTTP/1.1, which is noticed when it is added, and between the decoder of
 * HTTP/2 and whatever it tells of the frames.
 */
public final class NettyModule {
    static final String BIND = "bind";
    static final String ACCEPTED = "accepted";
    static final String ADD_FIRST = "add-first";
    static final String ADD_AFTER = "add-after";
    static final String REMOVE = "remove";
    static final String HANDLER_ADDED = "handler-added";
    static final String FRAME_LISTENER = "frame-listener";
    static final String RESPONSE_HEADERS = "response-headers";

    private static final String PIPELINE = "io.netty.channel.DefaultChannelPipeline";
    private static final String HTTP2 = "io.netty.handler.codec.http2.";
    private static final String CONTEXT = "Lio/netty/channel/AbstractChannelHandlerContext;";
    private static final String READ = "(Lio/netty/channel/ChannelHandlerContext;Ljava/lang/Object;)V";

    private NettyModule() {}

    public static InstrumentationModule module() {
        return new InstrumentationModule(
                "netty",
                "4.1.21 and later, 4.2, as a server",
                "io.weft.instrumentation.netty.NettyAdapter",
                List.of(),
                List.of(
                        around(BIND, PIPELINE + "$HeadContext", "bind",
                                "(Lio/netty/channel/ChannelHandlerContext;Ljava/net/SocketAddress;Lio/netty/channel/ChannelPromise;)V"),
                        // Where it was bound before the agent came.
                        around(ACCEPTED, "io.netty.bootstrap.ServerBootstrap$ServerBootstrapAcceptor", "channelRead", READ).whenPresent(),
                        around(ACCEPTED, "reactor.netty.transport.ServerTransport$Acceptor", "channelRead", READ).whenPresent(),
                        around(ADD_FIRST, PIPELINE, "addFirst",
                                "(Lio/netty/util/concurrent/EventExecutorGroup;Ljava/lang/String;Lio/netty/channel/ChannelHandler;)"
                                        + "Lio/netty/channel/ChannelPipeline;"),
                        around(ADD_AFTER, PIPELINE, "addAfter",
                                "(Lio/netty/util/concurrent/EventExecutorGroup;Ljava/lang/String;Ljava/lang/String;"
                                        + "Lio/netty/channel/ChannelHandler;)Lio/netty/channel/ChannelPipeline;"),
                        around(REMOVE, PIPELINE, "remove", "(" + CONTEXT + ")" + CONTEXT).whenPresent(),
                        result(HANDLER_ADDED, PIPELINE, "callHandlerAdded0", "(" + CONTEXT + ")V"),
                        argument(FRAME_LISTENER, HTTP2 + "DefaultHttp2ConnectionDecoder", "frameListener",
                                "(Lio/netty/handler/codec/http2/Http2FrameListener;)V", 0).whenPresent(),
                        responseHeaders("(Lio/netty/channel/ChannelHandlerContext;ILio/netty/handler/codec/http2/Http2Headers;IZ"),
                        responseHeaders("(Lio/netty/channel/ChannelHandlerContext;ILio/netty/handler/codec/http2/Http2Headers;ISZIZ")))
                .wherever("io.netty")
                .released(Releases.of(List.of("io.netty:netty-transport", "io.netty:netty-all"), "4.1.21 to 4.2"));
    }

    private static Hook responseHeaders(String parameters) {
        return argument(RESPONSE_HEADERS, HTTP2 + "DefaultHttp2ConnectionEncoder", "writeHeaders",
                parameters + "Lio/netty/channel/ChannelPromise;)Lio/netty/channel/ChannelFuture;", 2).whenPresent();
    }
}
