package io.weft.instrumentation.netty;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.channel.FileRegion;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import io.weft.dataplane.LocalReply;
import io.weft.dataplane.ResponseChanges;
import io.weft.instrumentation.AdapterContext;
import java.nio.channels.ClosedChannelException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;

/**
 * Behind the codec of HTTP/1: what becomes of each request before the app sees it, and of the head of its response. A caller may send
 * requests without waiting for the responses: what the mesh answers itself waits until the app has answered those before, and so does all
 * that comes after it. On the channel's event loop.
 */
final class Http1Handler extends ChannelDuplexHandler {
    private static final LocalReply TOO_LARGE = LocalReply.of(413, "Payload Too Large");

    private enum Mode { HTTP, UPGRADED, CLOSING }

    private final AdapterContext context;
    private final Accepted accepted;
    private final ChannelHandlerContext codec;
    /** That the app has, in their order. */
    private final Deque<IncomingRequest> withApp = new ArrayDeque<>(2);
    /** What waits for {@link #waiting}. */
    private final Deque<Object> behind = new ArrayDeque<>(0);
    /** Whose fate is not known yet, or whose answer has to wait; null: none. */
    private IncomingRequest waiting;
    private boolean toBeAnswered;
    /** The rest of the request that came last is nobody's. */
    private boolean dropsBody;
    /** Of the request that came last, as far as the app gets it; null: it is complete, or nobody's. */
    private IncomingRequest receiving;
    private Mode mode = Mode.HTTP;
    /** Null before the first. */
    private IncomingRequest latest;
    /** It is over, and serves again. */
    private boolean idle;
    /** Null: the response is not slowed down. */
    private PacedResponse paced;
    private boolean readAutomatically;
    private boolean handedOver;
    /** The head that the app was given last. */
    private HttpRequest known;

    Http1Handler(AdapterContext context, Accepted accepted, ChannelHandlerContext codec) {
        this.context = context;
        this.accepted = accepted;
        this.codec = codec;
    }

    boolean isBehind(ChannelHandlerContext handler) {
        return codec == handler;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        if (!(message instanceof HttpObject) || mode == Mode.UPGRADED || codec.isRemoved() || message == known) {
            // An app that has changed its pipeline sends through it from the start what it got meanwhile, as Micronaut does: that is decided.
            handOver(ctx, message);
        } else if (mode == Mode.CLOSING) {
            ReferenceCountUtil.release(message);
        } else if (waiting != null) {
            behind.add(message);
        } else {
            take(ctx, message);
        }
    }

    private void take(ChannelHandlerContext ctx, Object message) {
        try {
            if (message instanceof HttpRequest request) {
                begin(request);
                decide(ctx, message);
            } else {
                body(ctx, message);
            }
        } catch (RuntimeException | Error fault) {
            closeAfter(ctx, message, fault);
        }
    }

    /** What policy may not admit must not get in because of a fault. */
    private void closeAfter(ChannelHandlerContext ctx, Object message, Throwable fault) {
        ReferenceCountUtil.safeRelease(message);
        context.warn("a connection is closed, since a request over it cannot be decided: " + fault);
        close(ctx);
    }

    private void begin(HttpRequest request) {
        if (!idle) {
            latest = new IncomingRequest(this, accepted);
        }
        idle = false;
        latest.renew(request);
        accepted.port().enter(latest);
        waiting = latest;
    }

    /** @param message the head of {@link #waiting} */
    private void decide(ChannelHandlerContext ctx, Object message) {
        IncomingRequest incoming = waiting;
        if (!incoming.claimed()) {
            proceed(ctx, message);
            return;
        }
        switch (incoming.next()) {
            case PROCEED -> {
                incoming.change();
                proceed(ctx, message);
            }
            case WAIT -> {
                behind.addFirst(message);
                pause(ctx);
                incoming.afterDelay(() -> ctx.executor().execute(() -> resume(ctx, incoming)));
            }
            case REPLY -> {
                toBeAnswered = true;
                dropsBody = !(message instanceof LastHttpContent);
                ReferenceCountUtil.release(message);
                answerInTurn(ctx);
            }
            case CLOSE -> {
                ReferenceCountUtil.release(message);
                close(ctx);
            }
        }
    }

