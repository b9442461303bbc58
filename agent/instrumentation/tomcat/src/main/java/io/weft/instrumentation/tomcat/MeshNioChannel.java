package io.weft.instrumentation.tomcat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import org.apache.tomcat.util.net.NioEndpoint;
import org.apache.tomcat.util.net.NioEndpoint.NioSocketWrapper;
import org.apache.tomcat.util.net.SSLSupport;
import org.apache.tomcat.util.net.SecureNioChannel;
import org.apache.tomcat.util.net.SocketBufferHandler;

/** Of {@link TomcatAdapter}'s versions. */
final class MeshNioChannel extends SecureNioChannel implements MeshChannel {
    private final MeshBytes bytes;

    MeshNioChannel(SocketBufferHandler buffers, NioEndpoint endpoint, MeshBytes bytes) {
        super(buffers, endpoint);
        this.bytes = bytes;
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
        return bytes.write(from);
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

    @Override
    public SSLSupport getSSLSupport() {
        return null;
    }
}
