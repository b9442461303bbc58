package io.weft.instrumentation.armeriaclient;

import com.linecorp.armeria.client.ClientRequestContext;
import com.linecorp.armeria.common.AggregatedHttpRequest;
import com.linecorp.armeria.common.HttpHeaders;
import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.RequestHeaders;
import com.linecorp.armeria.internal.client.ClientRequestContextExtension;
import com.linecorp.armeria.internal.common.HttpHeadersUtil;
import io.netty.util.AsciiString;
import io.weft.dataplane.Exchange;
import io.weft.dataplane.RequestCopy;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** One request as the mesh sees it: with all the headers that the library would send. */
final class OutgoingRequest extends Exchange {
    private final RequestHeaders headers;
    private final boolean streams;
    private final boolean empty;
    /** Null before the library has all of it. */
    private volatile AggregatedHttpRequest whole;
    private volatile boolean http2;
    private Hop hop;

    private OutgoingRequest(RequestHeaders headers, boolean streams, boolean empty) {
        this.headers = headers;
        this.streams = streams;
        this.empty = empty;
    }

    static OutgoingRequest of(ClientRequestContext context, HttpRequest request) {
        ClientRequestContextExtension extension = context.as(ClientRequestContextExtension.class);
        RequestHeaders all = HttpHeadersUtil.mergeRequestHeaders(
                request.headers(), context.defaultRequestHeaders(), context.additionalRequestHeaders(),
                extension == null ? HttpHeaders.of() : extension.internalRequestHeaders());
        if (all.authority() == null) {
            all = all.toBuilder().authority(context.authority()).build();
        }
        boolean empty = request.isEmpty();
        // What is open may get more to send. It is read as a whole, by the library too, where the app has said that it does not stream.
        return new OutgoingRequest(all, !empty && request.isOpen() && context.exchangeType().isRequestStreaming(), empty);
    }

    void drivenBy(Hop driver) {
        hop = driver;
    }

    RequestHeaders headers() {
        return headers;
    }

    /** The app sends its body as it goes, and so does the library. */
    boolean streams() {
        return streams;
    }

    /** It has no body, and will have none. */
    boolean isEmpty() {
        return empty;
    }

    /** @param aggregated only its body is asked for */
    void is(AggregatedHttpRequest aggregated) {
        whole = aggregated;
    }

    /** Null: it streams, or is not there yet. Its headers are not the request's. */
    AggregatedHttpRequest whole() {
        return whole;
    }

    void speaksHttp2(boolean does) {
        http2 = does;
    }

    @Override
    protected void abort() {
        hop.abort();
    }

    @Override
    public String protocol() {
        return http2 ? "HTTP/2" : super.protocol();
    }

    @Override
    public String method() {
        return headers.method().name();
    }

    @Override
    public String scheme() {
        return "http";
    }

    @Override
    public String authority() {
        return headers.authority();
    }

    @Override
    public String path() {
        return headers.path();
    }

    @Override
    public String header(String name) {
        return ArmeriaHeaders.joined(headers, name);
    }

    @Override
    public List<String> values(String name) {
        return headers.getAll(name);
    }

    @Override
    protected boolean hasEnvoyHeaders() {
        // To ask for their names makes a set.
        for (Map.Entry<AsciiString, String> header : headers) {
            if (header.getKey().startsWith("x-envoy-")) {
                return true;
            }
        }
        return false;
    }

    @Override
    public long bodyLength() {
        AggregatedHttpRequest known = whole;
        if (known != null) {
            return known.content().length();
        }
        return empty ? 0 : headers.contentLength();
    }

    @Override
    public Replay replay() {
        if (streams) {
            return Replay.ONE_SHOT;
        }
        AggregatedHttpRequest known = whole;
        return empty || known != null && known.content().isEmpty() ? Replay.NO_BODY : Replay.REPEATABLE;
    }

    @Override
    protected RequestCopy copy(int maxBodyBytes) {
        AggregatedHttpRequest known = whole;
        if (known == null || known.content().length() > maxBodyBytes) {
            return null;
        }
        List<Map.Entry<String, String>> copied = new ArrayList<>();
        copied.add(Map.entry("host", headers.authority()));
        headers.forEach((name, value) -> {
            if (name.charAt(0) != ':') {
                copied.add(Map.entry(name.toString(), value));
            }
        });
        return new RequestCopy(copied, known.content().array());
    }
}
