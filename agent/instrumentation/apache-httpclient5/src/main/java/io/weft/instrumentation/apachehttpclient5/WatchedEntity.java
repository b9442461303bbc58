package io.weft.instrumentation.apachehttpclient5;

import io.weft.dataplane.Exchange;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import org.apache.hc.core5.http.HttpEntity;
import org.apache.hc.core5.http.io.entity.HttpEntityWrapper;

/** A response's body, with an ear on how it comes in and on its end. */
final class WatchedEntity extends HttpEntityWrapper {
    private final Exchange exchange;
    private final Runnable end;

    WatchedEntity(HttpEntity entity, Exchange exchange, Runnable end) {
        super(entity);
        this.exchange = exchange;
        this.end = end;
    }

    @Override
    public InputStream getContent() throws IOException {
        return new FilterInputStream(super.getContent()) {
            @Override
            public int read() throws IOException {
                int read = super.read();
                seen(read < 0 ? read : 1);
                return read;
            }

            @Override
            public int read(byte[] bytes, int offset, int length) throws IOException {
                return seen(super.read(bytes, offset, length));
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
        try {
            super.writeTo(out);
        } finally {
            end.run();
        }
    }
}
