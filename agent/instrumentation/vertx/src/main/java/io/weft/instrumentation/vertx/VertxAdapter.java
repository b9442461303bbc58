package io.weft.instrumentation.vertx;

import io.vertx.core.Promise;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.RequestOptions;
import io.vertx.core.net.HostAndPort;
import io.vertx.core.net.SocketAddress;
import io.weft.instrumentation.Adapter;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Handler;

/** The handlers of {@link VertxModule} from 4.5 on. Compiled against Vert.x 4.5.0, links on 5. Thread-safe. */
public final class VertxAdapter implements Adapter {
    private final InternalsSince45 internals;
    private final Requests requests;

    public VertxAdapter(AdapterContext context) throws ReflectiveOperationException {
        internals = new InternalsSince45(context);
        requests = new Requests(context, internals);
    }

    @Override
    public Handler handler(String hook) {
        return switch (hook) {
            case VertxModule.REQUEST_BEFORE_5 -> (Handler.Around) (client, options, promise, a2, a3) ->
                    requests.takes((RequestOptions) options, client, (Promise<?>) promise) ? null : Handler.PROCEED;
            case VertxModule.REQUEST -> (Handler.Around) (client, options, a1, a2, a3) -> {
                if (internals.areBefore5() || internals.isOpening()) {
                    return Handler.PROCEED;
                }
                Promise<HttpClientRequest> promise = internals.promise(internals.vertx(client).getOrCreateContext());
                return requests.takes((RequestOptions) options, client, promise) ? promise.future() : Handler.PROCEED;
            };
            case VertxModule.SERVER -> (Handler.Argument) (transport, server, a0, a1, authority) ->
                    authority == null ? server : requests.secured().server((SocketAddress) server, ((HostAndPort) authority).host());
            case VertxModule.PROXY -> (Handler.Around) (client, options, address, a2, a3) -> internals.isOpening() ? null : Handler.PROCEED;
            case VertxModule.CONNECT -> requests.connects();
            default -> VertxModule.module().idle(hook);
        };
    }
}
