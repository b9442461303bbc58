package io.weft.instrumentation.helidon;

import io.weft.instrumentation.Pace;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;

/** A response's body that is sent no faster than it may be. */
final class PacedBody extends FilterOutputStream {
    private final Pace pace;

    PacedBody(OutputStream body, long bytesPerSecond) {
        super(body);
        pace = new Pace(bytesPerSecond);
    }

    @Override
    public void write(int b) throws IOException {
        pace.await();
        out.write(b);
        pace.sent(1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
        for (int done = 0; done < length; ) {
            int piece = Math.min(pace.slice(), length - done);
            pace.await();
            out.write(bytes, offset + done, piece);
            out.flush();
            pace.sent(piece);
            done += piece;
        }
    }

    /** Not by the superclass, which would hide what closing throws behind what flushing throws. */
    @Override
    public void close() throws IOException {
        out.close();
    }
}
