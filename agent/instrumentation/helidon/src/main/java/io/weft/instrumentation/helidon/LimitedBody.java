package io.weft.instrumentation.helidon;

import io.helidon.http.HttpException;
import io.helidon.http.Status;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;

/** A request's body of unknown length that is cut off, and answered with 413, once it is longer than it may be. */
final class LimitedBody extends FilterInputStream {
    private long left;

    LimitedBody(InputStream body, long maxBytes) {
        super(body);
        left = maxBytes;
    }

    @Override
    public int read() throws IOException {
        int b = super.read();
        if (b >= 0) {
            count(1);
        }
        return b;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
        int read = super.read(bytes, offset, length);
        if (read > 0) {
            count(read);
        }
        return read;
    }

    @Override
    public long skip(long n) throws IOException {
        long skipped = super.skip(n);
        count(skipped);
        return skipped;
    }

    /** Helidon makes an answer of that. */
    private void count(long bytes) {
        left -= bytes;
        if (left < 0) {
            throw new HttpException("Payload Too Large", Status.REQUEST_ENTITY_TOO_LARGE_413, false);
        }
    }
}
