package io.weft.instrumentation.apachehttpclient5;

import io.weft.dataplane.Exchange;
import io.weft.instrumentation.ExchangeEnd;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.function.BooleanSupplier;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpEntity;
import org.apache.hc.core5.http.impl.io.ChunkedInputStream;
import org.apache.hc.core5.http.impl.io.SessionInputBufferImpl;
import org.apache.hc.core5.http.io.SessionInputBuffer;
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
        InputStream content = super.getContent();
        InputStream watched = new Watched(content);
        return content instanceof ChunkedInputStream chunks ? new WatchedChunks(chunks, watched) : watched;
    }

    private final class Watched extends FilterInputStream {
        Watched(InputStream content) {
            super(content);
        }

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
    }

    /** Of that class, since the library looks for trailers in no other. */
    private static final class WatchedChunks extends ChunkedInputStream {
        /** Never read. */
        private static final SessionInputBuffer NONE = new SessionInputBufferImpl(1);

        private final ChunkedInputStream chunks;
        private final InputStream watched;

        WatchedChunks(ChunkedInputStream chunks, InputStream watched) {
            super(NONE, watched);
            this.chunks = chunks;
            this.watched = watched;
        }

        @Override
        public int available() throws IOException {
            return watched.available();
        }

        @Override
        public int read() throws IOException {
            return watched.read();
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
            return watched.read(bytes, offset, length);
        }

        @Override
        public void close() throws IOException {
            watched.close();
        }

        @Override
        public Header[] getFooters() {
            return chunks.getFooters();
        }
    }

    /** As some do instead of closing the response. */
    @Override
    public void close() throws IOException {
        end.run();
        super.close();
    }

    @Override
    public void writeTo(OutputStream out) throws IOException {
        try (InputStream content = getContent()) {
            content.transferTo(out);
        }
    }
}
