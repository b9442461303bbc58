package io.weft.instrumentation.jetty;

import io.weft.dataplane.LocalReply;
import io.weft.dataplane.ResponseChanges;
import io.weft.instrumentation.Pace;
import java.nio.ByteBuffer;
import java.util.Map;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpVersion;
import org.eclipse.jetty.http.MetaData;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.io.EofException;
import org.eclipse.jetty.server.HttpStream;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/** What a request is read from and its response written to: the request's end, its response's head, and what its bodies are kept to. */
final class WatchedStream extends HttpStream.Wrapper {
    private static final LocalReply TOO_LARGE = LocalReply.of(413, "Payload Too Large");

    /** @param response of which the status is read when its head is about to be written */
    record Watch(IncomingRequest incoming, Response response, Http2Sessions http2) {}

    private final Watch watch;
    private final IncomingRequest incoming;
    /** Bytes of the request's body that may still be read. */
    private long left = Long.MAX_VALUE;
    /** It was longer. The app may read on one thread and write on another. */
    private volatile boolean tooLarge;
    /** That is said in place of the app's response. */
    private boolean replaced;
    /** Null: as fast as it can. */
    private Pace pace;

    WatchedStream(HttpStream stream, Watch watch) {
        super(stream);
        this.watch = watch;
        incoming = watch.incoming;
    }

    /** @param unknownLength of the request's body */
    void handOver(boolean unknownLength) {
        if (incoming.maxRequestBytes() > 0 && unknownLength) {
            left = incoming.maxRequestBytes();
        }
        if (incoming.responseBytesPerSecond() > 0) {
            pace = new Pace(incoming.responseBytesPerSecond());
        }
    }

    @Override
    public Content.Chunk read() {
        Content.Chunk chunk = super.read();
        if (chunk != null && left != Long.MAX_VALUE) {
            left -= chunk.remaining();
            if (left < 0) {
                chunk.release();
                tooLarge = true;
                return Content.Chunk.from(new EofException("the request's body is longer than the mesh's policy allows"), true);
            }
        }
        return chunk;
    }

    /** Before the head is written, with Jetty's lock of the request. */
    @Override
    public void prepareResponse(HttpFields.Mutable headers) {
        int status = watch.response.getStatus();
        if (incoming.isAnsweredByApp(status)) {
            Headers view = new Headers(headers);
            incoming.onResponse(status, view);
            ResponseChanges changes = incoming.responseChanges();
            if (!changes.isEmpty()) {
                view.changeResponse(changes);
            }
        }
        if (status >= 200 && isHttp1() && incoming.draining()) {
            lastOfConnection(headers);
        }
        super.prepareResponse(headers);
    }

    private boolean isHttp1() {
        return version().getVersion() < HttpVersion.HTTP_2.getVersion();
    }

    private HttpVersion version() {
        return watch.response.getRequest().getConnectionMetaData().getHttpVersion();
    }

    private void lastOfConnection(HttpFields.Mutable headers) {
        headers.put(HttpHeader.CONNECTION, "close");
        if (version() == HttpVersion.HTTP_1_1 && !headers.contains(HttpHeader.CONTENT_LENGTH)) {
            // Jetty would else have the end of the connection stand for that of the body.
            headers.put(HttpHeader.TRANSFER_ENCODING, "chunked");
        }
    }

    @Override
    public void send(MetaData.Request request, MetaData.Response head, boolean last, ByteBuffer content, Callback callback) {
        boolean begins = head != null && head.getStatus() >= 200;
        replaced |= begins && tooLarge;
        if (replaced) {
            sendInstead(request, begins, callback);
            return;
        }
        if (begins && !isHttp1() && incoming.goesAway()) {
            watch.http2.lastStreams(watch.response.getRequest().getConnectionMetaData().getConnection());
        }
        if (pace == null || content == null || !content.hasRemaining()) {
            super.send(request, head, last, content, callback);
        } else {
            new PacedSending(getWrapped(), pace, request, head, last, content, callback).iterate();
        }
    }

    /** Whatever the app answers to a request of which it must not read all. */
    private void sendInstead(MetaData.Request request, boolean begins, Callback callback) {
        if (!begins) {
            callback.succeeded();
            return;
        }
        HttpFields.Mutable headers = HttpFields.build();
        for (Map.Entry<String, String> header : TOO_LARGE.headers()) {
            headers.add(header.getKey(), header.getValue());
        }
        if (isHttp1()) {
            headers.put(HttpHeader.CONNECTION, "close");
        }
        byte[] body = TOO_LARGE.body();
        super.send(
                request,
                new MetaData.Response(TOO_LARGE.status(), null, version(), headers, body.length),
                true,
                ByteBuffer.wrap(body),
                callback);
    }

    @Override
    public void succeeded() {
        end();
        super.succeeded();
    }

    @Override
    public void failed(Throwable failure) {
        end();
        super.failed(failure);
    }

    private void end() {
        incoming.wrote(Response.getContentBytesWritten(watch.response));
        incoming.end();
    }
}
