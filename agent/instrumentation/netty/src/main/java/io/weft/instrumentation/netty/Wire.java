package io.weft.instrumentation.netty;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.util.ArrayDeque;
import java.util.Deque;

/** What has come in over a channel and is to go out over it, below the first handler of its pipeline. Never blocks. On its event loop. */
final class Wire implements ByteChannel {
    private final Deque<ByteBuf> in = new ArrayDeque<>(2);
    private final Deque<ByteBuf> out = new ArrayDeque<>(2);
    private final ChannelHandlerContext ctx;

    Wire(ChannelHandlerContext ctx) {
        this.ctx = ctx;
    }

    /** Takes it over. */
    void received(ByteBuf bytes) {
        in.add(bytes);
    }

    /** What nobody has read, in order; the caller takes it over. Null: nothing more. */
    ByteBuf next() {
        return in.poll();
    }

    @Override
    public int read(ByteBuffer to) {
        int before = to.position();
        while (to.hasRemaining() && !in.isEmpty()) {
            ByteBuf bytes = in.peek();
            int some = Math.min(bytes.readableBytes(), to.remaining());
            int limit = to.limit();
            to.limit(to.position() + some);
            bytes.readBytes(to);
            to.limit(limit);
            if (!bytes.isReadable()) {
                in.remove().release();
            }
        }
        return to.position() - before;
    }

    @Override
    public int write(ByteBuffer from) {
        int bytes = from.remaining();
        if (bytes > 0) {
            out.add(ctx.alloc().ioBuffer(bytes).writeBytes(from));
        }
        return bytes;
    }

    /**
     * Hands on what is to go out, without a flush.
     *
     * @return whether there was anything
     */
    boolean send() {
        boolean any = !out.isEmpty();
        for (ByteBuf bytes = out.poll(); bytes != null; bytes = out.poll()) {
            ctx.write(bytes);
        }
        return any;
    }

    /** @param sent done when the last byte of it is out */
    void send(ChannelPromise sent) {
        while (out.size() > 1) {
            ctx.write(out.remove());
        }
        ctx.write(out.isEmpty() ? ctx.alloc().buffer(0) : out.remove(), sent);
    }

    void release() {
        in.forEach(ByteBuf::release);
        in.clear();
        out.forEach(ByteBuf::release);
        out.clear();
    }

    @Override
    public boolean isOpen() {
        return ctx.channel().isOpen();
    }

    /** The handler closes the channel itself, after the last byte. */
    @Override
    public void close() {}
}
