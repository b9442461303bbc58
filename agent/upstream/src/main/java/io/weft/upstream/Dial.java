package io.weft.upstream;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.ssl.SslHandler;
import io.weft.dataplane.Endpoint;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** The way to an endpoint, in plaintext or over mesh TLS. */
record Dial(EventLoop loop, Endpoint endpoint) {

    /**
     * @param timeoutNanos for TCP and TLS, each
     * @param initializer of what comes behind TLS, which is done by the time that its handlers see the channel become active
     * @return of the TCP connection; the channel is closed when TLS fails
     */
    ChannelFuture connect(long timeoutNanos, Consumer<ChannelPipeline> initializer) {
        long millis = Math.max(1, Math.min(Integer.MAX_VALUE, TimeUnit.NANOSECONDS.toMillis(timeoutNanos)));
        return new Bootstrap()
                .group(loop)
                .channelFactory(NioSocketChannel::new)
                .option(ChannelOption.ALLOCATOR, new UnpooledByteBufAllocator(false, true))
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, (int) millis)
                .handler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel fresh) {
                        if (endpoint.tls() != null) {
                            SslHandler tls = new SslHandler(endpoint.tls().engine(endpoint.address()));
                            tls.setHandshakeTimeoutMillis(millis);
                            fresh.pipeline().addLast(tls, new ActiveWhenSecured(tls));
                        }
                        initializer.accept(fresh.pipeline());
                    }
                })
                .connect(endpoint.address());
    }

    /** Holds the news of the connection back until TLS is there. */
    private static final class ActiveWhenSecured extends ChannelInboundHandlerAdapter {
        private final SslHandler tls;

        ActiveWhenSecured(SslHandler tls) {
            this.tls = tls;
        }

        @Override
        public void channelActive(ChannelHandlerContext context) {
            tls.handshakeFuture().addListener(done -> {
                if (done.isSuccess()) {
                    context.fireChannelActive();
                    context.pipeline().remove(this);
                } else {
                    context.close();
                }
            });
        }
    }
}
