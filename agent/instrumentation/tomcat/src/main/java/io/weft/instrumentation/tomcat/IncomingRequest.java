package io.weft.instrumentation.tomcat;

import io.weft.dataplane.Connection;
import io.weft.dataplane.InboundConnection;
import io.weft.dataplane.InboundExchange;
import io.weft.dataplane.RequestChanges;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.coyote.Request;
import org.apache.coyote.Response;
import org.apache.tomcat.util.buf.ByteChunk;
import org.apache.tomcat.util.buf.MessageBytes;
import org.apache.tomcat.util.http.MimeHeaders;
import org.apache.tomcat.util.net.SocketWrapperBase;

/**
 * One of coyote's requests as the mesh sees it. It lives as long as coyote's, which serves one request after the other.
 *
 * <p>Nothing here may make Tomcat's own lazy values: {@link MessageBytes#toString} turns bytes into a string for good, and a path
 * that is no longer bytes is not decoded.
 */
final class IncomingRequest extends InboundExchange {
    private static final String SENDFILE_SUPPORT = "org.apache.tomcat.sendfile.support";

    private final Internals internals;
    private final Connections connections;
    private final Request request;
    private String path;
    /** Null: it is not held up. Read by whoever ends the request, too. */
    private volatile Wait wait;
    /** The app has the request and has not begun to answer. */
    private boolean withApp;
    private LimitedBody limitedBody;
    private PacedBody pacedBody;
    /** What follows is this request's, and not that of the one before, which mostly is the same. */
    private boolean located;
    private SocketWrapperBase<?> socket;
    /** Null: it was not seen when it was accepted. */
    private InboundConnection accepted;
    /** Null as long as the other is there. */
    private Connection connection;

    IncomingRequest(Internals internals, Connections connections, Request request) {
        this.internals = internals;
        this.connections = connections;
        this.request = request;
    }

    Request request() {
        return request;
    }

    /** Another request begins. */
    void renew() {
        path = null;
        located = false;
        waits(null);
        withApp = false;
    }

    /** @param wait null: no longer */
    void waits(Wait wait) {
        // Mostly it never does, and each request would pay for a barrier.
        if (this.wait != wait) {
            this.wait = wait;
        }
    }

    boolean isWaiting() {
        return wait != null;
    }

    /** The request as the app is to see it. */
    void handOver() {
        change(requestChanges());
        withApp = true;
        if (responseBytesPerSecond() > 0) {
            Response response = request.getResponse();
            pacedBody = new PacedBody(internals.outputBuffer(response), responseBytesPerSecond());
            response.setOutputBuffer(pacedBody);
            // A file that Tomcat sends by itself would go past it.
            request.setAttribute(SENDFILE_SUPPORT, Boolean.FALSE);
        }
        if (maxRequestBytes() > 0 && request.getContentLengthLong() < 0) {
            limitedBody = new LimitedBody(internals, request, request.getInputBuffer(), maxRequestBytes());
            request.setInputBuffer(limitedBody);
        }
    }

    /** Whether the app's own response begins, which it does once. */
    boolean isAnsweredByApp(int status) {
        boolean begins = withApp && (status >= 200 || status == 101);
        withApp &= !begins;
        return begins;
    }

    void over() {
        Wait held = wait;
        if (held != null) {
            held.end();
        }
        giveBack();
        end();
    }

    /** Coyote's request may serve another from now on. */
    void giveBack() {
        if (limitedBody != null) {
            request.setInputBuffer(limitedBody.body());
            limitedBody = null;
        }
        if (pacedBody != null) {
            request.getResponse().setOutputBuffer(pacedBody.body());
            pacedBody = null;
        }
    }

    @Override
    public String method() {
        return text(request.method());
    }

    @Override
    public String scheme() {
        MessageBytes scheme = request.scheme();
        return scheme.isNull() ? "http" : text(scheme);
    }

    @Override
    public String authority() {
        String host = header("host");
        if (host != null) {
            return host;
        }
        String name = text(request.serverName());
        int port = request.getServerPort();
        return name == null ? "" : port <= 0 ? name : name + ':' + port;
    }

