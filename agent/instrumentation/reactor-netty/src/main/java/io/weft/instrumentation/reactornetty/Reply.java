package io.weft.instrumentation.reactornetty;

import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.weft.dataplane.LocalReply;
import java.net.InetSocketAddress;
import java.util.concurrent.atomic.AtomicBoolean;
import reactor.netty.Connection;
import reactor.netty.ConnectionObserver;
import reactor.netty.NettyPipeline;
import reactor.netty.channel.ChannelOperations;
import reactor.netty.http.client.HttpClientRequest;
import reactor.util.context.Context;

/** The mesh's own answer, which the library takes for one that came from a connection. The exchange is over. */
final class Reply implements ConnectionObserver, Underway {
    private final Hop hop;
    private final LocalReply answer;
    private final AtomicBoolean begun = new AtomicBoolean();
    private volatile Connection operations;

    Reply(Hop hop, LocalReply answer) {
        this.hop = hop;
        this.answer = answer;
    }

    void start(EventLoop loop) throws Throwable {
        InetSocketAddress address = (InetSocketAddress) hop.internals.address(hop.internals.target(hop.handler));
        ReplyChannel channel = new ReplyChannel(address);
        ChannelOperations.addReactiveBridge(channel, hop.config.channelOperationsProvider(), this);
        // By its codec's name the library knows where its own handlers belong.
        channel.pipeline().addBefore(NettyPipeline.ReactiveBridge, NettyPipeline.HttpCodec, new ReplyHandler(hop.exchange.method(), answer));
        channel.pipeline().addBefore(NettyPipeline.ReactiveBridge, HopHandler.NAME, new ReplyRequest(hop));
        loop.register(channel);
    }

    @Override
    public Context currentContext() {
        return hop.observer.currentContext();
    }

    @Override
    public void onStateChange(Connection connection, State now) {
        if (now == State.CONFIGURED && connection instanceof HttpClientRequest) {
            operations = connection;
            if (!begun.compareAndSet(false, true)) {
                connection.dispose();
                return;
            }
        }
        if (now == State.DISCONNECTING) {
            connection.channel().close();
        }
        if (now != State.CONNECTED) {
            hop.observer.onStateChange(connection, now);
        }
    }

    @Override
    public void onUncaughtException(Connection connection, Throwable failure) {
        hop.observer.onUncaughtException(connection, failure);
    }

    @Override
    public Channel channel() {
        Connection connection = operations;
        return connection == null ? null : connection.channel();
    }

    @Override
    public void cancel() {
        if (!begun.compareAndSet(false, true)) {
            operations.dispose();
        }
    }
}
