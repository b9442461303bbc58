package io.weft.instrumentation.apachehttpclient4;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import org.apache.http.ConnectionClosedException;
import org.apache.http.HttpException;
import org.apache.http.nio.ContentDecoder;
import org.apache.http.nio.IOControl;
import org.apache.http.nio.protocol.HttpAsyncClientExchangeHandler;

/** The body of a response of the mesh's own, given as fast as the app takes it. */
final class LocalBody implements ContentDecoder, IOControl {
    private static final long UNREAD_MILLIS = 10;

    private final HttpAsyncClientExchangeHandler handler;
    private final BooleanSupplier cancelled;
    private final Executor executor;
    private final ByteBuffer body;

    /** A thread is at it. */
    private final AtomicBoolean giving = new AtomicBoolean();

    private volatile boolean suspended;
    private volatile boolean over;
    private boolean complete;

    /** @param cancelled whether the app has given the request up */
    LocalBody(HttpAsyncClientExchangeHandler handler, BooleanSupplier cancelled, Executor executor, byte[] body) {
        this.handler = handler;
        this.cancelled = cancelled;
        this.executor = executor;
        this.body = ByteBuffer.wrap(body);
    }

    /** Returns when the app wants no more of it for now. */
    void give() {
        try {
            while (isWanted() && giving.compareAndSet(false, true)) {
                giveSome();
                giving.set(false);
            }
        } catch (HttpException | IOException | RuntimeException appsFault) {
            over = true;
            handler.failed(appsFault);
        }
    }

    private boolean isWanted() {
        return !suspended && !over && !cancelled.getAsBoolean();
    }

    private void giveSome() throws IOException, HttpException {
        int left = body.remaining();
        handler.consumeContent(this, this);
        if (complete) {
            over = true;
            handler.responseCompleted();
        } else if (left == body.remaining() && isWanted()) {
            // The app is asked again, as by a connection from which nothing is read.
            suspended = true;
            CompletableFuture.delayedExecutor(UNREAD_MILLIS, TimeUnit.MILLISECONDS, executor).execute(this::resume);
        }
    }

    private void resume() {
        suspended = false;
        give();
    }

    @Override
    public int read(ByteBuffer to) {
        if (!body.hasRemaining()) {
            complete = true;
            return -1;
        }
        int length = Math.min(to.remaining(), body.remaining());
        to.put(body.slice(body.position(), length));
        body.position(body.position() + length);
        complete = !body.hasRemaining();
        return length;
    }

    @Override
    public boolean isCompleted() {
        return complete;
    }

    @Override
    public void requestInput() {
        executor.execute(this::resume);
    }

    @Override
    public void suspendInput() {
        suspended = true;
    }

    @Override
    public void requestOutput() {}

    @Override
    public void suspendOutput() {}

    @Override
    public void shutdown() {
        over = true;
        handler.failed(new ConnectionClosedException("Connection closed unexpectedly"));
    }
}
