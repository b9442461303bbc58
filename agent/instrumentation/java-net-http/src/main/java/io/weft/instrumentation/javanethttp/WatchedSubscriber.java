package io.weft.instrumentation.javanethttp;

import io.weft.dataplane.Exchange;
import java.net.http.HttpResponse.BodySubscriber;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.concurrent.atomic.AtomicReferenceFieldUpdater;
import jdk.internal.net.http.ResponseSubscribers.TrustedSubscriber;

/**
 * The app's subscriber, with an ear on the end of the body.
 *
 * <p>An app may take a response and never read it. The endpoint is done with it all the same, and its place in the circuit breaker
 * is free, once the bytes are here: so they are taken in before the app asks for them, as a proxy does, up to a limit
 * ({@link ReadAhead}). A subscriber that asks for everything at once gets it without a detour.
 */
final class WatchedSubscriber<T> implements TrustedSubscriber<T>, Flow.Subscription {
    @SuppressWarnings("rawtypes")
    private static final AtomicReferenceFieldUpdater<WatchedSubscriber, ReadAhead> READ_AHEAD =
            AtomicReferenceFieldUpdater.newUpdater(WatchedSubscriber.class, ReadAhead.class, "readAhead");

    private final BodySubscriber<T> subscriber;
    private final Exchange mesh;
    private final BodyEnd end;

    private Flow.Subscription subscription;
    /** While the app's subscriber is told of its subscription: who tells it. */
    private Thread subscribing;
    /** Everything was asked for at once. */
    private volatile boolean direct;
    /** Null: nothing was asked for so far. */
    private volatile ReadAhead readAhead;

    WatchedSubscriber(BodySubscriber<T> subscriber, Exchange mesh, BodyEnd end) {
        this.subscriber = subscriber;
        this.mesh = mesh;
        this.end = end;
    }

    @Override
    public CompletionStage<T> getBody() {
        return subscriber.getBody();
    }

    /** Like the app's subscriber, so that its thread is the same. */
    @Override
    public boolean needsExecutor() {
        return TrustedSubscriber.needsExecutor(subscriber);
    }

    // From the JDK.

    @Override
    public void onSubscribe(Flow.Subscription subscription) {
        this.subscription = subscription;
        subscribing = Thread.currentThread();
        subscriber.onSubscribe(this);
        subscribing = null;
        if (!direct) {
            ahead().subscribed();
        }
    }

    private ReadAhead ahead() {
        ReadAhead known = readAhead;
        if (known != null) {
            return known;
        }
        ReadAhead made = new ReadAhead(subscriber, subscription, mesh);
        return READ_AHEAD.compareAndSet(this, null, made) ? made : readAhead;
    }

    @Override
    public void onNext(List<ByteBuffer> item) {
        mesh.bytesReceived(length(item));
        if (direct) {
            subscriber.onNext(item);
        } else {
            mesh.awaitsNothing();
            ahead().add(item);
        }
    }

    private static long length(List<ByteBuffer> buffers) {
        long bytes = 0;
        for (int i = 0; i < buffers.size(); i++) {
            bytes += buffers.get(i).remaining();
        }
        return bytes;
    }

    @Override
    public void onError(Throwable throwable) {
        end.brokeOff(throwable);
        fail(throwable);
    }

    private void fail(Throwable throwable) {
        if (direct) {
            subscriber.onError(throwable);
        } else {
            ahead().fail(throwable);
        }
    }

    @Override
    public void onComplete() {
        end.run();
        if (direct) {
            subscriber.onComplete();
        } else {
            ahead().complete();
        }
    }

    // From the app's subscriber.

    @Override
    public void request(long n) {
        if (direct || n <= 0) {
            subscription.request(n);
            return;
        }
        if (n == Long.MAX_VALUE && subscribing == Thread.currentThread() && readAhead == null) {
            direct = true;
            subscription.request(n);
            return;
        }
        ReadAhead ahead = ahead();
        try {
            ahead.request(n);
        } catch (RuntimeException | Error appsFault) {
            // The JDK, had it brought the bytes, would say the same.
            ahead.cancelIncomplete();
            end.run();
            fail(appsFault);
        }
    }

    @Override
    public void cancel() {
        end.run();
        if (direct) {
            subscription.cancel();
        } else {
            ahead().cancel();
        }
    }
}
