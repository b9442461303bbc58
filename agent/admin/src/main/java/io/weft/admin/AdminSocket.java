package io.weft.admin;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerDomainSocketChannel;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.timeout.ReadTimeoutHandler;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;

/** Answers GET over HTTP/1.1, one request a connection, on one daemon thread of its own. */
public final class AdminSocket implements AutoCloseable {
    private static final int MAX_REQUEST_BYTES = 64 * 1024;
    private static final int REQUEST_SECONDS = 10;

    private final EventLoopGroup group;
    private final Path path;

    private AdminSocket(EventLoopGroup group, Path path) {
        this.group = group;
        this.path = path;
    }

    /**
     * @param pages by path, as {@code /status}
     * @throws IOException when there can be no socket; nothing is left behind
     */
    public static AdminSocket open(SocketDirectory directory, long pid, Map<String, AdminPage> pages) throws IOException {
        directory.prepare();
        Path path = directory.socket(pid);
        // Of a dead process that had the same id.
        Files.deleteIfExists(path);
        EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, new Threads(), NioIoHandler.newFactory());
        Channel channel = new ServerBootstrap()
                .group(group)
                .channel(NioServerDomainSocketChannel.class)
                .childHandler(new Pipeline(new TreeMap<>(pages)))
                .bind(UnixDomainSocketAddress.of(path))
                .awaitUninterruptibly()
                .channel();
        if (!channel.isActive()) {
            group.shutdownGracefully(0, 0, TimeUnit.SECONDS);
            throw new IOException("cannot listen on " + path + "; its whole path may have about 100 characters");
        }
        return new AdminSocket(group, path);
    }

    public Path path() {
        return path;
    }

    @Override
    public void close() {
        group.shutdownGracefully(0, 0, TimeUnit.SECONDS);
        try {
            Files.deleteIfExists(path);
        } catch (IOException left) {
            // Whoever asks next finds that nobody answers there.
            return;
        }
    }

    private static final class Pipeline extends ChannelInitializer<Channel> {
        private final Map<String, AdminPage> pages;

        Pipeline(Map<String, AdminPage> pages) {
            this.pages = pages;
        }

        @Override
        protected void initChannel(Channel channel) {
            channel.pipeline().addLast(new ReadTimeoutHandler(REQUEST_SECONDS), new HttpServerCodec(),
                    new HttpObjectAggregator(MAX_REQUEST_BYTES), new Answer(pages));
        }
    }

    private static final class Answer extends SimpleChannelInboundHandler<FullHttpRequest> {
        private static final String TEXT = "text/plain; charset=utf-8";

        private final Map<String, AdminPage> pages;

        Answer(Map<String, AdminPage> pages) {
            this.pages = pages;
        }

        @Override
        protected void channelRead0(ChannelHandlerContext context, FullHttpRequest request) {
            AdminPage page = pages.get(request.uri());
            if (page == null) {
                send(context, HttpResponseStatus.NOT_FOUND, TEXT, "There is no " + request.uri() + " here, but "
                        + String.join(", ", pages.keySet()) + "\n");
            } else if (!request.method().equals(HttpMethod.GET)) {
                send(context, HttpResponseStatus.METHOD_NOT_ALLOWED, TEXT, request.uri() + " can only be read: use GET\n");
            } else {
                answer(context, page);
            }
        }

        private static void answer(ChannelHandlerContext context, AdminPage page) {
            String content;
            try {
                content = page.content().get();
            } catch (RuntimeException fault) {
                send(context, HttpResponseStatus.INTERNAL_SERVER_ERROR, TEXT, "The agent cannot say: " + fault + "\n");
                return;
            }
            send(context, HttpResponseStatus.OK, page.contentType(), content);
        }

        private static void send(ChannelHandlerContext context, HttpResponseStatus status, String type, String content) {
            DefaultFullHttpResponse response = new DefaultFullHttpResponse(
                    HttpVersion.HTTP_1_1, status, Unpooled.copiedBuffer(content, StandardCharsets.UTF_8));
            response.headers()
                    .set(HttpHeaderNames.CONTENT_TYPE, type)
                    .setInt(HttpHeaderNames.CONTENT_LENGTH, response.content().readableBytes())
                    .set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
            context.writeAndFlush(response).addListener(ChannelFutureListener.CLOSE);
        }

        /** A caller that broke off, or was too slow. */
        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            context.close();
        }
    }

    private static final class Threads implements ThreadFactory {
        @Override
        public Thread newThread(Runnable task) {
            Thread thread = new Thread(null, task, "weft-admin", 0, false);
            thread.setDaemon(true);
            thread.setContextClassLoader(AdminSocket.class.getClassLoader());
            return thread;
        }
    }
}
