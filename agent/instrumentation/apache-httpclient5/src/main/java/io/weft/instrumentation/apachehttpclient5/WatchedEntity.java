package io.weft.instrumentation.apachehttpclient5;

import io.weft.dataplane.Exchange;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import org.apache.hc.core5.http.HttpEntity;
import org.apache.hc.core5.http.io.entity.HttpEntityWrapper;

/** A response's body, with an ear on its end. */
final class WatchedEntity extends HttpEntityWrapper {
    private final Exchange mesh;

    WatchedEntity(HttpEntity entity, Exchange mesh) {
        super(entity);
        this.mesh = mesh;
    }

    @Override
    public InputStream getContent() throws IOException {
        return new FilterInputStream(super.getContent()) {
            @Override
            public int read() throws IOException {
                return seen(super.read());
            }

            @Override
            public int read(byte[] bytes, int offset, int length) throws IOException {
                return seen(super.read(bytes, offset, length));
            }

            private int seen(int read) {
                if (read < 0) {
                    mesh.end();
                }
                return read;
            }

            @Override
            public void close() throws IOException {
                mesh.end();
                super.close();
            }
        };
    }

    @Override
    public void writeTo(OutputStream out) throws IOException {
        try {
            super.writeTo(out);
        } finally {
            mesh.end();
        }
    }
}
