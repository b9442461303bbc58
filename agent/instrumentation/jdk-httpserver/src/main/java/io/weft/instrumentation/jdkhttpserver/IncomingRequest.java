package io.weft.instrumentation.jdkhttpserver;

import com.sun.net.httpserver.Headers;
import io.weft.dataplane.Connection;
import io.weft.dataplane.InboundConnection;
import io.weft.dataplane.InboundExchange;
import java.net.URI;
import java.util.List;
import java.util.Map;

/** The requests of one connection as the mesh sees them: there is one at a time. */
final class IncomingRequest extends InboundExchange {
    private final Internals internals;
    private final InboundConnection accepted;
    private Connection connection;
    /** The server's own exchange. */
    private Object exchange;
    private Headers headers;
    private boolean decided;
    private boolean withApp;
    /** As the app has announced it; 0: it has not, or there is none. */
    private long responseLength;
    /** The thread that last called the app's filters and handler. */
    private volatile Thread servedBy;

    /** @param accepted null: the connection was not seen when it was accepted */
    IncomingRequest(Internals internals, InboundConnection accepted) {
        this.internals = internals;
        this.accepted = accepted;
    }

    /** Another request begins. */
    void renew(Object exchange) throws Throwable {
        this.exchange = exchange;
        headers = internals.requestHeaders(exchange);
        decided = false;
        withApp = false;
        responseLength = 0;
    }

    /** @param length as {@code HttpExchange.sendResponseHeaders} takes it; the server makes a header of it only later */
    void announcesLength(long length) {
        responseLength = Math.max(0, length);
    }

    @Override
    protected long responseBytesWritten() {
        return responseLength;
    }

    void servedHere() {
        Thread current = Thread.currentThread();
        if (servedBy != current) {
            servedBy = current;
        }
    }

    /** Whether it is on this thread that the app serves it, or has begun to. */
    boolean isServedHere() {
        return servedBy == Thread.currentThread();
    }

    /** Whether this is the first time that it is asked: the app's own filters and handler come after one another. */
    boolean isUndecided() {
        boolean first = !decided;
        decided = true;
        return first;
    }

    /** It is held up, and decided about once more. */
    void holdUp() {
        decided = false;
    }

    void handOver() {
        withApp = true;
    }

    /** Whether the app's own response begins, which it does once. */
    boolean isAnsweredByApp() {
        boolean begins = withApp;
        withApp = false;
        return begins;
    }

    @Override
    public String method() {
        return internals.method(exchange);
    }

    /** TLS of the app's own hides its requests from the mesh. */
    @Override
    public String scheme() {
        return "http";
    }

    @Override
    public String authority() {
        String host = headers.getFirst("host");
        return host == null ? "" : host;
    }

    @Override
    public String path() {
        URI uri = internals.uri(exchange);
        String path = uri.getRawPath() == null || uri.getRawPath().isEmpty() ? "/" : uri.getRawPath();
        return uri.getRawQuery() == null ? path : path + '?' + uri.getRawQuery();
    }

    @Override
    public String header(String name) {
        return HeaderView.joined(headers, name);
    }

    @Override
    protected long headerBytes() {
        long bytes = path().length();
        for (Map.Entry<String, List<String>> header : headers.entrySet()) {
            for (String value : header.getValue()) {
                bytes += header.getKey().length() + value.length();
            }
        }
        return bytes;
    }

    @Override
    public List<String> values(String name) {
        return headers.getOrDefault(name, List.of());
    }

    @Override
    public Connection connection() {
        if (accepted != null) {
            return accepted.connection();
        }
        if (connection == null) {
            connection = new Connection(internals.localAddress(exchange), internals.remoteAddress(exchange), "", null);
        }
        return connection;
    }

    @Override
    protected InboundConnection accepted() {
        return accepted;
    }

    /** The server has chosen the context by it. */
    @Override
    protected boolean pathCanChange() {
        return false;
    }
}
