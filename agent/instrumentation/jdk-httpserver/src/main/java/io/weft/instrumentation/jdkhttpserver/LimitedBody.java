package io.weft.instrumentation.jdkhttpserver;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;

/** A request's body of unknown length that is cut off, and answered with 413, once it is longer than it may be. */
final class LimitedBody extends FilterInputStream {

    @FunctionalInterface
    interface Answer {
        void tooLarge() throws IOException;
    }

    private final Answer answer;
    private long left;

    LimitedBody(InputStream body, long maxBytes, Answer answer) {
        super(body);
        this.left = maxBytes;
        this.answer = answer;
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

    private void count(long bytes) throws IOException {
        left -= bytes;
        if (left < 0) {
            answer.tooLarge();
            throw new IOException("the request's body is longer than the mesh's policy allows");
        }
    }
}
