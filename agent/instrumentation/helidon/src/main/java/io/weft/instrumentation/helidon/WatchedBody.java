package io.weft.instrumentation.helidon;

import io.weft.dataplane.Exchange;
import io.weft.instrumentation.ExchangeEnd;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;

/** A response's body, with an ear on how it comes in and on its end. */
final class WatchedBody extends FilterInputStream {
    private final CallChains chains;
    private final Exchange exchange;
    private final ExchangeEnd end;

    WatchedBody(InputStream body, CallChains chains, Exchange exchange, ExchangeEnd end) {
        super(body);
        this.chains = chains;
        this.exchange = exchange;
        this.end = end;
    }

    @Override
    public int read() throws IOException {
        exchange.awaitsBytes();
        try {
            int b = in.read();
            came(b < 0 ? b : 1);
            return b;
        } catch (IOException | RuntimeException e) {
            brokeOff(e);
            throw e;
        }
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
        exchange.awaitsBytes();
        try {
            int read = in.read(bytes, offset, length);
            came(read);
            return read;
        } catch (IOException | RuntimeException e) {
            brokeOff(e);
            throw e;
        }
    }

    @Override
    public void close() throws IOException {
        try {
            in.close();
        } finally {
            end.run();
        }
    }

    private void brokeOff(Exception e) {
        end.brokeOff(chains.cause(e), false);
    }

    private void came(int bytes) {
        if (bytes < 0) {
            end.run();
        } else {
            exchange.bytesReceived(bytes);
        }
    }
}
