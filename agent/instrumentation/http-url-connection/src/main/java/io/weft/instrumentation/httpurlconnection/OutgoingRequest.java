package io.weft.instrumentation.httpurlconnection;

import io.weft.dataplane.Exchange;
import io.weft.dataplane.RequestCopy;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ref.WeakReference;
import java.net.Socket;
import java.net.URL;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;
import sun.net.www.MessageHeader;
import sun.net.www.http.PosterOutputStream;
import sun.net.www.protocol.http.HttpURLConnection;

/** One hop as the mesh sees it. The app may still change the method and choose a body after it has connected. */
final class OutgoingRequest extends Exchange {
    /** Weak, as the time limits hold this object and the app may drop the connection. */
    private final WeakReference<HttpURLConnection> connection;
    private final URL url;
    private final MessageHeader headers;
    private final String authority;

    /** Of the attempt under way, and of the response whose body is being read; null before the first. */
    private volatile Socket socket;

    private volatile boolean ended;

    /** A response is delivered that says itself how long it is. For whoever reads it. */
    private boolean bounded;

    // As the library sends it; null before it does. The body also where there is none.
    private MessageHeader written;
    private PosterOutputStream body;

    /** As last seen. */
    private String method;

    /** @param host the Host header that the app set itself; null: the URL's */
    OutgoingRequest(HttpURLConnection connection, URL url, MessageHeader headers, String host) {
        this.connection = new WeakReference<>(connection);
        this.url = url;
        this.headers = headers;
        this.authority = host == null ? authority(url) : host;
    }

    /** As the JDK writes its Host header. */
    private static String authority(URL url) {
        return url.getPort() == -1 || url.getPort() == url.getDefaultPort() ? url.getHost() : url.getHost() + ":" + url.getPort();
    }

    void begins() {
        if (ended) {
            ended = false;
        }
    }

    /** Before its body is read. */
    void delivers(boolean boundedResponse) {
        bounded = boundedResponse;
    }

    boolean isBounded() {
        return bounded;
    }

    /** Before the attempt is said to be connected. */
    void written(MessageHeader head, PosterOutputStream body) {
        this.written = head;
        this.body = body;
    }

    void over(Socket socket) {
        this.socket = socket;
    }

    /** Whether the mesh has ended the attempt that is under way: not for the JDK to connect once more by itself. */
    boolean isEnded() {
        return ended;
    }

    /** Whoever reads or writes sees it at once. */
    @Override
    protected boolean isRead() {
        return true;
    }

    @Override
    protected void abort() {
        ended = true;
        Socket open = socket;
        if (open == null) {
            return;
        }
        try {
            open.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The library connects before the app has written its body, or before it wants anything sent. */
    @Override
    protected boolean isComplete() {
        return false;
    }

    @Override
    public String method() {
        HttpURLConnection current = connection.get();
        if (current != null) {
            method = current.getRequestMethod();
        }
        return method;
    }

    @Override
    public String scheme() {
        return "http";
    }

    @Override
    public String authority() {
        return authority;
    }

    @Override
    public String path() {
        String file = url.getFile();
        return file.startsWith("/") ? file : "/" + file;
    }

    @Override
    public String header(String name) {
        Iterator<String> values = headers.multiValueIterator(name);
        if (!values.hasNext()) {
            return null;
        }
        String first = values.next();
        if (!values.hasNext()) {
            return first;
        }
        StringJoiner all = new StringJoiner(",").add(first);
        values.forEachRemaining(all::add);
        return all.toString();
    }

    @Override
    public List<String> values(String name) {
        List<String> values = new ArrayList<>();
        headers.multiValueIterator(name).forEachRemaining(values::add);
        return values;
    }

    @Override
    protected boolean hasEnvoyHeaders() {
        // The request line has no name.
        for (int i = 0; headers.getKey(i) != null || headers.getValue(i) != null; i++) {
            if (headers.getKey(i) != null && headers.getKey(i).regionMatches(true, 0, "x-envoy-", 0, 8)) {
                return true;
            }
        }
        return false;
    }

    @Override
    public long bodyLength() {
        if (replay() == Replay.NO_BODY) {
            return 0;
        }
        // The app may still be writing it.
        return isStreaming() || written == null ? -1 : body == null ? 0 : body.size();
    }

    @Override
    protected RequestCopy copy(int maxBodyBytes) {
        if (written == null || isStreaming() || bodyLength() > maxBodyBytes) {
            return null;
        }
        List<Map.Entry<String, String>> copied = new ArrayList<>();
        for (int i = 0; written.getKey(i) != null || written.getValue(i) != null; i++) {
            // The request line is a key without a value.
            if (written.getKey(i) != null && written.getValue(i) != null) {
                copied.add(Map.entry(written.getKey(i), written.getValue(i)));
            }
        }
        return new RequestCopy(copied, body == null ? new byte[0] : body.toByteArray());
    }

    /** So is one that is gone: nothing of it can be sent again. */
    private boolean isStreaming() {
        HttpURLConnection current = connection.get();
        return current == null || current.streaming();
    }

    @Override
    public Replay replay() {
        HttpURLConnection current = connection.get();
        if (current == null || current.streaming()) {
            return Replay.ONE_SHOT;
        }
        return current.getDoOutput() ? Replay.REPEATABLE : Replay.NO_BODY;
    }
}
