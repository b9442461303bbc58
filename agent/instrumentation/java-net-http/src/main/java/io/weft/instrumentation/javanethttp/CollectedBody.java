package io.weft.instrumentation.javanethttp;

import java.nio.ByteBuffer;
import java.util.concurrent.Flow;

/** Takes what a publisher has in memory, which it gives within the call that asks for it. */
final class CollectedBody implements Flow.Subscriber<ByteBuffer> {
    private final ByteBuffer bytes;
    private boolean complete;

    CollectedBody(int length) {
        bytes = ByteBuffer.allocate(length);
    }

    /** Null when it was not as long as it said. */
    byte[] bytes() {
        return complete && !bytes.hasRemaining() ? bytes.array() : null;
    }

    @Override
    public void onSubscribe(Flow.Subscription subscription) {
        subscription.request(Long.MAX_VALUE);
    }

    @Override
    public void onNext(ByteBuffer part) {
        if (part.remaining() <= bytes.remaining()) {
            bytes.put(part);
        }
    }

    @Override
    public void onError(Throwable failure) {
        complete = false;
    }

    @Override
    public void onComplete() {
        complete = true;
    }
}
