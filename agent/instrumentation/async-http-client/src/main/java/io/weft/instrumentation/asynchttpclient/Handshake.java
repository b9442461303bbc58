package io.weft.instrumentation.asynchttpclient;

import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.channel.ConnectTimeoutException;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.netty.handler.ssl.SslHandshakeTimeoutException;
import io.weft.dataplane.Endpoint;
import java.io.IOException;
import java.net.ConnectException;
import java.net.SocketAddress;

/**
 * To whoever connects the connection is there when the handshake is done. Whatever goes wrong before is a failure to connect, never a
 * connection in plaintext.
 */
final class Handshake extends ChannelDuplexHandler {
    private final Endpoint endpoint;
    private final OnChannel onChannel;
    private ChannelPromise connecting;

    Handshake(Endpoint endpoint, OnChannel onChannel) {
        this.endpoint = endpoint;
        this.onChannel = onChannel;
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

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
        if (!(event instanceof SslHandshakeCompletionEvent completion)) {
            context.fireUserEventTriggered(event);
        } else if (completion.isSuccess()) {
            onChannel.secured(endpoint.tls().connections().opened(() -> context.channel().close()));
            context.pipeline().remove(this);
            connecting.trySuccess();
        } else {
            connecting.tryFailure(failure(completion.cause()));
        }
    }

    private IOException failure(Throwable cause) {
        ConnectException failure = cause instanceof SslHandshakeTimeoutException
                ? new ConnectTimeoutException("mesh TLS to " + endpoint + " timed out")
                : new ConnectException("mesh TLS to " + endpoint + " failed: " + innermost(cause));
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
    }
}
