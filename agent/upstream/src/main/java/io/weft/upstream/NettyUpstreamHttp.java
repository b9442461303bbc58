package io.weft.upstream;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.ssl.SslHandler;
import io.weft.dataplane.Endpoint;
import io.weft.dataplane.UpstreamHttp;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/** HTTP/1.1, a connection for each request. Thread-safe. */
public final class NettyUpstreamHttp implements UpstreamHttp {
    private static final int MAX_BODY_BYTES = 1 << 20;

    private final UpstreamThread thread;

    public NettyUpstreamHttp(UpstreamThread thread) {
        this.thread = thread;
    }

    @Override
    public void get(Endpoint endpoint, String authority, String path, long timeoutNanos, Consumer<String> onBody) {
        Fetch fetch = new Fetch(authority, path, onBody);
        Channel channel = new Bootstrap()
                .group(thread.loop())
                .channel(NioSocketChannel.class)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, (int) Math.max(1, Math.min(Integer.MAX_VALUE, timeoutNanos / 1_000_000)))
                .handler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel created) {
                        if (endpoint.tls() != null) {
                            created.pipeline().addLast(new SslHandler(endpoint.tls().engine(endpoint.address())));
                        }
                        created.pipeline().addLast(new HttpClientCodec(), new HttpObjectAggregator(MAX_BODY_BYTES), fetch);
                    }
                })
                .connect(endpoint.address())
                .addListener(connected -> {
                    if (!connected.isSuccess()) {
                        fetch.end(null);
                    }
                })
                .channel();
        var timeout = channel.eventLoop().schedule(() -> {
            fetch.end(null);
            channel.close();
        }, timeoutNanos, TimeUnit.NANOSECONDS);
        channel.closeFuture().addListener(closed -> {
            timeout.cancel(false);
            fetch.end(null);
        });
    }

    private static final class Fetch extends SimpleChannelInboundHandler<FullHttpResponse> {
        private final String authority;
        private final String path;
        private final Consumer<String> onBody;
        private final AtomicBoolean ended = new AtomicBoolean();

        Fetch(String authority, String path, Consumer<String> onBody) {
            this.authority = authority;
            this.path = path;
            this.onBody = onBody;
        }

        /** Tells once. */
        void end(String body) {
            if (ended.compareAndSet(false, true)) {
                onBody.accept(body);
            }
        }

        @Override
        public void channelActive(ChannelHandlerContext context) {
            var request = new DefaultFullHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.GET, path);
            request.headers()
                    .set(HttpHeaderNames.HOST, authority)
                    .set(HttpHeaderNames.ACCEPT, "application/json")
                    .set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
            context.writeAndFlush(request);
        }

        @Override
        protected void channelRead0(ChannelHandlerContext context, FullHttpResponse response) {
            boolean ok = response.status().equals(HttpResponseStatus.OK) && response.decoderResult().isSuccess();
            end(ok ? response.content().toString(StandardCharsets.UTF_8) : null);
            context.close();
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            // Too large, or no HTTP: told by the close.
            context.close();
        }
    }
}
