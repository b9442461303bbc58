package io.weft.instrumentation.jetty;

import io.weft.dataplane.Connection;
import io.weft.dataplane.InboundConnection;
import io.weft.dataplane.InboundExchange;
import java.util.List;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpURI;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.server.Request;

/** One of Jetty's requests as the mesh sees it: as it came, whatever the app's customizers have made of it. */
final class IncomingRequest extends InboundExchange {
    private final Connections connections;
    private final Request request;
    private final EndPoint endPoint;
    private Connection connection;
    /** The app has the request and has not begun to answer. */
    private boolean withApp;
    private long written;

    IncomingRequest(Connections connections, Request request) {
        this.connections = connections;
        this.request = request;
        endPoint = request.getConnectionMetaData().getConnection().getEndPoint();
    }

    void handOver() {
        withApp = true;
    }

    /** Whether the app's own response begins, which it does once. */
    boolean isAnsweredByApp(int status) {
        boolean begins = withApp && (status >= 200 || status == 101);
        withApp &= !begins;
        return begins;
    }

    void wrote(long bytes) {
        written = bytes;
    }

    @Override
    protected long responseBytesWritten() {
        return written;
    }

    @Override
    public String method() {
        return request.getMethod();
    }

    @Override
    public String scheme() {
        String scheme = request.getHttpURI().getScheme();
        return scheme == null ? "http" : scheme;
    }

    @Override
    public String authority() {
        String host = header("host");
        if (host != null) {
            return host;
        }
        String authority = request.getHttpURI().getAuthority();
        return authority == null ? "" : authority;
    }

    @Override
    public String path() {
        HttpURI uri = request.getHttpURI();
        String path = uri.getPathQuery();
        return path == null ? "" : path;
    }

    @Override
    public String header(String name) {
        return Headers.joined(request.getHeaders(), name);
    }

    @Override
    public List<String> values(String name) {
        return Headers.values(request.getHeaders(), name);
    }

    @Override
    protected long headerBytes() {
        HttpFields fields = request.getHeaders();
        long bytes = path().length();
        for (int i = 0; i < fields.size(); i++) {
            HttpField field = fields.getField(i);
            bytes += field.getName().length() + (field.getValue() == null ? 0 : field.getValue().length());
        }
        return bytes;
    }

    @Override
    public String protocol() {
        return request.getConnectionMetaData().getProtocol();
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
