package io.weft.instrumentation.reactornetty;

import io.netty.channel.Channel;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.ssl.SslHandler;
import io.weft.dataplane.ClientTls;
import io.weft.dataplane.Endpoint;
import java.net.SocketAddress;
import reactor.netty.ChannelPipelineConfigurer;
import reactor.netty.ConnectionObserver;
import reactor.netty.NettyPipeline;

/**
 * What the mesh adds to the pipeline of a connection to an endpoint: mesh TLS below all that the library and the app have there, and
 * the hop's handler above the codec. Equal for connections that may share a pool. Immutable.
 */
final class MeshPipeline implements ChannelPipelineConfigurer {
    static final String TLS = "weft.tls";
    private static final String HANDSHAKE = "weft.handshake";

    private final ChannelPipelineConfigurer apps;
    private final Endpoint endpoint;
    private final int handshakeMillis;

    MeshPipeline(ChannelPipelineConfigurer apps, Endpoint endpoint, int handshakeMillis) {
        this.apps = apps;
        this.endpoint = endpoint;
        this.handshakeMillis = handshakeMillis;
    }

    @Override
    public void onChannelInit(ConnectionObserver observer, Channel channel, SocketAddress remote) {
        apps.onChannelInit(observer, channel, remote);
        ChannelPipeline pipeline = channel.pipeline();
        OnChannel onChannel = new OnChannel(endpoint);
        ClientTls tls = endpoint.tls();
        if (tls != null) {
            SslHandler handler = new SslHandler(tls.engine(endpoint.address()));
            handler.setHandshakeTimeoutMillis(handshakeMillis);
            pipeline.addFirst(TLS, handler);
            pipeline.addAfter(TLS, HANDSHAKE, new Handshake(endpoint, onChannel));
        }
        pipeline.addAfter(NettyPipeline.HttpCodec, HopHandler.NAME, onChannel);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof MeshPipeline that
                && endpoint.tls() == that.endpoint.tls()
                && endpoint.address().equals(that.endpoint.address())
                && apps.equals(that.apps);
    }

    @Override
    public int hashCode() {
        return 31 * (31 * System.identityHashCode(endpoint.tls()) + endpoint.address().hashCode()) + apps.hashCode();
    }
}
