package io.weft.instrumentation.reactornetty;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import io.weft.dataplane.ClientConnection;
import io.weft.dataplane.Endpoint;
import io.weft.instrumentation.Handler;
import java.net.SocketTimeoutException;
import reactor.netty.Connection;

/** On a connection to an endpoint, for the attempts that use it one after the other. For its event loop. */
final class OnChannel extends ChannelDuplexHandler implements HopHandler {
    private final Endpoint endpoint;
    /** Null: in plaintext, or not secured yet. */
    private ClientConnection connection;

    private boolean used;
    /** Null: the connection waits for one. */
    private Attempt attempt;
    /** Of the attempt, as long as nothing of a body has followed it; null: something has, or it says that something does. */
    private Sent headAlone;
    /** What comes belongs to a 100 response. */
    private boolean interim;

    OnChannel(Endpoint endpoint) {
        this.endpoint = endpoint;
    }

    void secured(ClientConnection connection) {
        this.connection = connection;
    }

    boolean leadsTo(Endpoint wanted) {
        return endpoint.tls() == wanted.tls() && endpoint.address().equals(wanted.address());
    }

    /** The pool gives it to a request. @return false: it is closed, or to be closed by the caller */
    boolean lease() {
        boolean fresh = !used;
        used = true;
        return fresh || connection == null || connection.lease();
    }

    void begin(Attempt next) {
        attempt = next;
        interim = false;
    }

    @Override
    public Object request(Object handler, Object operations) throws Throwable {
        return attempt == null ? Handler.PROCEED : attempt.hop().request(handler, operations);
    }

    @Override
    public boolean drops(Object operations) throws Throwable {
        if (attempt == null || !attempt.isDropped()) {
            return false;
        }
        attempt.hop().internals.drop(operations);
        return true;
    }

    @Override
    public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
        Attempt current = attempt;
        if (current == null) {
            context.write(message, promise);
            return;
        }
        Object onWire = message;
        if (message instanceof HttpRequest request) {
            Sent sent = Sent.of(request);
            headAlone = sent.body() == null && !HttpUtil.isTransferEncodingChunked(request) ? sent : null;
            if (!current.sends(sent)) {
                ReferenceCountUtil.release(message);
                SocketTimeoutException failure = new SocketTimeoutException("too late to send");
                current.tooLate(failure);
                promise.tryFailure(failure);
                context.close();
                return;
            }
            onWire = WireRequest.of(request, current.hop().exchange.requestChanges());
        } else if (headAlone != null) {
            if (message instanceof LastHttpContent end && !end.content().isReadable() && end.trailingHeaders().isEmpty()) {
                current.hop().sends(headAlone.withoutBody());
            }
            headAlone = null;
        }
        ChannelPromise written = promise;
        current.hop().exchange.bytesSent(length(message));
        if (message instanceof LastHttpContent && current.hop().exchange.awaitsEndOfRequest()) {
            written = promise.unvoid();
            written.addListener(result -> {
                if (result.isSuccess()) {
                    current.sent();
                }
            });
        }
        context.write(onWire, written);
    }

    /** Of the part of a body. */
    private static int length(Object message) {
        return message instanceof HttpContent content ? content.content().readableBytes()
                : message instanceof ByteBuf bytes ? bytes.readableBytes() : 0;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        Attempt current = attempt;
        if (current != null) {
            if (message instanceof HttpResponse response) {
                interim = response.status().equals(HttpResponseStatus.CONTINUE);
                if (response.decoderResult().isFailure()) {
                    current.cannotRead(response.decoderResult().cause());
                } else if (!interim) {
                    current.responds(response);
                }
            } else if (message instanceof HttpContent) {
                current.hop().exchange.bytesReceived(length(message));
            }
            current.hop().exchange.awaitsNothing();
            if (message instanceof LastHttpContent end && !interim) {
                ended(context, current, end.decoderResult().isSuccess());
            }
        }
        context.fireChannelRead(message);
    }

    /** A response that is dropped is waited for no longer than it has come: no time limit runs between two attempts. */
    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        context.fireChannelReadComplete();
        Attempt current = attempt;
        if (current != null && current.isDropped()) {
            current.abort();
        }
    }

    /** As soon as the app wants more than what waits for it. */
    @Override
    public void read(ChannelHandlerContext context) {
        if (attempt != null) {
            attempt.hop().exchange.awaitsBytes();
        }
        context.read();
    }

    /** Before the library gives the connection back, or the app hears of the end. */
    private void ended(ChannelHandlerContext context, Attempt current, boolean whole) {
        if (whole) {
            attempt = null;
            current.completed();
        }
        if (connection != null && !connection.giveBack()) {
            Connection.from(context.channel()).markPersistent(false);
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        context.fireChannelInactive();
        Attempt current = attempt;
        attempt = null;
        if (current != null) {
            current.gone();
        }
    }
}
