package io.weft.instrumentation.apachehttpclient4;

import io.weft.dataplane.Exchange;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import org.apache.http.HttpEntity;
import org.apache.http.entity.HttpEntityWrapper;

/** A request's body, with an eye on how it goes out. */
final class SentEntity extends HttpEntityWrapper {
    private final Exchange exchange;

    SentEntity(HttpEntity entity, Exchange exchange) {
        super(entity);
        this.exchange = exchange;
    }

    @Override
    public void writeTo(OutputStream out) throws IOException {
        super.writeTo(new FilterOutputStream(out) {
            @Override
            public void write(int b) throws IOException {
                out.write(b);
                exchange.bytesSent(1);
            }

            @Override
            public void write(byte[] bytes, int offset, int length) throws IOException {
                out.write(bytes, offset, length);
                exchange.bytesSent(length);
            }
        });
        exchange.requestSent();
    }
}
