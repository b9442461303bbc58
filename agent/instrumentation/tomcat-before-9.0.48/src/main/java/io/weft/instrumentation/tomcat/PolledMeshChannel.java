package io.weft.instrumentation.tomcat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import org.apache.tomcat.util.net.NioEndpoint;
import org.apache.tomcat.util.net.NioEndpoint.NioSocketWrapper;
import org.apache.tomcat.util.net.NioSelectorPool;
import org.apache.tomcat.util.net.SecureNioChannel;
import org.apache.tomcat.util.net.SocketBufferHandler;

/**
 * Of {@link TomcatBefore9048Adapter}'s versions, which wait by a pool of selectors until a socket takes what is written, and until what a channel
 * has taken is on the wire.
 */
final class PolledMeshChannel extends SecureNioChannel implements MeshChannel {
    private final MeshBytes bytes;
    /** Stands for what is taken and not on the wire. */
    private final ByteBuffer rest = ByteBuffer.allocate(1);

    PolledMeshChannel(SocketBufferHandler buffers, NioSelectorPool selectors, NioEndpoint endpoint, MeshBytes bytes) {
        super(buffers, selectors, endpoint);
        this.bytes = bytes;
    }

    @Override
    public boolean flush(boolean block, Selector selector, long timeoutMillis) throws IOException {
        if (block && bytes.unflushed() > 0) {
            pool.write(rest.clear(), this, selector, timeoutMillis);
        } else {
            bytes.flush();
        }
        return bytes.unflushed() == 0;
    }

    @Override
    public void reset(SocketChannel socket, NioSocketWrapper wrapper) throws IOException {
        super.reset(socket, wrapper);
        bytes.reset(socket, wrapper);
    }

    @Override
    public boolean isSecured() {
        return bytes.isSecured();
    }

    @Override
    public boolean isHandshakeComplete() {
        return bytes.isReady();
    }

    @Override
    public int handshake(boolean read, boolean write) throws IOException {
        return bytes.handshake();
    }

    @Override
    public int read(ByteBuffer to) throws IOException {
        return bytes.read(to);
    }

    @Override
    public long read(ByteBuffer[] to, int offset, int length) throws IOException {
        return bytes.read(to, offset, length);
    }

    @Override
    public int write(ByteBuffer from) throws IOException {
        checkInterruptStatus();
        return from == rest ? writeRest() : bytes.write(from);
    }

    @Override
    public long write(ByteBuffer[] from, int offset, int length) throws IOException {
        checkInterruptStatus();
        return bytes.write(from, offset, length);
    }

    @Override
    public int getOutboundRemaining() {
        return bytes.unflushed();
    }

    @Override
    public boolean flushOutbound() throws IOException {
        return bytes.flush();
    }

    @Override
    public void close() throws IOException {
        bytes.close();
    }

    @Override
    public void close(boolean force) throws IOException {
        bytes.close(force);
    }

    @Override
    public boolean isClosing() {
        return false;
    }

    @Override
    public void rehandshake(long timeout) throws IOException {
        throw new IOException("nothing to ask again");
    }

    private int writeRest() throws IOException {
        bytes.flush();
        if (bytes.unflushed() > 0) {
            return 0;
        }
        rest.position(rest.limit());
        return 1;
    }
}
