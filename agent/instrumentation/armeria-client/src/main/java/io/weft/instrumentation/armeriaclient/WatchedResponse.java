package io.weft.instrumentation.armeriaclient;

import com.linecorp.armeria.common.AggregatedHttpResponse;
import com.linecorp.armeria.common.AggregationOptions;
import com.linecorp.armeria.common.ClosedSessionException;
import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpObject;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.stream.AbortedStreamException;
import com.linecorp.armeria.common.stream.SubscriptionOption;
import io.netty.util.concurrent.EventExecutor;
import io.weft.dataplane.Demand;
import java.util.concurrent.CompletableFuture;
import org.reactivestreams.Subscriber;
import org.reactivestreams.Subscription;

/** An attempt's response, with an eye on what comes and what the app asks for. Whoever wants all of it at once subscribes, too. */
final class WatchedResponse implements HttpResponse {
    private final HttpResponse response;
    private final OutgoingRequest exchange;
    private final Demand demand = new Demand(0);
    private volatile boolean brokenOff;

    WatchedResponse(HttpResponse response, OutgoingRequest exchange) {
        this.response = response;
        this.exchange = exchange;
    }

    /** The app is given it, and may ask at once. */
    void given(Runnable to) {
        demand.tells(exchange, 0);
        to.run();
        demand.told(exchange);
    }

    /** A time limit is over. To the app its connection is closed, as by a proxy; the library, were it told that, would reset no stream of HTTP/2. */
    void breakOff() {
        brokenOff = true;
        response.abort();
    }

    @Override
    public boolean isOpen() {
        return response.isOpen();
    }

    @Override
    public boolean isEmpty() {
        return response.isEmpty();
    }

    @Override
    public long demand() {
        return response.demand();
    }

    @Override
    public CompletableFuture<Void> whenComplete() {
        return response.whenComplete();
    }

    @Override
    public void subscribe(Subscriber<? super HttpObject> subscriber, EventExecutor executor) {
        response.subscribe(new Reader(subscriber), executor);
    }

    @Override
    public void subscribe(Subscriber<? super HttpObject> subscriber, EventExecutor executor, SubscriptionOption... options) {
        response.subscribe(new Reader(subscriber), executor, options);
    }

    /** Nobody does: what the app has above it collects what it subscribes to. */
    @Override
    public CompletableFuture<AggregatedHttpResponse> aggregate(AggregationOptions options) {
        demand.asks(exchange, Long.MAX_VALUE);
        return response.aggregate(options);
    }

    @Override
    public EventExecutor defaultSubscriberExecutor() {
        return response.defaultSubscriberExecutor();
    }

    @Override
    public void abort() {
        response.abort();
    }

    @Override
    public void abort(Throwable cause) {
        response.abort(cause);
    }

    private final class Reader implements Subscriber<HttpObject>, Subscription {
        private final Subscriber<? super HttpObject> subscriber;
        private Subscription subscription;

        Reader(Subscriber<? super HttpObject> subscriber) {
            this.subscriber = subscriber;
        }

        @Override
        public void onSubscribe(Subscription subscribed) {
            subscription = subscribed;
            subscriber.onSubscribe(this);
        }

        @Override
        public void onNext(HttpObject part) {
            if (part instanceof HttpData data) {
                exchange.bytesReceived(data.length());
            }
            demand.tells(exchange, 1);
            try {
                subscriber.onNext(part);
            } finally {
                demand.told(exchange);
            }
        }

        @Override
        public void onError(Throwable cause) {
            subscriber.onError(brokenOff && cause instanceof AbortedStreamException ? ClosedSessionException.get() : cause);
        }

        @Override
        public void onComplete() {
            subscriber.onComplete();
        }

        @Override
        public void request(long parts) {
            demand.asks(exchange, parts);
            subscription.request(parts);
        }

        @Override
        public void cancel() {
            subscription.cancel();
        }
    }
}
