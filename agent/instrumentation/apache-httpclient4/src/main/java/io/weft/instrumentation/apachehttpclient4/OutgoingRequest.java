package io.weft.instrumentation.apachehttpclient4;

import io.weft.dataplane.Exchange;
import io.weft.dataplane.RequestCopy;
import io.weft.instrumentation.HostHeader;
import io.weft.instrumentation.LimitedBytes;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.http.Header;
import org.apache.http.HeaderIterator;
import org.apache.http.HttpEntity;
import org.apache.http.HttpEntityEnclosingRequest;
import org.apache.http.HttpHost;
import org.apache.http.HttpRequest;
import org.apache.http.client.methods.HttpRequestWrapper;
import org.apache.http.conn.routing.HttpRoute;
import org.apache.http.entity.FileEntity;

/** One hop as the mesh sees it. */
abstract class OutgoingRequest extends Exchange {
    private static final String HTTP = "http://";

    private final HttpRequestWrapper request;
    private final HttpRoute route;

    OutgoingRequest(HttpRequestWrapper request, HttpRoute route) {
        this.request = request;
        this.route = route;
    }

    @Override
    public String method() {
        return request.getMethod();
    }

    @Override
    public String scheme() {
        return "http";
    }

    @Override
    public String authority() {
        Header host = request.getFirstHeader("Host");
        if (host != null) {
            return host.getValue();
        }
        HttpHost target = route.getTargetHost();
        return HostHeader.of(target.getHostName(), target.getPort());
    }

    /** Before 4.5, minimal clients do not rewrite the app's URI, which has the host in it. */
    @Override
    public String path() {
        String uri = request.getRequestLine().getUri();
        String target = uri.regionMatches(true, 0, HTTP, 0, HTTP.length()) ? uri.substring(endOfAuthority(uri)) : uri;
        return target.startsWith("/") ? target : "/" + target;
    }

    private static int endOfAuthority(String uri) {
        int end = HTTP.length();
        while (end < uri.length() && "/?#".indexOf(uri.charAt(end)) < 0) {
            end++;
        }
        return end;
    }

    @Override
    public String header(String name) {
        return MessageHeaders.joined(request, name);
    }

    @Override
    public List<String> values(String name) {
        return MessageHeaders.values(request, name);
    }

    @Override
    protected boolean hasEnvoyHeaders() {
        for (HeaderIterator headers = request.headerIterator(); headers.hasNext(); ) {
            if (headers.nextHeader().getName().regionMatches(true, 0, "x-envoy-", 0, 8)) {
                return true;
            }
        }
        return false;
    }

    @Override
    public long bodyLength() {
        HttpEntity entity = entity(request);
        return entity == null ? 0 : entity.getContentLength();
    }

    @Override
    protected RequestCopy copy(int maxBodyBytes) {
        byte[] body = body(maxBodyBytes);
        if (body == null) {
            return null;
        }
        List<Map.Entry<String, String>> headers = new ArrayList<>();
        for (Header header : request.getAllHeaders()) {
            headers.add(Map.entry(header.getName(), header.getValue() == null ? "" : header.getValue()));
        }
        return new RequestCopy(headers, body);
    }

    private byte[] body(int maxBytes) {
        HttpEntity entity = entity(request);
        if (entity == null) {
            return new byte[0];
        }
        if (replay() != Replay.REPEATABLE || !isInMemory(entity(request.getOriginal())) || bodyLength() > maxBytes) {
            return null;
        }
        LimitedBytes bytes = new LimitedBytes(maxBytes);
        try {
            entity.writeTo(bytes);
            return bytes.isWhole() ? bytes.toByteArray() : null;
        } catch (IOException | RuntimeException e) {
            // The app's own entity has failed; it will again, where the app sees it.
            return null;
        }
    }

    /** @param body the app's own; null: none */
    protected boolean isInMemory(HttpEntity body) {
        return !(body instanceof FileEntity);
    }

    @Override
    public Replay replay() {
        HttpEntity body = entity(request);
        if (body == null) {
            return Replay.NO_BODY;
        }
        return body.isRepeatable() ? Replay.REPEATABLE : Replay.ONE_SHOT;
    }

    /** Null: none. */
    static HttpEntity entity(HttpRequest request) {
        return request instanceof HttpEntityEnclosingRequest enclosing ? enclosing.getEntity() : null;
    }
}
