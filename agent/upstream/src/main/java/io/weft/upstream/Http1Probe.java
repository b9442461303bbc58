package io.weft.upstream;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.weft.dataplane.Headers;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/** Asks over HTTP/1.1. */
final class Http1Probe extends ConnectionProbe {
    private final Check check;

    Http1Probe(Target target, Check check) {
        super(target);
        this.check = check;
    }

    @Override
    void initialize(ChannelPipeline pipeline) {
        pipeline.addLast(new HttpClientCodec(), new Answer());
    }

    @Override
    void ask(Channel connected) {
        ByteBuf body = Unpooled.copiedBuffer(check.body(), StandardCharsets.ISO_8859_1);
        FullHttpRequest request =
                new DefaultFullHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.valueOf(check.method()), check.path(), body);
        request.headers().set(HttpHeaderNames.HOST, check.authority());
        for (Map.Entry<String, String> header : check.headers()) {
            request.headers().add(header.getKey(), header.getValue());
        }
        if (body.isReadable()) {
            request.headers().set(HttpHeaderNames.CONTENT_LENGTH, body.readableBytes());
        }
        connected.writeAndFlush(request);
    }

    private final class Answer extends SimpleChannelInboundHandler<HttpObject> {
        /** Null before the head. */
        private HttpResponse head;
        private final StringBuilder body = new StringBuilder();

        @Override
        protected void channelRead0(ChannelHandlerContext context, HttpObject part) {
            if (part.decoderResult().isFailure() || !underWay()) {
                context.close();
                return;
            }
            if (part instanceof HttpResponse response) {
                head = response;
                body.setLength(0);
            }
            if (part instanceof HttpContent content) {
                read(content.content());
            }
            if (part instanceof LastHttpContent && head.status().code() >= 200) {
                HttpResponse answered = head;
                Headers headers = name -> answered.headers().get(name);
                finish(check.verdict(answered.status().code(), headers, body, headers), HttpUtil.isKeepAlive(answered));
            }
        }

        private void read(ByteBuf bytes) {
            long room = check.receiveLimit() == 0 ? Integer.MAX_VALUE : check.receiveLimit() - body.length();
            int length = (int) Math.max(0, Math.min(room, bytes.readableBytes()));
            body.append(bytes.toString(bytes.readerIndex(), length, StandardCharsets.ISO_8859_1));
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable broken) {
            context.close();
        }
    }
}
