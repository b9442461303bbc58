package io.weft.instrumentation.javanethttp;

import io.weft.dataplane.Exchange;
import java.net.http.HttpResponse.BodySubscriber;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Flow;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What has come of a body before the app's subscriber has asked for it.
 *
 * <p>Signals to the app's subscriber come one at a time, from the thread that brought the bytes or the one that asked for them: who
 * comes while another is at it leaves it the work.
 */
final class ReadAhead {
    /** Bytes that may wait for the app. */
    private static final int AHEAD = 64 << 10;

    private final BodySubscriber<?> subscriber;
    private final Flow.Subscription subscription;
    private final Exchange mesh;

    /** The first one is the subscription's: until the app's subscriber has returned from it nothing else is for it. */
    private final AtomicInteger turns = new AtomicInteger(1);
    private final Queue<List<ByteBuffer>> waiting = new ConcurrentLinkedQueue<>();
    private final AtomicInteger bytes = new AtomicInteger();
    private final AtomicLong demand = new AtomicLong();
    /** More was asked for and has not come yet. */
    private volatile boolean asked;
    /** All has come; {@link #failure} is written before. */
    private volatile boolean complete;
    private Throwable failure;
    /** Nothing more is for the app's subscriber, but for what goes wrong. */
    private volatile boolean stopped;

    ReadAhead(BodySubscriber<?> subscriber, Flow.Subscription subscription, Exchange mesh) {
        this.subscriber = subscriber;
        this.mesh = mesh;
        this.subscription = subscription;
    }

    /** The app's subscriber knows its subscription. */
    void subscribed() {
        takeTurns();
    }

    void add(List<ByteBuffer> item) {
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

    void fail(Throwable throwable) {
        if (stopped) {
            subscriber.onError(throwable);
        } else {
            failure = throwable;
            complete();
        }
    }

    void complete() {
        complete = true;
        goOn();
    }

    /** @param n above zero */
    void request(long n) {
        demand.accumulateAndGet(n, ReadAhead::capped);
        goOn();
    }

    private static long capped(long some, long more) {
        return some + more < 0 ? Long.MAX_VALUE : some + more;
    }

    void cancel() {
        stopped = true;
        waiting.clear();
        cancelIncomplete();
    }

    /** Once complete the connection may be another request's. The JDK lets no subscriber cancel after that, and this one is told late. */
    void cancelIncomplete() {
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
            mesh.awaitsBytes();
            subscription.request(1);
        }
    }
}
