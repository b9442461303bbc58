package io.weft.policy.xds;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.ssl.ApplicationProtocolNames;
import io.netty.handler.ssl.NotSslRecordException;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import java.security.cert.CertPathBuilderException;
import java.util.function.Consumer;

/** Lets HTTP/2 begin once the peer is who it should be and has agreed to it. */
final class TlsGate extends ChannelInboundHandlerAdapter {
    private final GrpcStreamHandler call;
    private final Consumer<GrpcStatus> failed;

    TlsGate(GrpcStreamHandler call, Consumer<GrpcStatus> failed) {
        this.call = call;
        this.failed = failed;
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (!(event instanceof SslHandshakeCompletionEvent handshake)) {
            ctx.fireUserEventTriggered(event);
            return;
        }
        if (!handshake.isSuccess()) {
            fail("TLS handshake failed: " + innermost(handshake.cause()));
            return;
        }
        String agreed = ctx.pipeline().get(SslHandler.class).applicationProtocol();
        if (!ApplicationProtocolNames.HTTP_2.equals(agreed)) {
            fail("the control plane did not agree to h2 by ALPN, but to " + (agreed == null ? "nothing" : agreed));
            return;
        }
        ctx.pipeline().addLast(call);
        ctx.pipeline().remove(this);
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        fail("the connection was closed during the TLS handshake; does the control plane use TLS on this port?");
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        fail("TLS handshake failed: " + innermost(cause));
    }

    private void fail(String message) {
        failed.accept(GrpcStatus.unavailable(message));
    }

    // JSSE wraps what matters, as "unable to find valid certification path", several layers deep.
    private static String innermost(Throwable cause) {
        if (cause instanceof NotSslRecordException || cause.getCause() instanceof NotSslRecordException) {
            return "the answer is no TLS; write grpc:// in place of grpcs:// if this port is not served by TLS";
        }
        Throwable inner = cause;
        while (inner.getCause() != null && inner.getCause() != inner) {
            inner = inner.getCause();
        }
        return inner instanceof CertPathBuilderException
                ? inner.getMessage() + "; whom to trust is said by weft.control-plane.ca-file"
                : inner.getMessage() == null ? inner.toString() : inner.getMessage();
    }
}
