package io.weft.instrumentation.armeriaclient;

import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpObject;
import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.stream.SubscriptionOption;
import io.netty.channel.EventLoop;
import org.reactivestreams.Publisher;
import org.reactivestreams.Subscriber;
import org.reactivestreams.Subscription;

/** What the app sends as it goes, for one attempt. Nothing is asked of the app before the library wants to write. */
final class StreamedBody implements Publisher<HttpObject> {
    private final Hop hop;
    private final HttpRequest app;
    private final EventLoop loop;

    StreamedBody(Hop hop, HttpRequest app, EventLoop loop) {
        this.hop = hop;
        this.app = app;
        this.loop = loop;
    }

    @Override
    public void subscribe(Subscriber<? super HttpObject> library) {
        library.onSubscribe(new Relay(library));
    }

    /** For the event loop. */
    private final class Relay implements Subscription, Subscriber<HttpObject> {
        private final Subscriber<? super HttpObject> library;
        private boolean asked;
        private Subscription apps;
        private long wanted;
        private boolean cancelled;

        Relay(Subscriber<? super HttpObject> library) {
            this.library = library;
        }

        @Override
        public void request(long count) {
            if (apps != null) {
                apps.request(count);
                return;
            }
            wanted = Math.max(wanted + count, count);
            if (!asked && !cancelled) {
                asked = true;
                hop.bodyBegins();
                app.subscribe(this, loop, SubscriptionOption.WITH_POOLED_OBJECTS);
            }
        }

        @Override
        public void cancel() {
            cancelled = true;
            if (apps != null) {
                apps.cancel();
            }
        }

        @Override
        public void onSubscribe(Subscription subscription) {
            apps = subscription;
            if (cancelled) {
                subscription.cancel();
            } else {
                subscription.request(wanted);
            }
        }

        @Override
        public void onNext(HttpObject part) {
            if (part instanceof HttpData data) {
                hop.exchange.bytesSent(data.length());
            }
            library.onNext(part);
        }

        @Override
        public void onError(Throwable cause) {
            library.onError(cause);
        }

        @Override
        public void onComplete() {
            library.onComplete();
        }
    }
}
