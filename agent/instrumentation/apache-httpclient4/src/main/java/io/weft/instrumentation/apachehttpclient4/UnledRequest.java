package io.weft.instrumentation.apachehttpclient4;

import org.apache.http.HttpRequest;
import org.apache.http.client.methods.HttpRequestWrapper;
import org.apache.http.conn.routing.HttpRoute;

/** One that the library sends by itself. */
final class UnledRequest extends OutgoingRequest {
    private static final String HTTP = "http://";

    private final HttpRequest request;

    UnledRequest(HttpRequest request, HttpRoute route) {
        super(HttpRequestWrapper.wrap(request), route);
        this.request = request;
    }

    /** Minimal clients do not rewrite the app's URI, which has the host in it. */
    @Override
    public String path() {
        String uri = request.getRequestLine().getUri();
        if (!uri.regionMatches(true, 0, HTTP, 0, HTTP.length())) {
            return super.path();
        }
        int end = HTTP.length();
        while (end < uri.length() && "/?#".indexOf(uri.charAt(end)) < 0) {
            end++;
        }
        String target = uri.substring(end);
        return target.startsWith("/") ? target : "/" + target;
    }

    @Override
    protected void abort() {}
}
