package io.weft.instrumentation.armeriaclient;

import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.netty.handler.ssl.SslHandshakeTimeoutException;
import io.weft.dataplane.ClientTls;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;

/**
 * To all that the library has in a connection's pipeline the connection is there when the handshake is done. Whatever goes wrong before is a
 * failure to connect, never a connection in plaintext. For its event loop.
 */
final class Handshake extends ChannelDuplexHandler {
    private final ClientTls tls;
    private final InetSocketAddress peer;
    private ChannelPromise library;
    private boolean active;

    Handshake(ClientTls tls, InetSocketAddress peer) {
        this.tls = tls;
        this.peer = peer;
    }

    @Override
    public void connect(ChannelHandlerContext context, SocketAddress remote, SocketAddress local, ChannelPromise promise) {
        library = promise;
        context.connect(remote, local).addListener(connected -> {
            if (!connected.isSuccess()) {
                promise.tryFailure(connected.cause());
            }
        });
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
        active = true;
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
        if (!(event instanceof SslHandshakeCompletionEvent handshake)) {
            context.fireUserEventTriggered(event);
        } else if (handshake.isSuccess()) {
            SecuredChannel.begin(context.channel(), tls);
            if (!library.trySuccess()) {
                context.close();
                return;
            }
            if (active) {
                context.fireChannelActive();
            }
            context.pipeline().remove(this);
        } else {
            fails(context, handshake.cause());
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        fails(context, cause);
    }

    /** The library has never heard that it was there. */
    @Override
    public void channelInactive(ChannelHandlerContext context) {
        fails(context, new IOException("the connection has ended"));
    }

    private void fails(ChannelHandlerContext context, Throwable cause) {
        String endpoint = SecuredChannels.peer(peer);
        ConnectException failure = new ConnectException(cause instanceof SslHandshakeTimeoutException
                ? "mesh TLS to " + endpoint + " timed out"
                : "mesh TLS to " + endpoint + " failed: " + innermost(cause));
        failure.initCause(cause);
        library.tryFailure(failure);
        context.close();
    }

    // JSSE wraps what matters several layers deep.
    private static String innermost(Throwable cause) {
        Throwable inner = cause;
        while (inner.getCause() != null && (inner.getCause() instanceof IOException || !(inner instanceof IOException))) {
            inner = inner.getCause();
        }
        return inner.getMessage() == null ? inner.toString() : inner.getMessage();
    }
}