    private void proceed(ChannelHandlerContext ctx, Object message) {
        known = waiting.request();
        withApp.add(waiting);
        receiving = message instanceof LastHttpContent ? null : waiting;
        waiting = null;
        handOver(ctx, message);
    }

    private void resume(ChannelHandlerContext ctx, IncomingRequest incoming) {
        if (waiting != incoming || toBeAnswered) {
            return;
        }
        Object head = behind.poll();
        try {
            decide(ctx, head);
        } catch (RuntimeException | Error fault) {
            closeAfter(ctx, head, fault);
        }
        takeBehind(ctx);
    }

    /** What came in meanwhile. */
    private void takeBehind(ChannelHandlerContext ctx) {
        while (waiting == null && !behind.isEmpty()) {
            Object next = behind.poll();
            if (mode == Mode.HTTP) {
                take(ctx, next);
            } else {
                channelRead(ctx, next);
            }
        }
        if (waiting == null) {
            unpause(ctx);
            channelReadComplete(ctx);
        }
    }

    private void pause(ChannelHandlerContext ctx) {
        if (ctx.channel().config().isAutoRead()) {
            readAutomatically = true;
            ctx.channel().config().setAutoRead(false);
        }
    }

    private void unpause(ChannelHandlerContext ctx) {
        if (readAutomatically) {
            readAutomatically = false;
            ctx.channel().config().setAutoRead(true);
        }
    }

    private void body(ChannelHandlerContext ctx, Object message) {
        boolean last = message instanceof LastHttpContent;
        if (dropsBody) {
            ReferenceCountUtil.release(message);
            dropsBody = !last;
            return;
        }
        IncomingRequest incoming = receiving;
        if (last) {
            receiving = null;
        }
        if (incoming != null && message instanceof HttpContent content && !incoming.admits(content.content().readableBytes())) {
            ReferenceCountUtil.release(message);
            if (!incoming.isAnswered() && withApp.peek() == incoming) {
                mode = Mode.CLOSING;
                ctx.writeAndFlush(response(incoming.request(), TOO_LARGE, false)).addListener(ChannelFutureListener.CLOSE);
            } else {
                close(ctx);
            }
            return;
        }
        handOver(ctx, message);
    }

    /** The app's handlers are called. */
    private void handOver(ChannelHandlerContext ctx, Object message) {
        handedOver = true;
        ctx.fireChannelRead(message);
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        boolean toldApp = handedOver;
        handedOver = false;
        ctx.fireChannelReadComplete();
        if (!toldApp && waiting == null && mode != Mode.CLOSING && !ctx.channel().config().isAutoRead()) {
            // What came was not for the app, which has asked for something.
            ctx.read();
        }
    }

    /** The mesh's own answer, once the app has given those before. */
    private void answerInTurn(ChannelHandlerContext ctx) {
        if (!withApp.isEmpty()) {
            pause(ctx);
            return;
        }
        IncomingRequest incoming = waiting;
        waiting = null;
        toBeAnswered = false;
        boolean goesOn = HttpUtil.isKeepAlive(incoming.request())
                && !incoming.draining()
                && !(dropsBody && HttpUtil.is100ContinueExpected(incoming.request()));
        ChannelPromise sent = ctx.newPromise().addListener(incoming);
        if (!goesOn) {
            mode = Mode.CLOSING;
            sent.addListener(ChannelFutureListener.CLOSE);
        }
        FullHttpResponse response = response(incoming.request(), incoming.reply(), goesOn);
        if (paced == null || paced.isEmpty()) {
            ctx.writeAndFlush(response, sent);
        } else {
            paced.write(response, sent);
        }
    }

    private static FullHttpResponse response(HttpRequest request, LocalReply reply, boolean goesOn) {
        boolean head = request.method().equals(HttpMethod.HEAD);
        HttpResponseStatus status = reply.reason().isEmpty()
                ? HttpResponseStatus.valueOf(reply.status())
                : HttpResponseStatus.valueOf(reply.status(), reply.reason());
        FullHttpResponse response = new DefaultFullHttpResponse(
                HttpVersion.HTTP_1_1, status, head ? Unpooled.EMPTY_BUFFER : Unpooled.wrappedBuffer(reply.body()));
        for (Map.Entry<String, String> header : reply.headers()) {
            response.headers().add(header.getKey(), header.getValue());
        }
        if (reply.status() >= 200 && reply.status() != 204 && reply.status() != 304
                && !response.headers().contains(HttpHeaderNames.CONTENT_LENGTH)) {
            response.headers().set(HttpHeaderNames.CONTENT_LENGTH, reply.body().length);
        }
        if (!goesOn) {
            response.headers().set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
        } else if (request.protocolVersion().equals(HttpVersion.HTTP_1_0)) {
            response.headers().set(HttpHeaderNames.CONNECTION, HttpHeaderValues.KEEP_ALIVE);
        }
        return response;
    }

