package io.weft.instrumentation.jetty;

import io.weft.transport.AcceptedChannel;
import io.weft.transport.AcceptedSocketChannel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.eclipse.jetty.io.AbstractEndPoint;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.util.Callback;

/**
 * A connection of a connector's, as its end point reads and writes it. Until it is known what it is, each look for bytes goes on with that
 * and finds none; so it is Jetty's threads and its selector that a handshake needs, and nobody waits for it.
 */
final class MeshSocketChannel extends AcceptedSocketChannel {
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    private final Executor executor;
    private final Interest interest;
    /** Null: Jetty has not made it yet. */
    private volatile AbstractEndPoint endPoint;

    /** @param executor runs what is to be told to the app */
    MeshSocketChannel(SocketChannel socket, AcceptedChannel bytes, Executor executor, Interest interest) {
        super(socket, bytes);
        this.executor = executor;
        this.interest = interest;
    }

    /** @return null: the end point's connection is none of the mesh's */
    static MeshSocketChannel of(EndPoint endPoint) {
        return transport(endPoint) instanceof MeshSocketChannel mesh ? mesh : null;
    }

    /** Below TLS of the app's, and whatever else it has put in between. */
    static Object transport(EndPoint endPoint) {
        Object transport = endPoint.getTransport();
        while (transport instanceof EndPoint below) {
            transport = below.getTransport();
        }
        return transport;
    }

    void servedBy(AbstractEndPoint made) {
        endPoint = made;
    }

    /** Whether nothing of it may be looked at yet; the end point is told when that is over. */
    boolean isHeld() {
        return bytes().connection().held(() -> interest.renew(endPoint));
    }

    /** Whether all that was taken for writing, or is to be said in a handshake, is on the wire. */
    boolean isFlushed() throws IOException {
        return bytes().isReady() ? bytes().flush() : isFlushedInHandshake();
    }

    private synchronized boolean isFlushedInHandshake() throws IOException {
        if (bytes().unflushed() == 0) {
            return true;
        }
        int wanted = bytes().handshake();
        if (wanted == 0) {
            fill();
        }
        return wanted != SelectionKey.OP_WRITE;
    }

    /** Tells the end point, on a thread of the server's, that there is something to read. */
    void fill() {
        AbstractEndPoint reader = endPoint;
        execute(() -> reader.getFillInterest().fillable(), reader);
    }

    /** On any thread, whatever Jetty has made of it by then. */
    void abandon() {
        AbstractEndPoint known = endPoint;
        if (known != null) {
            execute(known::close, known);
            return;
        }
        try {
            close();
        } catch (IOException closed) {
            return;
        }
    }

    private void execute(Runnable task, AbstractEndPoint of) {
        try {
            executor.execute(task);
        } catch (RejectedExecutionException stopping) {
            of.close();
        }
    }

    @Override
    public int read(ByteBuffer to) throws IOException {
        if (bytes().isReady()) {
            return super.read(to);
        }
        if (!makeReady()) {
            return 0;
        }
        int first = super.read(to);
        // What has told what it is comes by itself.
        int more = first > 0 && to.hasRemaining() ? super.read(to) : 0;
        return first + Math.max(more, 0);
    }

    private synchronized boolean makeReady() throws IOException {
        if (bytes().isReady()) {
            return true;
        }
        if (isHeld()) {
            return false;
        }
        try {
            int wanted = bytes().handshake();
            if (wanted == SelectionKey.OP_WRITE) {
                // Jetty then has an eye on the socket, and asks whether it is flushed.
                endPoint.write(Callback.NOOP, NOTHING);
            }
            return wanted == 0;
        } catch (IOException refused) {
            endPoint.close();
            throw refused;
        }
    }

    @Override
    public long read(ByteBuffer[] to, int offset, int length) throws IOException {
        return bytes().isReady() || makeReady() ? super.read(to, offset, length) : 0;
    }

    @Override
    public int write(ByteBuffer from) throws IOException {
        return bytes().isReady() || from.hasRemaining() ? super.write(from) : 0;
    }

    @Override
    public long write(ByteBuffer[] from, int offset, int length) throws IOException {
        return bytes().isReady() || hasRemaining(from, offset, length) ? super.write(from, offset, length) : 0;
    }

    private static boolean hasRemaining(ByteBuffer[] buffers, int offset, int length) {
        for (int i = offset; i < offset + length; i++) {
            if (buffers[i].hasRemaining()) {
                return true;
            }
        }
        return false;
    }
}
