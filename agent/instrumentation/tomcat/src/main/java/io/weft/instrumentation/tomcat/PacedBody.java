package io.weft.instrumentation.tomcat;

import io.weft.instrumentation.Pace;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.apache.coyote.OutputBuffer;

/** A response's body that is sent no faster than it may be. */
final class PacedBody implements OutputBuffer {
    private final OutputBuffer body;
    private final Pace pace;

    PacedBody(OutputBuffer body, long bytesPerSecond) {
        this.body = body;
        pace = new Pace(bytesPerSecond);
    }

    OutputBuffer body() {
        return body;
    }

    @Override
    public int doWrite(ByteBuffer chunk) throws IOException {
        int written = 0;
        int end = chunk.limit();
        while (chunk.position() < end) {
            int piece = Math.min(pace.slice(), end - chunk.position());
            chunk.limit(chunk.position() + piece);
            pace.await();
            written += body.doWrite(chunk);
            pace.sent(piece);
            chunk.limit(end);
        }
        return written;
    }

    @Override
    public long getBytesWritten() {
        return body.getBytesWritten();
    }
}
