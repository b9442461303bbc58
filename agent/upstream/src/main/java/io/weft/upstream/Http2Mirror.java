package io.weft.upstream;

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
import io.netty.util.concurrent.Future;
import io.weft.dataplane.Exchange.Failure;
import io.weft.dataplane.MirroredRequest;
import java.util.ArrayDeque;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** HTTP/2 that both sides know of beforehand: one connection for all requests to the endpoint. */
final class Http2Mirror implements MirrorConnections {
    private static final long IDLE_SECONDS = 30;

    private final Dial dial;
    private final Runnable forget;
    /** Null between two connections. */
    private Connection current;

    Http2Mirror(Dial dial, Runnable forget) {
        this.dial = dial;
        this.forget = forget;
    }

    @Override
    public void send(MirroredRequest request) {
        if (current == null) {
            current = new Connection();
            current.open(request.connectTimeoutNanos());
        }
        current.send(request);
    }

    private final class Connection extends ChannelInboundHandlerAdapter {
        private final ArrayDeque<MirroredRequest> waiting = new ArrayDeque<>();
        private Channel channel;
        private boolean active;
        /** The server takes no more streams. */
        private boolean leaving;
        private int streams;
        /** Null while there are streams. */
        private Future<?> idleEnd;

        void open(long timeoutNanos) {
            channel = dial.connect(timeoutNanos, this::initialize).channel();
            channel.closeFuture().addListener(closed -> closed());
        }

        private void initialize(ChannelPipeline pipeline) {
            pipeline.addLast(
                    Http2FrameCodecBuilder.forClient().encoderEnforceMaxConcurrentStreams(true).build(),
                    new Http2MultiplexHandler(new ChannelInboundHandlerAdapter()),
                    this);
        }

        void send(MirroredRequest request) {
            if (!active) {
                request.abortBy(() -> {});
                waiting.add(request);
                return;
            }
            begin(request);
        }

        private void begin(MirroredRequest request) {
            streams++;
            if (idleEnd != null) {
                idleEnd.cancel(false);
                idleEnd = null;
            }
            Stream stream = new Stream(this, request);
            new Http2StreamChannelBootstrap(channel).handler(stream).open().addListener(opened -> {
                if (opened.isSuccess()) {
                    stream.begin((Http2StreamChannel) opened.getNow());
                } else {
                    stream.end(Failure.RESET);
                }
            });
        }

        void ended() {
            streams--;
            if (streams == 0 && leaving) {
                channel.close();
            } else if (streams == 0) {
                idleEnd = channel.eventLoop().schedule(() -> channel.close(), IDLE_SECONDS, TimeUnit.SECONDS);
            }
        }

        @Override
        public void channelActive(ChannelHandlerContext context) {
            active = true;
            context.fireChannelActive();
            for (MirroredRequest request = waiting.poll(); request != null; request = waiting.poll()) {
                begin(request);
            }
        }

        @Override
        public void channelRead(ChannelHandlerContext context, Object frame) {
            if (frame instanceof Http2GoAwayFrame goAway) {
                leave();
                if (streams == 0 || goAway.errorCode() != Http2Error.NO_ERROR.code()) {
                    context.close();
                }
            }
            ReferenceCountUtil.release(frame);
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable broken) {
            context.close();
        }

        /** The next request goes over another connection. */
        private void leave() {
            leaving = true;
            if (current == this) {
                current = null;
                forget.run();
            }
        }

        private void closed() {
            leave();
            if (idleEnd != null) {
                idleEnd.cancel(false);
            }
            for (MirroredRequest request = waiting.poll(); request != null; request = waiting.poll()) {
                request.onFailure(Failure.CONNECT);
                request.finish();
            }
        }
    }

    private static final class Stream extends SimpleChannelInboundHandler<Http2StreamFrame> {
        private final Connection connection;
        private final MirroredRequest request;
        private boolean ended;

        Stream(Connection connection, MirroredRequest request) {
            this.connection = connection;
            this.request = request;
        }

        void begin(Http2StreamChannel channel) {
            channel.closeFuture().addListener(closed -> end(Failure.RESET));
            request.abortBy(channel::close);
            if (!request.connected()) {
                channel.close();
                return;
            }
            boolean bodiless = request.body().length == 0;
            channel.write(new DefaultHttp2HeadersFrame(headers(request), bodiless));
            if (!bodiless) {
                channel.write(new DefaultHttp2DataFrame(Unpooled.wrappedBuffer(request.body()), true));
            }
            channel.flush();
        }

        @Override
        protected void channelRead0(ChannelHandlerContext context, Http2StreamFrame frame) {
            request.bytesReceived();
            if (frame instanceof Http2HeadersFrame headers) {
                int status = status(headers.headers());
                if (status >= 200 && request.responseCode() == 0) {
                    request.onResponse(status, name -> joined(headers.headers(), name));
                }
                endIf(headers.isEndStream(), context);
            } else if (frame instanceof Http2DataFrame data) {
                endIf(data.isEndStream(), context);
            } else if (frame instanceof Http2ResetFrame) {
                context.close();
            }
        }

        private void endIf(boolean last, ChannelHandlerContext context) {
            if (last) {
                if (request.responseCode() != 0) {
                    finish();
                }
                context.close();
            }
        }

        void end(Failure failure) {
            if (!ended) {
                request.onFailure(failure);
                finish();
            }
        }

        private void finish() {
            ended = true;
            request.finish();
            connection.ended();
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable broken) {
            context.close();
        }

        /** 0: none, as in trailers. */
        private static int status(Http2Headers headers) {
            String status = headers.status() == null ? "" : headers.status().toString();
            return status.length() == 3 && status.chars().allMatch(c -> c >= '0' && c <= '9') ? Integer.parseInt(status) : 0;
        }

        private static String joined(Http2Headers headers, String name) {
            var values = headers.getAll(name);
            return values.isEmpty() ? null : String.join(",", values);
        }
    }

    private static Http2Headers headers(MirroredRequest request) {
        Http2Headers headers = new DefaultHttp2Headers()
                .method(request.method())
                .scheme("http")
                .authority(request.wireAuthority())
                .path(request.path());
        for (Map.Entry<String, String> header : request.wireHeaders()) {
            String name = header.getKey().toLowerCase(Locale.ROOT);
            if (!name.equals("te") || header.getValue().equals("trailers")) {
                headers.add(name, header.getValue());
            }
        }
        if (request.body().length > 0) {
            headers.set("content-length", Integer.toString(request.body().length));
        }
        return headers;
    }
}
