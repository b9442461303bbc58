package io.weft.instrumentation.apachehttpclient5;

import io.weft.dataplane.Exchange;
import io.weft.instrumentation.HostHeader;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.http.HttpRequest;

/** One hop as the mesh sees it. */
abstract class OutgoingRequest extends Exchange {
    private final HttpRequest request;
    private final HttpRoute route;

    OutgoingRequest(HttpRequest request, HttpRoute route) {
        this.request = request;
        this.route = route;
    }

    @Override
    public final String method() {
        return request.getMethod();
    }

    @Override
    public final String scheme() {
        return "http";
    }

    @Override
    public final String authority() {
        Header host = request.getFirstHeader("Host");
        if (host != null) {
            return host.getValue();
        }
        if (request.getAuthority() != null) {
            return HostHeader.of(request.getAuthority().getHostName(), request.getAuthority().getPort());
        }
        HttpHost target = route.getTargetHost();
        return HostHeader.of(target.getHostName(), target.getPort());
    }

    @Override
    public final String path() {
        String path = request.getPath();
        if (path == null || path.isEmpty()) {
            return "/";
        }
        return path.startsWith("/") ? path : "/" + path;
    }

    @Override
    public final String header(String name) {
        return MessageHeaders.joined(request, name);
    }

    @Override
    public final List<String> values(String name) {
        return MessageHeaders.values(request, name);
    }

    @Override
    protected final boolean hasEnvoyHeaders() {
        for (Iterator<Header> headers = request.headerIterator(); headers.hasNext(); ) {
            if (headers.next().getName().regionMatches(true, 0, "x-envoy-", 0, 8)) {
                return true;
            }
        }
        return false;
    }

    /** All of them, in their order. */
    final List<Map.Entry<String, String>> headers() {
        List<Map.Entry<String, String>> headers = new ArrayList<>();
        for (Iterator<Header> all = request.headerIterator(); all.hasNext(); ) {
            Header header = all.next();
            headers.add(Map.entry(header.getName(), header.getValue() == null ? "" : header.getValue()));
        }
        return headers;
    }
}
