package io.weft.instrumentation.jetty;

import io.weft.instrumentation.Pace;
import java.nio.ByteBuffer;
import org.eclipse.jetty.server.HttpOutput;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.IteratingNestedCallback;

/** A response's body that is sent no faster than it may be. */
final class PacedOutput implements HttpOutput.Interceptor {
    private final HttpOutput.Interceptor next;
    private final Pace pace;

    PacedOutput(HttpOutput.Interceptor next, long bytesPerSecond) {
        this.next = next;
        pace = new Pace(bytesPerSecond);
    }

    @Override
    public void write(ByteBuffer content, boolean last, Callback callback) {
        if (content == null || !content.hasRemaining()) {
            next.write(content, last, callback);
        } else {
            new Pieces(content, last, callback).iterate();
        }
    }

    @Override
    public HttpOutput.Interceptor getNextInterceptor() {
        return next;
    }

    /** Of 9.4 only. */
    @Override
    public boolean isOptimizedForDirectBuffers() {
        return false;
    }

    private final class Pieces extends IteratingNestedCallback {
        private final ByteBuffer content;
        private final boolean last;
        private final int end;

        Pieces(ByteBuffer content, boolean last, Callback callback) {
            super(callback);
            this.content = content;
            this.last = last;
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
            next.write(content, last && content.limit() == end, this);
            return Action.SCHEDULED;
        }
    }
}
