package io.weft.instrumentation.javanethttp;

import io.weft.dataplane.RequestChanges;
import io.weft.instrumentation.HostHeader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.time.Duration;
import java.util.Optional;

/** The app's request with what the mesh changes on the wire. */
final class WireRequest extends HttpRequest {
    private final HttpRequest request;
    private final URI uri;
    private final HttpHeaders headers;

    /** @throws IllegalArgumentException when a URI cannot hold what the route rewrites the target to */
    WireRequest(HttpRequest request, RequestChanges changes) {
        this.request = request;
        this.uri = target(request.uri(), changes);
        JdkHeaders edited = new JdkHeaders(request.headers());
        edited.change(changes);
        this.headers = edited.build();
    }

    private static URI target(URI uri, RequestChanges changes) {
        if (changes.path() == null && changes.authority() == null) {
            return uri;
        }
        String authority = changes.authority() == null ? HostHeader.of(uri.getHost(), uri.getPort()) : changes.authority();
        String path = changes.path();
        if (path == null) {
            path = uri.getRawQuery() == null ? uri.getRawPath() : uri.getRawPath() + "?" + uri.getRawQuery();
        }
        URI target = URI.create(uri.getScheme() + "://" + authority + path);
        if (target.getHost() == null) {
            throw new IllegalArgumentException("java.net.http cannot send a Host header of " + authority);
        }
        return target;
    }

    @Override
    public String method() {
        return request.method();
    }

    @Override
    public URI uri() {
        return uri;
    }

    @Override
    public HttpHeaders headers() {
        return headers;
    }

    @Override
    public Optional<BodyPublisher> bodyPublisher() {
        return request.bodyPublisher();
    }

    @Override
    public Optional<Duration> timeout() {
        return request.timeout();
    }

    @Override
    public boolean expectContinue() {
        return request.expectContinue();
    }

    @Override
    public Optional<HttpClient.Version> version() {
        return request.version();
    }
}
