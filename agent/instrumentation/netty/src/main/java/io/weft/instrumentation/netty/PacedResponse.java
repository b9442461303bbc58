package io.weft.instrumentation.netty;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.DefaultLastHttpContent;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import io.weft.instrumentation.Pace;
import java.nio.channels.ClosedChannelException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.TimeUnit;

/** A response whose body goes out no faster than it may. On the channel's event loop. */
final class PacedResponse {
    private final ChannelHandlerContext ctx;
    private final Pace pace;
    /** What has not gone out yet, of this response and of those before. */
    private final Deque<Piece> pieces;
    private boolean scheduled;

    /** @param bytes of the body in it */
    private record Piece(Object message, ChannelPromise promise, int bytes) {}

    /** @param before null, or another that may have something left */
    PacedResponse(ChannelHandlerContext ctx, PacedResponse before, long bytesPerSecond) {
        this.ctx = ctx;
        pace = new Pace(bytesPerSecond);
        pieces = before == null ? new ArrayDeque<>() : before.pieces;
    }

    boolean isEmpty() {
        return pieces.isEmpty();
    }

    void write(Object message, ChannelPromise promise) {
        if (message instanceof HttpContent content && content.content().readableBytes() > pace.slice()) {
            split(content, promise);
        } else {
            int bytes = message instanceof HttpContent content ? content.content().readableBytes() : 0;
            pieces.add(new Piece(message, promise, bytes));
        }
        send();
    }

    private void split(HttpContent content, ChannelPromise promise) {
        if (content instanceof HttpResponse head) {
            pieces.add(new Piece(
                    new DefaultHttpResponse(head.protocolVersion(), head.status(), head.headers()), ctx.newPromise(), 0));
        }
        ByteBuf body = content.content();
        while (body.readableBytes() > pace.slice()) {
            pieces.add(new Piece(new DefaultHttpContent(body.readRetainedSlice(pace.slice())), ctx.newPromise(), pace.slice()));
        }
        int left = body.readableBytes();
        if (content instanceof LastHttpContent last) {
            LastHttpContent end = new DefaultLastHttpContent(body.readRetainedSlice(left));
            end.trailingHeaders().add(last.trailingHeaders());
            pieces.add(new Piece(end, promise, left));
        } else {
            pieces.add(new Piece(new DefaultHttpContent(body.readRetainedSlice(left)), promise, left));
        }
        content.release();
    }

    private void send() {
        if (scheduled) {
            return;
        }
        while (!pieces.isEmpty()) {
            long left = pieces.peek().bytes == 0 ? 0 : pace.waitNanos();
            if (left > 0) {
                scheduled = true;
                ctx.executor().schedule(() -> {
                    scheduled = false;
                    send();
                }, left, TimeUnit.NANOSECONDS);
                break;
            }
            Piece piece = pieces.remove();
            ctx.write(piece.message, piece.promise);
            pace.sent(piece.bytes);
        }
        ctx.flush();
    }

    /** What has not gone out will not. */
    void close() {
        ClosedChannelException closed = new ClosedChannelException();
        for (Piece piece = pieces.poll(); piece != null; piece = pieces.poll()) {
            ReferenceCountUtil.release(piece.message);
            piece.promise.tryFailure(closed);
        }
    }
}
