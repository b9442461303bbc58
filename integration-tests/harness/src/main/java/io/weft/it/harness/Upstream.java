package io.weft.it.harness;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;

/**
 * An HTTP/1.1 server on a bare socket that records each request as it arrived, and misbehaves when told to. The body of a
 * good answer is the upstream's name. With TLS it demands a certificate, and whoever has none, or speaks no TLS, is never recorded.
 * Thread-safe; a thread per connection.
 */
public final class Upstream implements AutoCloseable {

    /** What becomes of a request. */
    public sealed interface Reaction {}

    /** @param headers beside Content-Length */
    public record Respond(int status, Map<String, String> headers, String body) implements Reaction {}

    /** These bytes as they are. */
    public record Send(byte[] bytes, Then then) implements Reaction {}

    /** What becomes of the connection afterwards. */
    public enum Then { KEEP, CLOSE, RESET }

    /** A good answer in chunks of one byte, with a pause before each. */
    public record Trickle(String body, long pauseMillis) implements Reaction {}

    /** These bytes one by one, with a pause before each. */
    public record Drip(byte[] bytes, long pauseMillis) implements Reaction {}

    /** No answer, the connection stays open until the client closes it. */
    public record Hang() implements Reaction {}

    /** The connection is reset without an answer. */
    public record Reset() implements Reaction {}

