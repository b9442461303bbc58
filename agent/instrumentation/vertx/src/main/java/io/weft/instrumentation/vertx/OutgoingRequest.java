package io.weft.instrumentation.vertx;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.vertx.core.MultiMap;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.RequestOptions;
import io.weft.dataplane.Exchange;
import io.weft.dataplane.RequestCopy;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** One hop as the mesh sees it: what the app has sent, and the library is about to write. */
final class OutgoingRequest extends Exchange {
    private final String method;
    private final String authority;
    private final String path;
    /** Null: none. */
    private final MultiMap headers;
    /** The library's kind of bytes; null: none, or not all at once. */
    private final Object body;
    private final boolean complete;
    private boolean http2;
    /** Null: only asked what policy says. */
    private Hop hop;

    /** @param complete the app has sent all of it */
    OutgoingRequest(String method, String authority, String path, MultiMap headers, Object body, boolean complete) {
        this.method = method;
        this.authority = authority;
        this.path = path.isEmpty() ? "/" : path;
        this.headers = headers;
        this.body = body;
        this.complete = complete;
    }

    static OutgoingRequest of(RequestOptions options, Target target) {
        return new OutgoingRequest(options.getMethod().name(), target.authority(), options.getURI(), options.getHeaders(), null, false);
    }

    void drivenBy(Hop driver, boolean speaksHttp2) {
        hop = driver;
        http2 = speaksHttp2;
    }

    @Override
    public String protocol() {
        return http2 ? "HTTP/2" : super.protocol();
    }

    @Override
    protected void abort() {
        if (hop != null) {
            hop.abort();
        }
    }

    @Override
    public String method() {
        return method;
    }

    @Override
    public String scheme() {
        return "http";
    }

    @Override
    public String authority() {
        String host = header("host");
        return host == null ? authority : host;
    }

    @Override
    public String path() {
        return path;
    }

    @Override
    public String header(String name) {
        return headers == null ? null : VertxHeaders.joined(headers, name);
    }

    @Override
    public List<String> values(String name) {
        return headers == null ? List.of() : headers.getAll(name);
    }

    @Override
    protected boolean hasEnvoyHeaders() {
        if (headers == null) {
            return false;
        }
        for (Map.Entry<String, String> header : headers) {
            if (header.getKey().regionMatches(true, 0, "x-envoy-", 0, 8)) {
                return true;
            }
        }
        return false;
    }

    private int length() {
        return body instanceof ByteBuf bytes ? bytes.readableBytes() : body == null ? 0 : ((Buffer) body).length();
    }

    @Override
    public long bodyLength() {
        if (complete) {
            return length();
        }
        String length = header("content-length");
        try {
            return length == null ? -1 : Long.parseLong(length);
        } catch (NumberFormatException appsOwn) {
            return -1;
        }
    }

    @Override
    protected boolean isComplete() {
        return complete;
    }

    @Override
    public Replay replay() {
        if (!complete) {
            return Replay.ONE_SHOT;
        }
        return length() == 0 ? Replay.NO_BODY : Replay.REPEATABLE;
    }

    @Override
    protected RequestCopy copy(int maxBodyBytes) {
        if (!complete || length() > maxBodyBytes) {
            return null;
        }
        List<Map.Entry<String, String>> copied = new ArrayList<>();
        if (headers != null) {
            headers.forEach(header -> copied.add(Map.entry(header.getKey(), header.getValue())));
        }
        if (header("host") == null) {
            copied.add(Map.entry("host", authority));
        }
        byte[] bytes = body instanceof ByteBuf buf ? ByteBufUtil.getBytes(buf) : body == null ? new byte[0] : ((Buffer) body).getBytes();
        return new RequestCopy(copied, bytes);
    }
}
