package io.weft.instrumentation.helidon;

import io.helidon.common.buffers.BufferData;
import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.http.Headers;
import io.helidon.http.HttpPrologue;
import io.helidon.http.Status;
import io.helidon.http.WritableHeaders;
import io.helidon.webserver.ConnectionContext;
import io.helidon.webserver.http1.Http1ConnectionListener;
import io.weft.dataplane.ResponseChanges;

/** Told of one response over HTTP/1.1 before it is written, in front of whoever else is. */
final class WatchedResponse implements Http1ConnectionListener {
    /** In digits of the length of a chunk, and beside them. */
    private static final int DIGIT_BITS = 4;
    private static final int LINE_ENDS = 4;

    private final Http1ConnectionListener listener;
    /** Null: not decided yet, or no policy of interest. */
    private IncomingRequest incoming;
    private int status;
    private boolean inChunks;
    private boolean headIsNext;

    WatchedResponse(Http1ConnectionListener listener) {
        this.listener = listener;
    }

    void of(IncomingRequest request) {
        incoming = request;
    }

    @Override
    public void status(ConnectionContext context, Status status) {
        this.status = status.code();
        listener.status(context, status);
    }

    @Override
    public void headers(ConnectionContext context, Headers headers) {
        if (incoming != null && headers instanceof WritableHeaders<?> writable) {
            head(writable);
        }
        listener.headers(context, headers);
    }

    private void head(WritableHeaders<?> headers) {
        if (incoming.isAnsweredByApp(status)) {
            HeaderView view = new HeaderView(headers);
            incoming.onResponse(status, view);
            ResponseChanges changes = incoming.responseChanges();
            if (!changes.isEmpty()) {
                view.changeResponse(changes);
            }
        }
        if (status >= 200 && incoming.draining()) {
            headers.set(HeaderValues.CONNECTION_CLOSE);
            incoming.endsConnection();
        }
        boolean bodiless = incoming.method().equals("HEAD") || status < 200 || status == 204 || status == 304;
        inChunks = !bodiless && !headers.contains(HeaderNames.CONTENT_LENGTH);
        headIsNext = true;
        if (!bodiless && !inChunks) {
            incoming.writes(headers.contentLength().orElse(0));
        }
    }

    @Override
    public void data(ConnectionContext context, BufferData data) {
        if (inChunks && !headIsNext) {
            incoming.writes(inChunk(data.available()));
        }
        headIsNext = false;
        listener.data(context, data);
    }

    /** How much of so many bytes is not the chunk's frame. */
    private static int inChunk(int bytes) {
        for (int digits = 1; ; digits++) {
            int length = bytes - digits - LINE_ENDS;
            if (length < 1 << digits * DIGIT_BITS) {
                return Math.max(0, length);
            }
        }
    }

    @Override
    public void data(ConnectionContext context, byte[] data, int position, int length) {
        listener.data(context, data, position, length);
    }

    @Override
    public void prologue(ConnectionContext context, HttpPrologue prologue) {
        listener.prologue(context, prologue);
    }
}
