package io.weft.instrumentation.vertx;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.vertx.core.Context;
import io.vertx.core.Promise;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.RequestOptions;
import io.vertx.core.net.HostAndPort;
import io.vertx.core.net.SocketAddress;
import io.weft.instrumentation.Adapter;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Handler;
import io.weft.instrumentation.Outside;
import io.weft.instrumentation.Unsent;
import java.net.ConnectException;

/** The handlers of {@link VertxModule}. Compiled against Vert.x 4.5.0, links on 5. Thread-safe. */
public final class VertxAdapter implements Adapter {
    private final AdapterContext context;
    private final Internals internals;
    private final SecuredChannels secured;

    public VertxAdapter(AdapterContext context) throws ReflectiveOperationException {
        this.context = context;
        this.internals = new Internals(context);
        this.secured = new SecuredChannels(() -> context.wake(VertxModule.CONNECT));
    }

    @Override
    public Handler handler(String hook) {
        return switch (hook) {
            case VertxModule.REQUEST_BEFORE_5 -> (Handler.Around) (client, options, promise, a2, a3) ->
                    takes((RequestOptions) options, client, (Promise<?>) promise) ? null : Handler.PROCEED;
            case VertxModule.REQUEST -> (Handler.Around) (client, options, a1, a2, a3) -> {
                if (internals.areBefore5() || internals.isOpening()) {
                    return Handler.PROCEED;
                }
                Promise<HttpClientRequest> promise = internals.promise(internals.vertx(client).getOrCreateContext());
                return takes((RequestOptions) options, client, promise) ? promise.future() : Handler.PROCEED;
            };
            case VertxModule.SERVER -> (Handler.Argument) (transport, server, a0, a1, authority) ->
                    authority == null ? server : secured.server((SocketAddress) server, ((HostAndPort) authority).host());
            case VertxModule.CONNECT -> (Handler.Argument) (head, promise, ctx, remote, local) ->
                    secured.connects(((ChannelHandlerContext) ctx).channel(), remote, (ChannelPromise) promise);
            default -> throw new IllegalArgumentException(hook);
        };
    }

    private ConnectException refusal(RequestOptions options, Object client) throws Throwable {
        return Outside.refusal(
                context.outbound(),
                options.isSsl() == null ? internals.isSecure(client) : options.isSsl(),
                options.getHost() == null ? internals.defaultHost(client) : options.getHost(),
                options.getPort() == null ? internals.defaultPort(client) : options.getPort());
    }

    /** @return false: the library goes on by itself */
    @SuppressWarnings("unchecked")
    private boolean takes(RequestOptions options, Object client, Promise<?> promise) throws Throwable {
        if (internals.isOpening()) {
            return false;
        }
        ConnectException refusal = refusal(options, client);
        if (refusal != null) {
            promise.fail(refusal);
            return true;
        }
        Target target = Target.of(internals, client, options);
        if (target == null || !context.outbound().names(target.authority())) {
            return false;
        }
        Context app = internals.context(promise);
        HttpClientRequest request;
        try {
            Hop hop = new Hop(context, internals, secured, client, options, target, app);
            request = hop.request();
        } catch (Throwable fault) {
            OutgoingRequest unsent = OutgoingRequest.of(options, target);
            if (!context.outbound().claims(unsent)) {
                throw fault;
            }
            promise.fail(Unsent.failure(unsent, fault));
            return true;
        }
        ((Promise<HttpClientRequest>) promise).complete(request);
        return true;
    }
}