    @Override
    public void write(ChannelHandlerContext ctx, Object message, ChannelPromise promise) {
        if (mode == Mode.CLOSING) {
            ReferenceCountUtil.release(message);
            promise.tryFailure(new ClosedChannelException());
            return;
        }
        IncomingRequest incoming = mode == Mode.UPGRADED || codec.isRemoved() ? null : withApp.peek();
        if (incoming == null) {
            ctx.write(message, promise);
            return;
        }
        boolean informational = false;
        if (message instanceof HttpResponse response) {
            int status = response.status().code();
            informational = status < 200 && status != 101;
            if (!informational) {
                head(ctx, incoming, response, status);
            }
        }
        if (message instanceof HttpContent content) {
            incoming.writes(content.content().readableBytes());
        } else if (message instanceof ByteBuf content) {
            // Of a response in chunks the codec takes that, too, as Reactor Netty writes it.
            incoming.writes(content.readableBytes());
        } else if (message instanceof FileRegion content) {
            incoming.writes(content.count());
        }
        boolean last = message instanceof LastHttpContent && !informational || mode == Mode.UPGRADED;
        ChannelPromise sent = last ? last(incoming, promise.unvoid()) : promise;
        if (paced == null) {
            ctx.write(message, sent);
        } else {
            paced.write(message, sent);
            // What comes next may not overtake it, but has a pace of its own.
            paced = last && paced.isEmpty() ? null : paced;
        }
        if (last && toBeAnswered) {
            // Not from within the app's own call.
            ctx.executor().execute(() -> {
                if (toBeAnswered) {
                    answerInTurn(ctx);
                    takeBehind(ctx);
                }
            });
        }
    }

    private void head(ChannelHandlerContext ctx, IncomingRequest incoming, HttpResponse response, int status) {
        incoming.answered();
        if (incoming.responseBytesPerSecond() > 0) {
            paced = new PacedResponse(ctx, paced, incoming.responseBytesPerSecond());
        } else if (paced != null && paced.isEmpty()) {
            paced = null;
        }
        if (incoming.claimed()) {
            MessageHeaders headers = new MessageHeaders(response.headers());
            incoming.onResponse(status, headers);
            ResponseChanges changes = incoming.responseChanges();
            if (!changes.isEmpty()) {
                headers.changeResponse(changes);
            }
        }
        if (incoming.draining() && status != 101) {
            response.headers().set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
        }
        if (status == 101 || status < 300 && incoming.request().method().equals(HttpMethod.CONNECT)) {
            mode = Mode.UPGRADED;
        }
    }

    private ChannelPromise last(IncomingRequest incoming, ChannelPromise sent) {
        withApp.remove();
        sent.addListener(incoming);
        if (mode == Mode.HTTP && incoming.draining()) {
            sent.addListener(ChannelFutureListener.CLOSE);
        }
        return sent;
    }

    /** The response is out. */
    void done(IncomingRequest incoming) {
        incoming.end();
        idle |= incoming == latest && incoming != receiving;
    }

    private void close(ChannelHandlerContext ctx) {
        forget();
        ctx.close();
    }

    private void forget() {
        known = null;
        mode = mode == Mode.UPGRADED ? mode : Mode.CLOSING;
        IncomingRequest undecided = waiting;
        waiting = null;
        toBeAnswered = false;
        if (undecided != null) {
            undecided.end();
        }
        for (Object message = behind.poll(); message != null; message = behind.poll()) {
            ReferenceCountUtil.release(message);
        }
        for (IncomingRequest request = withApp.poll(); request != null; request = withApp.poll()) {
            request.end();
        }
        if (paced != null) {
            paced.close();
            paced = null;
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        forget();
        ctx.fireChannelInactive();
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) {
        forget();
    }
}
