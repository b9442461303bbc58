package io.weft.instrumentation.javanethttp;

import io.weft.dataplane.Exchange;
import java.net.http.HttpResponse.BodySubscriber;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.concurrent.atomic.AtomicBoolean;

/** Its state: the end of the body was told to the mesh. The app may cancel on one thread while another one completes. */
final class WatchedSubscriber<T> extends AtomicBoolean implements BodySubscriber<T> {
    private final BodySubscriber<T> subscriber;
    private final Exchange mesh;

    WatchedSubscriber(BodySubscriber<T> subscriber, Exchange mesh) {
        this.subscriber = subscriber;
        this.mesh = mesh;
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
                end();
                subscription.cancel();
            }
        });
    }

    @Override
    public void onNext(List<ByteBuffer> item) {
        subscriber.onNext(item);
    }

    @Override
    public void onError(Throwable throwable) {
        end();
        subscriber.onError(throwable);
    }

    @Override
    public void onComplete() {
        end();
        subscriber.onComplete();
    }

    private void end() {
        if (compareAndSet(false, true)) {
            mesh.end();
        }
    }
}