    @Override
    public String path() {
        if (path == null) {
            String query = text(request.queryString());
            path = query == null ? text(request.requestURI()) : text(request.requestURI()) + '?' + query;
        }
        return path;
    }

    @Override
    public String header(String name) {
        MimeHeaders headers = request.getMimeHeaders();
        int i = headers.findHeader(name, 0);
        if (i < 0) {
            return null;
        }
        String value = text(headers.getValue(i));
        for (i = headers.findHeader(name, i + 1); i >= 0; i = headers.findHeader(name, i + 1)) {
            value += ',' + text(headers.getValue(i));
        }
        return value;
    }

    @Override
    protected long headerBytes() {
        MimeHeaders headers = request.getMimeHeaders();
        long bytes = path().length();
        for (int i = 0; i < headers.size(); i++) {
            bytes += headers.getName(i).getLength() + headers.getValue(i).getLength();
        }
        return bytes;
    }

    @Override
    protected long responseBytesWritten() {
        return request.getResponse().getContentWritten();
    }

    @Override
    public List<String> values(String name) {
        MimeHeaders headers = request.getMimeHeaders();
        List<String> values = new ArrayList<>();
        for (int i = headers.findHeader(name, 0); i >= 0; i = headers.findHeader(name, i + 1)) {
            values.add(text(headers.getValue(i)));
        }
        return values;
    }

    @Override
    public Connection connection() {
        InboundConnection seen = accepted();
        if (seen != null) {
            return seen.connection();
        }
        if (connection == null) {
            connection = connections.of(socket);
        }
        return connection;
    }

    @Override
    protected InboundConnection accepted() {
        if (!located) {
            located = true;
            SocketWrapperBase<?> current = internals.connection(request);
            if (socket != current) {
                socket = current;
                accepted = connections.accepted(current);
                connection = null;
            }
        }
        return accepted;
    }

    void change(RequestChanges changes) {
        if (changes == RequestChanges.NONE) {
            return;
        }
        makeRoom(changes);
        new CoyoteHeaders(request.getMimeHeaders()).change(changes);
        if (changes.authority() != null) {
            changeAuthority(changes.authority());
        }
        if (changes.path() != null) {
            int query = changes.path().indexOf('?');
            String uri = query < 0 ? changes.path() : changes.path().substring(0, query);
            set(request.requestURI(), uri);
            if (query < 0) {
                request.queryString().recycle();
            } else {
                set(request.queryString(), changes.path().substring(query + 1));
            }
        }
    }

    /**
     * How many headers a request may have is said to the caller alone: one with as many, and also one that Tomcat has not taken as a whole,
     * is answered as if the mesh added none. Before Tomcat reads the connection's next request it sets its limit again.
     */
    private void makeRoom(RequestChanges changes) {
        MimeHeaders headers = request.getMimeHeaders();
        int limit = internals.limit(headers);
        int most = changes.set().size() + changes.add().size() + (changes.authority() == null ? 0 : 1);
        if (limit >= 0 && headers.size() + most > limit) {
            headers.setLimit(limit + most);
        }
    }

    private void changeAuthority(String authority) {
        request.getMimeHeaders().setValue("host").setString(authority);
        int colon = authority.lastIndexOf(':');
        boolean port = colon > authority.lastIndexOf(']') && colon + 1 < authority.length();
        request.serverName().setString(port ? authority.substring(0, colon) : authority);
        if (port) {
            request.setServerPort(Integer.parseInt(authority, colon + 1, authority.length(), 10));
        }
    }

    /** As bytes: only those Tomcat decodes. */
    private static void set(MessageBytes target, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
        target.setBytes(bytes, 0, bytes.length);
    }

    private static String text(MessageBytes message) {
        if (message.getType() != MessageBytes.T_BYTES) {
            return message.toString();
        }
        ByteChunk bytes = message.getByteChunk();
        // What Tomcat has for that goes by way of a decoder and a copy, also where each byte is a character.
        return !bytes.isNull() && StandardCharsets.ISO_8859_1.equals(bytes.getCharset())
                ? new String(bytes.getBytes(), bytes.getStart(), bytes.getLength(), StandardCharsets.ISO_8859_1)
                : bytes.toString();
    }
}
