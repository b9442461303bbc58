package io.weft.instrumentation.reactornetty;

import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.netty.Connection;
import reactor.util.context.Context;

/** After a fault of the agent's: the library's own connection to where the app's URL says. */
final class Unmeshed implements CoreSubscriber<Connection>, Underway {
    private final CoreSubscriber<? super Connection> library;
    private final Context context;
    private volatile Subscription acquiring;
    private volatile Connection connection;

    Unmeshed(CoreSubscriber<? super Connection> library, Context context) {
        this.library = library;
        this.context = context;
    }

    @Override
    public Context currentContext() {
        return context;
    }

    @Override
    public void onSubscribe(Subscription subscription) {
        acquiring = subscription;
        subscription.request(Long.MAX_VALUE);
    }

    @Override
    public void onNext(Connection acquired) {
        connection = acquired;
    }

    @Override
    public void onError(Throwable failure) {
        library.onError(failure);
    }

    @Override
    public void onComplete() {}

    @Override
    public void cancel() {
        Connection acquired = connection;
        if (acquired != null) {
            acquired.dispose();
        } else if (acquiring != null) {
            acquiring.cancel();
        }
    }
}
