package io.weft.driver;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.DefaultFileRegion;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.codec.http2.DefaultHttp2Connection;
import io.netty.handler.codec.http2.Http2Connection;
import io.netty.handler.codec.http2.HttpConversionUtil;
import io.netty.handler.codec.http2.HttpToHttp2ConnectionHandlerBuilder;
import io.netty.handler.codec.http2.InboundHttp2ToHttpAdapterBuilder;
import io.netty.handler.proxy.HttpProxyHandler;
import io.netty.handler.ssl.SslHandler;
import io.netty.resolver.NoopAddressResolverGroup;
import io.netty.util.ReferenceCountUtil;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;

/**
 * An app that has made itself a client of Netty's codecs: a {@link Bootstrap} of its own, for one request at a time. Reads one {@link Form} a line as
 * {@link ClientDriver} does, with {@code how.HOW} in place of ways, see {@link How}; {@code timeout} is for the connection, {@code https} is TLS of the
 * app's own with the JDK's default context.
 *
 * <p>The answer is that of a client driver, and {@code seen.events}: what the app's last handler saw and what its future of the connection was told, line by line in that order,
 * which says so where it was not on the event loop; {@code seen.pipeline}: its handlers, but those whose name begins with {@code weft}; {@code seen.remote}.
 * A failure has {@code seen.events}, too, {@code refused} if its class is a {@link ConnectException}, and {@code open} if the channel still is.
 */
public final class NettyClient {
    /** Longer than Netty's own for a connection. */
    private static final int PATIENCE_SECONDS = 45;
    private static final int LARGEST = 64 << 20;
    private static final long CANCELS_AFTER_MILLIS = 300;

    public enum How {
        /** Over a connection to that authority that is kept, if there is one; it is kept afterwards. */
        KEPT,
        /** HTTP/2, of which the app knows beforehand that the server speaks it. */
        HTTP2,
        /** The channel does not read by itself. */
        READS,
        /** The body is a file that the kernel is to send. */
        FILE,
        /** The request is written by the listener of the connection's future. */
        IN_LISTENER,
        /** The request is written when the channel is active. */
        WHEN_ACTIVE,
        /** The codec comes into the pipeline when the channel is active. */
        CODEC_LATER,
        /** No codec: the body is sent as it is, and the answer is what comes first. */
        BYTES,
        /** The app asks for the connection on a thread of its own: the listener of its future may then come late, and whatever is told at once before the channel's registration. */
        FROM_OUTSIDE,
        /** The connection's future is cancelled after {@value NettyClient#CANCELS_AFTER_MILLIS} ms. */
        CANCEL
    }

    private final EventLoopGroup threads = new NioEventLoopGroup(1);
    private final Map<String, Watch> kept = new HashMap<>();

    private NettyClient() {}

