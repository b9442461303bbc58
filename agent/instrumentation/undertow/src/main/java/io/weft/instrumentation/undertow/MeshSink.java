package io.weft.instrumentation.undertow;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.concurrent.atomic.AtomicInteger;
import org.xnio.channels.StreamSourceChannel;
import org.xnio.conduits.AbstractStreamSinkConduit;
import org.xnio.conduits.ConduitWritableByteChannel;
import org.xnio.conduits.Conduits;
import org.xnio.conduits.StreamSinkConduit;
import org.xnio.conduits.WriteReadyHandler;

/** What goes out, given as plaintext. Some of what was taken may be here still: see {@link #flush}. */
final class MeshSink extends AbstractStreamSinkConduit<StreamSinkConduit> {
    private final MeshConduits mesh;
    private final AtomicInteger open = new AtomicInteger(1);

    MeshSink(StreamSinkConduit socket, MeshConduits mesh) {
        super(socket);
        this.mesh = mesh;
    }

    @Override
    public int write(ByteBuffer from) throws IOException {
        return mesh.bytes().write(from);
    }

    @Override
    public long write(ByteBuffer[] from, int offset, int length) throws IOException {
        return mesh.bytes().write(from, offset, length);
    }

    @Override
    public int writeFinal(ByteBuffer from) throws IOException {
        return Conduits.writeFinalBasic(this, from);
    }

    @Override
    public long writeFinal(ByteBuffer[] from, int offset, int length) throws IOException {
        return Conduits.writeFinalBasic(this, from, offset, length);
    }

    /** Not past TLS. */
    @Override
    public long transferFrom(FileChannel file, long position, long count) throws IOException {
        return mesh.bytes().isSecured()
                ? file.transferTo(position, count, new ConduitWritableByteChannel(this))
                : super.transferFrom(file, position, count);
    }

    @Override
    public long transferFrom(StreamSourceChannel source, long count, ByteBuffer throughBuffer) throws IOException {
        return Conduits.transfer(source, count, throughBuffer, this);
    }

    @Override
    public boolean flush() throws IOException {
        return mesh.bytes().flush() && super.flush();
    }

    @Override
    public void terminateWrites() throws IOException {
        try {
            mesh.bytes().sayFarewell();
        } finally {
            super.terminateWrites();
        }
    }

    @Override
    public void setWriteReadyHandler(WriteReadyHandler handler) {
        super.setWriteReadyHandler(new Ready(handler));
    }

    private final class Ready implements WriteReadyHandler {
        private final WriteReadyHandler handler;

        Ready(WriteReadyHandler handler) {
            this.handler = handler;
        }

        @Override
        public void writeReady() {
            if (!mesh.goesOn()) {
                handler.writeReady();
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
