package io.weft.instrumentation.reactornetty;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ConnectTimeoutException;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.netty.handler.ssl.SslHandshakeTimeoutException;
import io.weft.dataplane.Endpoint;
import java.io.IOException;
import java.net.ConnectException;

/**
 * To all that is above the connection is there when the handshake is done. Whatever goes wrong before is a failure to connect, never a
 * connection in plaintext.
 */
final class Handshake extends ChannelInboundHandlerAdapter {
    private final Endpoint endpoint;
    private final OnChannel onChannel;
    private boolean failed;

    Handshake(Endpoint endpoint, OnChannel onChannel) {
        this.endpoint = endpoint;
        this.onChannel = onChannel;
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
        // The library reads by itself only once it knows that the connection is there.
        context.read();
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
        if (!(event instanceof SslHandshakeCompletionEvent completion)) {
            context.fireUserEventTriggered(event);
            return;
        }
        if (!completion.isSuccess()) {
            failed = true;
            context.fireExceptionCaught(failure(completion.cause()));
            return;
        }
        onChannel.secured(endpoint.tls().connections().opened(() -> context.channel().close()));
        context.pipeline().remove(this);
        context.fireChannelActive();
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

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        // It was told, and in other words.
        if (!failed) {
            context.fireExceptionCaught(cause);
        }
    }
}
