package io.weft.instrumentation.httpurlconnection;

import io.weft.dataplane.LocalReply;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketImpl;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/** A server in memory that has one answer, whatever it is sent. */
final class CannedSocket extends Socket {
    private final InputStream answer;

    CannedSocket(LocalReply reply, boolean head) throws java.net.SocketException {
        super((SocketImpl) null);
        this.answer = new ByteArrayInputStream(bytes(reply, head));
    }

    private static byte[] bytes(LocalReply reply, boolean head) {
        boolean bodiless = reply.status() == 204 || reply.status() == 304;
        StringBuilder text = new StringBuilder("HTTP/1.1 ").append(reply.status()).append(' ').append(reply.reason());
        boolean sized = bodiless;
        for (Map.Entry<String, String> header : reply.headers()) {
            text.append("\r\n").append(header.getKey()).append(": ").append(header.getValue());
            sized |= header.getKey().equalsIgnoreCase("content-length");
        }
        if (!sized) {
            text.append("\r\ncontent-length: ").append(reply.body().length);
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.writeBytes(text.append("\r\n\r\n").toString().getBytes(StandardCharsets.ISO_8859_1));
        if (!bodiless && !head) {
            bytes.writeBytes(reply.body());
        }
        return bytes.toByteArray();
    }

    @Override
    public InputStream getInputStream() {
        return answer;
    }

    @Override
    public OutputStream getOutputStream() {
        return OutputStream.nullOutputStream();
    }

    @Override
    public void setSoTimeout(int timeout) {}

    @Override
    public int getSoTimeout() {
        return 0;
    }

    @Override
    public void setTcpNoDelay(boolean on) {}

    @Override
    public void close() {}
}
