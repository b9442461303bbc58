package io.weft.instrumentation.nettyclient;

import static io.weft.instrumentation.Hook.around;

import io.weft.instrumentation.InstrumentationModule;
import io.weft.instrumentation.Releases;
import java.util.List;

/**
 * HTTP clients that are built on Netty and have no module of their own, and copies of Netty under other names.
 *
 * <p>The seam: a channel is registered, so that its pipeline is what the app has made of it, and its {@code Bootstrap} is about to look
 * the host's name up. Where policy names the host, the channel is connected to one of its endpoints instead. What goes over a connection
 * is not looked at: each leads to an endpoint of its own choice, and its requests all go there.
 */
public final class NettyClientModule {
    static final String CONNECT = "connect";

    private NettyClientModule() {}

    public static InstrumentationModule module() {
        return new InstrumentationModule(
                "netty-client",
                "4.1.21 and later, 4.2, by connection: discovery, balancing, mesh TLS",
                "io.weft.instrumentation.nettyclient.NettyClientAdapter",
                List.of(),
                List.of(around(CONNECT, "io.netty.bootstrap.Bootstrap", "doResolveAndConnect0",
                        "(Lio/netty/channel/Channel;Ljava/net/SocketAddress;Ljava/net/SocketAddress;Lio/netty/channel/ChannelPromise;)"
                                + "Lio/netty/channel/ChannelFuture;")))
                .wherever("io.netty")
                .released(Releases.of(List.of("io.netty:netty-transport", "io.netty:netty-all"), "4.1.21 to 4.2"));
    }
}
