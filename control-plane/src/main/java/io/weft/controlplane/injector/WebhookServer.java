package io.weft.controlplane.injector;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.QueryStringDecoder;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.timeout.ReadTimeoutHandler;
import io.netty.util.concurrent.DefaultEventExecutorGroup;
import io.netty.util.concurrent.EventExecutorGroup;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** {@code POST /inject} for the API server, {@code GET /healthz} and {@code /readyz} for the kubelet, over HTTPS. */
final class WebhookServer implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(WebhookServer.class);

    /** The API server takes objects of 3 MiB at most, and a review of a new pod holds one. */
    static final int MAX_BODY = 4 << 20;

    /** The API server keeps its connections. */
    private static final Duration IDLE = Duration.ofMinutes(5);
    /** They may have to wait for the cluster's API. */
    private static final int REVIEW_THREADS = 16;

    private final PodInjection injection;
    private final Supplier<Optional<SslContext>> tls;
    private final EventLoopGroup loops = new MultiThreadIoEventLoopGroup(2, NioIoHandler.newFactory());
    private final EventExecutorGroup reviews = new DefaultEventExecutorGroup(REVIEW_THREADS);
    private final Channel channel;

    /**
     * Listens.
     *
     * @param tls asked for each connection; while it is empty, none is taken
     */
    WebhookServer(InetSocketAddress listen, PodInjection injection, Supplier<Optional<SslContext>> tls) throws IOException {
        this.injection = injection;
        this.tls = tls;
        try {
            this.channel = new ServerBootstrap()
                    .group(loops)
                    .channel(NioServerSocketChannel.class)
                    .childOption(ChannelOption.TCP_NODELAY, true)
                    .childHandler(new Connection())
                    .bind(listen)
                    .syncUninterruptibly()
                    .channel();
        } catch (RuntimeException e) {
            stop();
            throw e;
        } catch (Exception e) {
            // Netty throws what it does not declare.
            stop();
            throw new IOException("cannot listen on " + listen + ": " + e.getMessage(), e);
        }
    }

    int port() {
        return ((InetSocketAddress) channel.localAddress()).getPort();
    }

    @Override
    public void close() {
        channel.close().syncUninterruptibly();
        stop();
    }

    /** Reviews under way are answered. */
    private void stop() {
        reviews.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
        loops.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
    }

    private final class Connection extends ChannelInitializer<SocketChannel> {
        @Override
        protected void initChannel(SocketChannel accepted) {
            Optional<SslContext> context = tls.get();
            if (context.isEmpty()) {
                accepted.close();
                return;
            }
            accepted.pipeline()
                    .addLast(new ReadTimeoutHandler(IDLE.toSeconds(), TimeUnit.SECONDS))
                    .addLast(context.get().newHandler(accepted.alloc()))
                    .addLast(new HttpServerCodec())
                    .addLast(new HttpObjectAggregator(MAX_BODY))
                    .addLast(reviews, new Requests());
        }
    }

    private final class Requests extends SimpleChannelInboundHandler<FullHttpRequest> {
        @Override
        protected void channelRead0(ChannelHandlerContext context, FullHttpRequest request) {
            FullHttpResponse response = answer(request);
            boolean keepAlive = HttpUtil.isKeepAlive(request);
            HttpUtil.setKeepAlive(response, keepAlive);
            var written = context.writeAndFlush(response);
            if (!keepAlive) {
                written.addListener(ChannelFutureListener.CLOSE);
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable failure) {
            // Most often a client that does not trust this certificate, or none of it yet.
            LOG.debug("connection from {} closed", context.channel().remoteAddress(), failure);
            context.close();
        }
    }

    private FullHttpResponse answer(FullHttpRequest request) {
        if (request.decoderResult().isFailure()) {
            return text(HttpResponseStatus.BAD_REQUEST, "this is no HTTP");
        }
        return switch (new QueryStringDecoder(request.uri()).path()) {
            case "/healthz", "/readyz" -> text(HttpResponseStatus.OK, "ok");
            case "/inject" -> request.method().equals(HttpMethod.POST)
                    ? review(request)
                    : text(HttpResponseStatus.METHOD_NOT_ALLOWED, "POST an AdmissionReview");
            default -> text(HttpResponseStatus.NOT_FOUND, "there are /inject, /healthz and /readyz");
        };
    }

    private FullHttpResponse review(FullHttpRequest request) {
        String type = request.headers().get(HttpHeaderNames.CONTENT_TYPE, "");
        if (!type.split(";", 2)[0].strip().equalsIgnoreCase("application/json")) {
            return text(HttpResponseStatus.UNSUPPORTED_MEDIA_TYPE, "the content type must be application/json");
        }
        AdmissionReview review;
        try {
            review = AdmissionReview.parse(ByteBufUtil.getBytes(request.content()));
        } catch (InvalidReviewException e) {
            LOG.warn("a request that is no review of a pod: {}", e.getMessage());
            return text(HttpResponseStatus.BAD_REQUEST, e.getMessage());
        }
        FullHttpResponse response = response(HttpResponseStatus.OK, Unpooled.wrappedBuffer(injection.answer(review)));
        response.headers().set(HttpHeaderNames.CONTENT_TYPE, "application/json");
        return response;
    }

    private static FullHttpResponse text(HttpResponseStatus status, String text) {
        FullHttpResponse response = response(status, Unpooled.copiedBuffer(text + "\n", StandardCharsets.UTF_8));
        response.headers().set(HttpHeaderNames.CONTENT_TYPE, "text/plain; charset=utf-8");
        return response;
    }

    private static FullHttpResponse response(HttpResponseStatus status, ByteBuf content) {
        FullHttpResponse response = new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, status, content);
        HttpUtil.setContentLength(response, content.readableBytes());
        return response;
    }
}
