package io.weft.instrumentation.netty;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.channel.FileRegion;
import io.netty.util.ReferenceCountUtil;
import io.weft.transport.AcceptedChannel;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.WritableByteChannel;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * What the app writes to a connection that is secured. Small pieces are gathered until a flush, so that a record holds more than one; a
 * file that the app would have had sent by the kernel is read piece by piece, for as long as the channel takes more, and what is written after
 * it waits. Nothing that is not understood goes out. On the channel's event loop.
 */
final class Encryption {
    /** As much as a record may hold. */
    private static final int RECORD = 16 << 10;
    private static final int FILE_PIECE = 64 << 10;
    /** Of one file, before others of the event loop have their turn. */
    private static final int PIECES_AT_ONCE = 16;

    private final ChannelHandlerContext ctx;
    private final AcceptedChannel bytes;
    private final Wire wire;
    /** Null: nothing. */
    private ByteBuf gathered;
    private List<ChannelPromise> gatheredPromises = new ArrayList<>(4);
    /** A file, and what is behind it. */
    private final Deque<Written> behind = new ArrayDeque<>(0);
    /** There was a flush after the file. */
    private boolean flushing;
    private boolean scheduled;
    private Piece piece;

    private record Written(Object message, ChannelPromise promise) {}

    Encryption(ChannelHandlerContext ctx, AcceptedChannel bytes, Wire wire) {
        this.ctx = ctx;
        this.bytes = bytes;
        this.wire = wire;
    }

    void write(Object message, ChannelPromise promise) throws IOException {
        if (!behind.isEmpty()) {
            behind.add(new Written(message, promise));
            return;
        }
        flushing = false;
        if (message instanceof ByteBuf plain) {
            gather(plain, promise);
        } else if (message instanceof FileRegion) {
            encryptGathered();
            behind.add(new Written(message, promise));
            sendFile();
        } else {
            refuse(message, promise);
        }
    }

    private static void refuse(Object message, ChannelPromise promise) {
        ReferenceCountUtil.release(message);
        promise.tryFailure(new UnsupportedOperationException("unsupported message type: " + message.getClass().getName()));
    }

    void flush() throws IOException {
        encryptGathered();
        flushing = true;
        ctx.flush();
        sendFile();
    }

    private void gather(ByteBuf plain, ChannelPromise promise) throws IOException {
        int more = plain.readableBytes();
        if (gathered != null && gathered.readableBytes() + more > RECORD) {
            encryptGathered();
        }
        try {
            if (more >= RECORD) {
                encrypt(plain);
                wire.send(promise);
                return;
            }
            if (gathered == null) {
                gathered = ctx.alloc().heapBuffer(Math.min(RECORD, Math.max(1024, more)), RECORD);
            }
            gathered.writeBytes(plain);
            gatheredPromises.add(promise);
        } finally {
            plain.release();
        }
    }

    private void encryptGathered() throws IOException {
        if (gathered == null) {
            return;
        }
        ByteBuf plain = gathered;
        List<ChannelPromise> promises = gatheredPromises;
        gathered = null;
        gatheredPromises = new ArrayList<>(4);
        try {
            encrypt(plain);
        } catch (IOException | RuntimeException | Error e) {
            promises.forEach(promise -> promise.tryFailure(e));
            throw e;
        } finally {
            plain.release();
        }
        wire.send(promises.size() == 1 ? promises.get(0) : ctx.newPromise().addListener(new ForEach(promises)));
    }

    /** Those of several messages that went out together. */
    private record ForEach(List<ChannelPromise> promises) implements ChannelFutureListener {
        @Override
        public void operationComplete(ChannelFuture sent) {
            for (ChannelPromise promise : promises) {
                if (sent.isSuccess()) {
                    promise.trySuccess();
                } else {
                    promise.tryFailure(sent.cause());
                }
            }
        }
    }

    private void encrypt(ByteBuf plain) throws IOException {
        for (ByteBuffer part : plain.nioBuffers()) {
            encrypt(part);
        }
    }

    private void encrypt(ByteBuffer plain) throws IOException {
        while (plain.hasRemaining()) {
            bytes.write(plain);
        }
    }

    /** Goes on where the channel takes more again. */
    void sendFile() throws IOException {
        for (int pieces = 0; !behind.isEmpty(); ) {
            Written next = behind.peek();
            if (!(next.message instanceof FileRegion file)) {
                behind.remove();
                sendBehindFile(next);
                continue;
            }
            if (!ctx.channel().isWritable() || scheduled) {
                return;
            }
            if (++pieces > PIECES_AT_ONCE) {
                scheduled = true;
                ctx.executor().execute(this::goOn);
                return;
            }
            try {
                sendPiece(file, next.promise);
            } catch (IOException e) {
                behind.remove();
                file.release();
                next.promise.tryFailure(e);
                throw e;
            }
            if (flushing) {
                ctx.flush();
            }
        }
    }

    private void sendBehindFile(Written next) throws IOException {
        boolean wasFlushing = flushing;
        if (next.message instanceof ByteBuf plain) {
            gather(plain, next.promise);
            encryptGathered();
        } else {
            refuse(next.message, next.promise);
        }
        if (wasFlushing) {
            ctx.flush();
        }
    }

    private void goOn() {
        scheduled = false;
        try {
            sendFile();
        } catch (IOException e) {
            ctx.close();
        }
    }

    private void sendPiece(FileRegion file, ChannelPromise promise) throws IOException {
        if (piece == null) {
            piece = new Piece(ByteBuffer.allocate(FILE_PIECE));
        }
        piece.bytes.clear();
        long left = file.count() - file.transferred();
        if (left > 0 && file.transferTo(piece, file.transferred()) <= 0) {
            throw new EOFException("the file is shorter than it was: " + left + " bytes are missing");
        }
        encrypt(piece.bytes.flip());
        if (file.transferred() >= file.count()) {
            piece = null;
            behind.remove();
            file.release();
            wire.send(promise);
        } else {
            wire.send();
        }
    }

    private record Piece(ByteBuffer bytes) implements WritableByteChannel {
        @Override
        public int write(ByteBuffer from) {
            int some = Math.min(from.remaining(), bytes.remaining());
            bytes.put(from.slice(from.position(), some));
            from.position(from.position() + some);
            return some;
        }

        @Override
        public boolean isOpen() {
            return true;
        }

        @Override
        public void close() {}
    }

    /** What has not gone out will not. */
    void close() {
        ClosedChannelException closed = new ClosedChannelException();
        if (gathered != null) {
            gathered.release();
            gathered = null;
            gatheredPromises.forEach(promise -> promise.tryFailure(closed));
        }
        for (Written written = behind.poll(); written != null; written = behind.poll()) {
            ReferenceCountUtil.release(written.message);
            written.promise.tryFailure(closed);
        }
    }
}
