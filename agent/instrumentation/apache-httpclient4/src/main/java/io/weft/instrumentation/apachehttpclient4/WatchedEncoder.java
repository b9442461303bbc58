package io.weft.instrumentation.apachehttpclient4;

import io.weft.dataplane.Exchange;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import org.apache.http.nio.ContentEncoder;
import org.apache.http.nio.FileContentEncoder;

/** Where a request's body goes, with an eye on how it goes out. On the reactor's thread. */
class WatchedEncoder implements ContentEncoder {
    private final ContentEncoder encoder;
    private final Exchange exchange;

    /** What ended the connection while the body was written to it; null: nothing. */
    private IOException lost;

    private WatchedEncoder(ContentEncoder encoder, Exchange exchange) {
        this.encoder = encoder;
        this.exchange = exchange;
    }

    static WatchedEncoder of(ContentEncoder encoder, Exchange exchange) {
        return encoder instanceof FileContentEncoder files ? new OfFiles(files, exchange) : new WatchedEncoder(encoder, exchange);
    }

    boolean isOf(ContentEncoder other) {
        return encoder == other;
    }

    IOException lost() {
        return lost;
    }

    @Override
    public int write(ByteBuffer bytes) throws IOException {
        int written;
        try {
            written = encoder.write(bytes);
        } catch (IOException e) {
            lost = e;
            throw e;
        }
        return (int) sent(written);
    }

    private long sent(long written) {
        if (written > 0) {
            exchange.bytesSent(written);
        }
        return written;
    }

    @Override
    public void complete() throws IOException {
        try {
            encoder.complete();
        } catch (IOException e) {
            lost = e;
            throw e;
        }
    }

    @Override
    public boolean isCompleted() {
        return encoder.isCompleted();
    }

    @Override
    public String toString() {
        return encoder.toString();
    }

    /** The app may have its body copied by the system. */
    private static final class OfFiles extends WatchedEncoder implements FileContentEncoder {
        private final FileContentEncoder files;

        OfFiles(FileContentEncoder files, Exchange exchange) {
            super(files, exchange);
            this.files = files;
        }

        @Override
        public long transfer(FileChannel from, long position, long count) throws IOException {
            try {
                return super.sent(files.transfer(from, position, count));
            } catch (IOException e) {
                super.lost = e;
                throw e;
            }
        }
    }
}
