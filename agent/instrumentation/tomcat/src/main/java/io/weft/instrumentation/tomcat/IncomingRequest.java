package io.weft.instrumentation.tomcat;

import io.weft.dataplane.Connection;
import io.weft.dataplane.InboundExchange;
import io.weft.dataplane.RequestChanges;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import org.apache.coyote.Request;
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
    private final Internals internals;
    private final Request request;
    private String path;
    /** Null: it is not held up. Read by whoever ends the request, too. */
    private volatile Wait wait;
    /** The app has the request and has not begun to answer. */
    private boolean withApp;
    private LimitedBody limitedBody;
    private SocketWrapperBase<?> socket;
    private Connection connection;

    IncomingRequest(Internals internals, Request request) {
        this.internals = internals;
        this.request = request;
    }

    Request request() {
        return request;
    }

    /** Another request begins. */
    void renew() {
        path = null;
        wait = null;
        withApp = false;
    }

    /** @param wait null: no longer */
    void waits(Wait wait) {
        this.wait = wait;
    }

    boolean isWaiting() {
        return wait != null;
    }

    /** The request as the app is to see it. */
    void handOver() {
        change(requestChanges());
        withApp = true;
        if (maxRequestBytes() > 0 && request.getContentLengthLong() < 0) {
            limitedBody = new LimitedBody(request, request.getInputBuffer(), maxRequestBytes());
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
    public Connection connection() {
        SocketWrapperBase<?> current = internals.connection(request);
        if (current != socket || connection == null) {
            connection = new Connection(
                    address(current.getLocalAddr(), current.getLocalPort()),
                    address(current.getRemoteAddr(), current.getRemotePort()),
                    "",
                    null);
            socket = current;
        }
        return connection;
    }

    /** The text is an IP address, so nothing is looked up. */
    private static InetSocketAddress address(String ip, int port) {
        try {
            return new InetSocketAddress(InetAddress.getByName(ip), Math.max(port, 0));
        } catch (UnknownHostException e) {
            throw new IllegalStateException("a connection without an address: " + ip, e);
        }
    }

    void change(RequestChanges changes) {
        if (changes == RequestChanges.NONE) {
            return;
        }
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

    private static String text(MessageBytes bytes) {
        return bytes.getType() == MessageBytes.T_BYTES ? bytes.getByteChunk().toString() : bytes.toString();
    }
}
