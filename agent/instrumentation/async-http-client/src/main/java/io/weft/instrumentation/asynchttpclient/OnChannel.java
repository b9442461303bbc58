package io.weft.instrumentation.asynchttpclient;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.channel.FileRegion;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import io.weft.dataplane.ClientConnection;
import io.weft.dataplane.Endpoint;
import java.net.SocketTimeoutException;
import org.asynchttpclient.netty.channel.Channels;

/** On a connection to an endpoint, for the attempts that use it one after the other. For its event loop. */
final class OnChannel extends ChannelDuplexHandler {
    static final String NAME = "weft.hop";

    private final Endpoint endpoint;
    /** Null: in plaintext, or not secured yet. Any thread asks for it that finds the channel in a pool. */
    private volatile ClientConnection connection;
    /** Null: the connection waits for one. */
    private Attempt attempt;
    /** What comes belongs to a 100 response. */
    private boolean interim;

    OnChannel(Endpoint endpoint) {
        this.endpoint = endpoint;
    }

    /** Null: the mesh has nothing to do with it. */
    static OnChannel of(Channel channel) {
        return channel == null ? null : (OnChannel) channel.pipeline().get(NAME);
    }

    Endpoint endpoint() {
        return endpoint;
    }

    void secured(ClientConnection secured) {
        connection = secured;
    }

    boolean leadsTo(Endpoint wanted) {
        return endpoint.tls() == wanted.tls() && endpoint.address().equals(wanted.address());
    }

    /** For one more request, from any thread. @return false: it is to be closed */
    boolean lease() {
        return connection == null || connection.lease();
    }

    void begin(Attempt next) {
        attempt = next;
        interim = false;
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
            if (!current.begins()) {
                ReferenceCountUtil.release(message);
                SocketTimeoutException failure = new SocketTimeoutException("too late to send");
                promise.tryFailure(failure);
                fails(context, current, failure);
                return;
            }
            onWire = WireRequest.of(request, current.hop().exchange.requestChanges());
        }
        ChannelPromise written = promise;
        current.hop().exchange.bytesSent(length(message));
        if (message instanceof LastHttpContent) {
            written = promise.unvoid();
            current.ends(written);
        }
        context.write(onWire, written);
    }

    /** Of the part of a body. */
    private static long length(Object message) {
        return message instanceof HttpContent content ? content.content().readableBytes()
                : message instanceof ByteBuf bytes ? bytes.readableBytes()
                : message instanceof FileRegion file ? file.count() : 0;
    }

    /** Nothing more is expected of the channel. */
    private void fails(ChannelHandlerContext context, Attempt current, Throwable failure) {
        attempt = null;
        current.broke(() -> context.fireExceptionCaught(failure));
        context.close();
    }

    /** As Netty does when the app has taken what came, and a publisher when its app asks. */
    @Override
    public void read(ChannelHandlerContext context) {
        Attempt current = attempt;
        if (current != null) {
            current.hop().exchange.awaitsBytes();
        }
        context.read();
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        Attempt current = attempt;
        if (current == null) {
            context.fireChannelRead(message);
            return;
        }
        if (message instanceof HttpResponse response) {
            interim = response.status().equals(HttpResponseStatus.CONTINUE);
            if (response.decoderResult().isFailure()) {
                attempt = null;
                current.broke(() -> {
                    ReferenceCountUtil.retain(message);
                    context.fireChannelRead(message);
                });
                ReferenceCountUtil.release(message);
                context.close();
                return;
            }
            if (!interim && current.responds(response) && !current.isReusable()) {
                ReferenceCountUtil.release(message);
                attempt = null;
                Channels.setDiscard(context.channel());
                context.close();
                current.dropped();
                return;
            }
            current.hop().exchange.awaitsNothing();
        } else if (message instanceof HttpContent content) {
            current.hop().exchange.bytesReceived(content.content().readableBytes());
            current.hop().exchange.awaitsNothing();
        }
        boolean last = message instanceof LastHttpContent end && !interim && end.decoderResult().isSuccess();
        if (current.isDropped()) {
            ReferenceCountUtil.release(message);
            if (last) {
                attempt = null;
                giveBack(context, current);
                current.dropped();
            }
        } else if (last) {
            ended(context, current, message);
        } else {
            context.fireChannelRead(message);
        }
    }

    /** A response that is dropped is waited for no longer than it has come: no time limit runs between two attempts. */
    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        context.fireChannelReadComplete();
        Attempt current = attempt;
        if (current != null && current.isDropped()) {
            context.close();
        }
    }

    /** The connection of a response that the library knows nothing of. */
    private void giveBack(ChannelHandlerContext context, Attempt current) {
        if (connection == null || connection.giveBack()) {
            current.hop().offer(context.channel());
        } else {
            Channels.setDiscard(context.channel());
            context.close();
        }
    }

    /** Before the library gives the connection back, or the app hears of the end. */
    private void ended(ChannelHandlerContext context, Attempt current, Object end) {
        attempt = null;
        current.completed();
        boolean good = connection == null || connection.giveBack();
        if (!good) {
            current.hop().future.setKeepAlive(false);
        }
        context.fireChannelRead(end);
        if (!good) {
            context.close();
        }
    }

    /** The library does so after a challenge, and sends the next request before it hears that the channel is closed. */
    @Override
    public void close(ChannelHandlerContext context, ChannelPromise promise) {
        Attempt current = attempt;
        if (current != null) {
            current.gone();
        }
        context.close(promise);
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        Attempt current = attempt;
        attempt = null;
        if (current == null) {
            context.fireChannelInactive();
            return;
        }
        if (current.isDropped()) {
            Channels.setDiscard(context.channel());
            context.fireChannelInactive();
            current.dropped();
            return;
        }
        current.gone();
        boolean[] told = {false};
        current.broke(() -> {
            told[0] = true;
            context.fireChannelInactive();
        });
        if (!told[0]) {
            // What the library has yet to write is over with it.
            context.fireChannelInactive();
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        Attempt current = attempt;
        if (current == null || !current.isUnanswered()) {
            context.fireExceptionCaught(cause);
            return;
        }
        boolean[] told = {false};
        current.broke(() -> {
            told[0] = true;
            context.fireExceptionCaught(cause);
        });
        if (!told[0]) {
            attempt = null;
            context.close();
        }
    }
}
