package io.weft.instrumentation.javanethttp;

import io.weft.dataplane.Exchange;
import io.weft.dataplane.HedgedAttempt;
import io.weft.dataplane.RequestCopy;
import io.weft.instrumentation.HostHeader;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** One hop as the mesh sees it. */
final class OutgoingRequest extends Exchange {
    /** Of {@code BodyPublishers}: those that give the same bytes to every subscriber. */
    private static final Set<String> REPEATABLE = Set.of(
            "jdk.internal.net.http.RequestPublishers$ByteArrayPublisher",
            "jdk.internal.net.http.RequestPublishers$StringPublisher",
            "jdk.internal.net.http.RequestPublishers$FilePublisher");

    /** Those of them that have the bytes in memory. */
    private static final Set<String> IN_MEMORY = Set.of(
            "jdk.internal.net.http.RequestPublishers$ByteArrayPublisher",
            "jdk.internal.net.http.RequestPublishers$StringPublisher");

    private final HttpRequest request;
    private final Map<String, List<String>> systemHeaders;

    /** Written before the exchange is asked for the first time. */
    private Attempts attempts;

    /** @param systemHeaders what the JDK adds to the app's own headers; its keys in any case */
    OutgoingRequest(HttpRequest request, Map<String, List<String>> systemHeaders) {
        this.request = request;
        this.systemHeaders = systemHeaders;
    }

    void drivenBy(Attempts attempts) {
        this.attempts = attempts;
    }

    @Override
    protected void abort() {
        attempts.abort();
    }

    @Override
    protected boolean canHedge() {
        return true;
    }

    @Override
    protected void hedge(HedgedAttempt further) {
        attempts.hedge(further);
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
        List<String> hosts = request.headers().allValues("host");
        return hosts.isEmpty() ? HostHeader.of(request.uri().getHost(), request.uri().getPort()) : hosts.get(0);
    }

    @Override
    public String path() {
        String path = request.uri().getRawPath();
        String query = request.uri().getRawQuery();
        if (path == null || path.isEmpty()) {
            path = "/";
        }
        return query == null || query.isEmpty() ? path : path + "?" + query;
    }

    @Override
    public String header(String name) {
        return JdkHeaders.joined(values(name));
    }

    @Override
    public List<String> values(String name) {
        List<String> values = request.headers().allValues(name);
        return values.isEmpty() ? systemHeaders.getOrDefault(name, List.of()) : values;
    }

    @Override
    protected boolean hasEnvoyHeaders() {
        Map<String, List<String>> headers = request.headers().map();
        // The JDK makes the view and its iterator anew each time.
        if (headers.isEmpty()) {
            return false;
        }
        for (String name : headers.keySet()) {
            if (name.regionMatches(true, 0, "x-envoy-", 0, 8)) {
                return true;
            }
        }
        return false;
    }

    @Override
    public long bodyLength() {
        BodyPublisher body = request.bodyPublisher().orElse(null);
        return body == null ? 0 : body.contentLength();
    }

    @Override
    protected RequestCopy copy(int maxBodyBytes) {
        byte[] body = body(maxBodyBytes);
        if (body == null) {
            return null;
        }
        List<Map.Entry<String, String>> headers = new ArrayList<>();
        request.headers().map().forEach((name, values) -> values.forEach(value -> headers.add(Map.entry(name, value))));
        systemHeaders.forEach((name, values) -> {
            if (request.headers().firstValue(name).isEmpty()) {
                values.forEach(value -> headers.add(Map.entry(name, value)));
            }
        });
        return new RequestCopy(headers, body);
    }

    private byte[] body(int maxBytes) {
        BodyPublisher body = request.bodyPublisher().orElse(null);
        if (body == null || body.contentLength() == 0) {
            return new byte[0];
        }
        if (!IN_MEMORY.contains(body.getClass().getName()) || body.contentLength() > maxBytes) {
            return null;
        }
        CollectedBody collected = new CollectedBody((int) body.contentLength());
        body.subscribe(collected);
        return collected.bytes();
    }

    @Override
    public Replay replay() {
        BodyPublisher body = request.bodyPublisher().orElse(null);
        if (body == null || body.contentLength() == 0) {
            return Replay.NO_BODY;
        }
        return REPEATABLE.contains(body.getClass().getName()) ? Replay.REPEATABLE : Replay.ONE_SHOT;
    }
}
