package io.weft.instrumentation.okhttp;

import java.io.IOException;
import okio.Buffer;
import okio.Sink;
import okio.Timeout;

/** Keeps what is written to it up to a limit. */
final class LimitedSink implements Sink {
    private final int limit;
    private final Buffer kept = new Buffer();
    private boolean whole = true;

    LimitedSink(int limit) {
        this.limit = limit;
    }

    /** @return null: more was written */
    byte[] bytes() {
        return whole ? kept.readByteArray() : null;
    }

    @Override
    public void write(Buffer source, long byteCount) throws IOException {
        whole &= byteCount <= limit - kept.size();
        if (whole) {
            kept.write(source, byteCount);
        } else {
            source.skip(byteCount);
        }
    }

    @Override
    public void flush() {}

    @Override
    public Timeout timeout() {
        return Timeout.NONE;
    }

    @Override
    public void close() {}
}
