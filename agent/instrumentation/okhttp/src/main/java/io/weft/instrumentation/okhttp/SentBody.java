package io.weft.instrumentation.okhttp;

import io.weft.dataplane.Exchange;
import java.io.IOException;
import okio.Buffer;
import okio.ForwardingSink;
import okio.Sink;

/** A request's body, with an eye on how it goes out. */
final class SentBody extends ForwardingSink {
    private final Exchange exchange;

    SentBody(Sink sink, Exchange exchange) {
        super(sink);
        this.exchange = exchange;
    }

    @Override
    public void write(Buffer source, long byteCount) throws IOException {
        super.write(source, byteCount);
        exchange.bytesSent(byteCount);
    }

    @Override
    public void close() throws IOException {
        super.close();
        exchange.requestSent();
    }
}
