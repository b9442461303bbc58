package io.weft.instrumentation.reactornetty;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.HttpClientCodec;
import io.weft.dataplane.ClientConnections;
import io.weft.dataplane.ClientTls;
import io.weft.dataplane.Endpoint;
import java.lang.ref.Reference;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.security.NoSuchAlgorithmException;
import java.time.InstantSource;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.Test;
import reactor.netty.ChannelPipelineConfigurer;
import reactor.netty.ConnectionObserver;
import reactor.netty.NettyPipeline;

class MeshPipelineTest {
    private static final InetSocketAddress ADDRESS = new InetSocketAddress(InetAddress.getLoopbackAddress(), 8080);
    private static final ChannelPipelineConfigurer NONE = ChannelPipelineConfigurer.emptyConfigurer();

    @Test
    void connectionsToOneEndpointShareAPool() {
        Endpoint endpoint = new Endpoint(ADDRESS, new Tls());
        assertThat(new MeshPipeline(NONE, endpoint, 1)).isEqualTo(new MeshPipeline(NONE, endpoint, 1)).hasSameHashCodeAs(new MeshPipeline(NONE, endpoint, 1));
    }

    @Test
    void othersDoNot() {
        Endpoint endpoint = new Endpoint(ADDRESS, new Tls());
        ChannelPipelineConfigurer apps = (observer, channel, remote) -> {};
        assertThat(new MeshPipeline(NONE, endpoint, 1))
                .isNotEqualTo(new MeshPipeline(NONE, new Endpoint(ADDRESS, null), 1))
                .isNotEqualTo(new MeshPipeline(NONE, new Endpoint(ADDRESS, new Tls()), 1))
                .isNotEqualTo(new MeshPipeline(apps, endpoint, 1));
    }

    @Test
    void tlsIsBelowAllThatTheAppHas() {
        EmbeddedChannel channel = new EmbeddedChannel();
        channel.pipeline().addLast("logging", new ChannelInboundHandlerAdapter());
        channel.pipeline().addLast(NettyPipeline.HttpCodec, new HttpClientCodec());
        channel.pipeline().addLast(NettyPipeline.ReactiveBridge, new ChannelInboundHandlerAdapter());

        Endpoint endpoint = new Endpoint(ADDRESS, new Tls());
        new MeshPipeline(NONE, endpoint, 1_000).onChannelInit(ConnectionObserver.emptyListener(), channel, ADDRESS);

        assertThat(channel.pipeline().names()).startsWith("weft.tls", "weft.handshake", "logging", NettyPipeline.HttpCodec, "weft.hop", NettyPipeline.ReactiveBridge);
        assertThat(channel.pipeline().get(NettyPipeline.SslHandler)).as("by which the library tells that the app's URL is secure").isNull();
        channel.close();
        Reference.reachabilityFence(endpoint);
    }

    private static final class Tls implements ClientTls {
        private final ClientConnections connections = new ClientConnections(InstantSource.system(), Long.MAX_VALUE);

        @Override
        public String id() {
            return "tls";
        }

        @Override
        public ClientConnections connections() {
            return connections;
        }

        @Override
        public SSLEngine engine(InetSocketAddress peer) {
            try {
                SSLEngine engine = SSLContext.getDefault().createSSLEngine();
                engine.setUseClientMode(true);
                return engine;
            } catch (NoSuchAlgorithmException e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        public SSLEngine http2Engine(InetSocketAddress peer) {
            return engine(peer);
        }

        @Override
        public SSLSocket layer(Socket connected, InetSocketAddress peer, long limitNanos) {
            throw new UnsupportedOperationException();
        }

        @Override
        public SSLSocket http2Layer(Socket connected, InetSocketAddress peer, long limitNanos) {
            return layer(connected, peer, limitNanos);
        }
    }
}
