package io.weft.instrumentation.apachehttpclient4;

import org.apache.http.HttpRequest;
import org.apache.http.client.methods.HttpRequestWrapper;
import org.apache.http.conn.routing.HttpRoute;

/** One that the library sends by itself. */
final class UnledRequest extends OutgoingRequest {
    UnledRequest(HttpRequest request, HttpRoute route) {
        super(HttpRequestWrapper.wrap(request), route);
    }

    @Override
    protected void abort() {}
}
