package io.weft.instrumentation.jettyclient;

import io.weft.dataplane.Exchange;
import org.eclipse.jetty.io.Content;

/** A response's body, with an ear on how it comes in. */
record WatchedContent(Content.Source source, Exchange exchange) implements Content.Source {
    @Override
    public long getLength() {
        return source.getLength();
    }

    @Override
    public Content.Chunk read() {
        Content.Chunk chunk = source.read();
        if (chunk != null) {
            exchange.bytesReceived(chunk.remaining());
            exchange.awaitsNothing();
        }
        return chunk;
    }

    @Override
    public void demand(Runnable demandCallback) {
        exchange.awaitsBytes();
        source.demand(demandCallback);
    }

    @Override
    public void fail(Throwable failure) {
        source.fail(failure);
    }

    @Override
    public void fail(Throwable failure, boolean last) {
        source.fail(failure, last);
    }

    @Override
    public boolean rewind() {
        return source.rewind();
    }
}
