package io.weft.instrumentation.apachehttpclient5;

import io.weft.dataplane.Exchange;
import io.weft.dataplane.RequestCopy;
import io.weft.instrumentation.LimitedBytes;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.apache.hc.client5.http.classic.ExecChain;
import org.apache.hc.client5.http.classic.ExecRuntime;
import org.apache.hc.core5.http.ClassicHttpRequest;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpEntity;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.http.io.entity.FileEntity;
import org.apache.hc.core5.http.io.entity.PathEntity;

/** One hop as the mesh sees it. */
final class OutgoingRequest extends Exchange {
    private final ClassicHttpRequest request;
    private final ExecChain.Scope scope;

    /** Holds the connection of the attempt under way. */
    private final ExecRuntime connections;

    private volatile boolean ended;

    OutgoingRequest(ClassicHttpRequest request, ExecChain.Scope scope, ExecRuntime connections) {
        this.request = request;
        this.scope = scope;
        this.connections = connections;
    }

    /** Closes the connection for good: whoever reads or writes sees it at once, and what it throws is what the library throws. */
    @Override
    protected void abort() {
        ended = true;
        connections.discardEndpoint();
    }

    /** Whether the mesh has ended the attempt that is under way. */
    boolean isEnded() {
        return ended;
    }

    void begins() {
        ended = false;
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
        if (request.getAuthority() != null) {
            return authority(request.getAuthority().getHostName(), request.getAuthority().getPort());
        }
        HttpHost target = scope.route.getTargetHost();
        return authority(target.getHostName(), target.getPort());
    }

    private static String authority(String host, int port) {
        String name = host.indexOf(':') < 0 ? host : "[" + host + "]";
        return port < 0 || port == 80 ? name : name + ":" + port;
    }

    @Override
    public String path() {
        String path = request.getPath();
        if (path == null || path.isEmpty()) {
            return "/";
        }
        return path.startsWith("/") ? path : "/" + path;
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
        for (Iterator<Header> headers = request.headerIterator(); headers.hasNext(); ) {
            if (headers.next().getName().regionMatches(true, 0, "x-envoy-", 0, 8)) {
                return true;
            }
        }
        return false;
    }

    @Override
    public long bodyLength() {
        return request.getEntity() == null ? 0 : request.getEntity().getContentLength();
    }

    @Override
    protected RequestCopy copy(int maxBodyBytes) {
        byte[] body = body(maxBodyBytes);
        if (body == null) {
            return null;
        }
        List<Map.Entry<String, String>> headers = new ArrayList<>();
        for (Iterator<Header> all = request.headerIterator(); all.hasNext(); ) {
            Header header = all.next();
            headers.add(Map.entry(header.getName(), header.getValue() == null ? "" : header.getValue()));
        }
        return new RequestCopy(headers, body);
    }

    private byte[] body(int maxBytes) {
        HttpEntity entity = request.getEntity();
        HttpEntity given = scope.originalRequest.getEntity();
        if (entity == null) {
            return new byte[0];
        }
        if (replay() != Replay.REPEATABLE || given instanceof FileEntity || given instanceof PathEntity || bodyLength() > maxBytes) {
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

    @Override
    public Replay replay() {
        HttpEntity body = request.getEntity();
        if (body == null) {
            return Replay.NO_BODY;
        }
        // the library calls a stream repeatable as long as nobody has read it; the app's own entity knows better
        HttpEntity given = scope.originalRequest.getEntity();
        return body.isRepeatable() && (given == null || given.isRepeatable()) ? Replay.REPEATABLE : Replay.ONE_SHOT;
    }
}
