package io.weft.instrumentation.nettyclient;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.FileRegion;
import io.netty.handler.stream.ChunkedInput;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;

/** A file that is to be encrypted, piece by piece as the channel takes it. On the channel's event loop. */
final class FilePieces implements ChunkedInput<ByteBuf> {
    private static final int PIECE = 64 << 10;

    private final FileRegion file;

    FilePieces(FileRegion file) {
        this.file = file;
    }

    @Override
    public boolean isEndOfInput() {
        return file.transferred() >= file.count();
    }

    @Override
    @Deprecated
    public ByteBuf readChunk(ChannelHandlerContext ctx) throws IOException {
        return readChunk(ctx.alloc());
    }

    @Override
    public ByteBuf readChunk(ByteBufAllocator allocator) throws IOException {
        if (isEndOfInput()) {
            return null;
        }
        ByteBuf piece = allocator.heapBuffer(PIECE, PIECE);
        try {
            if (file.transferTo(new Into(piece), file.transferred()) <= 0) {
                throw new EOFException("the file is shorter than it was: " + (file.count() - file.transferred()) + " bytes are missing");
            }
            return piece.retain();
        } finally {
            piece.release();
        }
    }

    private record Into(ByteBuf piece) implements WritableByteChannel {
        @Override
        public int write(ByteBuffer from) {
            int some = Math.min(from.remaining(), piece.writableBytes());
            piece.writeBytes(from.slice(from.position(), some));
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

    @Override
    public long length() {
        return file.count();
    }

    @Override
    public long progress() {
        return file.transferred();
    }

    @Override
    public void close() {
        file.release();
    }
}
