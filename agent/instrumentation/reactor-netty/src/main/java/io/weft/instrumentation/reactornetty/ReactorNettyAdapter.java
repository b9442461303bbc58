package io.weft.instrumentation.reactornetty;

import io.netty.resolver.AddressResolverGroup;
import io.weft.instrumentation.Adapter;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Handler;
import io.weft.instrumentation.Outside;
import io.weft.instrumentation.Unsent;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.util.function.Supplier;
import reactor.core.publisher.Mono;
import reactor.netty.Connection;
import reactor.netty.ConnectionObserver;
import reactor.netty.http.client.HttpClientConfig;
import reactor.netty.resources.ConnectionProvider;
import reactor.netty.transport.ProxyProvider;
import reactor.netty.transport.TransportConfig;
import reactor.util.context.ContextView;

/** The handlers of {@link ReactorNettyModule}. Thread-safe. */
public final class ReactorNettyAdapter implements Adapter {
    private final AdapterContext context;
    private final Internals internals;
    private final Pools pools;
    private final HeadersFromAbove above;

    public ReactorNettyAdapter(AdapterContext context) throws ReflectiveOperationException {
        this.context = context;
        this.internals = new Internals(context);
        this.pools = new Pools(context, internals);
        this.above = new HeadersFromAbove(internals);
    }

    @Override
    public Handler handler(String hook) {
        return switch (hook) {
            case "acquire" -> (Handler.Around) this::acquire;
            case "callback" -> (Handler.Argument) (finalizer, callback, a0, a1, a2) -> {
                above.toBeSentBy(callback);
                return callback;
            };
            case "request" -> (Handler.Around) (handler, operations, a1, a2, a3) ->
                    HopHandler.of((Connection) operations) instanceof HopHandler onChannel
                            ? onChannel.request(handler, operations)
                            : Handler.PROCEED;
            case "not-redirected" -> (Handler.Around) (operations, response, a1, a2, a3) ->
                    HopHandler.of((Connection) operations) instanceof HopHandler onChannel && onChannel.drops(operations)
                            ? Boolean.FALSE
                            : Handler.PROCEED;
            case "pool-settings" -> (Handler.Argument) (provider, address, a0, a1, a2) ->
                    address instanceof PoolAddress ofEndpoint ? ofEndpoint.apps() : address;
            case "pool" -> (Handler.Around) (provider, a0, a1, a2, a3) -> {
                if (a0 instanceof TransportConfig config) {
                    pools.made(provider, config, a2);
                } else if (a1 instanceof TransportConfig config) {
                    pools.made(provider, config, a3);
                }
                return Handler.PROCEED;
            };
            default -> throw new IllegalArgumentException("no hook of reactor-netty: " + hook);
        };
    }

    /** @param handler the library's own for one request, which is also the supplier of its address */
    private Object acquire(Object provider, Object config, Object observer, Object handler, Object resolver) throws Throwable {
        if (!internals.isHandler(handler)) {
            return Handler.PROCEED;
        }
        Object target = internals.target(handler);
        if (internals.address(target) instanceof InetSocketAddress to) {
            ConnectException refusal =
                    Outside.refusal(context.outbound(), internals.isSecure(target), to.getHostString(), to.getPort());
            if (refusal != null) {
                return Mono.error(refusal);
            }
        }
        if (internals.webSocket(handler) != null) {
            return Handler.PROCEED;
        }
        if (internals.isSecure(target) || !(internals.address(target) instanceof InetSocketAddress address)) {
            return Handler.PROCEED;
        }
        HttpClientConfig apps = (HttpClientConfig) config;
        ProxyProvider proxy = apps.proxyProvider();
        if (proxy != null && proxy.shouldProxy(address)) {
            return Handler.PROCEED;
        }
        ConnectionObserver library = (ConnectionObserver) observer;
        OutgoingRequest exchange = exchange(handler, address, library.currentContext());
        try {
            if (!context.outbound().claims(exchange)) {
                return Handler.PROCEED;
            }
            if (!Protocols.includeHttp11(apps)) {
                if (exchange.mayFailOpen()) {
                    context.warn("requests over HTTP/2 with prior knowledge go out without the mesh");
                    return Handler.PROCEED;
                }
                return Mono.error(new ConnectException("mesh TLS is not supported for HTTP/2 with prior knowledge: " + address));
            }
            Hop hop = new Hop(
                    context,
                    internals,
                    pools,
                    exchange,
                    handler,
                    (ConnectionProvider) provider,
                    address,
                    apps,
                    library,
                    (AddressResolverGroup<?>) resolver);
            exchange.drivenBy(hop);
            return new HopMono(hop);
        } catch (Throwable fault) {
            return Mono.error(Unsent.failure(exchange, fault));
        }
    }

    /** Headers of an app's own making may throw: then it is one of which nobody above knows anything. */
    private OutgoingRequest exchange(Object handler, InetSocketAddress address, ContextView context) throws Throwable {
        try {
            return new OutgoingRequest(internals, handler, address, above.of(handler, context));
        } catch (RuntimeException fault) {
            return new OutgoingRequest(internals, handler, address, HeadersFromAbove.NONE);
        }
    }

    /** The address that the library would have connected to. */
    static Supplier<InetSocketAddress> at(InetSocketAddress address) {
        return () -> address;
    }
}
