package io.weft.it.server;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;

/** One connection to a server on loopback, byte by byte. */
final class RawClient implements AutoCloseable {
    private static final int PATIENCE_MILLIS = 30_000;

    private final Socket socket = new Socket();

    RawClient(int port) {
        try {
            socket.setSoTimeout(PATIENCE_MILLIS);
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), PATIENCE_MILLIS);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** All that a server answers to these bytes until it closes the connection. */
    static byte[] ask(int port, String request) {
        try (RawClient client = new RawClient(port)) {
            client.send(request);
            return client.readAll();
        }
    }

    /** Also where the connection is reset before all of the request is sent. */
    Answer answer(String request) {
        ByteArrayOutputStream answer = new ByteArrayOutputStream();
        boolean reset = false;
        try {
            try {
                socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
            } catch (SocketException unread) {
                reset = true;
            }
            socket.getInputStream().transferTo(answer);
        } catch (SocketException end) {
            reset = true;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return new Answer(answer.toByteArray(), reset);
    }

    void send(String bytes) {
        try {
            socket.getOutputStream().write(bytes.getBytes(StandardCharsets.ISO_8859_1));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** So many bytes, or fewer where the connection is closed before. */
    byte[] read(int count) {
        try {
            return socket.getInputStream().readNBytes(count);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Through the empty line after a head. */
    String readHead() {
        StringBuilder head = new StringBuilder();
        try {
            InputStream in = socket.getInputStream();
            while (head.indexOf("\r\n\r\n") < 0) {
                int b = in.read();
                if (b < 0) {
                    throw new EOFException("after " + head);
                }
                head.append((char) b);
            }
            return head.toString();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** @return its type */
    int readHttp2Frame() {
        try {
            DataInputStream in = new DataInputStream(socket.getInputStream());
            int length = in.readUnsignedByte() << 16 | in.readUnsignedShort();
            int type = in.readUnsignedByte();
            in.readNBytes(1 + 4 + length);
            return type;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The next byte. */
    int readWithin(int millis) {
        try {
            socket.setSoTimeout(millis);
            try {
                return socket.getInputStream().read();
            } finally {
                socket.setSoTimeout(PATIENCE_MILLIS);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** To the end of the stream. */
    byte[] readAll() {
        try {
            return socket.getInputStream().readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
