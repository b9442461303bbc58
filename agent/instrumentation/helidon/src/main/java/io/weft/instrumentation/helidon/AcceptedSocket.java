package io.weft.instrumentation.helidon;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.nio.channels.SocketChannel;

/** What Helidon reads from and writes to in place of the socket that it has accepted: plaintext, whatever is on the wire. */
final class AcceptedSocket extends Socket {
    private final Socket socket;
    private final Accepted accepted;
    private final Runnable over;
    private final InputStream in = new Input();
    private final OutputStream out = new Output();

    /** @param over runs when it is closed, perhaps more than once */
    AcceptedSocket(Socket socket, Accepted accepted, Runnable over) {
        this.socket = socket;
        this.accepted = accepted;
        this.over = over;
    }

    /** The bytes on the wire. Whoever closes it closes the socket. */
    static ByteChannel wire(Socket socket) throws IOException {
        return new Wire(socket, socket.getInputStream(), socket.getOutputStream());
    }

    @Override
    public InputStream getInputStream() {
        return in;
    }

    @Override
    public OutputStream getOutputStream() {
        return out;
    }

    @Override
    public void close() throws IOException {
        try {
            if (accepted.bytes() == null) {
                socket.close();
            } else {
                accepted.bytes().close();
            }
        } finally {
            over.run();
        }
    }

    @Override
    public void shutdownOutput() throws IOException {
        try {
            if (accepted.bytes() != null) {
                accepted.bytes().sayFarewell();
            }
            socket.shutdownOutput();
        } catch (IOException gone) {
            // Helidon does not close it then.
            close();
            throw gone;
        }
    }

    @Override
    public void shutdownInput() throws IOException {
        socket.shutdownInput();
    }

    @Override
    public boolean isClosed() {
        return socket.isClosed();
    }

    @Override
    public boolean isConnected() {
        return socket.isConnected();
    }

    @Override
    public boolean isBound() {
        return socket.isBound();
    }

    @Override
    public boolean isInputShutdown() {
        return socket.isInputShutdown();
    }

    @Override
    public boolean isOutputShutdown() {
        return socket.isOutputShutdown();
    }

    @Override
    public SocketAddress getLocalSocketAddress() {
        return socket.getLocalSocketAddress();
    }

    @Override
    public SocketAddress getRemoteSocketAddress() {
        return socket.getRemoteSocketAddress();
    }

    @Override
    public InetAddress getLocalAddress() {
        return socket.getLocalAddress();
    }

    @Override
    public InetAddress getInetAddress() {
        return socket.getInetAddress();
    }

    @Override
    public int getLocalPort() {
        return socket.getLocalPort();
    }

    @Override
    public int getPort() {
        return socket.getPort();
    }

    @Override
    public SocketChannel getChannel() {
        return socket.getChannel();
    }

    @Override
    public void setSoTimeout(int millis) throws SocketException {
        socket.setSoTimeout(millis);
    }

    @Override
    public int getSoTimeout() throws SocketException {
        return socket.getSoTimeout();
    }

    @Override
    public void setTcpNoDelay(boolean on) throws SocketException {
        socket.setTcpNoDelay(on);
    }

    @Override
    public boolean getTcpNoDelay() throws SocketException {
        return socket.getTcpNoDelay();
    }

    @Override
    public void setKeepAlive(boolean on) throws SocketException {
        socket.setKeepAlive(on);
    }

    @Override
    public boolean getKeepAlive() throws SocketException {
        return socket.getKeepAlive();
    }

    @Override
    public String toString() {
        return socket.toString();
    }

    private final class Input extends InputStream {
        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] to, int offset, int length) throws IOException {
            return accepted.isReady() ? accepted.bytes().read(ByteBuffer.wrap(to, offset, length)) : -1;
        }

        @Override
        public void close() throws IOException {
            AcceptedSocket.this.close();
        }
    }

    private final class Output extends OutputStream {
        @Override
        public void write(int b) throws IOException {
            write(new byte[] {(byte) b}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            if (!accepted.isReady()) {
                throw new SocketException("Socket closed");
            }
            ByteBuffer from = ByteBuffer.wrap(bytes, offset, length);
            while (from.hasRemaining()) {
                accepted.bytes().write(from);
            }
        }

        @Override
        public void close() throws IOException {
            AcceptedSocket.this.close();
        }
    }

    private record Wire(Socket socket, InputStream in, OutputStream out) implements ByteChannel {
        @Override
        public int read(ByteBuffer to) throws IOException {
            int read = in.read(to.array(), to.arrayOffset() + to.position(), to.remaining());
            if (read > 0) {
                to.position(to.position() + read);
            }
            return read;
        }

        @Override
        public int write(ByteBuffer from) throws IOException {
            int length = from.remaining();
            out.write(from.array(), from.arrayOffset() + from.position(), length);
            from.position(from.limit());
            return length;
        }

        @Override
        public boolean isOpen() {
            return !socket.isClosed() && !socket.isOutputShutdown();
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }
}
