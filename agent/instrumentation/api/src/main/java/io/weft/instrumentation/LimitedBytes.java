package io.weft.instrumentation;

import java.io.ByteArrayOutputStream;

/** Keeps what is written to it up to a limit: the copy of a body that may be too long for one. */
public final class LimitedBytes extends ByteArrayOutputStream {
    private final int limit;
    private boolean whole = true;

    /** @param limit bytes */
    public LimitedBytes(int limit) {
        this.limit = limit;
    }

    /** Whether all that was written is here. */
    public boolean isWhole() {
        return whole;
    }

    @Override
    public void write(int b) {
        if (fits(1)) {
            super.write(b);
        }
    }

    @Override
    public void write(byte[] bytes, int offset, int length) {
        if (fits(length)) {
            super.write(bytes, offset, length);
        }
    }

    private boolean fits(int more) {
        whole &= more <= limit - count;
        return whole;
    }
}
