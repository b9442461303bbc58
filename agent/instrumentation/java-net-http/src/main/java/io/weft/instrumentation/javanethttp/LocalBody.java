package io.weft.instrumentation.javanethttp;

import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpResponse.ResponseInfo;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;
import java.util.concurrent.atomic.AtomicBoolean;

/** The mesh's own answer, given to the app's handler as if it came from a connection. */
final class LocalBody extends Body {
    private final Internals internals;
    private final Head head;
    private final byte[] body;

    LocalBody(Internals internals, Head head, byte[] body) {
        this.internals = internals;
        this.head = head;
        this.body = body;
        complete(null);
    }

    record Head(int statusCode, HttpHeaders headers) implements ResponseInfo {
        @Override
        public HttpClient.Version version() {
            return HttpClient.Version.HTTP_1_1;
        }
    }

    @Override
    Object read(Object exchange, BodyHandler<?> handler) {
        try {
            BodySubscriber<?> subscriber = handler.apply(head);
            OneBuffer bytes = new OneBuffer(subscriber, body);
            subscriber.onSubscribe(bytes);
            if (body.length == 0) {
                // the end of an empty body does not wait to be asked for
                bytes.request(1);
            }
            return internals.body(internals.multi(exchange), subscriber).toCompletableFuture();
        } catch (Throwable appsFault) {
            return failedFuture(appsFault);
        }
    }

    @Override
    Object ignore(Object exchange) {
        return CompletableFuture.completedFuture(null);
    }

    @Override
    Object none(Object exchange) {
        return this;
    }

    /** Its state: the bytes were given, or are not wanted. */
    private static final class OneBuffer extends AtomicBoolean implements Flow.Subscription {
        private final BodySubscriber<?> subscriber;
        private final byte[] body;

        OneBuffer(BodySubscriber<?> subscriber, byte[] body) {
            this.subscriber = subscriber;
            this.body = body;
        }

        @Override
        public void request(long n) {
            if (!compareAndSet(false, true)) {
                return;
            }
            if (n <= 0) {
                subscriber.onError(new IllegalArgumentException("non-positive subscription request"));
                return;
            }
            if (body.length > 0) {
                subscriber.onNext(List.of(ByteBuffer.wrap(body).asReadOnlyBuffer()));
            }
            subscriber.onComplete();
        }

        @Override
        public void cancel() {
            set(true);
        }
    }
}
