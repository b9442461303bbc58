package io.weft.instrumentation.undertow;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.xnio.channels.StreamSourceChannel;
import org.xnio.conduits.AbstractStreamSinkConduit;
import org.xnio.conduits.ConduitWritableByteChannel;
import org.xnio.conduits.Conduits;
import org.xnio.conduits.StreamSinkConduit;

/**
 * A response's body that is sent no faster than it may be. Until it is its turn, nothing is taken, as if the caller were slow; so only a thread
 * that would wait for the caller waits.
 */
final class PacedSink extends AbstractStreamSinkConduit<StreamSinkConduit> {
    private static final int SLICES_PER_SECOND = 16;
    private static final long NANOS_PER_SECOND = 1_000_000_000L;

    private final long bytesPerSecond;
    private final int slice;
    private volatile long due = System.nanoTime();
    private volatile boolean resumed;

    PacedSink(StreamSinkConduit next, long bytesPerSecond) {
        super(next);
        this.bytesPerSecond = bytesPerSecond;
        slice = (int) Math.max(1, Math.min(Integer.MAX_VALUE, bytesPerSecond / SLICES_PER_SECOND));
    }

    private long left() {
        return due - System.nanoTime();
    }

    @Override
    public int write(ByteBuffer from) throws IOException {
        if (left() > 0) {
            if (resumed) {
                resumeWhenDue();
            }
            return 0;
        }
        int end = from.limit();
        from.limit(Math.min(end, from.position() + slice));
        try {
            int written = super.write(from);
            due = System.nanoTime() + (long) (written * (double) NANOS_PER_SECOND / bytesPerSecond);
            return written;
        } finally {
            from.limit(end);
        }
    }

    @Override
    public long write(ByteBuffer[] from, int offset, int length) throws IOException {
        for (int i = offset; i < offset + length; i++) {
            if (from[i].hasRemaining()) {
                return write(from[i]);
            }
        }
        return 0;
    }

    @Override
    public int writeFinal(ByteBuffer from) throws IOException {
        return Conduits.writeFinalBasic(this, from);
    }

    @Override
    public long writeFinal(ByteBuffer[] from, int offset, int length) throws IOException {
        return Conduits.writeFinalBasic(this, from, offset, length);
    }

    @Override
    public long transferFrom(FileChannel file, long position, long count) throws IOException {
        return file.transferTo(position, Math.min(count, slice), new ConduitWritableByteChannel(this));
    }

    @Override
    public long transferFrom(StreamSourceChannel source, long count, ByteBuffer throughBuffer) throws IOException {
        return Conduits.transfer(source, count, throughBuffer, this);
    }

    private void resumeWhenDue() {
        super.suspendWrites();
        getWriteThread().executeAfter(this::goOn, Math.max(1, left()), TimeUnit.NANOSECONDS);
    }

    private void goOn() {
        if (resumed) {
            super.wakeupWrites();
        }
    }

    @Override
    public void resumeWrites() {
        resumed = true;
        if (left() > 0) {
            resumeWhenDue();
        } else {
            super.resumeWrites();
        }
    }

    @Override
    public void wakeupWrites() {
        resumed = true;
        if (left() > 0) {
            resumeWhenDue();
        } else {
            super.wakeupWrites();
        }
    }

    @Override
    public void suspendWrites() {
        resumed = false;
        super.suspendWrites();
    }

    @Override
    public boolean isWriteResumed() {
        return resumed;
    }

    @Override
    public void awaitWritable() throws IOException {
        await(Long.MAX_VALUE);
        super.awaitWritable();
    }

    @Override
    public void awaitWritable(long time, TimeUnit timeUnit) throws IOException {
        await(timeUnit.toNanos(time));
        super.awaitWritable(time, timeUnit);
    }

    private void await(long most) {
        long until = System.nanoTime() + Math.min(most, Math.max(0, left()));
        for (long left = until - System.nanoTime(); left > 0 && !Thread.currentThread().isInterrupted(); left = until - System.nanoTime()) {
            LockSupport.parkNanos(left);
        }
    }
}
