package io.weft.admin;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Asks admin sockets. Thread-safe. */
public final class AdminClient implements AutoCloseable {
    private static final int MAX_PAGE_BYTES = 256 << 20;

    private final EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private final Duration patience;

    /** @param patience how long a process may take to answer, above zero */
    public AdminClient(Duration patience) {
        this.patience = patience;
    }

    /** Nobody listens: the process has ended, or left the socket behind. */
    public static final class NobodyThere extends IOException {
        private static final long serialVersionUID = 1;

        NobodyThere(Path socket, Throwable cause) {
            super("nobody listens on " + socket, cause);
        }
    }

    /**
     * @param path as {@code /status}, with a query where there is one
     * @throws IOException also when the answer is not 200; says what was answered
     */
    public String get(Path socket, String path) throws IOException {
        return ask(socket, HttpMethod.GET, path);
    }

    /** As {@link #get}, where something changes. */
    public String post(Path socket, String path) throws IOException {
        return ask(socket, HttpMethod.POST, path);
    }

    private String ask(Path socket, HttpMethod method, String path) throws IOException {
        CompletableFuture<String> page = new CompletableFuture<>();
        Channel channel = new Bootstrap()
                .group(group)
                .channel(NioDomainSocketChannel.class)
                .handler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel created) {
                        created.pipeline().addLast(new HttpClientCodec(), new HttpObjectAggregator(MAX_PAGE_BYTES), new Ask(method, path, page));
                    }
                })
                .connect(UnixDomainSocketAddress.of(socket))
                .addListener(connected -> {
                    if (!connected.isSuccess()) {
                        page.completeExceptionally(new NobodyThere(socket, connected.cause()));
                    }
                })
                .channel();
        try {
            return page.get(patience.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException late) {
            throw new IOException("no answer within " + patience.toSeconds() + " s", late);
        } catch (ExecutionException failed) {
            if (failed.getCause() instanceof IOException known) {
                throw known;
            }
            throw new IOException(failed.getCause());
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", hurried);
        } finally {
            channel.close();
        }
    }

    @Override
    public void close() {
        group.shutdownGracefully(0, 0, TimeUnit.SECONDS);
    }

    private static final class Ask extends SimpleChannelInboundHandler<FullHttpResponse> {
        private final HttpMethod method;
        private final String path;
        private final CompletableFuture<String> page;

        Ask(HttpMethod method, String path, CompletableFuture<String> page) {
            this.method = method;
            this.path = path;
            this.page = page;
        }

        @Override
        public void channelActive(ChannelHandlerContext context) {
            DefaultFullHttpRequest request = new DefaultFullHttpRequest(HttpVersion.HTTP_1_1, method, path, Unpooled.EMPTY_BUFFER);
            request.headers().set(HttpHeaderNames.HOST, "weft");
            context.writeAndFlush(request);
        }

        @Override
        protected void channelRead0(ChannelHandlerContext context, FullHttpResponse response) {
            String content = response.content().toString(StandardCharsets.UTF_8);
            if (response.status().equals(HttpResponseStatus.OK)) {
                page.complete(content);
            } else {
                page.completeExceptionally(new IOException(response.status() + ": " + content.strip()));
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            page.completeExceptionally(cause);
            context.close();
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            page.completeExceptionally(new IOException("the connection was closed before the answer"));
        }
    }
}
