package io.weft.instrumentation.helidon;

import io.weft.transport.AcceptedSocketChannel;
import java.io.IOException;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;

/** What Helidon reads from and writes to in place of the channel that it has accepted, which blocks: plaintext, whatever is on the wire. */
final class AcceptedNioChannel extends AcceptedSocketChannel {
    private final SocketChannel socket;
    private final Accepted accepted;
    private final Runnable over;

    /** @param over runs when it is closed, perhaps more than once */
    AcceptedNioChannel(SocketChannel socket, Accepted accepted, Runnable over) {
        super(socket, accepted.bytes());
        this.socket = socket;
        this.accepted = accepted;
        this.over = over;
    }

    @Override
    public int read(ByteBuffer to) throws IOException {
        return accepted.isReady() ? super.read(to) : -1;
    }

    @Override
    public int write(ByteBuffer from) throws IOException {
        if (!accepted.isReady()) {
            throw new SocketException("Socket closed");
        }
        return super.write(from);
    }

    @Override
    public long write(ByteBuffer[] from, int offset, int length) throws IOException {
        if (!accepted.isReady()) {
            throw new SocketException("Socket closed");
        }
        return super.write(from, offset, length);
    }

    @Override
    public SocketChannel shutdownOutput() throws IOException {
        try {
            if (accepted.bytes() == null) {
                socket.shutdownOutput();
                return this;
            }
            return super.shutdownOutput();
        } catch (IOException gone) {
            // Helidon does not close it then.
            close();
            throw gone;
        }
    }

    @Override
    protected void implCloseSelectableChannel() throws IOException {
        try {
            if (accepted.bytes() == null) {
                socket.close();
            } else {
                super.implCloseSelectableChannel();
            }
        } finally {
            over.run();
        }
    }
}
