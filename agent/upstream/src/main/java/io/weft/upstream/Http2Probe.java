package io.weft.upstream;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http2.DefaultHttp2DataFrame;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.DefaultHttp2HeadersFrame;
import io.netty.handler.codec.http2.Http2DataFrame;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2FrameCodecBuilder;
import io.netty.handler.codec.http2.Http2GoAwayFrame;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2HeadersFrame;
import io.netty.handler.codec.http2.Http2MultiplexHandler;
import io.netty.handler.codec.http2.Http2ResetFrame;
import io.netty.handler.codec.http2.Http2StreamChannel;
import io.netty.handler.codec.http2.Http2StreamChannelBootstrap;
import io.netty.handler.codec.http2.Http2StreamFrame;
import io.netty.util.ReferenceCountUtil;
import io.weft.dataplane.ClientTls;
import io.weft.dataplane.Headers;
import io.weft.dataplane.health.HealthProber.Result;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import javax.net.ssl.SSLEngine;

/** Asks over HTTP/2 that both sides know of beforehand. */
final class Http2Probe extends ConnectionProbe {
    private final Check check;
    /** The server takes no more streams on the connection. */
    private boolean leaving;

    Http2Probe(Target target, Check check) {
        super(target);
        this.check = check;
    }

    /** The server must not choose another protocol than the one that is spoken. */
    @Override
    SSLEngine engine(ClientTls tls, InetSocketAddress peer) {
        return tls.http2Engine(peer);
    }

    @Override
    void initialize(ChannelPipeline pipeline) {
        leaving = false;
        pipeline.addLast(
                Http2FrameCodecBuilder.forClient().build(),
                new Http2MultiplexHandler(new ChannelInboundHandlerAdapter()),
                new Connection());
    }

    @Override
    void ask(Channel connected) {
        new Http2StreamChannelBootstrap(connected).handler(new Answer()).open().addListener(opened -> {
            if (opened.isSuccess()) {
                send((Http2StreamChannel) opened.getNow());
            } else {
                finish(Result.UNREACHABLE, false);
            }
        });
    }

    private void send(Http2StreamChannel stream) {
        Http2Headers headers = new DefaultHttp2Headers()
                .method(check.method())
                .scheme("http")
                .authority(check.authority())
                .path(check.path());
        for (Map.Entry<String, String> header : check.headers()) {
            headers.add(header.getKey(), header.getValue());
        }
        ByteBuf body = Unpooled.copiedBuffer(check.body(), StandardCharsets.ISO_8859_1);
        if (body.isReadable()) {
            stream.write(new DefaultHttp2HeadersFrame(headers, false));
            stream.writeAndFlush(new DefaultHttp2DataFrame(body, true));
        } else {
            stream.writeAndFlush(new DefaultHttp2HeadersFrame(headers, true));
        }
    }

    private static Headers view(Http2Headers headers) {
        return name -> {
            CharSequence value = headers.get(name);
            return value == null ? null : value.toString();
        };
    }

    /** What is said of the connection as a whole. */
    private final class Connection extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext context, Object frame) {
            if (frame instanceof Http2GoAwayFrame goAway) {
                leaving = true;
                // In good order, the check may end; between two checks there is nothing to wait for.
                if (goAway.errorCode() != Http2Error.NO_ERROR.code() || !underWay()) {
                    context.close();
                }
            }
            ReferenceCountUtil.release(frame);
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable broken) {
            context.close();
        }
    }

    private final class Answer extends SimpleChannelInboundHandler<Http2StreamFrame> {
        /** Null before the head. */
        private Http2Headers head;
        private final StringBuilder body = new StringBuilder();

        @Override
        protected void channelRead0(ChannelHandlerContext context, Http2StreamFrame frame) {
            if (frame instanceof Http2HeadersFrame headers) {
                boolean interim = head == null && status(headers.headers()) < 200 && !headers.isEndStream();
                if (head == null && !interim) {
                    head = headers.headers();
                }
                if (headers.isEndStream()) {
                    end(headers.headers());
                }
            } else if (frame instanceof Http2DataFrame data) {
                read(data.content());
                if (data.isEndStream()) {
                    end(new DefaultHttp2Headers());
                }
            } else if (frame instanceof Http2ResetFrame) {
                finish(Result.UNREACHABLE, !leaving);
            }
        }

        private void end(Http2Headers last) {
            finish(check.verdict(status(head), view(head), body, view(last)), !leaving);
        }

        private static int status(Http2Headers headers) {
            String status = headers.status() == null ? "" : headers.status().toString();
            return status.length() == 3 && status.chars().allMatch(c -> c >= '0' && c <= '9') ? Integer.parseInt(status) : 0;
        }

        private void read(ByteBuf bytes) {
            long room = check.receiveLimit() == 0 ? Integer.MAX_VALUE : check.receiveLimit() - body.length();
            int length = (int) Math.max(0, Math.min(room, bytes.readableBytes()));
            body.append(bytes.toString(bytes.readerIndex(), length, StandardCharsets.ISO_8859_1));
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable broken) {
            finish(Result.UNREACHABLE, false);
        }
    }
}
