package io.weft.instrumentation.asynchttpclient;

import io.netty.channel.AbstractChannel;
import io.netty.channel.ChannelConfig;
import io.netty.channel.ChannelMetadata;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelPromise;
import io.netty.channel.DefaultChannelConfig;
import io.netty.channel.EventLoop;
import java.net.InetSocketAddress;
import java.net.SocketAddress;

/** A connection that leads nowhere, for one request. */
final class ReplyChannel extends AbstractChannel {
    private static final ChannelMetadata METADATA = new ChannelMetadata(false);

    private enum State { NEW, CONNECTED, SPENT, CLOSED }

    private final InetSocketAddress address;
    private final ChannelConfig config = new DefaultChannelConfig(this);
    private volatile State state = State.NEW;

    /** @param address that the app has asked for */
    ReplyChannel(InetSocketAddress address) {
        super(null);
        this.address = address;
    }

    /** It is of no use for a further request. */
    void spend() {
        state = State.SPENT;
    }

    @Override
    public ChannelConfig config() {
        return config;
    }

    @Override
    protected SocketAddress localAddress0() {
        return address;
    }

    @Override
    protected SocketAddress remoteAddress0() {
        return address;
    }

    @Override
    public boolean isOpen() {
        return state != State.CLOSED;
    }

    @Override
    public boolean isActive() {
        return state == State.CONNECTED;
    }

    @Override
    public ChannelMetadata metadata() {
        return METADATA;
    }

    @Override
    protected boolean isCompatible(EventLoop loop) {
        return true;
    }

    @Override
    protected AbstractUnsafe newUnsafe() {
        return new AbstractUnsafe() {
            @Override
            public void connect(SocketAddress remote, SocketAddress local, ChannelPromise promise) {
                state = State.CONNECTED;
                if (promise.trySuccess()) {
                    pipeline().fireChannelActive();
                }
            }
        };
    }

    @Override
    protected void doBind(SocketAddress local) {
        throw new UnsupportedOperationException("a reply of the mesh comes over no network");
    }

    @Override
    protected void doDisconnect() {
        doClose();
    }

    @Override
    protected void doClose() {
        state = State.CLOSED;
    }

    /** What there is to read comes by itself. */
    @Override
    protected void doBeginRead() {}

    @Override
    protected void doWrite(ChannelOutboundBuffer written) {
        while (written.current() != null) {
            written.remove();
        }
    }
}