    public static void main(String[] args) throws IOException {
        NettyClient client = new NettyClient();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            Map<String, String> fields = Form.read(line);
            Set<How> how = EnumSet.noneOf(How.class);
            for (How one : How.values()) {
                if (fields.containsKey("how." + one)) {
                    how.add(one);
                }
            }
            System.out.println(Form.write(client.answer(new Request(HttpCall.of(fields), URI.create(fields.get("url")), how))));
        }
        System.exit(0);
    }

    private record Request(HttpCall call, URI url, Set<How> how) {
        boolean is(How one) {
            return how.contains(one);
        }

        boolean isSecure() {
            return url.getScheme().equals("https");
        }

        int port() {
            return url.getPort() > 0 ? url.getPort() : isSecure() ? 443 : 80;
        }
    }

    private Map<String, String> answer(Request request) {
        Watch open = request.is(How.KEPT) ? kept.remove(request.url.getAuthority()) : null;
        Watch watch = open != null && open.channel.isActive() ? open : new Watch(request);
        try {
            return exchange(request, watch);
        } catch (Exception failure) {
            Map<String, String> form = new LinkedHashMap<>();
            form.put("error", failure.getClass().getName());
            form.put("message", String.valueOf(failure.getMessage()));
            form.put("causes", causes(failure));
            if (failure instanceof ConnectException) {
                form.put("refused", "");
            }
            if (watch.channel != null && watch.channel.isOpen()) {
                form.put("open", "");
                watch.channel.close();
            }
            form.put("seen.events", String.join("\n", watch.events));
            return form;
        }
    }

    private static String causes(Throwable failure) {
        List<String> names = new ArrayList<>();
        for (Throwable cause = failure.getCause(); cause != null; cause = cause.getCause()) {
            names.add(cause.getClass().getName());
        }
        return String.join(",", names);
    }

    private Map<String, String> exchange(Request request, Watch watch) throws Exception {
        watch.begin(request);
        if (watch.channel == null) {
            connect(request, watch);
        }
        if (watch.sendsLater()) {
            watch.send(watch.channel);
        }
        Map<String, String> answer;
        try {
            answer = watch.answer.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            watch.channel.close();
            watch.awaitEnd();
            throw e.getCause() instanceof Exception cause ? cause : e;
        }
        if (request.is(How.KEPT)) {
            kept.put(request.url.getAuthority(), watch);
        } else {
            if (answer.containsKey("open")) {
                watch.channel.close();
            }
            watch.awaitEnd();
        }
        answer.remove("open");
        answer.put("seen.events", String.join("\n", watch.events));
        return answer;
    }

    private void connect(Request request, Watch watch) throws Exception {
        HttpCall call = request.call;
        Bootstrap bootstrap = new Bootstrap()
                .group(threads)
                .channel(NioSocketChannel.class)
                .option(ChannelOption.AUTO_READ, !request.is(How.READS))
                .handler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) throws Exception {
                        watch.channel = channel;
                        ChannelPipeline pipeline = channel.pipeline();
                        if (call.proxyPort() > 0) {
                            pipeline.addLast(new HttpProxyHandler(new InetSocketAddress("127.0.0.1", call.proxyPort())));
                        }
                        if (request.isSecure()) {
                            pipeline.addLast(tls(request));
                        }
                        pipeline.addLast("app", watch);
                        if (!request.is(How.CODEC_LATER)) {
                            addCodecs(pipeline, request);
                        }
                    }
                });
        if (call.timeoutMillis() > 0) {
            bootstrap.option(ChannelOption.CONNECT_TIMEOUT_MILLIS, call.timeoutMillis());
        }
        if (call.proxyPort() > 0) {
            // The proxy knows the name.
            bootstrap.resolver(NoopAddressResolverGroup.INSTANCE);
        }
        Callable<ChannelFuture> connect = () -> bootstrap.connect(request.url.getHost(), request.port()).addListener((ChannelFutureListener) watch::connected);
        ChannelFuture connecting = request.is(How.FROM_OUTSIDE) ? connect.call() : threads.submit(connect).get();
        if (request.is(How.CANCEL)) {
            Thread.sleep(CANCELS_AFTER_MILLIS);
            connecting.cancel(true);
        }
        if (!connecting.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
            throw new IllegalStateException("neither connected nor refused");
        }
        if (!connecting.isSuccess()) {
            watch.awaitEnd();
            throw connecting.cause() instanceof Exception cause ? cause : new IllegalStateException(connecting.cause());
        }
    }

    private static SslHandler tls(Request request) throws NoSuchAlgorithmException {
        SSLEngine engine = SSLContext.getDefault().createSSLEngine(request.url.getHost(), request.port());
        engine.setUseClientMode(true);
        return new SslHandler(engine);
    }

    private static void addCodecs(ChannelPipeline pipeline, Request request) {
        if (request.is(How.HTTP2)) {
            Http2Connection connection = new DefaultHttp2Connection(false);
            pipeline.addBefore("app", "codec", new HttpToHttp2ConnectionHandlerBuilder()
                    .connection(connection)
                    .frameListener(new InboundHttp2ToHttpAdapterBuilder(connection).maxContentLength(LARGEST).build())
                    .build());
        } else if (!request.is(How.BYTES)) {
            pipeline.addBefore("app", "codec", new HttpClientCodec());
            pipeline.addBefore("app", "aggregator", new HttpObjectAggregator(LARGEST));
        }
    }

    /** The last handler of a channel, and whoever waits for what it says. */
    private static final class Watch extends ChannelInboundHandlerAdapter {
        final List<String> events = new CopyOnWriteArrayList<>();
        private final CountDownLatch over = new CountDownLatch(1);
        private volatile Request request;
        volatile CompletableFuture<Map<String, String>> answer;
        /** Null: there is none yet. */
        volatile Channel channel;

        Watch(Request request) {
            this.request = request;
        }

        void begin(Request next) {
            request = next;
            answer = new CompletableFuture<>();
            events.clear();
        }

        /** Of a connection that is kept, always: it is active already. */
        boolean sendsLater() {
            return request.is(How.KEPT) || !request.is(How.IN_LISTENER) && !request.is(How.WHEN_ACTIVE) && !request.is(How.CODEC_LATER);
        }

        private void note(String event) {
            events.add(channel.eventLoop().inEventLoop() ? event : event + " (elsewhere)");
        }

        void connected(ChannelFuture future) {
            note(future.isSuccess() ? "connected" : "not connected");
            if (future.isSuccess() && request.is(How.IN_LISTENER)) {
                sendAsAnApp(future.channel());
            }
        }

        void awaitEnd() throws InterruptedException {
            if (!over.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                throw new IllegalStateException("the channel is not closed: " + events);
            }
        }

        private void sendAsAnApp(Channel channel) {
            try {
                send(channel);
            } catch (IOException e) {
                answer.completeExceptionally(e);
            }
        }

        void send(Channel channel) throws IOException {
            HttpCall call = request.call;
            ByteBuf body = Unpooled.copiedBuffer(call.body(), StandardCharsets.UTF_8);
            if (request.is(How.BYTES)) {
                written(channel.writeAndFlush(body));
            } else if (request.is(How.FILE)) {
                Path file = Files.writeString(Files.createTempFile("weft-driver", null), call.body());
                channel.closeFuture().addListener(closed -> Files.deleteIfExists(file));
                HttpRequest head = new DefaultHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.valueOf(call.method()), target());
                addHeaders(head, body.readableBytes());
                channel.write(head);
                channel.write(new DefaultFileRegion(file.toFile(), 0, body.readableBytes()));
                written(channel.writeAndFlush(LastHttpContent.EMPTY_LAST_CONTENT));
                body.release();
            } else {
                HttpRequest whole = new DefaultFullHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.valueOf(call.method()), target(), body);
                addHeaders(whole, body.readableBytes());
                written(channel.writeAndFlush(whole));
            }
            if (request.is(How.READS)) {
                channel.read();
            }
        }

        private String target() {
            String path = request.url.getRawPath().isEmpty() ? "/" : request.url.getRawPath();
            return request.url.getRawQuery() == null ? path : path + "?" + request.url.getRawQuery();
        }

        private void addHeaders(HttpRequest head, int length) {
            head.headers().set(HttpHeaderNames.HOST, request.url.getAuthority());
            request.call.headers().forEach(head.headers()::set);
            if (length > 0) {
                HttpUtil.setContentLength(head, length);
            }
            if (request.is(How.HTTP2)) {
                head.headers().set(HttpConversionUtil.ExtensionHeaderNames.SCHEME.text(), request.url.getScheme());
            }
        }

        private void written(ChannelFuture sent) {
            sent.addListener(done -> {
                if (!done.isSuccess()) {
                    answer.completeExceptionally(done.cause());
                }
            });
        }

        @Override
        public void channelRegistered(ChannelHandlerContext context) {
            note("registered");
            context.fireChannelRegistered();
        }

        @Override
        public void channelActive(ChannelHandlerContext context) {
            note("active");
            if (request.is(How.CODEC_LATER)) {
                addCodecs(context.pipeline(), request);
            }
            if (request.is(How.WHEN_ACTIVE) || request.is(How.CODEC_LATER)) {
                sendAsAnApp(context.channel());
            }
            context.fireChannelActive();
        }

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            note("read");
            try {
                Map<String, String> form = new LinkedHashMap<>();
                if (message instanceof FullHttpResponse response) {
                    form.put("status", Integer.toString(response.status().code()));
                    response.headers().forEach(header -> form.merge(
                            "header." + header.getKey().toLowerCase(Locale.ROOT), header.getValue(), (some, more) -> some + ", " + more));
                    form.put("body", response.content().toString(StandardCharsets.UTF_8));
                    if (HttpUtil.isKeepAlive(response) && (HttpUtil.isContentLengthSet(response) || request.is(How.HTTP2))) {
                        form.put("open", "");
                    }
                } else {
                    form.put("status", "0");
                    form.put("body", ((ByteBuf) message).toString(StandardCharsets.UTF_8));
                    form.put("open", "");
                }
                form.put("seen.pipeline", context.pipeline().names().stream().filter(name -> !name.startsWith("weft")).collect(Collectors.joining(",")));
                form.put("seen.remote", String.valueOf(context.channel().remoteAddress()));
                answer.complete(form);
            } finally {
                ReferenceCountUtil.release(message);
            }
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext context) {
            if (request.is(How.READS)) {
                context.read();
            }
            context.fireChannelReadComplete();
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext context, Object event) {
            note("event " + event.getClass().getSimpleName());
            context.fireUserEventTriggered(event);
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            note("inactive");
            answer.completeExceptionally(new IOException("closed without an answer"));
            context.fireChannelInactive();
        }

        @Override
        public void channelUnregistered(ChannelHandlerContext context) {
            note("unregistered");
            over.countDown();
            context.fireChannelUnregistered();
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable failure) {
            note("exception " + failure.getClass().getName() + ": " + failure.getMessage());
            answer.completeExceptionally(failure);
        }
    }
}
