package io.weft.instrumentation.asynchttpclient;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.ssl.SslHandler;
import io.netty.resolver.NoopAddressResolverGroup;
import io.weft.dataplane.ClientTls;
import io.weft.dataplane.Endpoint;
import org.asynchttpclient.netty.channel.ChannelManager;

/**
 * What the mesh adds to the pipeline of a connection to an endpoint: mesh TLS below all that the library and the app have there, and the
 * attempts' handler above the codec.
 */
final class EndpointInitializer extends ChannelInitializer<Channel> {
    static final String TLS = "weft.tls";
    private static final String HANDSHAKE = "weft.handshake";

    private final ChannelHandler apps;
    private final Endpoint endpoint;
    private final int connectMillis;

    private EndpointInitializer(ChannelHandler apps, Endpoint endpoint, int connectMillis) {
        this.apps = apps;
        this.endpoint = endpoint;
        this.connectMillis = connectMillis;
    }

    /** @param connectMillis above 0; the app's own limit counts where it is less */
    static Bootstrap bootstrap(Bootstrap apps, Endpoint endpoint, int connectMillis) {
        return apps.clone()
                .resolver(NoopAddressResolverGroup.INSTANCE)
                .handler(new EndpointInitializer(apps.config().handler(), endpoint, connectMillis));
    }

    @Override
    protected void initChannel(Channel channel) {
        ChannelPipeline pipeline = channel.pipeline();
        // In newer versions it sets the app's options, too.
        pipeline.addLast(apps);
        int own = channel.config().getConnectTimeoutMillis();
        if (own <= 0 || own > connectMillis) {
            channel.config().setConnectTimeoutMillis(connectMillis);
        }
        OnChannel onChannel = new OnChannel(endpoint);
        pipeline.addAfter(ChannelManager.HTTP_CLIENT_CODEC, OnChannel.NAME, onChannel);
        ClientTls tls = endpoint.tls();
        if (tls != null) {
            SslHandler handler = new SslHandler(tls.engine(endpoint.address()));
            handler.setHandshakeTimeoutMillis(connectMillis);
            pipeline.addFirst(TLS, handler);
            pipeline.addAfter(TLS, HANDSHAKE, new Handshake(endpoint, onChannel));
        }
    }
}
