package io.weft.instrumentation.netty;

import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpVersion;
import io.weft.dataplane.Connection;
import io.weft.dataplane.InboundConnection;
import io.weft.dataplane.InboundExchange;
import io.weft.dataplane.RequestChanges;
import java.util.List;

/** A request of HTTP/1 as the mesh sees it; over once the last byte of its response is out, of which it is told. */
final class IncomingRequest extends InboundExchange implements ChannelFutureListener {
    private final Http1Handler handler;
    private final Accepted accepted;
    private HttpRequest request;
    /** As they came; null: they are as they are. */
    private String path;
    private String authority;
    private boolean bodyIsLimited;
    private long bodyLeft;
    private boolean answered;
    private long written;

    IncomingRequest(Http1Handler handler, Accepted accepted) {
        this.handler = handler;
        this.accepted = accepted;
    }

    void renew(HttpRequest next) {
        request = next;
        path = null;
        authority = null;
        bodyIsLimited = false;
        answered = false;
        written = 0;
    }

    /** A part of the response's body is on its way. */
    void writes(long bytes) {
        written += bytes;
    }

    @Override
    protected long responseBytesWritten() {
        return written;
    }

    HttpRequest request() {
        return request;
    }

    /** The request as the app is to see it. */
    void change() {
        RequestChanges changes = requestChanges();
        if (changes != RequestChanges.NONE) {
            path = path();
            authority = authority();
            new MessageHeaders(request.headers()).change(changes);
            if (changes.authority() != null) {
                request.headers().set(HttpHeaderNames.HOST, changes.authority());
            }
            if (changes.path() != null) {
                request.setUri(changes.path());
            }
        }
        bodyIsLimited = maxRequestBytes() > 0 && !request.headers().contains(HttpHeaderNames.CONTENT_LENGTH);
        bodyLeft = maxRequestBytes();
    }

    /** @return false: the body is longer than policy allows */
    boolean admits(int bodyBytes) {
        bodyLeft -= bodyBytes;
        return !bodyIsLimited || bodyLeft >= 0;
    }

    void answered() {
        answered = true;
    }

    /** The head of its response is on its way. */
    boolean isAnswered() {
        return answered;
    }

    @Override
    public void operationComplete(ChannelFuture lastOfResponse) {
        handler.done(this);
    }

    @Override
    public String method() {
        return request.method().name();
    }

    /** The mesh's TLS is hidden from the app. */
    @Override
    public String scheme() {
        return accepted.hasOwnTls() ? "https" : "http";
    }

    @Override
    public String authority() {
        if (authority != null) {
            return authority;
        }
        String target = request.uri();
        if (isWhole(target)) {
            return target.substring(target.indexOf("//") + 2, endOfAuthority(target));
        }
        String host = request.headers().get(HttpHeaderNames.HOST);
        return host == null ? "" : host;
    }

    @Override
    public String path() {
        if (path != null) {
            return path;
        }
        String target = request.uri();
        if (!isWhole(target)) {
            return target;
        }
        int end = endOfAuthority(target);
        return end < target.length() && target.charAt(end) == '/' ? target.substring(end) : '/' + target.substring(end);
    }

    /** The target may be a whole URL (RFC 9112, 3.2.2), which then counts more than the header. */
    private static boolean isWhole(String target) {
        return target.regionMatches(true, 0, "http://", 0, 7) || target.regionMatches(true, 0, "https://", 0, 8);
    }

    private static int endOfAuthority(String url) {
        int end = url.indexOf("//") + 2;
        while (end < url.length() && "/?#".indexOf(url.charAt(end)) < 0) {
            end++;
        }
        return end;
    }

    @Override
    public String header(String name) {
        return MessageHeaders.header(request.headers(), name);
    }

    @Override
    public List<String> values(String name) {
        return request.headers().getAll(name);
    }

    @Override
    protected long headerBytes() {
        return path().length() + MessageHeaders.bytes(request.headers());
    }

    @Override
    public String protocol() {
        return request.protocolVersion().equals(HttpVersion.HTTP_1_0) ? "HTTP/1.0" : "HTTP/1.1";
    }

    @Override
    public Connection connection() {
        return accepted.connection().connection();
    }

    @Override
    protected InboundConnection accepted() {
        return accepted.connection();
    }
}
