package io.weft.driver;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBufInputStream;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.DefaultFileRegion;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.ssl.SslHandler;
import java.io.File;
import java.io.RandomAccessFile;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/**
 * Netty's own HTTP/1.1 codec behind a {@link ServerBootstrap}; requests are answered by another thread, one after the other. Argument: the
 * instance's name. Paths: {@code /slow/MILLIS}; {@code /async/MILLIS}, answered by the event loop after a while; {@code /exit/STATUS}, on the
 * event loop; {@code /chunks}; {@code /seen}, what the pipeline says of the connection; {@code /empty}; {@code /fail}; {@code /file}, which the
 * kernel sends, and {@code /big}.
 */
public final class NettyServer implements ServerDriver.Server {
    private static final long FILE_SIZE = 32 << 20;
    private static final long BIG_FILE_SIZE = 1L << 30;
    private static final int MOST_BODY = 16 << 20;

    private final EventLoopGroup loops = new NioEventLoopGroup();
    private final ExecutorService workers = Executors.newCachedThreadPool();
    private final Path folder = Files.createTempDirectory("netty");
    private final String instance;
    private final Channel channel;

    private NettyServer(String instance) throws Exception {
        this.instance = instance;
        channel = new ServerBootstrap()
                .group(loops)
                .channel(NioServerSocketChannel.class)
                .childHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel accepted) {
                        accepted.pipeline().addLast(new HttpServerCodec(), new HttpObjectAggregator(MOST_BODY), new Answer());
                    }
                })
                .bind(0).sync().channel();
    }

    public static void main(String[] args) throws Exception {
        ServerDriver.run(args, NettyServer::new);
    }

    @Override
    public int port() {
        return ((InetSocketAddress) channel.localAddress()).getPort();
    }

    @Override
    public void close() throws Exception {
        channel.close().sync();
    }

    private File file(long size) throws Exception {
        File file = folder.resolve("file-" + size).toFile();
        try (RandomAccessFile sparse = new RandomAccessFile(file, "rw")) {
            sparse.setLength(size);
        }
        return file;
    }

    private final class Answer extends SimpleChannelInboundHandler<FullHttpRequest> {
        private final Deque<FullHttpRequest> requests = new ArrayDeque<>();

        @Override
        protected void channelRead0(ChannelHandlerContext ctx, FullHttpRequest request) {
            requests.add(request.retain());
            if (requests.size() == 1) {
                answer(ctx, request);
            }
        }

        private void answer(ChannelHandlerContext ctx, FullHttpRequest request) {
            String path = request.uri().split("\\?", 2)[0];
            if (!request.decoderResult().isSuccess()) {
                send(ctx, request, HttpResponseStatus.BAD_REQUEST, "");
            } else if (path.startsWith("/exit/")) {
                System.exit(Integer.parseInt(path.substring("/exit/".length())));
            } else if (path.startsWith("/async/")) {
                ctx.executor().schedule(() -> send(ctx, request, HttpResponseStatus.OK, instance),
                        Long.parseLong(path.substring("/async/".length())), TimeUnit.MILLISECONDS);
            } else {
                workers.execute(() -> {
                    try {
                        answer(ctx, request, path);
                    } catch (Exception e) {
                        send(ctx, request, HttpResponseStatus.INTERNAL_SERVER_ERROR, e.toString());
                    }
                });
            }
        }

        private void answer(ChannelHandlerContext ctx, FullHttpRequest request, String path) throws Exception {
            switch (path) {
                case "/seen" -> send(ctx, request, HttpResponseStatus.OK,
                        (ctx.pipeline().get(SslHandler.class) != null) + " " + request.protocolVersion());
                case "/empty" -> send(ctx, request, HttpResponseStatus.NO_CONTENT, "");
                case "/fail" -> throw new IllegalStateException("asked to fail");
                case "/file" -> sendFile(ctx, request, FILE_SIZE);
                case "/big" -> sendFile(ctx, request, BIG_FILE_SIZE);
                case "/chunks" -> sendChunks(ctx, request);
                default -> send(ctx, request, HttpResponseStatus.OK, ServerDriver.answer(
                        instance, path, request.headers()::get, new ByteBufInputStream(request.content())));
            }
        }

        private void send(ChannelHandlerContext ctx, FullHttpRequest request, HttpResponseStatus status, String text) {
            byte[] body = text.getBytes(StandardCharsets.UTF_8);
            DefaultFullHttpResponse response = new DefaultFullHttpResponse(
                    HttpVersion.HTTP_1_1, status,
                    request.method().name().equals("HEAD") ? Unpooled.EMPTY_BUFFER : Unpooled.wrappedBuffer(body));
            if (status.code() != 204) {
                HttpUtil.setContentLength(response, body.length);
            }
            ctx.executor().execute(() -> {
                keepAlive(request, response);
                over(ctx, request, ctx.writeAndFlush(response));
            });
        }

        private void sendFile(ChannelHandlerContext ctx, FullHttpRequest request, long size) throws Exception {
            File file = file(size);
            ctx.executor().execute(() -> {
                HttpResponse head = new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.OK);
                HttpUtil.setContentLength(head, size);
                keepAlive(request, head);
                ctx.write(head);
                ctx.write(new DefaultFileRegion(file, 0, size));
                over(ctx, request, ctx.writeAndFlush(LastHttpContent.EMPTY_LAST_CONTENT));
            });
        }

        private void sendChunks(ChannelHandlerContext ctx, FullHttpRequest request) {
            ctx.executor().execute(() -> {
                HttpResponse head = new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.OK);
                HttpUtil.setTransferEncodingChunked(head, true);
                keepAlive(request, head);
                ctx.write(head);
                for (String chunk : new String[] {"one ", "two ", "three"}) {
                    ctx.writeAndFlush(new DefaultHttpContent(Unpooled.copiedBuffer(chunk, StandardCharsets.UTF_8)));
                }
                over(ctx, request, ctx.writeAndFlush(LastHttpContent.EMPTY_LAST_CONTENT));
            });
        }

        private void keepAlive(FullHttpRequest request, HttpResponse response) {
            if (!HttpUtil.isKeepAlive(request)) {
                response.headers().set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
            } else if (request.protocolVersion().equals(HttpVersion.HTTP_1_0)) {
                response.headers().set(HttpHeaderNames.CONNECTION, HttpHeaderValues.KEEP_ALIVE);
            }
        }

        private void over(ChannelHandlerContext ctx, FullHttpRequest request, ChannelFuture sent) {
            if (!HttpUtil.isKeepAlive(request) || !request.decoderResult().isSuccess()) {
                sent.addListener(ChannelFutureListener.CLOSE);
            }
            requests.remove().release();
            if (!requests.isEmpty()) {
                answer(ctx, requests.peek());
            }
        }
    }
}
