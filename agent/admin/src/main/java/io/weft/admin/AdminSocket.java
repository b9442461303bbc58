package io.weft.admin;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerDomainSocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.QueryStringDecoder;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;

/**
 * Answers over HTTP/1.1, one request a connection, and, where there are calls, over gRPC, on one daemon thread of its own. Of each listener's
 * {@link Visitors} there are not many.
 */
public final class AdminSocket implements AutoCloseable {
    private static final int MAX_REQUEST_BYTES = 64 * 1024;
    private static final byte[] HTTP_2 = {'P', 'R', 'I', ' '};

    private final EventLoopGroup group;
    private final Path path;
    private final Visitors.Limits limits;

    private AdminSocket(EventLoopGroup group, Path path, Visitors.Limits limits) {
        this.group = group;
        this.path = path;
        this.limits = limits;
    }

    /**
     * @param pages by path, as {@code /status}
     * @param calls of gRPC by path, as {@code /package.Service/Method}
     * @throws IOException when there can be no socket; nothing is left behind
     */
    public static AdminSocket open(SocketDirectory directory, long pid, Map<String, AdminPage> pages, Map<String, AdminCall> calls)
            throws IOException {
        return open(directory, pid, pages, calls, Visitors.Limits.USUAL);
    }

    static AdminSocket open(
            SocketDirectory directory, long pid, Map<String, AdminPage> pages, Map<String, AdminCall> calls, Visitors.Limits limits)
            throws IOException {
        directory.prepare();
        Path path = directory.socket(pid);
        // Of a dead process that had the same id.
        Files.deleteIfExists(path);
        EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, new Threads(), NioIoHandler.newFactory());
        Channel channel = new ServerBootstrap()
                .group(group)
                .channel(NioServerDomainSocketChannel.class)
                .childHandler(new Pipeline(new TreeMap<>(pages), new TreeMap<>(calls), new Visitors(limits)))
                .bind(UnixDomainSocketAddress.of(path))
                .awaitUninterruptibly()
                .channel();
        if (!channel.isActive()) {
            group.shutdownGracefully(0, 0, TimeUnit.SECONDS);
            throw new IOException("cannot listen on " + path + "; its whole path may have about 100 characters");
        }
        return new AdminSocket(group, path, limits);
    }

    /**
     * Answers on a TCP port, too, with these pages alone: whoever reaches it may ask.
     *
     * @throws IOException when there can be no such port
     */
    public AdminPort alsoOn(InetSocketAddress address, Map<String, AdminPage> pages) throws IOException {
        Channel channel = new ServerBootstrap()
                .group(group)
                .channel(NioServerSocketChannel.class)
                .childHandler(new Pipeline(new TreeMap<>(pages), Map.of(), new Visitors(limits)))
                .bind(address)
                .awaitUninterruptibly()
                .channel();
        if (!channel.isActive()) {
            throw new IOException("cannot listen on " + address);
        }
        return new AdminPort(channel);
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
        private final Map<String, AdminCall> calls;
        private final Visitors visitors;

        Pipeline(Map<String, AdminPage> pages, Map<String, AdminCall> calls, Visitors visitors) {
            this.pages = pages;
            this.calls = calls;
            this.visitors = visitors;
        }

        @Override
        protected void initChannel(Channel channel) {
            visitors.admit(channel);
            if (calls.isEmpty()) {
                addPages(channel.pipeline());
            } else {
                channel.pipeline().addLast(new Preface());
            }
        }

        private void addPages(ChannelPipeline pipeline) {
            pipeline.addLast(new HttpServerCodec(), new HttpObjectAggregator(MAX_REQUEST_BYTES), new Answer(pages));
        }

        /** Whoever begins with HTTP/2's words is a caller of gRPC. */
        private final class Preface extends ByteToMessageDecoder {
            @Override
            protected void decode(ChannelHandlerContext context, ByteBuf in, List<Object> out) {
                if (in.readableBytes() >= HTTP_2.length) {
                    boolean grpc = true;
                    for (int i = 0; i < HTTP_2.length; i++) {
                        grpc &= in.getByte(in.readerIndex() + i) == HTTP_2[i];
                    }
                    if (grpc) {
                        new GrpcMethods(calls).addTo(context.pipeline());
                    } else {
                        addPages(context.pipeline());
                    }
                    context.pipeline().remove(this);
                }
            }
        }
    }

    private static final class Answer extends SimpleChannelInboundHandler<FullHttpRequest> {
        private final Map<String, AdminPage> pages;

        Answer(Map<String, AdminPage> pages) {
            this.pages = pages;
        }

        @Override
        protected void channelRead0(ChannelHandlerContext context, FullHttpRequest request) {
            QueryStringDecoder uri = new QueryStringDecoder(request.uri());
            AdminPage page = pages.get(uri.path());
            if (page == null) {
                send(context, text(404, "There is no " + uri.path() + " here, but " + String.join(", ", pages.keySet()) + "\n"));
            } else if (!request.method().name().equals(page.method())) {
                send(context, text(405, uri.path() + " is asked by " + page.method() + "\n"));
            } else {
                answer(page, new AdminQuery(uri.parameters()))
                        .exceptionally(Answer::unanswered)
                        .thenAccept(answer -> send(context, answer));
            }
        }

        private static CompletionStage<AdminAnswer> answer(AdminPage page, AdminQuery query) {
            try {
                return page.answer().apply(query);
            } catch (RuntimeException | LinkageError fault) {
                return CompletableFuture.failedFuture(fault);
            }
        }

        private static AdminAnswer unanswered(Throwable fault) {
            Throwable cause = fault instanceof CompletionException && fault.getCause() != null ? fault.getCause() : fault;
            return cause instanceof IllegalArgumentException
                    ? text(400, cause.getMessage() + "\n")
                    : text(500, "The agent cannot say: " + root(cause) + "\n");
        }

        /** Of a class that is missing it says why. */
        private static Throwable root(Throwable fault) {
            return fault instanceof LinkageError && fault.getCause() != null ? fault.getCause() : fault;
        }

        private static AdminAnswer text(int status, String content) {
            return new AdminAnswer(status, AdminAnswer.TEXT, content);
        }

        private static void send(ChannelHandlerContext context, AdminAnswer answer) {
            DefaultFullHttpResponse response = new DefaultFullHttpResponse(HttpVersion.HTTP_1_1,
                    HttpResponseStatus.valueOf(answer.status()), Unpooled.copiedBuffer(answer.content(), StandardCharsets.UTF_8));
            response.headers()
                    .set(HttpHeaderNames.CONTENT_TYPE, answer.contentType())
                    .setInt(HttpHeaderNames.CONTENT_LENGTH, response.content().readableBytes())
                    .set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
            context.writeAndFlush(response).addListener(ChannelFutureListener.CLOSE);
        }

        /** A caller that broke off. */
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
