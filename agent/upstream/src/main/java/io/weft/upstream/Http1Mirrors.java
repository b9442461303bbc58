package io.weft.upstream;

import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.concurrent.Future;
import io.weft.dataplane.Exchange.Failure;
import io.weft.dataplane.MirroredRequest;
import java.util.ArrayDeque;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** HTTP/1.1: a connection for each request under way, and a few that wait for the next. */
final class Http1Mirrors implements MirrorConnections {
    private static final int MOST_IDLE = 16;
    private static final long IDLE_SECONDS = 30;

    private final Dial dial;
    private final Runnable forget;
    /** The one that was used last is used first. */
    private final ArrayDeque<Connection> idle = new ArrayDeque<>();
    private int open;

    Http1Mirrors(Dial dial, Runnable forget) {
        this.dial = dial;
        this.forget = forget;
    }

    @Override
    public void send(MirroredRequest request) {
        Connection connection = idle.pollFirst();
        if (connection != null) {
            connection.next(request);
            return;
        }
        open++;
        Connection fresh = new Connection(request);
        var connecting = dial.connect(request.connectTimeoutNanos(), pipeline -> pipeline.addLast(new HttpClientCodec(), fresh));
        fresh.on(connecting.channel());
        connecting.channel().closeFuture().addListener(closed -> fresh.closed());
    }

    private final class Connection extends SimpleChannelInboundHandler<HttpObject> {
        private Channel channel;
        /** Null while the connection waits for one. */
        private MirroredRequest request;
        private boolean sent;
        private boolean keepAlive;
        /** Null but while it waits. */
        private Future<?> idleEnd;

        Connection(MirroredRequest first) {
            request = first;
        }

        void on(Channel channel) {
            this.channel = channel;
            request.abortBy(channel::close);
        }

        void next(MirroredRequest next) {
            idleEnd.cancel(false);
            request = next;
            request.abortBy(channel::close);
            write();
        }

        @Override
        public void channelActive(ChannelHandlerContext context) {
            write();
        }

        private void write() {
            sent = false;
            if (!request.connected()) {
                channel.close();
                return;
            }
            sent = true;
            channel.writeAndFlush(message(request));
        }

        @Override
        protected void channelRead0(ChannelHandlerContext context, HttpObject part) {
            if (part.decoderResult().isFailure() || request == null) {
                context.close();
                return;
            }
            request.bytesReceived();
            if (part instanceof HttpResponse head && head.status().code() >= 200) {
                keepAlive = HttpUtil.isKeepAlive(head);
                request.onResponse(head.status().code(), name -> joined(head, name));
            }
            if (part instanceof LastHttpContent && request.responseCode() != 0) {
                finish();
            }
        }

        private void finish() {
            request.finish();
            request = null;
            if (!keepAlive || idle.size() >= MOST_IDLE) {
                channel.close();
                return;
            }
            idleEnd = channel.eventLoop().schedule(() -> channel.close(), IDLE_SECONDS, TimeUnit.SECONDS);
            idle.addFirst(this);
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable broken) {
            context.close();
        }

        void closed() {
            if (idleEnd != null) {
                idleEnd.cancel(false);
                idle.remove(this);
            }
            if (request != null) {
                request.onFailure(sent ? Failure.RESET : Failure.CONNECT);
                request.finish();
                request = null;
            }
            open--;
            if (open == 0) {
                forget.run();
            }
        }
    }

    private static String joined(HttpResponse head, String name) {
        var values = head.headers().getAll(name);
        return values.isEmpty() ? null : String.join(",", values);
    }

    private static FullHttpRequest message(MirroredRequest request) {
        FullHttpRequest message = new DefaultFullHttpRequest(
                HttpVersion.HTTP_1_1,
                HttpMethod.valueOf(request.method()),
                request.path(),
                Unpooled.wrappedBuffer(request.body()));
        message.headers().set(HttpHeaderNames.HOST, request.wireAuthority());
        for (Map.Entry<String, String> header : request.wireHeaders()) {
            message.headers().add(header.getKey(), header.getValue());
        }
        if (request.body().length > 0 || expectsBody(request.method())) {
            message.headers().set(HttpHeaderNames.CONTENT_LENGTH, request.body().length);
        }
        return message;
    }

    private static boolean expectsBody(String method) {
        return method.equals("POST") || method.equals("PUT") || method.equals("PATCH");
    }
}
