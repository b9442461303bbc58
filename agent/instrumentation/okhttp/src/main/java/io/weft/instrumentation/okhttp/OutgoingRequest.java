package io.weft.instrumentation.okhttp;

import io.weft.dataplane.Exchange;
import io.weft.dataplane.RequestCopy;
import io.weft.instrumentation.HostHeader;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import okhttp3.Headers;
import okhttp3.HttpUrl;
import okhttp3.Request;

/** One hop as the mesh sees it. */
final class OutgoingRequest extends Exchange {
    private final Request request;
    private final Bodies bodies;

    /** Under way; null before the first. */
    private volatile Attempt attempt;

    OutgoingRequest(Request request, Bodies bodies) {
        this.request = request;
        this.bodies = bodies;
    }

    void begins(Attempt attempt) {
        this.attempt = attempt;
    }

    @Override
    protected boolean isRead() {
        return true;
    }

    @Override
    protected void abort() {
        Attempt current = attempt;
        if (current != null) {
            current.end();
        }
    }

    @Override
    public String method() {
        return request.method();
    }

    @Override
    public String scheme() {
        return "http";
    }

    @Override
    public String authority() {
        String host = request.header("Host");
        if (host != null) {
            return host;
        }
        HttpUrl url = request.url();
        return HostHeader.of(url.host(), url.port());
    }

    @Override
    public String path() {
        String query = request.url().encodedQuery();
        return query == null ? request.url().encodedPath() : request.url().encodedPath() + "?" + query;
    }

    @Override
    public String header(String name) {
        return HeaderEdits.joined(request.headers(), name);
    }

    @Override
    public List<String> values(String name) {
        return request.headers().values(name);
    }

    @Override
    protected boolean hasEnvoyHeaders() {
        Headers headers = request.headers();
        for (int i = 0; i < headers.size(); i++) {
            if (headers.name(i).regionMatches(true, 0, "x-envoy-", 0, 8)) {
                return true;
            }
        }
        return false;
    }

    @Override
    public long bodyLength() {
        return request.body() == null ? 0 : bodies.length(request.body());
    }

    @Override
    public Replay replay() {
        if (request.body() == null) {
            return Replay.NO_BODY;
        }
        return bodies.isRepeatable(request.body()) ? Replay.REPEATABLE : Replay.ONE_SHOT;
    }

    @Override
    protected RequestCopy copy(int maxBodyBytes) {
        byte[] body = request.body() == null ? new byte[0] : bodies.copy(request.body(), maxBodyBytes);
        if (body == null) {
            return null;
        }
        Headers headers = request.headers();
        List<Map.Entry<String, String>> copied = new ArrayList<>(headers.size());
        for (int i = 0; i < headers.size(); i++) {
            copied.add(Map.entry(headers.name(i), headers.value(i)));
        }
        return new RequestCopy(copied, body);
    }
}
