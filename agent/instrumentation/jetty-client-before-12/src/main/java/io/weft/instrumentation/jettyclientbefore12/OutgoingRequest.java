package io.weft.instrumentation.jettyclientbefore12;

import io.weft.dataplane.Exchange;
import io.weft.dataplane.RequestCopy;
import io.weft.instrumentation.HostHeader;
import io.weft.instrumentation.LimitedBytes;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.eclipse.jetty.client.HttpRequest;
import org.eclipse.jetty.http.HttpField;

/** One hop as the mesh sees it. */
final class OutgoingRequest extends Exchange {
    private static final String CONTENT = "org.eclipse.jetty.client.util.";

    /** Those that have their bytes in memory. Of 9.4 and, from 10 on, of both kinds. */
    private static final Set<String> IN_MEMORY = Set.of(
            CONTENT + "ByteBufferContentProvider",
            CONTENT + "BytesContentProvider",
            CONTENT + "StringContentProvider",
            CONTENT + "FormContentProvider",
            CONTENT + "ByteBufferRequestContent",
            CONTENT + "BytesRequestContent",
            CONTENT + "StringRequestContent",
            CONTENT + "FormRequestContent");

    /** Those of the others that give the same bytes again. */
    private static final Set<String> ON_DISK = Set.of(CONTENT + "PathContentProvider", CONTENT + "PathRequestContent");

    private final HttpRequest request;
    private final Internals internals;

    /** Written before the exchange is asked for the first time. */
    private Hop hop;

    OutgoingRequest(HttpRequest request, Internals internals) {
        this.request = request;
        this.internals = internals;
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
        return JettyHeaders.joined(Internals.fields(request), name);
    }

    @Override
    public List<String> values(String name) {
        return JettyHeaders.values(Internals.fields(request), name);
    }

    @Override
    protected boolean hasEnvoyHeaders() {
        for (HttpField field : Internals.fields(request)) {
            if (field.getName().regionMatches(true, 0, "x-envoy-", 0, 8)) {
                return true;
            }
        }
        return false;
    }

    @Override
    public long bodyLength() {
        Object body = internals.content(request);
        return body == null ? 0 : internals.length(body);
    }

    @Override
    public Replay replay() {
        Object body = internals.content(request);
        if (body == null || internals.length(body) == 0) {
            return Replay.NO_BODY;
        }
        return isRepeatable(body) ? Replay.REPEATABLE : Replay.ONE_SHOT;
    }

    /** Whether it gives the same bytes again, and knows of no failure. */
    static boolean isRepeatable(Object body) {
        String kind = body.getClass().getName();
        return IN_MEMORY.contains(kind) || ON_DISK.contains(kind);
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
        for (HttpField field : Internals.fields(request)) {
            headers.add(Map.entry(field.getName(), JettyHeaders.value(field)));
        }
        return new RequestCopy(headers, body);
    }

    private byte[] body(int maxBytes) {
        Object body = internals.content(request);
        if (body == null || internals.length(body) == 0) {
            return new byte[0];
        }
        if (!IN_MEMORY.contains(body.getClass().getName()) || internals.length(body) > maxBytes) {
            return null;
        }
        Iterable<ByteBuffer> buffers = internals.buffers(body);
        if (buffers == null) {
            return null;
        }
        LimitedBytes copy = new LimitedBytes(maxBytes);
        for (ByteBuffer buffer : buffers) {
            ByteBuffer own = buffer.slice();
            byte[] bytes = new byte[own.remaining()];
            own.get(bytes);
            copy.write(bytes, 0, bytes.length);
        }
        return copy.isWhole() ? copy.toByteArray() : null;
    }
}
