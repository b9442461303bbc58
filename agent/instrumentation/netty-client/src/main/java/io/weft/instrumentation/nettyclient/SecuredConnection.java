package io.weft.instrumentation.nettyclient;

import io.netty.channel.Channel;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.channel.FileRegion;
import io.netty.handler.ssl.SslCloseCompletionEvent;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.netty.handler.stream.ChunkedWriteHandler;
import io.weft.dataplane.ClientTls;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.channels.ClosedChannelException;
import java.util.concurrent.TimeUnit;

/**
 * Between mesh TLS, which is first in the pipeline, and what the app has there. To the app the connection is there when the handshake is
 * done, a failed handshake is a connection that was refused, and a peer's farewell is the end of the connection: it hears of nothing that
 * a connection without TLS would not have. On the channel's event loop.
 */
final class SecuredConnection extends ChannelDuplexHandler {
    private static final String TLS = "weft.tls";
    private static final String FILES = "weft.files";
    private static final String NAME = "weft.connection";

    private final SslHandler tls;
    private final InetSocketAddress peer;
    private ChannelPromise connecting;
    private boolean established;

    private SecuredConnection(SslHandler tls, InetSocketAddress peer) {
        this.tls = tls;
        this.peer = peer;
    }

    /** Before the channel connects; on any thread. */
    static void begin(Channel channel, ClientTls tls, InetSocketAddress peer, boolean http2) {
        SslHandler handler = new SslHandler(http2 ? tls.http2Engine(peer) : tls.engine(peer));
        channel.pipeline().addFirst(TLS, handler).addAfter(TLS, NAME, new SecuredConnection(handler, peer));
    }

    /** The app's own limit is one of both, connection and handshake. */
    @Override
    public void connect(ChannelHandlerContext ctx, SocketAddress remote, SocketAddress local, ChannelPromise promise) {
        connecting = promise;
        int limit = ctx.channel().config().getConnectTimeoutMillis();
        tls.setHandshakeTimeoutMillis(Math.max(0, limit));
        long began = System.nanoTime();
        ChannelPromise connected = ctx.newPromise();
        connected.addListener(result -> {
            if (!result.isSuccess()) {
                promise.tryFailure(result.cause());
            } else if (limit > 0) {
                // The handshake begins after this.
                tls.setHandshakeTimeoutMillis(Math.max(1, limit - TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began)));
            }
        });
        promise.addListener(result -> {
            if (result.isCancelled()) {
                connected.cancel(false);
                ctx.close();
            }
        });
        ctx.connect(remote, local, connected);
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event instanceof SslHandshakeCompletionEvent handshake) {
            if (!handshake.isSuccess()) {
                fail(ctx, handshake.cause());
            } else if (!established) {
                established = true;
                boolean told = connecting.trySuccess();
                ctx.fireChannelActive();
                if (!told) {
                    ctx.close();
                }
            }
        } else if (event instanceof SslCloseCompletionEvent) {
            ctx.close();
        } else if (established) {
            ctx.fireUserEventTriggered(event);
        }
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        // Not before the handshake is done.
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        if (established) {
            ctx.fireChannelReadComplete();
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        if (established) {
            ctx.fireChannelInactive();
        } else {
            fail(ctx, new ClosedChannelException());
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        if (established) {
            ctx.fireExceptionCaught(cause);
        } else {
            fail(ctx, cause);
        }
    }

    private void fail(ChannelHandlerContext ctx, Throwable cause) {
        if (connecting != null) {
            ConnectException failure = new ConnectException(
                    "mesh TLS to " + peer.getAddress().getHostAddress() + ':' + peer.getPort() + " failed: " + reason(cause));
            failure.initCause(cause);
            connecting.tryFailure(failure);
        }
        ctx.close();
    }

    /** JSSE wraps what matters several layers deep. */
    private static String reason(Throwable cause) {
        Throwable inner = cause;
        while (inner.getCause() != null && (inner.getCause() instanceof IOException || !(inner instanceof IOException))) {
            inner = inner.getCause();
        }
        return inner.getMessage() == null ? inner.toString() : inner.getMessage();
    }

    /** A file that the app would have had sent by the kernel is read. */
    @Override
    public void write(ChannelHandlerContext ctx, Object message, ChannelPromise promise) {
        if (!(message instanceof FileRegion file)) {
            ctx.write(message, promise);
            return;
        }
        if (ctx.pipeline().get(FILES) == null) {
            ctx.pipeline().addBefore(NAME, FILES, new ChunkedWriteHandler());
        }
        ctx.write(new FilePieces(file), promise);
    }
}
