package io.weft.instrumentation.apachehttpclient5;

import io.weft.dataplane.Exchange;
import java.util.Iterator;
import java.util.List;
import org.apache.hc.client5.http.classic.ExecChain;
import org.apache.hc.client5.http.classic.ExecRuntime;
import org.apache.hc.core5.http.ClassicHttpRequest;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpEntity;
import org.apache.hc.core5.http.HttpHost;

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
