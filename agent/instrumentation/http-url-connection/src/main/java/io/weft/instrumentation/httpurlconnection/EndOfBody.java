package io.weft.instrumentation.httpurlconnection;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;

/** A body that nothing but the end of the connection ends. */
final class EndOfBody extends FilterInputStream {
    private final Runnable ended;

    EndOfBody(InputStream in, Runnable ended) {
        super(in);
        this.ended = ended;
    }

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
            ended.run();
        }
        return read;
    }

    @Override
    public void close() throws IOException {
        ended.run();
        super.close();
    }
}
