package io.weft.instrumentation.apachehttpclient5;

import io.weft.instrumentation.Hook;
import io.weft.instrumentation.InstrumentationModule;
import io.weft.instrumentation.Releases;
import java.util.List;

/**
 * Apache HttpClient 5, asynchronous.
 *
 * <p>As with the classic one, the element of the execution chain that connects is given another {@code AsyncExecRuntime}, which leases a
 * connection when the request is complete, and as often as retries need one. Above it everything is the app's own; what the innermost
 * element hears is one message exchange, however many attempts it takes. Minimal clients over HTTP/1.1 have no such chain: there it is their exchange itself.
 */
public final class ApacheHttpAsyncClient5Module {
    static final String SCOPE = "scope";
    static final String BODY = "body";
    static final String ADDRESS = "address";
    static final String LIMIT = "connect-timeout";
    static final String PROTOCOL = "protocol";
    static final String SOCKET = "socket";
    static final String RELEASED = "released";
    static final String LEASED = "leased";
    static final String TLS = "tls";
    static final String MINIMAL = "minimal";
    static final String MINIMAL_EXCHANGE = "minimal-exchange";
    static final String LEASE = "lease";
    static final String STREAM = "stream";

    private static final String ASYNC = "org.apache.hc.client5.http.impl.async.";
    private static final String CONNECTION = "org.apache.hc.client5.http.impl.nio.DefaultManagedAsyncClientConnection";
    private static final String EXECUTE = "(Lorg/apache/hc/core5/http/HttpRequest;Lorg/apache/hc/core5/http/nio/AsyncEntityProducer;"
            + "Lorg/apache/hc/client5/http/async/AsyncExecChain$Scope;Lorg/apache/hc/client5/http/async/AsyncExecChain;"
            + "Lorg/apache/hc/client5/http/async/AsyncExecCallback;)V";
    private static final String EXECUTE_MINIMAL = "(Lorg/apache/hc/core5/http/nio/AsyncClientExchangeHandler;"
            + "Lorg/apache/hc/core5/http/nio/HandlerFactory;Lorg/apache/hc/core5/http/protocol/HttpContext;)"
            + "Lorg/apache/hc/core5/concurrent/Cancellable;";

    private ApacheHttpAsyncClient5Module() {}

    public static InstrumentationModule module() {
        return new InstrumentationModule(
                        "apache-httpclient5-async",
                        "5.0 to 5.6, asynchronous, but for minimal clients over HTTP/2",
                        "io.weft.instrumentation.apachehttpclient5.ApacheHttpAsyncClient5Adapter",
                        List.of(),
                        List.of(
                                Hook.argument(SCOPE, ASYNC + "AsyncConnectExec", "execute", EXECUTE, 2),
                                Hook.argument(BODY, ASYNC + "HttpAsyncMainClientExec", "execute", EXECUTE, 1),
                                Hook.argument(BODY, ASYNC + "H2AsyncMainClientExec", "execute", EXECUTE, 1),
                                Hook.argument(
                                        ADDRESS,
                                        "org.apache.hc.client5.http.impl.nio.MultihomeIOSessionRequester",
                                        "connect",
                                        "(Lorg/apache/hc/core5/reactor/ConnectionInitiator;Lorg/apache/hc/core5/net/NamedEndpoint;"
                                                + "Ljava/net/SocketAddress;Ljava/net/SocketAddress;Lorg/apache/hc/core5/util/Timeout;"
                                                + "Ljava/lang/Object;Lorg/apache/hc/core5/concurrent/FutureCallback;)Ljava/util/concurrent/Future;",
                                        2),
                                connect(LIMIT, 3),
                                connect(PROTOCOL, 4),
                                // where mesh TLS comes in
                                connect(SOCKET, 5),
                                // between the two it is in a pool
                                Hook.around(RELEASED, CONNECTION, "passivate", "()V"),
                                Hook.around(LEASED, CONNECTION, "activate", "()V"),
                                Hook.result(
                                        TLS,
                                        "org.apache.hc.core5.reactor.InternalDataChannel",
                                        "getTlsDetails",
                                        "()Lorg/apache/hc/core5/reactor/ssl/TlsDetails;"),
                                // by which an attempt is ended that shares its connection
                                Hook.argument(
                                        STREAM,
                                        "org.apache.hc.core5.http2.impl.nio.ClientH2StreamHandler",
                                        "<init>",
                                        "(Lorg/apache/hc/core5/http2/impl/nio/H2StreamChannel;Lorg/apache/hc/core5/http/protocol/HttpProcessor;"
                                                + "Lorg/apache/hc/core5/http/impl/BasicHttpConnectionMetrics;"
                                                + "Lorg/apache/hc/core5/http/nio/AsyncClientExchangeHandler;"
                                                + "Lorg/apache/hc/core5/http/nio/HandlerFactory;"
                                                + "Lorg/apache/hc/core5/http/protocol/HttpCoreContext;)V",
                                        3).whenPresent(),
                                // have no execution chain
                                Hook.argument(MINIMAL, ASYNC + "MinimalHttpAsyncClient", "execute", EXECUTE_MINIMAL, 0).whenPresent(),
                                Hook.around(MINIMAL_EXCHANGE, ASYNC + "MinimalHttpAsyncClient", "execute", EXECUTE_MINIMAL).whenPresent(),
                                Hook.argument(MINIMAL, ASYNC + "MinimalH2AsyncClient", "execute", EXECUTE_MINIMAL, 0).whenPresent(),
                                Hook.around(
                                        LEASE,
                                        ASYNC + "MinimalHttpAsyncClient",
                                        "lease",
                                        "(Lorg/apache/hc/core5/http/HttpHost;Lorg/apache/hc/core5/http/protocol/HttpContext;"
                                                + "Lorg/apache/hc/core5/concurrent/FutureCallback;)Ljava/util/concurrent/Future;").whenPresent()))
                // the core alone has reactors, too
                .markedBy(ASYNC + "AsyncConnectExec")
                .released(Releases.of(List.of("org.apache.httpcomponents.client5:httpclient5"), "5.0 to 5.6"));
    }

    private static Hook connect(String id, int argument) {
        return Hook.argument(
                id,
                "org.apache.hc.core5.reactor.AbstractIOReactorBase",
                "connect",
                "(Lorg/apache/hc/core5/net/NamedEndpoint;Ljava/net/SocketAddress;Ljava/net/SocketAddress;Lorg/apache/hc/core5/util/Timeout;"
                        + "Ljava/lang/Object;Lorg/apache/hc/core5/concurrent/FutureCallback;)Ljava/util/concurrent/Future;",
                argument);
    }
}
