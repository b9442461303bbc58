package io.weft.upstream;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.netty.util.ReferenceCountUtil;
import io.weft.dataplane.ClientTls;
import io.weft.dataplane.health.HealthProber.Probe;
import io.weft.dataplane.health.HealthProber.Result;
import java.net.InetSocketAddress;
import java.util.function.Consumer;
import javax.net.ssl.SSLEngine;

/** Keeps the connection of one host's checks. What its methods begin happens on the event loop. */
abstract class ConnectionProbe implements Probe {
    private final Target target;
    /** Null between two checks that share none. */
    private Channel channel;
    /** Null while no check is under way. */
    private Consumer<Result> waiting;

    ConnectionProbe(Target target) {
        this.target = target;
    }

    /** The handlers of a new connection. */
    abstract void initialize(ChannelPipeline pipeline);

    /** For a new connection that policy wants secured. */
    SSLEngine engine(ClientTls tls, InetSocketAddress peer) {
        return tls.engine(peer);
    }

    /** Begins a check on a connection that is there; {@link #finish} is to follow. */
    abstract void ask(Channel connected);

    @Override
    public final void check(Consumer<Result> onResult) {
        target.loop().execute(() -> begin(onResult));
    }

    @Override
    public final void giveUp() {
        close();
    }

    @Override
    public final void close() {
        target.loop().execute(() -> {
            waiting = null;
            disconnect();
        });
    }

    private void begin(Consumer<Result> onResult) {
        waiting = onResult;
        if (channel != null && channel.isActive()) {
            ask(channel);
            return;
        }
        Channel connecting = new Bootstrap()
                .group(target.loop())
                .channelFactory(NioSocketChannel::new)
                .option(ChannelOption.ALLOCATOR, new UnpooledByteBufAllocator(false, true))
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, 0)
                .handler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel fresh) {
                        ClientTls tls = target.tls().get();
                        if (tls != null) {
                            fresh.pipeline().addLast(new SslHandler(engine(tls, target.address())));
                        }
                        initialize(fresh.pipeline());
                        fresh.pipeline().addLast(new Readiness(tls != null));
                    }
                })
                .connect(target.address())
                .addListener(done -> {
                    if (!done.isSuccess()) {
                        finish(Result.UNREACHABLE, false);
                    }
                })
                .channel();
        channel = connecting;
        connecting.closeFuture().addListener(closed -> {
            if (channel == connecting) {
                channel = null;
                finish(Result.UNREACHABLE, false);
            }
        });
    }

    private void connected(Channel fresh) {
        if (fresh == channel && waiting != null) {
            ask(fresh);
        }
    }

    /** Behind all that a connection has to do before it can be used: with TLS that is not when TCP says so. */
    private final class Readiness extends ChannelInboundHandlerAdapter {
        private final boolean tls;

        Readiness(boolean tls) {
            this.tls = tls;
        }

        @Override
        public void channelActive(ChannelHandlerContext context) {
            if (!tls) {
                connected(context.channel());
            }
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext context, Object event) {
            // One that failed closes the channel.
            if (event instanceof SslHandshakeCompletionEvent handshake && handshake.isSuccess()) {
                connected(context.channel());
            }
        }

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            ReferenceCountUtil.release(message);
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable broken) {
            context.close();
        }
    }

    final boolean underWay() {
        return waiting != null;
    }

    /** @param keep whether the connection can be used again; whether it is, the policy says */
    final void finish(Result result, boolean keep) {
        Consumer<Result> told = waiting;
        waiting = null;
        if (!keep || !target.policy().reuseConnection()) {
            disconnect();
        }
        if (told != null) {
            told.accept(result);
        }
    }

    private void disconnect() {
        Channel open = channel;
        channel = null;
        if (open != null) {
            open.close();
        }
    }
}
