package io.weft.instrumentation.apachehttpclient5;

import io.weft.dataplane.RequestCopy;
import io.weft.instrumentation.LimitedBytes;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpRequest;
import org.apache.hc.core5.http.nio.AsyncEntityProducer;
import org.apache.hc.core5.http.nio.DataStreamChannel;

/** One for which no thread waits. */
final class AsyncRequest extends OutgoingRequest {
    private final HttpRequest request;
    private final AsyncEntityProducer body;
    private final AsyncInternals internals;

    /** Written before the exchange is asked for the first time. */
    private AsyncHop hop;

    /** @param body null: none */
    AsyncRequest(HttpRequest request, AsyncEntityProducer body, HttpRoute route, AsyncInternals internals) {
        super(request, route);
        this.request = request;
        this.body = body;
        this.internals = internals;
    }

    void drivenBy(AsyncHop hop) {
        this.hop = hop;
    }

    @Override
    protected void abort() {
        hop.endAttempt();
    }

    @Override
    public String protocol() {
        return hop != null && hop.speaksHttp2Alone() ? "HTTP/2" : super.protocol();
    }

    @Override
    public long bodyLength() {
        return body == null ? 0 : body.getContentLength();
    }

    @Override
    public Replay replay() {
        if (body == null) {
            return Replay.NO_BODY;
        }
        return body.isRepeatable() ? Replay.REPEATABLE : Replay.ONE_SHOT;
    }

    @Override
    protected RequestCopy copy(int maxBodyBytes) {
        byte[] bytes = bytes(maxBodyBytes);
        if (bytes == null) {
            return null;
        }
        List<Map.Entry<String, String>> headers = headers();
        // The library adds it when it has a connection.
        if (body != null && body.getContentType() != null && !request.containsHeader("content-type")) {
            headers.add(Map.entry("Content-Type", body.getContentType()));
        }
        return new RequestCopy(headers, bytes);
    }

    private byte[] bytes(int limit) {
        if (body == null) {
            return new byte[0];
        }
        if (replay() != Replay.REPEATABLE || bodyLength() > limit) {
            return null;
        }
        try {
            AsyncEntityProducer apps = internals.inMemory(body);
            return apps == null ? null : bytes(apps, limit);
        } catch (Throwable fault) {
            // There is no copy then; what is wrong with the body shows where it is sent.
            return null;
        }
    }

    private static byte[] bytes(AsyncEntityProducer apps, int limit) throws Exception {
        Collected collected = new Collected(limit);
        try {
            while (!collected.complete && collected.bytes.isWhole()) {
                apps.produce(collected);
            }
        } finally {
            // from the beginning again
            apps.releaseResources();
        }
        return collected.bytes.isWhole() ? collected.bytes.toByteArray() : null;
    }

    /** Takes all that it is given. */
    private static final class Collected implements DataStreamChannel {
        private final LimitedBytes bytes;
        private boolean complete;

        Collected(int limit) {
            bytes = new LimitedBytes(limit);
        }

        @Override
        public void requestOutput() {}

        @Override
        public int write(ByteBuffer part) {
            byte[] more = new byte[part.remaining()];
            part.get(more);
            bytes.write(more, 0, more.length);
            return more.length;
        }

        @Override
        public void endStream() {
            complete = true;
        }

        @Override
        public void endStream(List<? extends Header> trailers) {
            complete = true;
        }
    }
}
