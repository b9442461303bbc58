package io.weft.instrumentation.helidon;

import io.helidon.http.Headers;
import io.helidon.http.HttpPrologue;
import io.helidon.webserver.ConnectionContext;
import io.helidon.webserver.http.RoutingRequest;
import io.weft.dataplane.Connection;
import io.weft.dataplane.InboundConnection;
import io.weft.dataplane.InboundExchange;
import java.net.InetSocketAddress;
import java.util.List;

/** A request as the mesh sees it, on the virtual thread that serves it. */
final class IncomingRequest extends InboundExchange {
    private static final String HTTP2 = "2.0";

    private final RoutingRequest request;
    private final HttpPrologue prologue;
    private final Headers headers;
    private final boolean ownTls;
    /** Null: with TLS of the app's, or not seen when it was accepted. */
    private final Accepted accepted;
    private final Connection connection;
    private boolean withApp;
    private boolean last;
    private long written;

    private IncomingRequest(RoutingRequest request, boolean ownTls, Accepted accepted, Connection connection) {
        this.request = request;
        this.ownTls = ownTls;
        this.accepted = accepted;
        this.connection = connection;
        prologue = request.prologue();
        headers = request.headers();
    }

    /** @return null: it is over no network */
    static IncomingRequest of(ConnectionContext context, RoutingRequest request, Accepted accepted) {
        if (accepted != null) {
            return new IncomingRequest(request, false, accepted, null);
        }
        if (!(context.localPeer().address() instanceof InetSocketAddress local)
                || !(context.remotePeer().address() instanceof InetSocketAddress remote)) {
            return null;
        }
        return new IncomingRequest(request, context.isSecure(), null, new Connection(local, remote, "", null));
    }

    boolean isHttp2() {
        return prologue.protocolVersion().equals(HTTP2);
    }

    boolean hasOwnTls() {
        return ownTls;
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

    /** Its response says that the connection ends with it. */
    void endsConnection() {
        last = true;
    }

    boolean isLast() {
        return last;
    }

    /** A part of the response's body is on its way. */
    void writes(long bytes) {
        written += bytes;
    }

    @Override
    protected long responseBytesWritten() {
        return written;
    }

    @Override
    public String method() {
        return prologue.method().text();
    }

    /** The mesh's TLS is hidden from the app. */
    @Override
    public String scheme() {
        return ownTls ? "https" : "http";
    }

    /** Helidon has it in this header over HTTP/2, too. */
    @Override
    public String authority() {
        String host = header("host");
        return host == null ? "" : host;
    }

    @Override
    public String path() {
        String path = prologue.uriPath().rawPath();
        String query = prologue.query().rawValue();
        return query.isEmpty() ? path : path + '?' + query;
    }

    @Override
    public String header(String name) {
        return RequestHeaders.joined(headers, name);
    }

    @Override
    public List<String> values(String name) {
        return RequestHeaders.values(headers, name);
    }

    @Override
    protected long headerBytes() {
        return path().length() + RequestHeaders.bytes(headers);
    }

    @Override
    public String protocol() {
        return isHttp2() ? "HTTP/2" : "HTTP/1.1";
    }

    @Override
    public Connection connection() {
        return accepted == null ? connection : accepted.connection().connection();
    }

    @Override
    protected InboundConnection accepted() {
        return accepted == null ? null : accepted.connection();
    }

    /** Null: with TLS of the app's, or not seen when it was accepted. */
    Accepted over() {
        return accepted;
    }

    RoutingRequest request() {
        return request;
    }
}
