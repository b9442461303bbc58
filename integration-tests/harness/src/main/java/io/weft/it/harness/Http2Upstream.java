package io.weft.it.harness;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpServerUpgradeHandler;
import io.netty.handler.codec.http2.DefaultHttp2DataFrame;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.DefaultHttp2HeadersFrame;
import io.netty.handler.codec.http2.DefaultHttp2ResetFrame;
import io.netty.handler.codec.http2.Http2DataFrame;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2FrameCodec;
import io.netty.handler.codec.http2.Http2FrameCodecBuilder;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2HeadersFrame;
import io.netty.handler.codec.http2.Http2MultiplexHandler;
import io.netty.handler.codec.http2.Http2ResetFrame;
import io.netty.handler.codec.http2.Http2ServerUpgradeCodec;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.IdentityCipherSuiteFilter;
import io.netty.handler.ssl.JdkSslContext;
import io.netty.util.ReferenceCountUtil;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import javax.net.ssl.SSLContext;

/**
 * A real HTTP/2 server on an ephemeral port of 127.0.0.1 that records each request, and misbehaves when told to. The body of a good answer is the
 * server's name. It knows that its clients speak HTTP/2, or with TLS has them say so by ALPN, and demands a certificate. Thread-safe.
 */
public final class Http2Upstream implements AutoCloseable {
    /**
     * @param connection from 0
     * @param headers those of the pseudo headers, too
     */
    public record Received(int connection, Map<String, String> headers, String body) {
        public String path() {
            return headers.get(":path");
        }
    }

    /** What becomes of a request. */
    public sealed interface Reaction {}

    public record Respond(int status, Map<String, String> headers, String body) implements Reaction {}

    /** An answer that does not come to an end. */
    public record Begin(int status, String begun) implements Reaction {}

    /** @param begun what of a good answer comes before; null: nothing */
    public record Reset(Http2Error error, String begun) implements Reaction {}

    public record Hang() implements Reaction {}

    /**
     * The connection ends without a farewell, with whatever else is on it.
     *
     * @param after what is answered before; null: nothing, and it ends as that of a process that dies
     */
    public record Vanish(Reaction after) implements Reaction {}

    private final String name;
    private final EventLoopGroup threads = new NioEventLoopGroup(1);
    private final AtomicInteger connections = new AtomicInteger();
    private final AtomicInteger openConnections = new AtomicInteger();
    private final AtomicInteger cancellations = new AtomicInteger();
    private final List<Received> requests = new CopyOnWriteArrayList<>();
    private final Channel listening;
    private volatile Function<Received, Reaction> reaction = received -> ok();
    /** Zero: an answer begins when its request is complete. */
    private volatile int early;

    private Http2Upstream(String name, SSLContext tls, Http2Settings settings) {
        this(name, tls, settings, false);
    }

    private Http2Upstream(String name, SSLContext tls, Http2Settings settings, boolean upgrading) {
        this.name = name;
        listening = new ServerBootstrap()
                .group(threads)
                .channel(NioServerSocketChannel.class)
                .childHandler(new Connection(tls == null ? null : secured(tls), settings, upgrading))
                .bind("127.0.0.1", 0)
                .syncUninterruptibly()
                .channel();
    }

    /** In plaintext. */
    public static Http2Upstream start(String name) {
        return start(name, (SSLContext) null);
    }

    public static Http2Upstream start(String name, SSLContext tls) {
        return new Http2Upstream(name, tls, Http2Settings.defaultSettings());
    }

    /** In plaintext, and each connection has so many streams at a time at most. */
    public static Http2Upstream start(String name, int streams) {
        return new Http2Upstream(name, null, Http2Settings.defaultSettings().maxConcurrentStreams(streams));
    }

    /** In plaintext, for clients that ask it to upgrade their connection, too; it answers nobody else. */
    public static Http2Upstream startUpgrading(String name) {
        return new Http2Upstream(name, null, Http2Settings.defaultSettings(), true);
    }

    private static JdkSslContext secured(SSLContext tls) {
        ApplicationProtocolConfig protocol = new ApplicationProtocolConfig(
                ApplicationProtocolConfig.Protocol.ALPN,
                ApplicationProtocolConfig.SelectorFailureBehavior.NO_ADVERTISE,
                ApplicationProtocolConfig.SelectedListenerFailureBehavior.ACCEPT,
                "h2");
        return new JdkSslContext(tls, false, null, IdentityCipherSuiteFilter.INSTANCE, protocol, ClientAuth.REQUIRE, null, false);
    }

    public InetSocketAddress address() {
        return (InetSocketAddress) listening.localAddress();
    }

    public List<Received> requests() {
        return List.copyOf(requests);
    }

    public void forgetRequests() {
        requests.clear();
    }

    public int connections() {
        return connections.get();
    }

    public int openConnections() {
        return openConnections.get();
    }

    /** Streams that clients have ended. */
    public int cancellations() {
        return cancellations.get();
    }

    public Reaction ok() {
        return new Respond(200, Map.of(), name);
    }

    public void react(Function<Received, Reaction> reaction) {
        this.reaction = reaction;
    }

    /** From now on a request that has a body is answered with this status at once, and with the server's name when it is complete; zero: as it was before. */
    public void beginEarly(int status) {
        early = status;
    }

