package io.weft.admin;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http2.DefaultHttp2DataFrame;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.DefaultHttp2HeadersFrame;
import io.netty.handler.codec.http2.Http2DataFrame;
import io.netty.handler.codec.http2.Http2FrameCodecBuilder;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2HeadersFrame;
import io.netty.handler.codec.http2.Http2MultiplexHandler;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.codec.http2.Http2StreamFrame;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.CompletionException;

/** gRPC over HTTP/2, for callers that know beforehand that it is spoken. */
final class GrpcMethods {
    private static final int MAX_STREAMS = 8;
    private static final int MAX_MESSAGE_BYTES = 64 * 1024;
    private static final int PREFIX_BYTES = 5;

    private static final int OK = 0;
    private static final int INVALID_ARGUMENT = 3;
    private static final int RESOURCE_EXHAUSTED = 8;
    private static final int UNIMPLEMENTED = 12;
    private static final int INTERNAL = 13;

    /** By path, as {@code /package.Service/Method}. */
    private final Map<String, AdminCall> calls;

    GrpcMethods(Map<String, AdminCall> calls) {
        this.calls = calls;
    }

    void addTo(ChannelPipeline pipeline) {
        pipeline.addLast(
                Http2FrameCodecBuilder.forServer().initialSettings(Http2Settings.defaultSettings().maxConcurrentStreams(MAX_STREAMS)).build(),
                new Http2MultiplexHandler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel stream) {
                        stream.pipeline().addLast(new Call());
                    }
                }));
    }

    /** On the event loop of its connection. */
    private final class Call extends SimpleChannelInboundHandler<Http2StreamFrame> {
        private final ByteBuf received = Unpooled.buffer();
        /** Null: not asked yet. */
        private AdminCall method;
        private int unanswered;
        private boolean halfClosed;
        private boolean begun;
        private boolean over;

        @Override
        protected void channelRead0(ChannelHandlerContext context, Http2StreamFrame frame) {
            if (over) {
                return;
            }
            if (frame instanceof Http2HeadersFrame headers) {
                method = calls.get(String.valueOf(headers.headers().path()));
                halfClosed = headers.isEndStream();
                if (method == null) {
                    end(context, UNIMPLEMENTED, "there is no " + headers.headers().path() + " here, but " + String.join(", ", calls.keySet()));
                    return;
                }
            } else if (frame instanceof Http2DataFrame data) {
                halfClosed = data.isEndStream();
                received.writeBytes(data.content());
                answer(context);
            }
            endIfDone(context);
        }

        private void answer(ChannelHandlerContext context) {
            while (!over && received.readableBytes() >= PREFIX_BYTES) {
                int length = received.getInt(received.readerIndex() + 1);
                if (received.getByte(received.readerIndex()) != 0) {
                    end(context, UNIMPLEMENTED, "messages are not to be compressed");
                } else if (length < 0 || length > MAX_MESSAGE_BYTES) {
                    end(context, RESOURCE_EXHAUSTED, "a message may have " + MAX_MESSAGE_BYTES + " bytes");
                } else if (received.readableBytes() < PREFIX_BYTES + length) {
                    return;
                } else {
                    byte[] message = new byte[length];
                    received.skipBytes(PREFIX_BYTES).readBytes(message).discardReadBytes();
                    unanswered++;
                    method.answer(message).whenComplete((answer, fault) ->
                            context.executor().execute(() -> answered(context, answer, fault)));
                }
            }
        }

        private void answered(ChannelHandlerContext context, byte[] answer, Throwable fault) {
            unanswered--;
            if (over) {
                return;
            }
            if (fault != null) {
                Throwable cause = fault instanceof CompletionException && fault.getCause() != null ? fault.getCause() : fault;
                boolean askers = cause instanceof IllegalArgumentException;
                end(context, askers ? INVALID_ARGUMENT : INTERNAL, askers ? cause.getMessage() : "the agent cannot say: " + cause);
                return;
            }
            if (!begun) {
                begun = true;
                context.write(new DefaultHttp2HeadersFrame(head()));
            }
            ByteBuf framed = context.alloc().buffer(PREFIX_BYTES + answer.length).writeByte(0).writeInt(answer.length).writeBytes(answer);
            context.writeAndFlush(new DefaultHttp2DataFrame(framed));
            endIfDone(context);
        }

        private void endIfDone(ChannelHandlerContext context) {
            if (halfClosed && unanswered == 0 && !over) {
                end(context, OK, "");
            }
        }

        private void end(ChannelHandlerContext context, int status, String message) {
            over = true;
            Http2Headers trailers = begun ? new DefaultHttp2Headers() : head();
            trailers.setInt("grpc-status", status);
            if (!message.isEmpty()) {
                trailers.set("grpc-message", encoded(message));
            }
            context.writeAndFlush(new DefaultHttp2HeadersFrame(trailers, true));
        }

        private static Http2Headers head() {
            return new DefaultHttp2Headers().status("200").set("content-type", "application/grpc");
        }

        /** A caller that broke off. */
        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            context.close();
        }
    }

    /** Percent-encoded, as gRPC has it. */
    private static String encoded(String message) {
        StringBuilder text = new StringBuilder();
        for (byte b : message.getBytes(StandardCharsets.UTF_8)) {
            if (b >= ' ' && b <= '~' && b != '%') {
                text.append((char) b);
            } else {
                text.append(String.format("%%%02X", b));
            }
        }
        return text.toString();
    }
}
