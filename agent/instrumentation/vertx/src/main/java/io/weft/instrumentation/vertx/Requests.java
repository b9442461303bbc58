package io.weft.instrumentation.vertx;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.vertx.core.Promise;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.RequestOptions;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Handler;
import io.weft.instrumentation.Outside;
import io.weft.instrumentation.Unsent;
import java.net.ConnectException;

/** What the app asks the library for. Thread-safe. */
final class Requests {
    private final AdapterContext context;
    private final Internals internals;
    private final SecuredChannels secured;
    private final ConnectLimits limits;

    Requests(AdapterContext context, Internals internals) {
        this.context = context;
        this.internals = internals;
        Runnable wake = () -> context.wake(VertxModule.CONNECT);
        this.secured = new SecuredChannels(wake);
        this.limits = new ConnectLimits(wake);
    }

    SecuredChannels secured() {
        return secured;
    }

    /** The handler of {@link VertxModule#CONNECT}. */
    Handler.Argument connects() {
        return (head, promise, ctx, remote, local) -> {
            Channel channel = ((ChannelHandlerContext) ctx).channel();
            limits.limit(channel, remote);
            return secured.connects(channel, remote, (ChannelPromise) promise);
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
    boolean takes(RequestOptions options, Object client, Promise<?> promise) throws Throwable {
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
        HttpClientRequest request;
        try {
            Hop hop = new Hop(context, internals, secured, limits, client, options, target, internals.context(promise));
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
