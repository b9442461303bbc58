package io.weft.controlplane.injector;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
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
import io.netty.handler.codec.http.HttpMessage;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.codec.http.QueryStringDecoder;
import io.netty.handler.flow.FlowControlHandler;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.timeout.ReadTimeoutHandler;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.DefaultEventExecutorGroup;
import io.netty.util.concurrent.EventExecutorGroup;
import io.weft.controlplane.port.Quota;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
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
    private static final Duration HANDSHAKE = Duration.ofSeconds(10);
    private static final Duration REQUEST = Duration.ofSeconds(10);
    /** They may have to wait for the cluster's API. */
    private static final int REVIEW_THREADS = 16;

    /** An API server has a connection for each pod that is being created, and creates 200 objects at once. */
    static final int MAX_CONNECTIONS_OF_ONE = 256;
    private static final int MAX_CONNECTIONS = 512;
    /**
     * Of bodies that are here and not answered: read, some take many times as much. Most have some 20 KiB, so that what an API server sends
     * at once may be more, and the rest has to wait.
     */
    private static final long MAX_BODIES = 2 * MAX_BODY;
    /** Less than the API server's own patience, which is five seconds. */
    private static final Duration TURN = Duration.ofSeconds(3);
    private static final Duration COMPLAINT = Duration.ofMinutes(1);

    private final PodInjection injection;
    private final Supplier<Optional<SslContext>> tls;
    private final EventLoopGroup loops = new MultiThreadIoEventLoopGroup(2, NioIoHandler.newFactory());
    private final Quota connections = new Quota(MAX_CONNECTIONS, MAX_CONNECTIONS_OF_ONE);
    private final Quota bodies = new Quota(MAX_BODIES, MAX_BODY);
    private final AtomicLong complained = new AtomicLong(System.nanoTime() - COMPLAINT.toNanos());
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
            // Null where the client has gone again.
            InetSocketAddress remote = accepted.remoteAddress();
            if (context.isEmpty() || remote == null) {
                accepted.close();
                return;
            }
            InetAddress client = remote.getAddress();
            if (!connections.take(client, 1)) {
                complain("connections", client);
                accepted.close();
                return;
            }
            accepted.closeFuture().addListener(closed -> connections.giveBack(client, 1));
            SslHandler ssl = context.get().newHandler(accepted.alloc());
            ssl.setHandshakeTimeoutMillis(HANDSHAKE.toMillis());
            RequestDeadline deadline = new RequestDeadline(REQUEST);
            Gate gate = new Gate(client, deadline);
            accepted.pipeline()
                    .addLast(new ReadTimeoutHandler(IDLE.toSeconds(), TimeUnit.SECONDS))
                    .addLast(ssl)
                    .addLast(deadline)
                    .addLast(new HttpServerCodec())
                    // What has been decoded comes no further while the gate waits.
                    .addLast(new FlowControlHandler())
                    .addLast(gate)
                    .addLast(new HttpObjectAggregator(MAX_BODY))
                    .addLast(reviews, new Requests(client, gate));
        }
    }

    private void complain(String what, InetAddress client) {
        long now = System.nanoTime();
        long last = complained.get();
        if (now - last >= COMPLAINT.toNanos() && complained.compareAndSet(last, now)) {
            LOG.warn("there are too many {}, and {} gets no more; pods may have to be created without the agent", what, client.getHostAddress());
        }
    }

    /**
     * Looks at a request before its body is read. One for whose body there is no room waits for it, unread; what is refused is answered at
     * once, and what else comes of it is dropped.
     */
    private final class Gate extends ChannelInboundHandlerAdapter {
        private final InetAddress client;
        private final RequestDeadline deadline;
        /** One at a time: who does not wait for the answers has them pile up here. */
        private final AtomicBoolean busy = new AtomicBoolean();
        /** What has been taken for a body that is not here as a whole. Confined to the event loop, as what follows. */
        private long coming;
        private boolean refused;
        private ChannelFuture refusal;
        /** Null: nothing waits. */
        private Quota.Waiting waiting;

        Gate(InetAddress client, RequestDeadline deadline) {
            this.client = client;
            this.deadline = deadline;
        }

        /** Before the answer is written, since the next request may come as soon as it is. Any thread. */
        void free() {
            busy.set(false);
        }

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            if (!refused && message instanceof HttpRequest head) {
                begin(context, head);
                if (waiting != null) {
                    return;
                }
            }
            boolean last = message instanceof LastHttpContent;
            if (last) {
                deadline.met();
                // It is whoever answers who gives back what has been taken.
                coming = 0;
            }
            if (!refused) {
                context.fireChannelRead(message);
                return;
            }
            ReferenceCountUtil.release(message);
            if (last && refusal != null) {
                refusal.addListener(ChannelFutureListener.CLOSE);
            }
        }

        private void begin(ChannelHandlerContext context, HttpRequest head) {
            if (!busy.compareAndSet(false, true) || !context.channel().isWritable()) {
                refused = true;
                context.close();
                return;
            }
            Optional<FullHttpResponse> reason = refusal(head);
            if (reason.isPresent()) {
                refuse(context, reason.get());
                return;
            }
            long length = length(head);
            Quota.Waiting place = new Quota.Waiting(
                    client, length, () -> context.executor().execute(() -> granted(context, head, length)));
            if (bodies.takeOrWait(place)) {
                coming = length;
                return;
            }
            waiting = place;
            context.channel().config().setAutoRead(false);
            context.executor().schedule(() -> giveUp(context, place), TURN.toMillis(), TimeUnit.MILLISECONDS);
        }

        private void refuse(ChannelHandlerContext context, FullHttpResponse reason) {
            refused = true;
            HttpUtil.setKeepAlive(reason, false);
            refusal = context.writeAndFlush(reason);
        }

        private void granted(ChannelHandlerContext context, HttpRequest head, long length) {
            waiting = null;
            if (!context.channel().isActive()) {
                bodies.giveBack(client, length);
                return;
            }
            coming = length;
            context.fireChannelRead(head);
            context.channel().config().setAutoRead(true);
        }

        private void giveUp(ChannelHandlerContext context, Quota.Waiting place) {
            if (!bodies.giveUp(place)) {
                return;
            }
            waiting = null;
            if (context.channel().isActive()) {
                complain("reviews at once", client);
                refuse(context, text(HttpResponseStatus.SERVICE_UNAVAILABLE, "there are too many reviews at once"));
                context.channel().config().setAutoRead(true);
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            bodies.giveBack(client, coming);
            coming = 0;
            context.fireChannelInactive();
        }
    }

    private static long length(HttpMessage message) {
        return HttpUtil.getContentLength(message, 0L);
    }

    private static String path(HttpRequest request) {
        return new QueryStringDecoder(request.uri()).path();
    }

    /** Empty: it is worth being read. */
    private static Optional<FullHttpResponse> refusal(HttpRequest head) {
        if (head.decoderResult().isFailure()) {
            return Optional.of(text(HttpResponseStatus.BAD_REQUEST, "this is no HTTP"));
        }
        if (HttpUtil.isTransferEncodingChunked(head)) {
            return Optional.of(text(HttpResponseStatus.LENGTH_REQUIRED, "say by content-length how long it is"));
        }
        if (length(head) > MAX_BODY) {
            return Optional.of(text(HttpResponseStatus.REQUEST_ENTITY_TOO_LARGE, "no review is longer than " + MAX_BODY + " bytes"));
        }
        switch (path(head)) {
            case "/healthz", "/readyz":
                return Optional.empty();
            case "/inject":
                break;
            default:
                return Optional.of(text(HttpResponseStatus.NOT_FOUND, "there are /inject, /healthz and /readyz"));
        }
        if (!head.method().equals(HttpMethod.POST)) {
            return Optional.of(text(HttpResponseStatus.METHOD_NOT_ALLOWED, "POST an AdmissionReview"));
        }
        String type = head.headers().get(HttpHeaderNames.CONTENT_TYPE, "");
        return type.split(";", 2)[0].strip().equalsIgnoreCase("application/json")
                ? Optional.empty()
                : Optional.of(text(HttpResponseStatus.UNSUPPORTED_MEDIA_TYPE, "the content type must be application/json"));
    }

    private final class Requests extends SimpleChannelInboundHandler<FullHttpRequest> {
        private final InetAddress client;
        private final Gate gate;

        Requests(InetAddress client, Gate gate) {
            this.client = client;
            this.gate = gate;
        }

        @Override
        protected void channelRead0(ChannelHandlerContext context, FullHttpRequest request) {
            long length = length(request);
            boolean keepAlive = HttpUtil.isKeepAlive(request);
            ChannelFuture written;
            try {
                FullHttpResponse response = answer(request);
                HttpUtil.setKeepAlive(response, keepAlive);
                gate.free();
                written = context.writeAndFlush(response);
            } catch (RuntimeException | Error e) {
                bodies.giveBack(client, length);
                throw e;
            }
            written.addListener(done -> bodies.giveBack(client, length));
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
        return path(request).equals("/inject") ? review(request) : text(HttpResponseStatus.OK, "ok");
    }

    private FullHttpResponse review(FullHttpRequest request) {
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
