package io.weft.instrumentation.helidon;

import io.weft.dataplane.Exchange;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;

/** A response's body, with an ear on how it comes in and on its end. */
final class WatchedBody extends FilterInputStream {
    private final Exchange exchange;
    private final Runnable end;

    WatchedBody(InputStream body, Exchange exchange, Runnable end) {
        super(body);
        this.exchange = exchange;
        this.end = end;
    }

    @Override
    public int read() throws IOException {
        int b = in.read();
        came(b < 0 ? b : 1);
        return b;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
        int read = in.read(bytes, offset, length);
        came(read);
        return read;
    }

    private void came(int bytes) {
        if (bytes < 0) {
            end.run();
        } else {
            exchange.bytesReceived(bytes);
        }
    }
}
