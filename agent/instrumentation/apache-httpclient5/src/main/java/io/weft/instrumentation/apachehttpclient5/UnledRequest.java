package io.weft.instrumentation.apachehttpclient5;

import io.weft.dataplane.RequestCopy;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.core5.http.HttpRequest;

/** Of which is only asked what policy says. */
final class UnledRequest extends OutgoingRequest {
    UnledRequest(HttpRequest request, HttpRoute route) {
        super(request, route);
    }

    @Override
    protected void abort() {}

    @Override
    public long bodyLength() {
        return -1;
    }

    @Override
    public Replay replay() {
        return Replay.ONE_SHOT;
    }

    @Override
    protected RequestCopy copy(int maxBodyBytes) {
        return null;
    }
}
