package io.weft.instrumentation.javanethttp;

import io.weft.dataplane.Exchange;
import java.net.http.HttpResponse.BodySubscriber;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;

/** The app's subscriber, with an ear on the end of the body. */
final class WatchedSubscriber<T> implements BodySubscriber<T> {
    private final BodySubscriber<T> subscriber;
    private final Exchange mesh;
    private final Runnable end;

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

    @Override
    public void onSubscribe(Flow.Subscription subscription) {
        subscriber.onSubscribe(new Flow.Subscription() {
            @Override
            public void request(long n) {
                subscription.request(n);
            }

            @Override
            public void cancel() {
                end.run();
                subscription.cancel();
            }
        });
    }

    @Override
    public void onNext(List<ByteBuffer> item) {
        mesh.bytesReceived();
        subscriber.onNext(item);
    }

    @Override
    public void onError(Throwable throwable) {
        end.run();
        subscriber.onError(throwable);
    }

    @Override
    public void onComplete() {
        end.run();
        subscriber.onComplete();
    }
}
