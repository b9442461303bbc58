package io.weft.instrumentation.apachehttpclient5;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.nio.AsyncClientExchangeHandler;
import org.apache.hc.core5.http.nio.CapacityChannel;

/** The body of a response of the mesh's own, given as fast as the app takes it. */
final class LocalBody implements CapacityChannel {
    /** What comes before the app has asked for more, as of a connection. */
    private static final int FIRST = 64 << 10;

    private final AsyncClientExchangeHandler handler;
    private final ByteBuffer body;

    /** How much more may come: what the app has asked for while it is not at it on a thread; above zero one thread is. */
    private final AtomicInteger wanted = new AtomicInteger();

    LocalBody(AsyncClientExchangeHandler handler, byte[] body) {
        this.handler = handler;
        this.body = ByteBuffer.wrap(body).asReadOnlyBuffer();
    }

    void start() {
        update(FIRST);
    }

    @Override
    public void update(int increment) {
        if (increment > 0 && wanted.getAndUpdate(before -> Math.max(increment, before + increment)) == 0) {
            give();
        }
    }

    private void give() {
        try {
            for (int most = wanted.get(); most > 0; most = wanted.addAndGet(-most)) {
                if (body.hasRemaining()) {
                    ByteBuffer part = body.slice(body.position(), Math.min(most, body.remaining()));
                    body.position(body.position() + part.remaining());
                    handler.consume(part);
                }
                if (!body.hasRemaining()) {
                    handler.streamEnd(null);
                    handler.releaseResources();
                    return;
                }
                handler.updateCapacity(this);
            }
        } catch (HttpException | IOException | RuntimeException appsFault) {
            handler.failed(appsFault);
            handler.releaseResources();
        }
    }
}
