package io.weft.instrumentation.jettyclient;

import java.nio.ByteBuffer;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.io.content.ByteBufferContentSource;

/** The body of a response that the mesh gives by itself. */
final class LocalContent extends ByteBufferContentSource {
    private final Executor executor;
    private final Runnable end;
    private final AtomicBoolean read = new AtomicBoolean();
    private final AtomicBoolean over = new AtomicBoolean();
    private volatile boolean given;

    /** @param end of the response, once the app has read all of it, and no earlier than that {@link #given} is called */
    LocalContent(byte[] body, Executor executor, Runnable end) {
        super(body.length == 0 ? new ByteBuffer[0] : new ByteBuffer[] {ByteBuffer.wrap(body)});
        this.executor = executor;
        this.end = end;
    }

    @Override
    public Content.Chunk read() {
        Content.Chunk chunk = super.read();
        if (chunk.isLast()) {
            read.set(true);
            if (given) {
                // Whoever reads has yet to do something with it.
                executor.execute(this::end);
            }
        }
        return chunk;
    }

    /** Whoever reads it in place has done so. */
    void given() {
        given = true;
        if (read.get()) {
            end();
        }
    }

    private void end() {
        if (over.compareAndSet(false, true)) {
            end.run();
        }
    }
}
