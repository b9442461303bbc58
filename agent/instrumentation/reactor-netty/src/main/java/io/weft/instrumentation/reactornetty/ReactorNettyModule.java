package io.weft.instrumentation.reactornetty;

import io.weft.instrumentation.Hook;
import io.weft.instrumentation.InstrumentationModule;
import io.weft.instrumentation.Releases;
import java.util.List;

/**
 * Reactor Netty's {@code HttpClient}, and what is built on it.
 *
 * <p>The library asks its connection provider for one connection for each hop of a request: a redirect, a challenge and its own retry
 * come by again. What is given back in that place makes as many attempts as it takes, each with a connection of the app's own
 * provider, from a pool that is kept by endpoint. The app's callback is called by the library, on the connection of the first attempt
 * that has one; further attempts send again what it has sent. All that is above (redirects, the observers, the context, cancellation)
 * stays the library's own.
 */
public final class ReactorNettyModule {
    static final String CLIENT = "reactor.netty.http.client.";
    private static final String OPERATIONS = "Lreactor/netty/http/client/HttpClientOperations;";

    private ReactorNettyModule() {}

    public static InstrumentationModule module() {
        return new InstrumentationModule(
                "reactor-netty",
                "1.0 to 1.3",
                "io.weft.instrumentation.reactornetty.ReactorNettyAdapter",
                List.of(),
                List.of(
                        Hook.around(
                                "acquire",
                                CLIENT + "HttpConnectionProvider",
                                "acquire",
                                "(Lreactor/netty/transport/TransportConfig;Lreactor/netty/ConnectionObserver;"
                                        + "Ljava/util/function/Supplier;Lio/netty/resolver/AddressResolverGroup;)"
                                        + "Lreactor/core/publisher/Mono;"),
                        Hook.argument(
                                "callback",
                                CLIENT + "HttpClientFinalizer",
                                "send",
                                "(Ljava/util/function/BiFunction;)Lreactor/netty/http/client/HttpClientFinalizer;",
                                0),
                        Hook.around(
                                "request",
                                CLIENT + "HttpClientConnect$HttpClientHandler",
                                "requestWithBody",
                                "(" + OPERATIONS + ")Lorg/reactivestreams/Publisher;"),
                        Hook.around(
                                "not-redirected",
                                CLIENT + "HttpClientOperations",
                                "notRedirected",
                                "(Lio/netty/handler/codec/http/HttpResponse;)Z"),
                        // by address
                        Hook.argument("pool-settings", "reactor.netty.resources.PooledConnectionProvider", "poolFactory", "", 0).whenPresent(),
                        // where early versions of 1.0 have it
                        Hook.argument("pool-settings", "reactor.netty.resources.DefaultPooledConnectionProvider", "poolFactory", "", 0)
                                .whenPresent(),
                        // with and without metrics
                        Hook.around("pool", "reactor.netty.resources.DefaultPooledConnectionProvider", "createPool", "").whenPresent()))
                .released(Releases.of(List.of("io.projectreactor.netty:reactor-netty-http"), "1.0 to 1.3"));
    }
}
