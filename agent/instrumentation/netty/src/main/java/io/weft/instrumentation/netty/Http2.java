package io.weft.instrumentation.netty;

import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.Http2ConnectionDecoder;
import io.netty.handler.codec.http2.Http2ConnectionEncoder;
import io.netty.handler.codec.http2.Http2ConnectionHandler;
import io.netty.handler.codec.http2.Http2FrameListener;
import io.netty.handler.codec.http2.Http2Headers;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Handler;
import java.util.Map;

/** HTTP/2, with whatever the app has made of Netty's frames: gRPC, streams as channels, objects of HTTP/1. Thread-safe. */
final class Http2 implements Protocol {
    private final AdapterContext context;

    Http2(AdapterContext context) {
        this.context = context;
    }

    /** In the place of the listener that a decoder is given. Those that come in are known once there is a frame. */
    private Object listener(Http2ConnectionDecoder decoder, Http2FrameListener listener) {
        return listener == null || listener instanceof GovernedStreams || !decoder.connection().isServer()
                ? listener
                : new GovernedStreams(context, decoder.connection(), listener);
    }

    @Override
    public void added(ChannelHandlerContext handler, Accepted accepted) {
        if (handler.handler() instanceof Http2ConnectionHandler connection
                && connection.decoder().frameListener() instanceof GovernedStreams streams) {
            streams.of(handler, accepted);
        }
    }

    /** What looks at its requests is within the codec. */
    @Override
    public String behind(ChannelPipeline pipeline, ChannelHandlerContext handler) {
        return null;
    }

    @Override
    public Handler.Argument handler(String hook) {
        return switch (hook) {
            case NettyModule.FRAME_LISTENER -> (decoder, listener, a0, a1, a2) ->
                    listener((Http2ConnectionDecoder) decoder, (Http2FrameListener) listener);
            case NettyModule.RESPONSE_HEADERS -> (encoder, headers, ctx, stream, a2) ->
                    responseHeaders((Http2ConnectionEncoder) encoder, (Http2Headers) headers, (ChannelHandlerContext) ctx, (int) stream);
            default -> null;
        };
    }

    @Override
    public boolean governs(ChannelHandler handler) {
        return handler instanceof Http2ConnectionHandler connection
                && connection.decoder().frameListener() instanceof GovernedStreams;
    }

    /** In the place of the headers that a stream is about to be sent. */
    private Object responseHeaders(Http2ConnectionEncoder encoder, Http2Headers headers, ChannelHandlerContext ctx, int stream) {
        if (!encoder.connection().isServer()) {
            return headers;
        }
        Accepted accepted = Accepted.of(ctx.channel());
        return accepted != null && accepted.http2() instanceof GovernedStreams streams ? streams.responseHeaders(stream, headers) : headers;
    }

    /** Those of the app may not be changed: it may send them more than once. */
    static Http2Headers copy(Http2Headers headers) {
        Http2Headers copy = new DefaultHttp2Headers(false);
        for (Map.Entry<CharSequence, CharSequence> header : headers) {
            copy.add(header.getKey(), header.getValue());
        }
        return copy;
    }
}
