package io.weft.instrumentation.jettyclient;

import io.weft.dataplane.Exchange;
import io.weft.dataplane.RequestCopy;
import io.weft.instrumentation.HostHeader;
import io.weft.instrumentation.LimitedBytes;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.eclipse.jetty.client.Request;
import org.eclipse.jetty.client.transport.HttpRequest;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.io.Content;

/** One hop as the mesh sees it. */
final class OutgoingRequest extends Exchange {
    private static final String CONTENT = "org.eclipse.jetty.client.";

    /** Those that give the same bytes again. */
    private static final Set<String> REPEATABLE = Set.of(
            CONTENT + "ByteBufferRequestContent",
            CONTENT + "BytesRequestContent",
            CONTENT + "StringRequestContent",
            CONTENT + "FormRequestContent",
            CONTENT + "PathRequestContent");

    private final HttpRequest request;

    /** Written before the exchange is asked for the first time. */
    private Hop hop;

    OutgoingRequest(HttpRequest request) {
        this.request = request;
    }

    void drivenBy(Hop hop) {
        this.hop = hop;
    }

    @Override
    protected void abort() {
        hop.endAttempt();
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
        String host = header("host");
        if (host != null) {
            return host;
        }
        return HostHeader.of(request.getHost(), request.getPort());
    }

    @Override
    public String path() {
        String path = request.getPath();
        if (path == null || path.isBlank()) {
            path = "/";
        }
        return request.getQuery() == null ? path : path + "?" + request.getQuery();
    }

    @Override
    public String header(String name) {
        return JettyHeaders.joined(request.getHeaders(), name);
    }

    @Override
    public List<String> values(String name) {
        return JettyHeaders.values(request.getHeaders(), name);
    }

    @Override
    protected boolean hasEnvoyHeaders() {
        for (HttpField field : request.getHeaders()) {
            if (field.getName().regionMatches(true, 0, "x-envoy-", 0, 8)) {
                return true;
            }
        }
        return false;
    }

    @Override
    public long bodyLength() {
        Request.Content body = request.getBody();
        return body == null ? 0 : body.getLength();
    }

    @Override
    public Replay replay() {
        Request.Content body = request.getBody();
        if (body == null || body.getLength() == 0) {
            return Replay.NO_BODY;
        }
        return REPEATABLE.contains(body.getClass().getName()) ? Replay.REPEATABLE : Replay.ONE_SHOT;
    }

    /** What the library adds to it is there once there is a connection. */
    @Override
    protected boolean isComplete() {
        return false;
    }

    @Override
    protected RequestCopy copy(int maxBodyBytes) {
        byte[] body = body(maxBodyBytes);
        if (body == null) {
            return null;
        }
        List<Map.Entry<String, String>> headers = new ArrayList<>();
        for (HttpField field : request.getHeaders()) {
            headers.add(Map.entry(field.getName(), JettyHeaders.value(field)));
        }
        return new RequestCopy(headers, body);
    }

    private byte[] body(int maxBytes) {
        Request.Content body = request.getBody();
        if (body == null || body.getLength() == 0) {
            return new byte[0];
        }
        if (replay() != Replay.REPEATABLE || body.getLength() > maxBytes || body.getClass().getSimpleName().equals("PathRequestContent")) {
            return null;
        }
        LimitedBytes copy = new LimitedBytes(maxBytes);
        // In memory, so that none is ever waited for.
        for (Content.Chunk chunk = body.read(); chunk != null; chunk = body.read()) {
            byte[] bytes = new byte[chunk.remaining()];
            chunk.getByteBuffer().get(bytes);
            copy.write(bytes, 0, bytes.length);
            chunk.release();
            if (chunk.isLast()) {
                break;
            }
        }
        return body.rewind() && copy.isWhole() ? copy.toByteArray() : null;
    }
}
