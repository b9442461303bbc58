package io.weft.instrumentation.undertow;

import io.weft.dataplane.InboundConnection;
import io.weft.transport.AcceptedChannel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.nio.channels.GatheringByteChannel;
import java.nio.channels.SelectionKey;
import java.util.concurrent.atomic.AtomicInteger;
import org.xnio.IoUtils;
import org.xnio.StreamConnection;
import org.xnio.conduits.ReadReadyHandler;
import org.xnio.conduits.StreamSinkConduit;
import org.xnio.conduits.StreamSourceConduit;
import org.xnio.conduits.WriteReadyHandler;

/**
 * What both directions of a connection share. Until it is known what it is, each look for bytes goes on with that and finds none; so it is
 * Undertow's threads and their selectors that a handshake needs, and nobody waits for it.
 */
final class MeshConduits {
    private final StreamConnection connection;
    private final StreamSourceConduit source;
    private final StreamSinkConduit sink;
    private final AcceptedChannel bytes;
    private final Runnable over;
    private final AtomicInteger openEnds = new AtomicInteger(2);
    /** The handshake has something to say that the socket has no room for. */
    private volatile boolean flushing;

    private MeshConduits(StreamConnection connection, InboundConnection accepted, boolean http2, Runnable over) {
        this.connection = connection;
        this.over = over;
        source = connection.getSourceChannel().getConduit();
        sink = connection.getSinkChannel().getConduit();
        bytes = new AcceptedChannel(new Socket(connection, source, sink), accepted, http2);
    }

    /** @param over runs when both directions are closed */
    static void install(StreamConnection connection, InboundConnection accepted, boolean http2, Runnable over) {
        MeshConduits mesh = new MeshConduits(connection, accepted, http2, over);
        MeshSource source = new MeshSource(mesh.source, mesh);
        MeshSink sink = new MeshSink(mesh.sink, mesh);
        source.setReadReadyHandler(new ReadReadyHandler.ChannelListenerHandler<>(connection.getSourceChannel()));
        sink.setWriteReadyHandler(new WriteReadyHandler.ChannelListenerHandler<>(connection.getSinkChannel()));
        connection.getSourceChannel().setConduit(source);
        connection.getSinkChannel().setConduit(sink);
    }

    AcceptedChannel bytes() {
        return bytes;
    }

    /** Whether nothing of it may be looked at yet; it is, once that is over. */
    boolean isHeld() {
        return bytes.connection().held(source::wakeupReads);
    }

    boolean isReady() throws IOException {
        return bytes.isReady() || makeReady();
    }

    private synchronized boolean makeReady() throws IOException {
        if (bytes.isReady()) {
            return true;
        }
        if (isHeld()) {
            return false;
        }
        int wanted = bytes.handshake();
        if (wanted == SelectionKey.OP_WRITE) {
            flushing = true;
            sink.resumeWrites();
        }
        return wanted == 0;
    }

    /** @return false: that was not what the socket's being ready was for */
    boolean goesOn() {
        if (!flushing) {
            return false;
        }
        flushing = false;
        sink.suspendWrites();
        source.wakeupReads();
        return true;
    }

    /** One direction is closed. */
    void ended(AtomicInteger once) {
        if (once.getAndSet(0) == 1 && openEnds.decrementAndGet() == 0) {
            over.run();
        }
    }

    void refuse() {
        IoUtils.safeClose(connection);
    }

    private record Socket(StreamConnection connection, StreamSourceConduit source, StreamSinkConduit sink)
            implements ByteChannel, GatheringByteChannel {
        @Override
        public boolean isOpen() {
            return connection.isOpen() && !sink.isWriteShutdown();
        }

        @Override
        public int read(ByteBuffer to) throws IOException {
            return source.read(to);
        }

        @Override
        public int write(ByteBuffer from) throws IOException {
            return sink.write(from);
        }

        @Override
        public long write(ByteBuffer[] from) throws IOException {
            return sink.write(from, 0, from.length);
        }

        @Override
        public long write(ByteBuffer[] from, int offset, int length) throws IOException {
            return sink.write(from, offset, length);
        }

        @Override
        public void close() throws IOException {
            connection.close();
        }
    }
}
