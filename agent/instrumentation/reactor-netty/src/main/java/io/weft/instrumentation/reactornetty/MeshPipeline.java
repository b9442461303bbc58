package io.weft.instrumentation.reactornetty;

import io.netty.channel.Channel;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.ssl.SslHandler;
import io.weft.dataplane.ClientTls;
import io.weft.dataplane.Endpoint;
import java.lang.ref.WeakReference;
import java.net.SocketAddress;
import reactor.netty.ChannelPipelineConfigurer;
import reactor.netty.ConnectionObserver;
import reactor.netty.NettyPipeline;

/**
 * What the mesh adds to the pipeline of a connection to an endpoint: mesh TLS below all that the library and the app have there, and
 * the hop's handler above the codec. Equal for connections that may share a pool. Immutable; kept by the pool, and so leads to the
 * endpoint only weakly.
 */
final class MeshPipeline implements ChannelPipelineConfigurer {
    static final String TLS = "weft.tls";
    private static final String HANDSHAKE = "weft.handshake";

    private final ChannelPipelineConfigurer apps;
    private final WeakReference<Endpoint> endpoint;
    private final int endpointHash;
    private final int handshakeMillis;

    MeshPipeline(ChannelPipelineConfigurer apps, Endpoint endpoint, int handshakeMillis) {
        this.apps = apps;
        this.endpoint = new WeakReference<>(endpoint);
        this.endpointHash = System.identityHashCode(endpoint);
        this.handshakeMillis = handshakeMillis;
    }

    /** Null: it is no more. */
    Endpoint endpoint() {
        return endpoint.get();
    }

    boolean isOf(ChannelPipelineConfigurer configurer, int millis) {
        return apps == configurer && handshakeMillis == millis;
    }

    @Override
    public void onChannelInit(ConnectionObserver observer, Channel channel, SocketAddress remote) {
        Endpoint endpoint = endpoint();
        if (endpoint == null) {
            throw new IllegalStateException("the endpoint is no more");
        }
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
        if (this == other) {
            return true;
        }
        return other instanceof MeshPipeline that
                && endpointHash == that.endpointHash
                && endpoint() != null
                && that.endpoint.refersTo(endpoint())
                && apps.equals(that.apps);
    }

    @Override
    public int hashCode() {
        return 31 * endpointHash + apps.hashCode();
    }
}
