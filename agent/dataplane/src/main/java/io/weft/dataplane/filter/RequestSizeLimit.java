package io.weft.dataplane.filter;

import io.weft.dataplane.HttpStream;
import io.weft.dataplane.LocalReply;

/**
 * {@code envoy.filters.http.buffer}: turns away a request whose body is too large. It holds nothing back: that the app sees a
 * request only when it is complete is a proxy's way to spare it slow senders, and the app's server has its own. A body whose length
 * is not said is cut off by the server once it is too long; where a client library streams one, nobody counts it.
 */
final class RequestSizeLimit extends HttpFilter {
    private static final LocalReply TOO_LARGE = LocalReply.of(413, "Payload Too Large");

    private final long maxBytes;

    RequestSizeLimit(long maxBytes) {
        this.maxBytes = maxBytes;
    }

    @Override
    public Decision onRequest(HttpStream stream) {
        if (stream.bodyLength() > maxBytes) {
            stream.explain("request_payload_too_large");
            return stream.reply(TOO_LARGE);
        }
        stream.limitRequestBody(maxBytes);
        return Decision.CONTINUE;
    }
}
