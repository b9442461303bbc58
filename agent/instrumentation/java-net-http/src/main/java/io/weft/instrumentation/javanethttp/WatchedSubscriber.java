package io.weft.instrumentation.javanethttp;

import io.weft.dataplane.Exchange;
import java.net.http.HttpResponse.BodySubscriber;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Flow;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The app's subscriber, with an ear on the end of the body.
 *
 * <p>An app may take a response and never read it. The endpoint is done with it all the same, and its place in the circuit breaker
 * is free, once the bytes are here: so they are taken in before the app asks for them, as a proxy does, up to {@link #AHEAD}. A
 * subscriber that asks for everything at once gets it without a detour.
 *
 * <p>Signals to the app's subscriber come one at a time, from the thread that brought the bytes or the one that asked for them: who
 * comes while another is at it leaves it the work.
 */
final class WatchedSubscriber<T> implements BodySubscriber<T>, Flow.Subscription {
    /** Bytes that may wait for the app. */
    private static final int AHEAD = 64 << 10;

    private final BodySubscriber<T> subscriber;
    private final Exchange mesh;
    private final Runnable end;

    private final AtomicInteger turns = new AtomicInteger();
    private final Queue<List<ByteBuffer>> waiting = new ConcurrentLinkedQueue<>();
    private final AtomicInteger bytes = new AtomicInteger();
    private final AtomicLong demand = new AtomicLong();
    private Flow.Subscription subscription;

    /** While the app's subscriber is told of its subscription: who tells it. */
    private Thread subscribing;
    /** Everything was asked for at once. */
    private volatile boolean direct;
    /** More was asked for and has not come yet. */
    private volatile boolean asked;
    /** All has come; {@link #failure} is written before. */
    private volatile boolean complete;
    private Throwable failure;
    /** Nothing more is for the app's subscriber, but for what goes wrong. */
    private volatile boolean stopped;

    WatchedSubscriber(BodySubscriber<T> subscriber, Exchange mesh, Runnable end) {
        this.subscriber = subscriber;
        this.mesh = mesh;
        this.end = end;
    }

    BodySubscriber<T> subscriber() {
        return subscriber;
    }

    @Override
    public CompletionStage<T> getBody() {
        return subscriber.getBody();
    }

    // From the JDK.

    @Override
    public void onSubscribe(Flow.Subscription subscription) {
        this.subscription = subscription;
        // Until it has returned nothing else is for it.
        turns.set(1);
        subscribing = Thread.currentThread();
        subscriber.onSubscribe(this);
        subscribing = null;
        if (!direct) {
            takeTurns();
        }
    }

    @Override
    public void onNext(List<ByteBuffer> item) {
        mesh.bytesReceived();
        if (direct) {
            subscriber.onNext(item);
            return;
        }
        bytes.addAndGet(size(item));
        waiting.add(item);
        asked = false;
        goOn();
    }

    private static int size(List<ByteBuffer> item) {
        int size = 0;
        for (ByteBuffer buffer : item) {
            size += buffer.remaining();
        }
        return size;
    }

    @Override
    public void onError(Throwable throwable) {
        end.run();
        if (direct || stopped) {
            subscriber.onError(throwable);
        } else {
            failure = throwable;
            complete = true;
            goOn();
        }
    }

    @Override
    public void onComplete() {
        end.run();
        if (direct) {
            subscriber.onComplete();
        } else {
            complete = true;
            goOn();
        }
    }

    // From the app's subscriber.

    @Override
    public void request(long n) {
        if (direct || n <= 0) {
            subscription.request(n);
            return;
        }
        if (n == Long.MAX_VALUE && subscribing == Thread.currentThread() && demand.get() == 0) {
            direct = true;
            subscription.request(n);
            return;
        }
        demand.accumulateAndGet(n, WatchedSubscriber::capped);
        try {
            goOn();
        } catch (RuntimeException | Error appsFault) {
            // The JDK, had it brought the bytes, would say the same.
            cancelIncomplete();
            onError(appsFault);
        }
    }

    private static long capped(long some, long more) {
        return some + more < 0 ? Long.MAX_VALUE : some + more;
    }

    @Override
    public void cancel() {
        end.run();
        stopped = true;
        waiting.clear();
        cancelIncomplete();
    }

    /** Once complete the connection may be another request's. The JDK lets no subscriber cancel after that, and this one is told late. */
    private void cancelIncomplete() {
        if (!complete) {
            subscription.cancel();
        }
    }

    private void goOn() {
        if (turns.getAndIncrement() == 0) {
            takeTurns();
        }
    }

    private void takeTurns() {
        int taken;
        do {
            taken = turns.get();
            try {
                move();
            } catch (RuntimeException | Error appsFault) {
                stopped = true;
                throw appsFault;
            }
        } while (turns.addAndGet(-taken) != 0);
    }

    private void move() {
        while (!stopped && demand.get() > 0) {
            List<ByteBuffer> item = waiting.poll();
            if (item == null) {
                break;
            }
            if (demand.get() != Long.MAX_VALUE) {
                demand.decrementAndGet();
            }
            bytes.addAndGet(-size(item));
            subscriber.onNext(item);
        }
        if (stopped) {
            return;
        }
        if (complete && waiting.isEmpty()) {
            stopped = true;
            if (failure == null) {
                subscriber.onComplete();
            } else {
                subscriber.onError(failure);
            }
        } else if (!complete && !asked && bytes.get() < AHEAD) {
            asked = true;
            subscription.request(1);
        }
    }
}
