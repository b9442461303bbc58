package io.weft.instrumentation.asynchttpclient;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFactory;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelInitializer;
import io.netty.resolver.NoopAddressResolverGroup;
import io.weft.dataplane.Exchange.Failure;
import io.weft.dataplane.LocalReply;
import java.net.InetSocketAddress;
import org.asynchttpclient.netty.channel.ChannelManager;
import org.asynchttpclient.netty.channel.NettyConnectListener;

/** The mesh's own answer, which the library takes for one that came from a connection. The exchange is over. */
final class Reply implements Underway {
    private final Hop hop;
    private final LocalReply answer;

    Reply(Hop hop, LocalReply answer) {
        this.hop = hop;
        this.answer = answer;
    }

    /** The library closes the channel as any other. */
    @Override
    public void gaveUp(Failure failure) {}

    @Override
    public void connect(Bootstrap apps, NettyConnectListener<?> listener) {
        InetSocketAddress address = hop.address();
        ChannelHandler library = apps.config().handler();
        ChannelFuture connecting = new Bootstrap()
                .group(apps.config().group())
                .channelFactory((ChannelFactory<Channel>) () -> new ReplyChannel(address))
                .resolver(NoopAddressResolverGroup.INSTANCE)
                .handler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channel.pipeline().addLast(library);
                        channel.pipeline().replace(
                                ChannelManager.HTTP_CLIENT_CODEC, ChannelManager.HTTP_CLIENT_CODEC, new ReplyHandler(hop, answer));
                    }
                })
                .connect(address);
        connecting.addListener(done -> {
            if (done.isSuccess()) {
                listener.onSuccess(connecting.channel(), address);
            } else {
                listener.onFailure(connecting.channel(), done.cause());
            }
        });
    }
}
