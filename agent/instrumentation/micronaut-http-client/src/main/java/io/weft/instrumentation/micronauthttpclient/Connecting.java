package io.weft.instrumentation.micronauthttpclient;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFactory;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.DefaultChannelPromise;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.handler.ssl.SslHandler;
import io.netty.resolver.NoopAddressResolverGroup;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.ImmediateEventExecutor;
import java.net.ConnectException;

/** What is opened in the library's place, with the library's pipeline on it. */
final class Connecting {
    private static final String CODEC = "http-client-codec";
    private static final String DECODER = "http-decoder";
    static final String TLS = "weft.tls";
    private static final String HANDSHAKE = "weft.handshake";

    private Connecting() {}

    /** In whose thread this runs, or any. */
    static EventLoopGroup current(EventLoopGroup group) {
        for (EventExecutor one : group) {
            if (one.inEventLoop() && one instanceof EventLoop loop) {
                return loop;
            }
        }
        return group;
    }

    static ChannelFuture refused(Bootstrap bootstrap, ConnectException refusal) {
        Channel channel = new MeshChannel(null);
        ChannelFuture registered = bootstrap.config().group().next().register(channel);
        // Without an event loop, as when the client is being closed, it is closed already, and nobody else could tell of it.
        boolean hasNoLoop = registered.cause() != null;
        if (!hasNoLoop) {
            channel.close();
        }
        DefaultChannelPromise refused =
                hasNoLoop ? new DefaultChannelPromise(channel, ImmediateEventExecutor.INSTANCE) : new DefaultChannelPromise(channel);
        refused.setFailure(refusal);
        return refused;
    }

    /** A channel of the mesh's. */
    static ChannelFuture meshed(Internals internals, Object connections, EventLoopGroup group, ChannelHandler library, Hops hops) throws Throwable {
        Bootstrap bootstrap = new Bootstrap()
                .group(group)
                .channelFactory((ChannelFactory<Channel>) () -> new MeshChannel(hops))
                .resolver(NoopAddressResolverGroup.INSTANCE)
                .handler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channel.pipeline().addLast(library);
                        channel.pipeline().replace(CODEC, CODEC, new InPlaceOfCodec());
                    }
                });
        internals.customize(connections, library, bootstrap);
        return bootstrap.connect(hops.address());
    }

    /** A connection, of which the library hears once it is secured. */
    static ChannelFuture toEndpoint(Internals internals, Object connections, Bootstrap bootstrap, ChannelHandler library, Way way) throws Throwable {
        Handshake handshake = way.tls() == null ? null : new Handshake(way);
        bootstrap.resolver(NoopAddressResolverGroup.INSTANCE).handler(new ChannelInitializer<Channel>() {
            @Override
            protected void initChannel(Channel channel) {
                int own = channel.config().getConnectTimeoutMillis();
                if (own <= 0 || own > way.connectMillis()) {
                    channel.config().setConnectTimeoutMillis(way.connectMillis());
                }
                if (handshake != null) {
                    SslHandler tls = new SslHandler(way.tls().engine(way.peer()));
                    tls.setHandshakeTimeoutMillis(channel.config().getConnectTimeoutMillis());
                    channel.pipeline().addLast(TLS, tls).addLast(HANDSHAKE, handshake);
                }
                channel.pipeline().addLast(library);
                // It is on the channel of the mesh's. Once a request has the connection, the pool counts on the last handler.
                if (channel.pipeline().get(DECODER) != null) {
                    channel.pipeline().remove(DECODER);
                }
                way.opened(channel);
            }
        });
        internals.customize(connections, library, bootstrap);
        return bootstrap.connect(way.address());
    }
}
