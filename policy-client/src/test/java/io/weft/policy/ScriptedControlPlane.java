package io.weft.policy;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http2.DefaultHttp2DataFrame;
import io.netty.handler.codec.http2.DefaultHttp2GoAwayFrame;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.DefaultHttp2HeadersFrame;
import io.netty.handler.codec.http2.DefaultHttp2ResetFrame;
import io.netty.handler.codec.http2.Http2DataFrame;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2FrameCodecBuilder;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2HeadersFrame;
import io.netty.handler.codec.http2.Http2MultiplexHandler;
import io.netty.handler.ssl.SslContext;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.logging.Level;
import java.util.logging.Logger;

/** A control plane on a loopback port of its own that does whatever its script says, to each new connection anew. */
final class ScriptedControlPlane implements AutoCloseable {

    /** What happens to a connection. Called on its event loop. */
    interface Script {
        void connected(SocketChannel channel);
    }

    /** What happens on a stream. One for each; called on its event loop. */
    interface StreamScript {
        default void headers(Call call, Http2Headers headers) {}

        default void message(Call call, byte[] message) {}

        default void halfClosed() {}
    }

    /** The server's side of a call. */
    record Call(Channel stream) {
        void respond() {
            headers(new DefaultHttp2Headers().status("200").add("content-type", "application/grpc"), false);
        }

        void headers(Http2Headers headers, boolean end) {
            stream.writeAndFlush(new DefaultHttp2HeadersFrame(headers, end));
        }

        void trailersOnly(int status, String message) {
            headers(new DefaultHttp2Headers().status("200").add("content-type", "application/grpc")
                    .add("grpc-status", Integer.toString(status)).add("grpc-message", message), true);
        }

        void message(byte[] message) {
            data(framed(message), false);
        }

        void data(ByteBuf data, boolean end) {
            stream.writeAndFlush(new DefaultHttp2DataFrame(data, end));
        }

        void reset(Http2Error error) {
            stream.writeAndFlush(new DefaultHttp2ResetFrame(error));
        }

        void goAway(Http2Error error, String text) {
            stream.parent().writeAndFlush(new DefaultHttp2GoAwayFrame(error, Unpooled.copiedBuffer(text, StandardCharsets.UTF_8)));
        }

        /** Without a GOAWAY. */
        void closeConnection() {
            stream.parent().unsafe().close(stream.parent().newPromise());
        }

        static ByteBuf framed(byte[] message) {
            return Unpooled.buffer(5 + message.length).writeByte(0).writeInt(message.length).writeBytes(message);
        }
    }

    // Frames that come after the end of a stream are what some of these scripts are about.
    private static final Logger NETTY = Logger.getLogger("io.netty");

    static {
        NETTY.setLevel(Level.WARNING);
    }

