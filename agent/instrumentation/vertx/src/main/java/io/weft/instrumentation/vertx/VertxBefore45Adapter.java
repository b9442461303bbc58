package io.weft.instrumentation.vertx;

import io.vertx.core.Promise;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.RequestOptions;
import io.weft.instrumentation.Adapter;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Handler;

/** The handlers of {@link VertxModule} for Vert.x 4.0 to 4.4. Thread-safe. */
public final class VertxBefore45Adapter implements Adapter {
    private final Internals internals;
    private final Requests requests;

    /** Of the call that this thread is at the beginning of. */
    private final ThreadLocal<Promise<?>> asked = new ThreadLocal<>();

    public VertxBefore45Adapter(AdapterContext context) throws ReflectiveOperationException {
        internals = new InternalsBefore45(context);
        requests = new Requests(context, internals);
    }

    @Override
    public Handler handler(String hook) {
        return switch (hook) {
            case VertxModule.REQUEST_BEFORE_5 -> (Handler.Around) (client, options, promise, a2, a3) ->
                    requests.takes((RequestOptions) options, client, (Promise<?>) promise) ? null : Handler.PROCEED;
            case VertxModule.ASKED_4_0 -> (Handler.Argument) (client, promise, method, port, host) -> {
                asked.set((Promise<?>) promise);
                return promise;
            };
            case VertxModule.PARTS_4_0 -> (Handler.Around) (client, method, port, host, uri) -> {
                Promise<?> promise = asked.get();
                asked.remove();
                RequestOptions options = new RequestOptions()
                        .setMethod((HttpMethod) method).setPort((int) port).setHost((String) host).setURI((String) uri);
                return requests.takes(options, client, promise) ? null : Handler.PROCEED;
            };
            case VertxModule.PROXY -> (Handler.Around) (client, options, address, a2, a3) -> internals.isOpening() ? null : Handler.PROCEED;
            case VertxModule.CONNECT -> requests.connects();
            default -> VertxModule.module().idle(hook);
        };
    }
}
