package io.weft.instrumentation.apachehttpclient5;

import io.weft.dataplane.Exchange;
import io.weft.instrumentation.ExchangeEnd;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.function.BooleanSupplier;
import org.apache.hc.core5.http.HttpEntity;
import org.apache.hc.core5.http.io.entity.HttpEntityWrapper;

/** A response's body, with an ear on how it comes in and on its end. */
final class WatchedEntity extends HttpEntityWrapper {
    private final Exchange exchange;
    private final ExchangeEnd end;
    /** Whether the app has given up. */
    private final BooleanSupplier aborted;

    WatchedEntity(HttpEntity entity, Exchange exchange, ExchangeEnd end, BooleanSupplier aborted) {
        super(entity);
        this.exchange = exchange;
        this.end = end;
        this.aborted = aborted;
    }

    @Override
    public InputStream getContent() throws IOException {
        return new FilterInputStream(super.getContent()) {
            @Override
            public int read() throws IOException {
                exchange.awaitsBytes();
                try {
                    int read = super.read();
                    seen(read < 0 ? read : 1);
                    return read;
                } catch (IOException e) {
                    end.brokeOff(e, aborted.getAsBoolean());
                    throw e;
                }
            }

            @Override
            public int read(byte[] bytes, int offset, int length) throws IOException {
                exchange.awaitsBytes();
                try {
                    return seen(super.read(bytes, offset, length));
                } catch (IOException e) {
                    end.brokeOff(e, aborted.getAsBoolean());
                    throw e;
                }
            }

            private int seen(int read) {
                if (read < 0) {
                    end.run();
                } else {
                    exchange.bytesReceived(read);
                }
                return read;
            }

            @Override
            public void close() throws IOException {
                end.run();
                super.close();
            }
        };
    }

    @Override
    public void writeTo(OutputStream out) throws IOException {
        try (InputStream content = getContent()) {
            content.transferTo(out);
        }
    }
}
