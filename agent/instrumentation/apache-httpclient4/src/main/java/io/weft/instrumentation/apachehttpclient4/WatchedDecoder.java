package io.weft.instrumentation.apachehttpclient4;

import io.weft.dataplane.Exchange;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import org.apache.http.nio.ContentDecoder;
import org.apache.http.nio.FileContentDecoder;

/** Where a response's body comes from, with an ear on how it comes in. On the reactor's thread. */
class WatchedDecoder implements ContentDecoder {
    private final ContentDecoder decoder;
    private final Exchange exchange;

    private WatchedDecoder(ContentDecoder decoder, Exchange exchange) {
        this.decoder = decoder;
        this.exchange = exchange;
    }

    static WatchedDecoder of(ContentDecoder decoder, Exchange exchange) {
        return decoder instanceof FileContentDecoder files ? new OfFiles(files, exchange) : new WatchedDecoder(decoder, exchange);
    }

    @Override
    public int read(ByteBuffer bytes) throws IOException {
        return (int) received(decoder.read(bytes));
    }

    private long received(long read) {
        if (read > 0) {
            exchange.bytesReceived(read);
            exchange.awaitsNothing();
        }
        return read;
    }

    @Override
    public boolean isCompleted() {
        return decoder.isCompleted();
    }

    @Override
    public String toString() {
        return decoder.toString();
    }

    /** The app may have the body copied by the system. */
    private static final class OfFiles extends WatchedDecoder implements FileContentDecoder {
        private final FileContentDecoder files;

        OfFiles(FileContentDecoder files, Exchange exchange) {
            super(files, exchange);
            this.files = files;
        }

        @Override
        public long transfer(FileChannel to, long position, long count) throws IOException {
            return super.received(files.transfer(to, position, count));
        }
    }
}