    /**
     * Of the upstreams so far, the latest {@value #REMEMBERED}. Another one at the port of one that is gone is sent its first requests over connections to that one, which
     * a library has kept: each of them fails, and is a retry less. Of all that there ever were, there would be no port left in a run of many thousands.
     */
    private static final Set<Integer> PORTS = Collections.synchronizedSet(Collections.newSetFromMap(new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<Integer, Boolean> eldest) {
            return size() > REMEMBERED;
        }
    }));

    private static final int REMEMBERED = 2_000;

    private final String name;
    /** Null: plaintext. */
    private final SSLContext tls;
    /** Of 127.0.0. */
    private final byte host;
    private final List<RecordedRequest> requests = new CopyOnWriteArrayList<>();
    private final Set<Socket> connections = ConcurrentHashMap.newKeySet();
    private final CountDownLatch closed = new CountDownLatch(1);
    private final AtomicInteger accepted = new AtomicInteger();
    private volatile Function<RecordedRequest, Reaction> reaction;
    /** Null: it is told to go on. */
    private volatile Reaction onExpectation;
    private volatile boolean hasty;
    private ServerSocket listening;
    private Thread acceptor;

    private Upstream(String name, SSLContext tls, int host) {
        this.name = name;
        this.tls = tls;
        this.host = (byte) host;
        this.reaction = request -> ok();
    }

    /** Listens on an ephemeral port of 127.0.0.1. */
    public static Upstream start(String name) {
        return start(name, null);
    }

    /** @param tls null: plaintext */
    public static Upstream start(String name, SSLContext tls) {
        Upstream upstream = new Upstream(name, tls, 1);
        upstream.listen(0);
        return upstream;
    }

    /** One of the same port, on 127.0.0.2, as pods have it. */
    public Upstream beside(String name, SSLContext tls) {
        Upstream upstream = new Upstream(name, tls, 2);
        upstream.listen(address().getPort());
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

    /** How many connections there were so far. */
    public int connections() {
        return accepted.get();
    }

    /** How many connections are open now. */
    public int openConnections() {
        return connections.size();
    }

    public Reaction ok() {
        return new Respond(200, Map.of(), name);
    }

    /** @param lines of the head, without their ends; the body follows as it is */
    public static Reaction send(Then then, String body, String... lines) {
        return new Send((String.join("\r\n", lines) + "\r\n\r\n" + body).getBytes(StandardCharsets.UTF_8), then);
    }

    /** Asked for each request from now on, by the connection's thread. */
    public void react(Function<RecordedRequest, Reaction> reaction) {
        this.reaction = reaction;
    }

    /** From now on a request that expects {@code 100-continue} gets this instead, before its body; null: it is told to go on. */
    public void onExpectation(Reaction reaction) {
        onExpectation = reaction;
    }

    /** From now on an answer does not wait for the body of its request, which is recorded without one and read afterwards. */
    public void answerBeforeTheBody() {
        hasty = true;
    }

    /** Answers with this status from now on. */
    public void answer(int status) {
        react(request -> new Respond(status, Map.of(), name));
    }

    /** Closes every connection in good order, as a server whose patience with idle ones is over. */
    public void closeConnections() {
        connections.forEach(Upstream::close);
    }

    /** Stops listening and resets every connection, as a killed process. */
    public synchronized void die() {
        try {
            listening.close();
            // the port is free when nobody waits at it any more
            acceptor.join();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
        connections.forEach(Upstream::reset);
    }

    /** As a firewall does that has forgotten them. */
    public void resetConnections() {
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
            ServerSocket socket = port == 0 ? onNewPort() : on(port);
            listening = socket;
            acceptor = daemon(() -> acceptAll(socket), "upstream " + name);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private ServerSocket onNewPort() throws IOException {
        ServerSocket socket = on(0);
        if (PORTS.add(socket.getLocalPort())) {
            return socket;
        }
        // Held meanwhile, or it would be given out again.
        try (socket) {
            return onNewPort();
        }
    }

    private ServerSocket on(int port) throws IOException {
        ServerSocket socket = new ServerSocket();
        socket.setReuseAddress(true);
        socket.bind(new InetSocketAddress(InetAddress.getByAddress(new byte[] {127, 0, 0, host}), port), 512);
        return socket;
    }

    private void acceptAll(ServerSocket socket) {
        while (!socket.isClosed()) {
            try {
                Socket connection = socket.accept();
                connections.add(connection);
                int number = accepted.getAndIncrement();
                daemon(() -> serve(socket, connection, number), "upstream " + name + " connection");
            } catch (IOException e) {
                if (!socket.isClosed()) {
                    throw new UncheckedIOException(e);
                }
            }
        }
    }

    private void serve(ServerSocket listener, Socket accepted, int number) {
        try (accepted; Socket connection = secured(accepted)) {
            connection.setTcpNoDelay(true);
            InputStream in = new BufferedInputStream(connection.getInputStream());
            for (String line = readLine(in); line != null && !listener.isClosed(); line = readLine(in)) {
                RecordedRequest head = new RecordedRequest(line, readHeaders(in), new byte[0], number);
                Reaction refusal = head.header("expect").isPresent() ? onExpectation : null;
                boolean early = hasty;
                RecordedRequest request = refusal == null && !early ? withBody(head, in, connection) : head;
                requests.add(request);
                if (!carryOut(refusal == null ? reaction.apply(request) : refusal, request, connection)) {
                    return;
                }
                if (early) {
                    withBody(head, in, connection);
                }
            }
        } catch (IOException connectionLost) {
            // The client left or die() was called: what was recorded stands.
            reset(accepted);
        } finally {
            connections.remove(accepted);
        }
    }

    private Socket secured(Socket accepted) throws IOException {
        if (tls == null) {
            return accepted;
        }
        SSLSocket socket = (SSLSocket) tls.getSocketFactory().createSocket(accepted, null, true);
        socket.setUseClientMode(false);
        socket.setNeedClientAuth(true);
        return socket;
    }

    /** @return whether the connection can carry a further request */
    private boolean carryOut(Reaction reaction, RecordedRequest request, Socket connection) throws IOException {
        if (reaction instanceof Respond respond) {
            connection.getOutputStream().write(bytes(respond, request.method().equals("HEAD")));
            return !request.header("connection").orElse("").equalsIgnoreCase("close");
        }
        if (reaction instanceof Send send) {
            connection.getOutputStream().write(send.bytes());
            if (send.then() == Then.KEEP) {
                return true;
            }
            if (send.then() == Then.CLOSE) {
                connection.shutdownOutput();
                return false;
            }
        }
        if (reaction instanceof Trickle trickle) {
            trickle(trickle, connection.getOutputStream());
            return true;
        }
        if (reaction instanceof Drip drip) {
            for (byte b : drip.bytes()) {
                pause(drip.pauseMillis());
                connection.getOutputStream().write(b);
            }
            return true;
        }
        if (reaction instanceof Hang) {
            awaitClose(connection);
        }
        reset(connection);
        return false;
    }

    private void trickle(Trickle trickle, OutputStream out) throws IOException {
        out.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".getBytes(StandardCharsets.ISO_8859_1));
        for (byte b : trickle.body().getBytes(StandardCharsets.UTF_8)) {
            pause(trickle.pauseMillis());
            out.write(new byte[] {'1', '\r', '\n', b, '\r', '\n'});
        }
        out.write("0\r\n\r\n".getBytes(StandardCharsets.ISO_8859_1));
    }

    private void pause(long millis) {
        try {
            closed.await(millis, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void awaitClose(Socket connection) throws IOException {
        while (connection.getInputStream().read() >= 0) {
            // Nobody hears it.
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

    private static List<String> readHeaders(InputStream in) throws IOException {
        List<String> headers = new ArrayList<>();
        for (String header = readLine(in); header != null && !header.isEmpty(); header = readLine(in)) {
            headers.add(header);
        }
        return headers;
    }

    private static RecordedRequest withBody(RecordedRequest head, InputStream in, Socket connection) throws IOException {
        if (head.header("expect").isPresent()) {
            connection.getOutputStream().write("HTTP/1.1 100 Continue\r\n\r\n".getBytes(StandardCharsets.ISO_8859_1));
        }
        byte[] body;
        if (head.header("transfer-encoding").orElse("").toLowerCase(Locale.ROOT).contains("chunked")) {
            body = readChunks(in);
        } else {
            body = readFully(in, Integer.parseInt(head.header("content-length").orElse("0")));
        }
        return new RecordedRequest(head.line(), head.headers(), body, head.connection());
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

    private static void close(Socket connection) {
        try {
            connection.close();
        } catch (IOException alreadyClosed) {
            return;
        }
    }

    private static Thread daemon(Runnable task, String name) {
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        thread.start();
        return thread;
    }
}
