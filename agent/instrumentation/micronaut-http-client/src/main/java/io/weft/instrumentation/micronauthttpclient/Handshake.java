package io.weft.instrumentation.micronauthttpclient;

import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.channel.ConnectTimeoutException;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.netty.handler.ssl.SslHandshakeTimeoutException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.SocketAddress;

/**
 * To the library a connection is there when the handshake is done. Whatever goes wrong before is a failure to connect, never a
 * connection in plaintext.
 */
final class Handshake extends ChannelDuplexHandler {
    private final Way way;
    private ChannelPromise connecting;

    Handshake(Way way) {
        this.way = way;
    }

    @Override
    public void connect(ChannelHandlerContext context, SocketAddress remote, SocketAddress local, ChannelPromise promise) {
        connecting = promise;
        context.connect(remote, local).addListener(connected -> {
            if (!connected.isSuccess()) {
                promise.tryFailure(connected.cause());
            }
        });
    }

    /** By it the library takes the connection for ready. */
    @Override
    public void channelActive(ChannelHandlerContext context) {}

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        connecting.tryFailure(failure(new IOException("the connection was closed")));
        context.fireChannelInactive();
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
        if (!(event instanceof SslHandshakeCompletionEvent completion)) {
            context.fireUserEventTriggered(event);
        } else if (completion.isSuccess()) {
            SecuredConnection.begin(context.channel(), way.tls());
            context.fireChannelActive();
            context.pipeline().remove(this);
            connecting.trySuccess();
        } else {
            connecting.tryFailure(failure(completion.cause()));
            context.close();
        }
    }

    private IOException failure(Throwable cause) {
        ConnectException failure = cause instanceof SslHandshakeTimeoutException
                ? new ConnectTimeoutException("mesh TLS to " + way.peer() + " timed out")
                : new ConnectException("mesh TLS to " + way.peer() + " failed: " + innermost(cause));
        failure.initCause(cause);
        return failure;
    }

    // JSSE wraps what matters several layers deep.
    private static String innermost(Throwable cause) {
        Throwable inner = cause;
        while (inner.getCause() != null && (inner.getCause() instanceof IOException || !(inner instanceof IOException))) {
            inner = inner.getCause();
        }
        return inner.getMessage() == null ? inner.toString() : inner.getMessage();
    }

    /** It is told as a failure to connect, and in other words. */
    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        connecting.tryFailure(failure(cause));
        context.close();
    }
}
