package io.weft.instrumentation.jetty;

import io.weft.dataplane.Connection;
import io.weft.dataplane.InboundConnection;
import io.weft.dataplane.InboundExchange;
import java.util.Collections;
import java.util.Enumeration;
import java.util.List;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.server.Request;

/** One of Jetty's requests as the mesh sees it: as it came, before the app's customizers make anything of it. */
final class RequestBefore12 extends InboundExchange {
    private final Connections connections;
    private final Request request;
    private final EndPoint endPoint;
    private Connection connection;
    /** Null: not asked yet. */
    private Step decided;
    private Throwable fault;
    /** The app has the request and has not begun to answer. */
    private boolean withApp;
    /** Bytes of the body that may still be read. */
    private long left = Long.MAX_VALUE;

    RequestBefore12(Connections connections, Request request) {
        this.connections = connections;
        this.request = request;
        endPoint = request.getHttpChannel().getEndPoint();
    }

    Step decide() {
        decided = next();
        return decided;
    }

    /** It cannot be decided, and so goes no further. */
    void failed(Throwable why) {
        fault = why;
    }

    Step decided() {
        return decided;
    }

    /** Null: none. */
    Throwable fault() {
        return fault;
    }

    boolean isWaiting() {
        return decided == Step.WAIT && fault == null;
    }

    void handOver() {
        withApp = true;
        if (maxRequestBytes() > 0 && request.getContentLengthLong() < 0) {
            left = maxRequestBytes();
        }
    }

    /** Whether the app's own response begins, which it does once. */
    boolean isAnsweredByApp(int status) {
        boolean begins = withApp && (status >= 200 || status == 101);
        withApp &= !begins;
        return begins;
    }

    boolean isLimited() {
        return left != Long.MAX_VALUE;
    }

    void bodyRead(int bytes) {
        left -= bytes;
    }

    boolean isTooLarge() {
        return left < 0;
    }

    /** The same input serves another request. */
    void over() {
        left = Long.MAX_VALUE;
    }

    @Override
    protected long responseBytesWritten() {
        return request.getHttpChannel().getResponse().getHttpOutput().getWritten();
    }

    @Override
    public String method() {
        return request.getMethod();
    }

    @Override
    public String scheme() {
        return request.getScheme();
    }

    @Override
    public String authority() {
        String host = header("host");
        return host == null ? "" : host;
    }

    @Override
    public String path() {
        String query = request.getQueryString();
        return query == null ? request.getRequestURI() : request.getRequestURI() + '?' + query;
    }

    @Override
    public String header(String name) {
        String first = request.getHeader(name);
        if (first == null) {
            return null;
        }
        String joined = null;
        for (Enumeration<String> values = request.getHeaders(name); values.hasMoreElements(); ) {
            String value = values.nextElement();
            joined = joined == null ? value : joined + ',' + value;
        }
        return joined;
    }

    @Override
    public List<String> values(String name) {
        return Collections.list(request.getHeaders(name));
    }

    @Override
    protected long headerBytes() {
        long bytes = path().length();
        for (Enumeration<String> names = request.getHeaderNames(); names.hasMoreElements(); ) {
            String name = names.nextElement();
            for (String value : values(name)) {
                bytes += name.length() + value.length();
            }
        }
        return bytes;
    }

    @Override
    public String protocol() {
        return request.getProtocol();
    }

    @Override
    public Connection connection() {
        if (connection == null) {
            connection = connections.of(endPoint);
        }
        return connection;
    }

    @Override
    protected InboundConnection accepted() {
        return connections.accepted(endPoint);
    }
}
