package io.weft.instrumentation.netty;

import io.netty.handler.codec.http2.Http2Headers;
import io.weft.dataplane.Connection;
import io.weft.dataplane.InboundConnection;
import io.weft.dataplane.InboundExchange;
import io.weft.dataplane.RequestChanges;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;

/** A request of HTTP/2 as the mesh sees it; over when its stream is closed. On the channel's event loop. */
final class IncomingStream extends InboundExchange {

    enum State {
        /** What comes in is kept until its fate is known. */
        WAITING,
        WITH_APP,
        /** The app never hears of it, or no more. */
        ANSWERED
    }

    private final Accepted accepted;
    private final Http2Headers request;
    private final StreamHeaders headers;
    private final Deque<Kept> kept = new ArrayDeque<>(0);
    private State state = State.WAITING;
    private boolean complete;
    private boolean responded;
    private boolean bodyIsLimited;
    private long bodyLeft;

    private record Kept(Runnable handOver, Runnable drop) {}

    IncomingStream(Accepted accepted, Http2Headers request, boolean complete) {
        this.accepted = accepted;
        this.request = request;
        this.complete = complete;
        headers = new StreamHeaders(request);
    }

    State state() {
        return state;
    }

    /** There is no more of it than what has come. */
    boolean isComplete() {
        return complete;
    }

    void completed() {
        complete = true;
    }

    /**
     * A frame for when it is with the app.
     *
     * @param drop in its place, when it will never be
     */
    void keep(Runnable handOver, Runnable drop) {
        kept.add(new Kept(handOver, drop));
    }

    void answered() {
        state = State.ANSWERED;
        for (Kept frame = kept.poll(); frame != null; frame = kept.poll()) {
            frame.drop.run();
        }
    }

    /** The request as the app is to see it. */
    void handOver() {
        RequestChanges changes = requestChanges();
        if (changes != RequestChanges.NONE) {
            headers.change(changes);
            if (changes.authority() != null) {
                pseudo(":authority", changes.authority());
            }
            if (changes.path() != null) {
                pseudo(":path", changes.path());
            }
        }
        bodyIsLimited = maxRequestBytes() > 0 && headers.header("content-length") == null;
        bodyLeft = maxRequestBytes();
        state = State.WITH_APP;
    }

    /** A sidecar may say that a request is for {@code https}, since it comes over TLS; the app is to see what it sees over plaintext. */
    void hideTls() {
        if (accepted.connection().connection().peer() != null && "https".equals(StreamHeaders.text(request.scheme()))) {
            pseudo(":scheme", "http");
        }
    }

    private void pseudo(String name, String value) {
        try {
            headers.set(name, value);
        } catch (IllegalArgumentException | UnsupportedOperationException notRemovable) {
            // gRPC's are replaced by adding them once more.
            headers.add(name, value);
        }
    }

    void handOverKept() {
        for (Kept frame = kept.poll(); frame != null; frame = kept.poll()) {
            frame.handOver.run();
        }
    }

    /** @return false: the body is longer than policy allows */
    boolean admits(int bodyBytes) {
        bodyLeft -= bodyBytes;
        return !bodyIsLimited || bodyLeft >= 0;
    }

    /** Whether this is the head of the app's own response, which there is once. */
    boolean begins(int status) {
        boolean begins = state == State.WITH_APP && !responded && status >= 200;
        responded |= begins;
        return begins;
    }

    boolean isResponded() {
        return responded;
    }

    @Override
    public String method() {
        return StreamHeaders.text(request.method());
    }

    /** The mesh's TLS is hidden from the app. */
    @Override
    public String scheme() {
        return accepted.hasOwnTls() ? "https" : "http";
    }

    @Override
    public String authority() {
        String authority = StreamHeaders.text(request.authority());
        if (!authority.isEmpty()) {
            return authority;
        }
        String host = headers.header("host");
        return host == null ? "" : host;
    }

    @Override
    public String path() {
        return StreamHeaders.text(request.path());
    }

    @Override
    public String header(String name) {
        return headers.header(name);
    }

    @Override
    public List<String> values(String name) {
        return headers.values(name);
    }

    @Override
    protected long headerBytes() {
        long bytes = path().length();
        try {
            for (Map.Entry<CharSequence, CharSequence> header : request) {
                if (header.getKey().charAt(0) != ':') {
                    bytes += header.getKey().length() + header.getValue().length();
                }
            }
            return bytes;
        } catch (UnsupportedOperationException notToBeGoneThrough) {
            // Old versions of gRPC: a little too much.
            return request.toString().length();
        }
    }

    @Override
    public String protocol() {
        return "HTTP/2";
    }

    @Override
    public Connection connection() {
        return accepted.connection().connection();
    }

    @Override
    protected InboundConnection accepted() {
        return accepted.connection();
    }
}