    private final MultiThreadIoEventLoopGroup loops = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private final ChannelGroup open = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE);
    private final AtomicInteger connections = new AtomicInteger();
    private final String scheme;
    private final Channel server;
    private volatile Script script;

    ScriptedControlPlane(Script script) {
        this(script, Optional.empty());
    }

    ScriptedControlPlane(Script script, Optional<SslContext> tls) {
        this.script = script;
        this.scheme = tls.isPresent() ? "grpcs" : "grpc";
        this.server = new ServerBootstrap()
                .group(loops)
                .channel(NioServerSocketChannel.class)
                .childHandler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        connections.incrementAndGet();
                        open.add(channel);
                        tls.ifPresent(context -> channel.pipeline().addLast(context.newHandler(channel.alloc())));
                        ScriptedControlPlane.this.script.connected(channel);
                        channel.pipeline().addLast(new ChannelInboundHandlerAdapter() {
                            @Override
                            public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
                                ctx.close();
                            }
                        });
                    }
                })
                .bind(InetAddress.getLoopbackAddress(), 0).syncUninterruptibly().channel();
    }

    URI uri() {
        return uri("127.0.0.1");
    }

    URI uri(String host) {
        return URI.create(scheme + "://" + host + ":" + ((InetSocketAddress) server.localAddress()).getPort());
    }

    int connections() {
        return connections.get();
    }

    /** Does otherwise from the next connection on, and ends those that are open. */
    void become(Script next) {
        script = next;
        dropConnections();
    }

    void dropConnections() {
        open.close().awaitUninterruptibly();
    }

    @Override
    public void close() {
        server.close().awaitUninterruptibly();
        dropConnections();
        loops.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    }

    /** Does this as soon as there is a connection. */
    static Script onConnect(Consumer<SocketChannel> action) {
        return channel -> channel.pipeline().addLast(new ChannelInboundHandlerAdapter() {
            @Override
            public void channelActive(ChannelHandlerContext ctx) {
                action.accept(channel);
            }

            @Override
            public void channelRead(ChannelHandlerContext ctx, Object read) {
                ReferenceCountUtil.release(read);
            }
        });
    }

    static Script sends(byte[] bytes) {
        return onConnect(channel -> channel.writeAndFlush(Unpooled.copiedBuffer(bytes)));
    }

    static Script resets() {
        return onConnect(channel -> {
            channel.config().setSoLinger(0);
            channel.close();
        });
    }

    static Script closes() {
        return onConnect(Channel::close);
    }

    static Script silent() {
        return onConnect(channel -> {});
    }

    /** HTTP/2 as it should be, and on it gRPC calls by the script. */
    static Script http2(Supplier<StreamScript> streams) {
        return channel -> channel.pipeline().addLast(
                Http2FrameCodecBuilder.forServer().gracefulShutdownTimeoutMillis(0).build(),
                new Http2MultiplexHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel stream) {
                        stream.pipeline().addLast(new StreamHandler(streams.get()));
                    }
                }));
    }

    /** Answers the call's headers with this. */
    static Script answersHeaders(Consumer<Call> answer) {
        return http2(() -> new StreamScript() {
            @Override
            public void headers(Call call, Http2Headers headers) {
                answer.accept(call);
            }
        });
    }

    /** Like another script, with every byte in a packet of its own, as far as the network lets it. */
    static Script byteByByte(Script script) {
        return channel -> {
            channel.config().setTcpNoDelay(true);
            channel.pipeline().addLast(new ChannelOutboundHandlerAdapter() {
                @Override
                public void write(ChannelHandlerContext ctx, Object data, ChannelPromise promise) {
                    ByteBuf bytes = (ByteBuf) data;
                    byte[] copy = ByteBufUtil.getBytes(bytes);
                    bytes.release();
                    for (byte one : copy) {
                        ctx.writeAndFlush(Unpooled.wrappedBuffer(new byte[] {one}));
                    }
                    ctx.writeAndFlush(Unpooled.EMPTY_BUFFER, promise);
                }
            });
            script.connected(channel);
        };
    }

    private static final class StreamHandler extends ChannelInboundHandlerAdapter {
        private final StreamScript script;
        private final ByteBuf received = Unpooled.buffer();

        StreamHandler(StreamScript script) {
            this.script = script;
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object frame) {
            Call call = new Call(ctx.channel());
            try {
                if (frame instanceof Http2HeadersFrame headers) {
                    script.headers(call, headers.headers());
                } else if (frame instanceof Http2DataFrame data) {
                    received.writeBytes(data.content());
                    while (received.readableBytes() >= 5
                            && received.readableBytes() >= 5 + received.getInt(received.readerIndex() + 1)) {
                        received.skipBytes(1);
                        byte[] message = new byte[received.readInt()];
                        received.readBytes(message);
                        script.message(call, message);
                    }
                    if (data.isEndStream()) {
                        script.halfClosed();
                    }
                }
            } finally {
                ReferenceCountUtil.release(frame);
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            ctx.close();
        }
    }
}
