package io.weft.instrumentation.tomcat;

import io.weft.transport.AcceptedChannel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import org.apache.tomcat.util.net.NioEndpoint.NioSocketWrapper;

/** What a {@link MeshChannel} reads and writes. Tomcat pools its channels: {@link #reset} begins the next connection. */
final class MeshBytes {
    /** Neither done nor failed, nor to be told when the socket is ready: Tomcat then leaves the connection alone. */
    private static final int NOTHING_WANTED = SelectionKey.OP_CONNECT;

    private final Accepting accepting;
    private final MeshHttp2 http2;
    private AcceptedChannel channel;
    private NioSocketWrapper wrapper;

    MeshBytes(Accepting accepting, MeshHttp2 http2) {
        this.accepting = accepting;
        this.http2 = http2;
    }

    void reset(SocketChannel socket, NioSocketWrapper of) {
        wrapper = of;
        channel = accepting.channel(socket);
    }

    boolean isReady() {
        return channel.isReady();
    }

    boolean isSecured() {
        return channel.isSecured();
    }

    /** On a thread of Tomcat's pool, whenever the socket is ready: nobody waits for a client that is not. */
    int handshake() throws IOException {
        if (channel.connection().held(wrapper::registerReadInterest)) {
            return NOTHING_WANTED;
        }
        int wanted = channel.handshake();
        if (wanted == 0 && channel.speaksHttp2()) {
            http2.choose(wrapper);
        }
        return wanted;
    }

    int read(ByteBuffer to) throws IOException {
        return channel.read(to);
    }

    long read(ByteBuffer[] to, int offset, int length) throws IOException {
        long read = 0;
        for (int i = offset; i < offset + length; i++) {
            while (to[i].hasRemaining()) {
                int some = channel.read(to[i]);
                if (some <= 0) {
                    return read > 0 ? read : some;
                }
                read += some;
            }
        }
        return read;
    }

    int write(ByteBuffer from) throws IOException {
        return channel.write(from);
    }

    long write(ByteBuffer[] from, int offset, int length) throws IOException {
        long written = 0;
        for (int i = offset; i < offset + length; i++) {
            written += channel.write(from[i]);
            if (from[i].hasRemaining()) {
                break;
            }
        }
        return written;
    }

    int unflushed() {
        return channel.unflushed();
    }

    /** @return whether something went out */
    boolean flush() throws IOException {
        int before = channel.unflushed();
        channel.flush();
        return channel.unflushed() < before;
    }

    void close() throws IOException {
        channel.close();
    }

    /** @param force it does not matter whether it was closed before */
    void close(boolean force) throws IOException {
        try {
            channel.close();
        } catch (ClosedChannelException alreadyClosed) {
            if (!force) {
                throw alreadyClosed;
            }
        }
    }
}