    @Override
    public void close() {
        threads.shutdownGracefully(0, 0, TimeUnit.SECONDS).syncUninterruptibly();
    }

    private final class Connection extends ChannelInitializer<Channel> {
        private final JdkSslContext tls;
        private final Http2Settings settings;
        private final boolean upgrading;

        Connection(JdkSslContext tls, Http2Settings settings, boolean upgrading) {
            this.tls = tls;
            this.settings = settings;
            this.upgrading = upgrading;
        }

        @Override
        protected void initChannel(Channel channel) {
            int number = connections.getAndIncrement();
            openConnections.incrementAndGet();
            channel.closeFuture().addListener(closed -> openConnections.decrementAndGet());
            if (tls != null) {
                channel.pipeline().addLast(tls.newHandler(channel.alloc()));
            }
            Http2FrameCodec codec = Http2FrameCodecBuilder.forServer().initialSettings(settings).build();
            Http2MultiplexHandler streams = new Http2MultiplexHandler(new ChannelInitializer<>() {
                @Override
                protected void initChannel(Channel stream) {
                    stream.pipeline().addLast(new Stream(number));
                }
            });
            if (upgrading) {
                HttpServerCodec before = new HttpServerCodec();
                channel.pipeline().addLast(before, new HttpServerUpgradeHandler(before, protocol -> new Http2ServerUpgradeCodec(codec, streams)));
            } else {
                channel.pipeline().addLast(codec, streams);
            }
        }
    }

    private final class Stream extends ChannelInboundHandlerAdapter {
        private final int connection;
        private final Map<String, String> headers = new TreeMap<>();
        private final StringBuilder body = new StringBuilder();
        private boolean begun;

        Stream(int connection) {
            this.connection = connection;
        }

        @Override
        public void channelRead(ChannelHandlerContext context, Object frame) {
            try {
                if (frame instanceof Http2HeadersFrame head) {
                    head.headers().forEach(header -> headers.put(header.getKey().toString(), header.getValue().toString()));
                    if (early != 0 && !head.isEndStream()) {
                        begun = true;
                        context.writeAndFlush(new DefaultHttp2HeadersFrame(head(early)));
                    }
                    received(context, head.isEndStream());
                } else if (frame instanceof Http2DataFrame data) {
                    body.append(data.content().toString(StandardCharsets.UTF_8));
                    received(context, data.isEndStream());
                }
            } finally {
                ReferenceCountUtil.release(frame);
            }
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext context, Object event) {
            if (event instanceof Http2ResetFrame) {
                cancellations.incrementAndGet();
            }
            context.fireUserEventTriggered(event);
        }

        private void received(ChannelHandlerContext context, boolean all) {
            if (!all) {
                return;
            }
            Received request = new Received(connection, Map.copyOf(headers), body.toString());
            requests.add(request);
            if (begun) {
                context.write(new DefaultHttp2DataFrame(bytes(name), true));
            } else {
                carryOut(reaction.apply(request), context);
            }
            context.flush();
        }

        private void carryOut(Reaction told, ChannelHandlerContext context) {
            if (told instanceof Respond respond) {
                respond(respond, context);
            } else if (told instanceof Reset reset) {
                Http2ResetFrame frame = new DefaultHttp2ResetFrame(reset.error());
                if (reset.begun() == null) {
                    context.write(frame);
                } else {
                    // Else the reset would overtake it.
                    begin(200, reset.begun(), context).addListener(begun -> context.writeAndFlush(frame));
                }
            } else if (told instanceof Begin begin) {
                begin(begin.status(), begin.begun(), context);
            } else if (told instanceof Vanish vanish) {
                vanish(vanish.after(), context);
            }
        }

        private void vanish(Reaction after, ChannelHandlerContext context) {
            Channel connection = context.channel().parent();
            // Past the codec, which would say that it goes, and wait for the streams.
            ChannelHandlerContext below = connection.pipeline().firstContext();
            if (after instanceof Respond respond) {
                respond(respond, context).addListener(responded -> below.close());
            } else if (after instanceof Begin begin) {
                begin(begin.status(), begin.begun(), context).addListener(begun -> below.close());
            } else {
                connection.config().setOption(ChannelOption.SO_LINGER, 0);
                below.close();
            }
        }

        private ChannelFuture respond(Respond respond, ChannelHandlerContext context) {
            Http2Headers head = head(respond.status());
            respond.headers().forEach(head::add);
            ChannelFuture written = context.write(new DefaultHttp2HeadersFrame(head, respond.body().isEmpty()));
            return respond.body().isEmpty() ? written : context.write(new DefaultHttp2DataFrame(bytes(respond.body()), true));
        }

        private ChannelFuture begin(int status, String body, ChannelHandlerContext context) {
            context.write(new DefaultHttp2HeadersFrame(head(status)));
            return context.write(new DefaultHttp2DataFrame(bytes(body)));
        }

        private Http2Headers head(int status) {
            return new DefaultHttp2Headers().status(Integer.toString(status));
        }

        private ByteBuf bytes(String text) {
            return Unpooled.copiedBuffer(text, StandardCharsets.UTF_8);
        }
    }
}
