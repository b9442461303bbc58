package io.weft.instrumentation.undertow;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.xnio.channels.StreamSinkChannel;
import org.xnio.conduits.AbstractStreamSourceConduit;
import org.xnio.conduits.ConduitReadableByteChannel;
import org.xnio.conduits.Conduits;
import org.xnio.conduits.ReadReadyHandler;
import org.xnio.conduits.StreamSourceConduit;

/** What comes in, as plaintext. Some of it may be here though the socket has nothing. */
final class MeshSource extends AbstractStreamSourceConduit<StreamSourceConduit> {
    private final MeshConduits mesh;
    private final AtomicInteger open = new AtomicInteger(1);

    MeshSource(StreamSourceConduit socket, MeshConduits mesh) {
        super(socket);
        this.mesh = mesh;
    }

    @Override
    public int read(ByteBuffer to) throws IOException {
        try {
            if (!mesh.isReady()) {
                return 0;
            }
        } catch (IOException refused) {
            mesh.refuse();
            throw refused;
        }
        return mesh.bytes().read(to);
    }

    @Override
    public long read(ByteBuffer[] to, int offset, int length) throws IOException {
        for (int i = offset; i < offset + length; i++) {
            if (to[i].hasRemaining()) {
                return read(to[i]);
            }
        }
        return 0;
    }

    @Override
    public long transferTo(long position, long count, FileChannel target) throws IOException {
        return target.transferFrom(new ConduitReadableByteChannel(this), position, count);
    }

    @Override
    public long transferTo(long count, ByteBuffer throughBuffer, StreamSinkChannel target) throws IOException {
        return Conduits.transfer(this, count, throughBuffer, target);
    }

    @Override
    public void resumeReads() {
        if (mesh.bytes().hasInput()) {
            super.wakeupReads();
        } else if (mesh.bytes().isReady() || !mesh.isHeld()) {
            super.resumeReads();
        } else {
            super.suspendReads();
        }
    }

    @Override
    public void awaitReadable() throws IOException {
        if (!mesh.bytes().hasInput()) {
            super.awaitReadable();
        }
    }

    @Override
    public void awaitReadable(long time, TimeUnit timeUnit) throws IOException {
        if (!mesh.bytes().hasInput()) {
            super.awaitReadable(time, timeUnit);
        }
    }

    @Override
    public void setReadReadyHandler(ReadReadyHandler handler) {
        super.setReadReadyHandler(new Ready(handler));
    }

    private final class Ready implements ReadReadyHandler {
        private final ReadReadyHandler handler;

        Ready(ReadReadyHandler handler) {
            this.handler = handler;
        }

        @Override
        public void readReady() {
            handler.readReady();
            // Whoever wants to read on is not told by a selector of what is here.
            if (isReadResumed() && mesh.bytes().hasInput()) {
                wakeupReads();
            }
        }

        @Override
        public void forceTermination() {
            handler.forceTermination();
        }

        @Override
        public void terminated() {
            mesh.ended(open);
            handler.terminated();
        }
    }
}
