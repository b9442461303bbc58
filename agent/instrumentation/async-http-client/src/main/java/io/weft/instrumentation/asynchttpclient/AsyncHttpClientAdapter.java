package io.weft.instrumentation.asynchttpclient;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.ChannelPipeline;
import io.netty.util.concurrent.ImmediateEventExecutor;
import io.weft.dataplane.Exchange.Failure;
import io.weft.instrumentation.Adapter;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Handler;
import io.weft.instrumentation.Outside;
import io.weft.instrumentation.Unsent;
import java.net.ConnectException;
import java.util.List;
import java.util.concurrent.TimeoutException;
import org.asynchttpclient.AsyncHandler;
import org.asynchttpclient.Request;
import org.asynchttpclient.channel.ChannelPoolPartitioning;
import org.asynchttpclient.netty.NettyResponseFuture;
import org.asynchttpclient.netty.channel.NettyConnectListener;
import org.asynchttpclient.netty.request.NettyRequestSender;
import org.asynchttpclient.uri.Uri;
import org.asynchttpclient.util.HttpUtils;
import org.asynchttpclient.util.ProxyUtils;
import org.asynchttpclient.ws.WebSocketUpgradeHandler;

/** The handlers of {@link AsyncHttpClientModule}. Thread-safe. */
public final class AsyncHttpClientAdapter implements Adapter {
    private final AdapterContext context;
    private final Internals internals;
    private final Pools pools = new Pools();

    public AsyncHttpClientAdapter(AdapterContext context) throws ReflectiveOperationException {
        this.context = context;
        this.internals = new Internals(context);
    }

    @Override
    public Handler handler(String hook) {
        return switch (hook) {
            case AsyncHttpClientModule.SEND -> (Handler.Around) (sender, request, handler, future, a3) ->
                    send((NettyRequestSender) sender, (Request) request, (AsyncHandler<?>) handler, (NettyResponseFuture<?>) future);
            case AsyncHttpClientModule.FUTURE -> (Handler.Argument) (self, apps, a0, a1, a2) ->
                    apps == null ? null : new Partitioning((ChannelPoolPartitioning) apps);
            case AsyncHttpClientModule.PARTITION_KEY -> (Handler.Result) (future, key, a0, a1, a2) -> {
                Hop hop = internals.hop(future);
                return hop == null ? key : hop.key(key);
            };
            case AsyncHttpClientModule.ABORTING -> (Handler.Around) (sender, channel, future, failure, a3) -> {
                Hop hop = internals.hop(future);
                if (hop != null) {
                    hop.aborting(patienceIsOver(failure));
                }
                return Handler.PROCEED;
            };
            case AsyncHttpClientModule.ABORT -> (Handler.Around) (future, failure, a1, a2, a3) ->
                    gaveUp(future, patienceIsOver(failure) ? Failure.TIMEOUT : Failure.CANCELLED);
            case AsyncHttpClientModule.CANCEL -> (Handler.Around) (future, force, a1, a2, a3) -> gaveUp(future, Failure.CANCELLED);
            case AsyncHttpClientModule.PERMIT -> (Handler.Around) (future, a0, a1, a2, a3) -> {
                Hop hop = internals.hop(future);
                return hop == null || hop.connects() ? Handler.PROCEED : null;
            };
            case AsyncHttpClientModule.TIMEOUTS -> (Handler.Around) (sender, future, address, a2, a3) -> {
                Hop hop = internals.hop(future);
                return hop == null || !hop.hasTimeouts() ? Handler.PROCEED : null;
            };
            case AsyncHttpClientModule.RESOLVE -> (Handler.Around) (sender, request, proxy, future, handler) -> {
                Hop hop = internals.hop(future);
                return hop == null ? Handler.PROCEED : ImmediateEventExecutor.INSTANCE.newSucceededFuture(List.of(hop.address()));
            };
            case AsyncHttpClientModule.CONNECT -> (Handler.Around) (connector, bootstrap, listener, a2, a3) -> {
                Hop hop = internals.hop(internals.future(listener));
                if (hop == null) {
                    return Handler.PROCEED;
                }
                hop.connect((Bootstrap) bootstrap, (NettyConnectListener<?>) listener);
                return null;
            };
            case AsyncHttpClientModule.HAS_TLS -> (Handler.Around) (self, pipeline, a1, a2, a3) ->
                    // Files are read by the library then, not sent by the system.
                    ((ChannelPipeline) pipeline).get(EndpointInitializer.TLS) == null ? Handler.PROCEED : Boolean.TRUE;
            default -> throw new IllegalArgumentException("no hook of async-http-client: " + hook);
        };
    }

    private static boolean patienceIsOver(Object failure) {
        return failure instanceof TimeoutException;
    }

    private Object gaveUp(Object future, Failure failure) throws Throwable {
        Hop hop = internals.hop(future);
        if (hop != null) {
            hop.gaveUp(failure);
        }
        return Handler.PROCEED;
    }

    /** @param future null: it is the request's first hop */
    private Object send(NettyRequestSender sender, Request request, AsyncHandler<?> handler, NettyResponseFuture<?> future) throws Throwable {
        Uri uri = request.getUri();
        ConnectException refusal = Outside.refusal(context.outbound(), uri.isSecured(), uri.getHost(), uri.getPort());
        if (refusal != null) {
            return new Handler.Thrown(refusal);
        }
        Partitioning before = future == null ? null : internals.partitioning(future);
        if (before != null && before.leaves()) {
            return Handler.PROCEED;
        }
        if (uri.isSecured() || uri.isWebSocket() || handler instanceof WebSocketUpgradeHandler || sender.isClosed()
                || !context.outbound().names(authority(request)) || ProxyUtils.getProxyServer(internals.config(sender), request) != null) {
            Hop.letGoOf(internals, sender, future);
            return Handler.PROCEED;
        }
        NettyResponseFuture<?> made = internals.newRequest(sender, request, handler, future);
        OutgoingRequest exchange = new OutgoingRequest(request, made.getNettyRequest().getHttpRequest());
        try {
            if (!context.outbound().claims(exchange)) {
                Hop.letGoOf(internals, sender, future);
                return Handler.PROCEED;
            }
            Partitioning partitioning = internals.partitioning(made);
            if (partitioning == null) {
                throw new IllegalStateException("the request has begun before the agent");
            }
            if (internals.speaksHttp2Unasked(sender)) {
                if (exchange.mayFailOpen()) {
                    Hop.letGoOf(internals, sender, future);
                    return Handler.PROCEED;
                }
                return new Handler.Thrown(
                        new ConnectException("mesh TLS is not supported for HTTP/2 with prior knowledge: " + authority(request)));
            }
            Hop hop = new Hop(context, internals, pools, exchange, sender, request, handler, made, partitioning);
            exchange.drivenBy(hop);
            hop.start();
            return made;
        } catch (Throwable fault) {
            return new Handler.Thrown(Unsent.failure(exchange, fault));
        }
    }

    /** As the library makes it. */
    private static String authority(Request request) {
        String host = request.getHeaders().get("host");
        if (host != null) {
            return host;
        }
        return request.getVirtualHost() != null ? request.getVirtualHost() : HttpUtils.hostHeader(request.getUri());
    }
}
