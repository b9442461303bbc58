package io.weft.instrumentation.jetty;

import io.weft.instrumentation.Pace;
import java.nio.ByteBuffer;
import org.eclipse.jetty.http.MetaData;
import org.eclipse.jetty.server.HttpStream;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.IteratingNestedCallback;

/** A piece of a response's body that is sent no faster than it may be. */
final class PacedSending extends IteratingNestedCallback {
    private final HttpStream stream;
    private final Pace pace;
    private final MetaData.Request request;
    /** Null: it is sent. */
    private MetaData.Response head;
    private final boolean last;
    private final ByteBuffer content;
    private final int end;

    PacedSending(
            HttpStream stream,
            Pace pace,
            MetaData.Request request,
            MetaData.Response head,
            boolean last,
            ByteBuffer content,
            Callback callback) {
        super(callback);
        this.stream = stream;
        this.pace = pace;
        this.request = request;
        this.head = head;
        this.last = last;
        this.content = content;
        end = content.limit();
    }

    @Override
    protected Action process() {
        content.limit(end);
        if (!content.hasRemaining()) {
            return Action.SUCCEEDED;
        }
        int piece = Math.min(pace.slice(), content.remaining());
        content.limit(content.position() + piece);
        pace.await();
        pace.sent(piece);
        MetaData.Response first = head;
        head = null;
        stream.send(request, first, last && content.limit() == end, content, this);
        return Action.SCHEDULED;
    }
}
