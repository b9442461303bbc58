package io.weft.instrumentation.netty;

import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandler;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.CombinedChannelDuplexHandler;
import io.netty.handler.codec.http.HttpRequestDecoder;
import io.netty.handler.codec.http.HttpResponseEncoder;
import io.netty.handler.codec.http.HttpServerCodec;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Handler;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodType;

/** HTTP/1.0 and 1.1: behind the codec, which is one handler or two, comes one of the mesh's. */
final class Http1 implements Protocol {
    private final AdapterContext context;
    /** Of a handler that is two in one. */
    private final MethodHandle inbound;

    Http1(AdapterContext context) throws ReflectiveOperationException {
        this.context = context;
        inbound = context.lookup(CombinedChannelDuplexHandler.class.getName())
                .findVirtual(CombinedChannelDuplexHandler.class, "inboundHandler", MethodType.methodType(ChannelInboundHandler.class));
    }

    /** Armeria has one of its own. */
    private boolean isCodec(ChannelHandler handler) {
        if (handler instanceof HttpServerCodec) {
            return true;
        }
        if (!(handler instanceof CombinedChannelDuplexHandler<?, ?> combined)) {
            return false;
        }
        try {
            return (ChannelInboundHandler) inbound.invokeExact(combined) instanceof HttpRequestDecoder;
        } catch (Throwable fault) {
            throw new IllegalStateException(fault);
        }
    }

    @Override
    public void added(ChannelHandlerContext handler, Accepted accepted) {
        ChannelPipeline pipeline = handler.pipeline();
        ChannelHandler added = handler.handler();
        ChannelHandlerContext last = null;
        if (isCodec(added)) {
            last = handler;
        } else if (added instanceof HttpRequestDecoder || added instanceof HttpResponseEncoder) {
            ChannelHandlerContext decoder = pipeline.context(HttpRequestDecoder.class);
            ChannelHandlerContext encoder = pipeline.context(HttpResponseEncoder.class);
            last = decoder == null || encoder == null ? null : later(pipeline, decoder, encoder);
        }
        if (last != null) {
            pipeline.addAfter(last.name(), null, new Http1Handler(context, accepted, last));
        }
    }

    private static ChannelHandlerContext later(ChannelPipeline pipeline, ChannelHandlerContext one, ChannelHandlerContext other) {
        for (String name : pipeline.names()) {
            if (name.equals(one.name())) {
                return other;
            }
            if (name.equals(other.name())) {
                return one;
            }
        }
        throw new IllegalStateException("neither codec is in the pipeline");
    }

    @Override
    public String behind(ChannelPipeline pipeline, ChannelHandlerContext handler) {
        ChannelHandlerContext ours = pipeline.context(Http1Handler.class);
        return ours != null && ((Http1Handler) ours.handler()).isBehind(handler) ? ours.name() : null;
    }

    @Override
    public Handler.Argument handler(String hook) {
        return null;
    }

    @Override
    public boolean governs(ChannelHandler handler) {
        return handler instanceof Http1Handler;
    }
}
