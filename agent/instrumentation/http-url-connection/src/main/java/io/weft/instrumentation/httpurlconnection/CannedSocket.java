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
        StringBuilder text = new StringBuilder("HTTP/1.1 ").append(reply.status()).append(' ').append(reason(reply.status()));
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

    /** RFC 9110, section 15; empty for what is not there. */
    private static String reason(int status) {
        return switch (status) {
            case 200 -> "OK";
            case 201 -> "Created";
            case 202 -> "Accepted";
            case 204 -> "No Content";
            case 301 -> "Moved Permanently";
            case 302 -> "Found";
            case 303 -> "See Other";
            case 304 -> "Not Modified";
            case 307 -> "Temporary Redirect";
            case 308 -> "Permanent Redirect";
            case 400 -> "Bad Request";
            case 401 -> "Unauthorized";
            case 403 -> "Forbidden";
            case 404 -> "Not Found";
            case 405 -> "Method Not Allowed";
            case 408 -> "Request Timeout";
            case 409 -> "Conflict";
            case 410 -> "Gone";
            case 413 -> "Content Too Large";
            case 429 -> "Too Many Requests";
            case 500 -> "Internal Server Error";
            case 501 -> "Not Implemented";
            case 502 -> "Bad Gateway";
            case 503 -> "Service Unavailable";
            case 504 -> "Gateway Timeout";
            default -> "";
        };
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
