package io.weft.it.comparison;

import io.weft.it.comparison.Subject.Answer;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * An HTTP/1.1 client that sends what it is given and nothing else, keeps connections alive and tries nothing twice.
 * Thread-safe.
 */
final class RawHttp implements AutoCloseable {
    private static final int PATIENCE_MILLIS = 30_000;

    private final Map<Integer, Queue<Connection>> idle = new ConcurrentHashMap<>();

    /**
     * @param port on loopback
     * @param host of the header
     */
    Answer send(int port, Request request, String host, String tag) {
        StringBuilder head = new StringBuilder();
        head.append(request.method()).append(' ').append(request.target()).append(" HTTP/1.1\r\n");
        head.append("Host: ").append(host).append("\r\n");
        request.allHeaders(tag).forEach(header -> head.append(header).append("\r\n"));
        if (!request.body().isEmpty()) {
            head.append("content-length: ").append(request.body().getBytes(StandardCharsets.UTF_8).length).append("\r\n");
        }
        head.append("\r\n");
        return send(port, head.toString(), request.body(), request.method().equals("HEAD"));
    }

    private Answer send(int port, String head, String body, boolean headRequest) {
        Queue<Connection> pool = idle.computeIfAbsent(port, absent -> new ConcurrentLinkedQueue<>());
        Connection connection = pool.poll();
        try {
            if (connection == null) {
                connection = new Connection(port);
            }
            Answer answer = connection.exchange(head, body, headRequest);
            if (connection.reusable) {
                pool.add(connection);
            } else {
                connection.close();
            }
            return answer;
        } catch (IOException e) {
            if (connection != null) {
                connection.close();
            }
            return new Answer(0, List.of(), "", e.toString());
        }
    }

    /** Gives up the connections that no request is using, since their server is about to. */
    void closeIdle() {
        for (Queue<Connection> pool : idle.values()) {
            for (Connection connection = pool.poll(); connection != null; connection = pool.poll()) {
                connection.close();
            }
        }
    }

    @Override
    public void close() {
        closeIdle();
    }

    private static final class Connection {
        private final Socket socket;
        private final InputStream in;
        boolean reusable;

        Connection(int port) throws IOException {
            socket = new Socket(InetAddress.getLoopbackAddress(), port);
            socket.setTcpNoDelay(true);
            socket.setSoTimeout(PATIENCE_MILLIS);
            in = new BufferedInputStream(socket.getInputStream());
        }

        void close() {
            try {
                socket.close();
            } catch (IOException alreadyClosed) {
                return;
            }
        }

        Answer exchange(String head, String body, boolean headRequest) throws IOException {
            reusable = false;
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            bytes.writeBytes(head.getBytes(StandardCharsets.ISO_8859_1));
            bytes.writeBytes(body.getBytes(StandardCharsets.UTF_8));
            socket.getOutputStream().write(bytes.toByteArray());

            int status;
            List<String> headers;
            do {
                String line = readLine();
                if (!line.matches("HTTP/1\\.1 \\d{3}( .*)?")) {
                    throw new IOException("no status line: " + line);
                }
                status = Integer.parseInt(line.substring(9, 12));
                headers = new ArrayList<>();
                for (String header = readLine(); !header.isEmpty(); header = readLine()) {
                    headers.add(header);
                }
            } while (status < 200);

            boolean bodiless = headRequest || status == 204 || status == 304;
            boolean untilEnd = false;
            byte[] content = {};
            if (!bodiless) {
                String length = value(headers, "content-length");
                if (value(headers, "transfer-encoding").toLowerCase(Locale.ROOT).contains("chunked")) {
                    content = readChunks();
                } else if (length.isEmpty()) {
                    untilEnd = true;
                    content = in.readAllBytes();
                } else {
                    content = readFully(Integer.parseInt(length));
                }
            }
            reusable = !untilEnd && !value(headers, "connection").equalsIgnoreCase("close");
            return new Answer(status, headers, new String(content, StandardCharsets.UTF_8), "");
        }

        private static String value(List<String> headers, String name) {
            for (String header : headers) {
                if (header.length() > name.length() && header.charAt(name.length()) == ':'
                        && header.regionMatches(true, 0, name, 0, name.length())) {
                    return header.substring(name.length() + 1).strip();
                }
            }
            return "";
        }

        private byte[] readChunks() throws IOException {
            ByteArrayOutputStream body = new ByteArrayOutputStream();
            while (true) {
                int length = Integer.parseInt(readLine().split(";")[0].strip(), 16);
                body.writeBytes(readFully(length));
                if (length == 0) {
                    while (!readLine().isEmpty()) {
                        // Trailers are not compared.
                    }
                    return body.toByteArray();
                }
                readLine();
            }
        }

        private byte[] readFully(int length) throws IOException {
            byte[] bytes = in.readNBytes(length);
            if (bytes.length < length) {
                throw new EOFException("the connection ended inside a body");
            }
            return bytes;
        }

        private String readLine() throws IOException {
            ByteArrayOutputStream line = new ByteArrayOutputStream();
            for (int b = in.read(); b >= 0; b = in.read()) {
                if (b == '\n') {
                    String text = line.toString(StandardCharsets.ISO_8859_1);
                    return text.endsWith("\r") ? text.substring(0, text.length() - 1) : text;
                }
                line.write(b);
            }
            throw new EOFException("the connection ended inside a head");
        }
    }
}
