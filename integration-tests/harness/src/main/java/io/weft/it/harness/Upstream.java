package io.weft.it.harness;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.function.Function;

/**
 * An HTTP/1.1 server on a bare socket that records each request as it arrived, and misbehaves when told to. The body of a
 * good answer is the upstream's name. Thread-safe; a thread per connection.
 */
public final class Upstream implements AutoCloseable {

    /** What becomes of a request. */
    public sealed interface Reaction {}

    /** @param headers beside Content-Length */
    public record Respond(int status, Map<String, String> headers, String body) implements Reaction {}

    /** No answer, the connection stays open. */
    public record Hang() implements Reaction {}

    /** The connection is reset without an answer. */
    public record Reset() implements Reaction {}

    private final String name;
    private final List<RecordedRequest> requests = new CopyOnWriteArrayList<>();
    private final Set<Socket> connections = ConcurrentHashMap.newKeySet();
    private final CountDownLatch closed = new CountDownLatch(1);
    private volatile Function<RecordedRequest, Reaction> reaction;
    private ServerSocket listening;

    private Upstream(String name) {
        this.name = name;
        this.reaction = request -> ok();
    }

    /** Listens on an ephemeral port of 127.0.0.1. */
    public static Upstream start(String name) {
        Upstream upstream = new Upstream(name);
        upstream.listen(0);
        return upstream;
    }

    public String name() {
        return name;
    }

    public synchronized InetSocketAddress address() {
        return new InetSocketAddress(listening.getInetAddress(), listening.getLocalPort());
    }

    /** All requests so far, in the order in which their last byte arrived. */
    public List<RecordedRequest> requests() {
        return List.copyOf(requests);
    }

    public void forgetRequests() {
        requests.clear();
    }

    public Reaction ok() {
        return new Respond(200, Map.of(), name);
    }

    /** Asked for each request from now on, by the connection's thread. */
    public void react(Function<RecordedRequest, Reaction> reaction) {
        this.reaction = reaction;
    }

    /** Answers with this status from now on. */
    public void answer(int status) {
        react(request -> new Respond(status, Map.of(), name));
    }

    /** Stops listening and resets every connection, as a killed process. */
    public synchronized void die() {
        try {
            listening.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        connections.forEach(Upstream::reset);
    }

    /** Listens again on the same port. */
    public synchronized void revive() {
        listen(listening.getLocalPort());
    }

    @Override
    public void close() {
        die();
        closed.countDown();
    }

    private synchronized void listen(int port) {
        try {
            ServerSocket socket = new ServerSocket();
            socket.setReuseAddress(true);
            socket.bind(new InetSocketAddress(InetAddress.getByAddress(new byte[] {127, 0, 0, 1}), port), 512);
            listening = socket;
            daemon(() -> acceptAll(socket), "upstream " + name);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void acceptAll(ServerSocket socket) {
        while (!socket.isClosed()) {
            try {
                Socket connection = socket.accept();
                connections.add(connection);
                daemon(() -> serve(socket, connection), "upstream " + name + " connection");
            } catch (IOException e) {
                if (!socket.isClosed()) {
                    throw new UncheckedIOException(e);
                }
            }
        }
    }

    private void serve(ServerSocket listener, Socket connection) {
        try (connection) {
            connection.setTcpNoDelay(true);
            InputStream in = new BufferedInputStream(connection.getInputStream());
            for (String line = readLine(in); line != null && !listener.isClosed(); line = readLine(in)) {
                RecordedRequest request = readRequest(line, in, connection);
                requests.add(request);
                if (!carryOut(reaction.apply(request), request, connection)) {
                    return;
                }
            }
        } catch (IOException connectionLost) {
            // The client left or die() was called: what was recorded stands.
            reset(connection);
        } finally {
            connections.remove(connection);
        }
    }

    /** @return whether the connection can carry a further request */
    private boolean carryOut(Reaction reaction, RecordedRequest request, Socket connection) throws IOException {
        if (reaction instanceof Respond respond) {
            connection.getOutputStream().write(bytes(respond, request.method().equals("HEAD")));
            return !request.header("connection").orElse("").equalsIgnoreCase("close");
        }
        if (reaction instanceof Hang) {
            awaitClose();
        }
        reset(connection);
        return false;
    }

    private void awaitClose() {
        try {
            closed.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static byte[] bytes(Respond respond, boolean head) {
        byte[] body = respond.body().getBytes(StandardCharsets.UTF_8);
        StringBuilder text = new StringBuilder("HTTP/1.1 " + respond.status() + " Status\r\n");
        respond.headers().forEach((name, value) -> text.append(name).append(": ").append(value).append("\r\n"));
        text.append("Content-Length: ").append(body.length).append("\r\n\r\n");
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.writeBytes(text.toString().getBytes(StandardCharsets.ISO_8859_1));
        if (!head) {
            bytes.writeBytes(body);
        }
        return bytes.toByteArray();
    }

    private static RecordedRequest readRequest(String line, InputStream in, Socket connection) throws IOException {
        List<String> headers = new ArrayList<>();
        for (String header = readLine(in); header != null && !header.isEmpty(); header = readLine(in)) {
            headers.add(header);
        }
        RecordedRequest head = new RecordedRequest(line, headers, new byte[0]);
        if (head.header("expect").isPresent()) {
            connection.getOutputStream().write("HTTP/1.1 100 Continue\r\n\r\n".getBytes(StandardCharsets.ISO_8859_1));
        }
        byte[] body;
        if (head.header("transfer-encoding").orElse("").toLowerCase(Locale.ROOT).contains("chunked")) {
            body = readChunks(in);
        } else {
            body = readFully(in, Integer.parseInt(head.header("content-length").orElse("0")));
        }
        return new RecordedRequest(line, headers, body);
    }

    private static byte[] readChunks(InputStream in) throws IOException {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        while (true) {
            String size = readLine(in);
            if (size == null) {
                throw new EOFException("inside a chunked body");
            }
            int length = Integer.parseInt(size.split(";")[0].strip(), 16);
            body.writeBytes(readFully(in, length));
            readLine(in);
            if (length == 0) {
                return body.toByteArray();
            }
        }
    }

    private static byte[] readFully(InputStream in, int length) throws IOException {
        byte[] bytes = in.readNBytes(length);
        if (bytes.length < length) {
            throw new EOFException("inside a body");
        }
        return bytes;
    }

    /** @return null at the end of the stream */
    private static String readLine(InputStream in) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int b = in.read(); b >= 0; b = in.read()) {
            if (b == '\n') {
                String text = line.toString(StandardCharsets.ISO_8859_1);
                return text.endsWith("\r") ? text.substring(0, text.length() - 1) : text;
            }
            line.write(b);
        }
        return null;
    }

    private static void reset(Socket connection) {
        try {
            connection.setSoLinger(true, 0);
            connection.close();
        } catch (IOException alreadyClosed) {
            return;
        }
    }

    private static void daemon(Runnable task, String name) {
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        thread.start();
    }
}
