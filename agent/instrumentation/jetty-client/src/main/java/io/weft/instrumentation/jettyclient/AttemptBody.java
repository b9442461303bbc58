package io.weft.instrumentation.jettyclient;

import org.eclipse.jetty.client.Request;
import org.eclipse.jetty.io.Content;

/** The body of a request as one attempt reads it. The app's is not told that an attempt has failed: there may be another one. */
final class AttemptBody implements Request.Content {
    private final Request.Content body;
    private volatile Throwable failure;
    private volatile boolean touched;
    private volatile boolean broken;

    AttemptBody(Request.Content body) {
        this.body = body;
    }

    /** The next attempt has to begin with the body again. */
    boolean isTouched() {
        return touched;
    }

    /** It was the app's own body that failed. */
    boolean isBroken() {
        return broken;
    }

    @Override
    public String getContentType() {
        return body.getContentType();
    }

    @Override
    public long getLength() {
        return body.getLength();
    }

    @Override
    public Content.Chunk read() {
        Throwable over = failure;
        if (over != null) {
            return Content.Chunk.from(over);
        }
        touched = true;
        Content.Chunk chunk = body.read();
        if (Content.Chunk.isFailure(chunk)) {
            broken = true;
        }
        return chunk;
    }

    @Override
    public void demand(Runnable demandCallback) {
        touched = true;
        body.demand(demandCallback);
    }

    @Override
    public void fail(Throwable failure) {
        this.failure = failure;
    }

    @Override
    public boolean rewind() {
        return body.rewind();
    }
}
