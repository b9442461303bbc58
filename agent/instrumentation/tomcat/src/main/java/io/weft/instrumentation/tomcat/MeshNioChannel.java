package io.weft.instrumentation.tomcat;

import io.weft.transport.AcceptedChannel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import org.apache.tomcat.util.net.NioEndpoint;
import org.apache.tomcat.util.net.NioEndpoint.NioSocketWrapper;
import org.apache.tomcat.util.net.SSLSupport;
import org.apache.tomcat.util.net.SecureNioChannel;
import org.apache.tomcat.util.net.SocketBufferHandler;

/**
 * A connection of a connector without TLS whose bytes the mesh secures. A {@link SecureNioChannel} because Tomcat's poller sends files
 * past any other channel, straight to the socket; nothing of its TLS is used, and the app learns of none.
 *
 * <p>Tomcat pools its channels: {@link #reset} begins the next connection.
 */
final class MeshNioChannel extends SecureNioChannel {
    /** Neither done nor failed, nor to be told when the socket is ready: Tomcat then leaves the connection alone. */
    private static final int NOTHING_WANTED = SelectionKey.OP_CONNECT;

    private final Accepting accepting;
    private final MeshHttp2 http2;
    private AcceptedChannel channel;
    private NioSocketWrapper wrapper;

    MeshNioChannel(SocketBufferHandler buffers, NioEndpoint endpoint, Accepting accepting, MeshHttp2 http2) {
        super(buffers, endpoint);
        this.accepting = accepting;
        this.http2 = http2;
    }

    @Override
    public void reset(SocketChannel socket, NioSocketWrapper wrapper) throws IOException {
        super.reset(socket, wrapper);
        this.wrapper = wrapper;
        channel = accepting.channel(socket);
    }

    @Override
    public boolean isHandshakeComplete() {
        return channel.isReady();
    }

    /** On a thread of Tomcat's pool, whenever the socket is ready: nobody waits for a client that is not. */
    @Override
    public int handshake(boolean read, boolean write) throws IOException {
        if (channel.connection().held(wrapper::registerReadInterest)) {
            return NOTHING_WANTED;
        }
        int wanted = channel.handshake();
        if (wanted == 0 && channel.speaksHttp2()) {
            http2.choose(wrapper);
        }
        return wanted;
    }

    /** Its bytes are encrypted on the wire. */
    boolean isSecured() {
        return channel.isSecured();
    }

    @Override
    public int read(ByteBuffer to) throws IOException {
        return channel.read(to);
    }

    @Override
    public long read(ByteBuffer[] to, int offset, int length) throws IOException {
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

    @Override
    public int write(ByteBuffer from) throws IOException {
        checkInterruptStatus();
        return channel.write(from);
    }

    @Override
    public long write(ByteBuffer[] from, int offset, int length) throws IOException {
        checkInterruptStatus();
        long written = 0;
        for (int i = offset; i < offset + length; i++) {
            written += channel.write(from[i]);
            if (from[i].hasRemaining()) {
                break;
            }
        }
        return written;
    }

    @Override
    public int getOutboundRemaining() {
        return channel.unflushed();
    }

    /** @return whether something went out */
    @Override
    public boolean flushOutbound() throws IOException {
        int before = channel.unflushed();
        channel.flush();
        return channel.unflushed() < before;
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }

    @Override
    public void close(boolean force) throws IOException {
        try {
            channel.close();
        } catch (ClosedChannelException alreadyClosed) {
            if (!force) {
                throw alreadyClosed;
            }
        }
    }

    @Override
    public boolean isClosing() {
        return false;
    }

    @Override
    public void rehandshake(long timeout) throws IOException {
        throw new IOException("nothing to ask again");
    }

    @Override
    public SSLSupport getSSLSupport() {
        return null;
    }
}
