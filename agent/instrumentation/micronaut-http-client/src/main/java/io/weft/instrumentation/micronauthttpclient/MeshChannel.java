package io.weft.instrumentation.micronauthttpclient;

import io.netty.channel.AbstractChannel;
import io.netty.channel.ChannelConfig;
import io.netty.channel.ChannelMetadata;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelPromise;
import io.netty.channel.DefaultChannelConfig;
import io.netty.channel.EventLoop;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import java.net.InetSocketAddress;
import java.net.SocketAddress;

/**
 * In a connection's place, as the library's pool has it: on it is written what the app sends, and from it comes what the app is to see. It is
 * one request after the other that is on it, as over HTTP/1.1. All but its address is for its event loop.
 */
final class MeshChannel extends AbstractChannel {
    private static final ChannelMetadata METADATA = new ChannelMetadata(false);
    /** Of the library, from 4.1 to 4.6, while it waits for leave to send a body: whatever comes is dropped, leave or not. */
    private static final String AWAITS_LEAVE = "continue-handler";

    private enum State { NEW, ACTIVE, CLOSED }

    /** Null: it is only closed. */
    private final Hops hops;
    private final ChannelConfig config = new DefaultChannelConfig(this);
    private volatile State state = State.NEW;
    /** The last one; null: none yet. */
    private Hop hop;
    /** What the hop is at, of what was written. */
    private Object underWay;
    private boolean pumping;
    private boolean patienceOver;
    /** The library has dropped the last answer, and goes by the end of the channel. */
    private boolean missed;
    /** Why there is no connection, in the library's words. */
    private Throwable noConnection;

    MeshChannel(Hops hops) {
        super(null);
        this.hops = hops;
    }

    // What the app sends.

    @Override
    protected void doWrite(ChannelOutboundBuffer written) {
        pump();
    }

    private void pump() {
        if (pumping) {
            return;
        }
        pumping = true;
        try {
            while (state == State.ACTIVE) {
                ChannelOutboundBuffer written = unsafe().outboundBuffer();
                Object message = written == null ? null : written.current();
                if (message == null || message == underWay) {
                    return;
                }
                underWay = message;
                if (message instanceof HttpRequest request) {
                    patienceOver = false;
                    hop = hops.begin(this, request);
                    hop.begin();
                } else if (message instanceof HttpContent part && hop != null) {
                    hop.send(part);
                } else {
                    underWay = null;
                    written.remove(new UnsupportedOperationException("unexpected of a client: " + message.getClass().getName()));
                }
            }
        } finally {
            pumping = false;
        }
    }

    /** What the hop was at is on its way. */
    void sent() {
        underWay = null;
        ChannelOutboundBuffer written = unsafe().outboundBuffer();
        if (written != null) {
            written.remove();
            pump();
        }
    }

    // What the app is to see.

    void receives(Object message) {
        if (state == State.ACTIVE) {
            if (message instanceof HttpResponse) {
                missed = awaitsLeave();
            } else if (message instanceof LastHttpContent) {
                // Put there meanwhile: the library may send a head first, and not on the event loop.
                missed |= awaitsLeave();
            }
            pipeline().fireChannelRead(message);
        } else {
            ReferenceCountUtil.release(message);
        }
    }

    private boolean awaitsLeave() {
        return pipeline().get(AWAITS_LEAVE) != null;
    }

    /** @param closes the connection is not kept after the answer */
    void isAnswered(boolean closes) {
        receivedAll();
        if (missed && closes) {
            ends();
        }
    }

    void receivedAll() {
        if (state == State.ACTIVE) {
            pipeline().fireChannelReadComplete();
        }
    }

    /** As a peer does, which none of the library's handlers can put off. */
    void ends() {
        unsafe().close(voidPromise());
    }

    /** There is no connection, for that reason. */
    void isNotConnected(Throwable cause) {
        noConnection = cause;
        pipeline().fireExceptionCaught(cause);
    }

    boolean isOver(Object cause) {
        return cause == noConnection;
    }

    /** A time limit of the app's. */
    void patienceIsOver() {
        patienceOver = true;
    }

    boolean isPatienceOver() {
        return patienceOver;
    }

    @Override
    protected void doBeginRead() {
        if (hop != null) {
            hop.wantsMore();
        }
    }

    @Override
    protected void doClose() {
        state = State.CLOSED;
        if (hop != null) {
            hop.channelIsClosed();
        }
    }

    // It leads nowhere.

    @Override
    public ChannelConfig config() {
        return config;
    }

    @Override
    protected SocketAddress localAddress0() {
        return remoteAddress0();
    }

    @Override
    protected SocketAddress remoteAddress0() {
        return hops == null ? InetSocketAddress.createUnresolved("", 0) : hops.address();
    }

    @Override
    public boolean isOpen() {
        return state != State.CLOSED;
    }

    @Override
    public boolean isActive() {
        return state == State.ACTIVE;
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
                state = State.ACTIVE;
                if (promise.trySuccess()) {
                    pipeline().fireChannelActive();
                } else {
                    close(voidPromise());
                }
            }
        };
    }

    @Override
    protected void doBind(SocketAddress local) {
        throw new UnsupportedOperationException("a channel of the mesh's is bound to no address");
    }

    @Override
    protected void doDisconnect() {
        doClose();
    }
}
