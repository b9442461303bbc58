package io.weft.instrumentation.apachehttpclient5;

import io.weft.instrumentation.Hook;
import io.weft.instrumentation.InstrumentationModule;
import io.weft.instrumentation.Releases;
import java.util.List;

/**
 * Apache HttpClient 5, classic.
 *
 * <p>The element of the execution chain that connects is given another {@code ExecRuntime}: one that leases a connection when the
 * request is complete (from 5.2 on the app's interceptors run after the connect element), to an endpoint of the mesh, and as often
 * as retries need one. Route, request and cookies in the context stay the app's own. Clients that were built before the agent came
 * are covered, too. A minimal one, which has no such chain, is stood in for by one that has.
 */
public final class ApacheHttpClient5Module {
    private static final String CLASSIC = "org.apache.hc.client5.http.impl.classic.";

    private static final String CONNECTION = "org.apache.hc.client5.http.impl.io.DefaultManagedHttpClientConnection";

    private ApacheHttpClient5Module() {}

    public static InstrumentationModule module() {
        return new InstrumentationModule(
                "apache-httpclient5",
                "5.0 to 5.6, classic",
                "io.weft.instrumentation.apachehttpclient5.ApacheHttpClient5Adapter",
                List.of(),
                List.of(
                        Hook.argument(
                                "connect",
                                CLASSIC + "ConnectExec",
                                "execute",
                                "(Lorg/apache/hc/core5/http/ClassicHttpRequest;Lorg/apache/hc/client5/http/classic/ExecChain$Scope;"
                                        + "Lorg/apache/hc/client5/http/classic/ExecChain;)Lorg/apache/hc/core5/http/ClassicHttpResponse;",
                                1),
                        connect("Lorg/apache/hc/core5/http/HttpHost;Ljava/net/InetSocketAddress;Lorg/apache/hc/core5/util/TimeValue;"
                                + "Lorg/apache/hc/core5/http/io/SocketConfig;", 3),
                        connect("Lorg/apache/hc/core5/http/HttpHost;Ljava/net/InetSocketAddress;Lorg/apache/hc/core5/util/Timeout;"
                                + "Lorg/apache/hc/core5/http/io/SocketConfig;Ljava/lang/Object;", 3),
                        connect("Lorg/apache/hc/core5/http/HttpHost;Lorg/apache/hc/core5/net/NamedEndpoint;Ljava/net/InetSocketAddress;"
                                + "Lorg/apache/hc/core5/util/Timeout;Lorg/apache/hc/core5/http/io/SocketConfig;Ljava/lang/Object;", 4),
                        connect("Lorg/apache/hc/core5/http/HttpHost;Lorg/apache/hc/core5/net/NamedEndpoint;Ljava/nio/file/Path;"
                                + "Ljava/net/InetSocketAddress;Lorg/apache/hc/core5/util/Timeout;"
                                + "Lorg/apache/hc/core5/http/io/SocketConfig;Ljava/lang/Object;", 5),
                        // where mesh TLS comes in
                        Hook.argument("bind", CONNECTION, "bind", "(Ljava/net/Socket;)V", 0),
                        // between the two it is in a pool
                        Hook.around("released", CONNECTION, "passivate", "()V"),
                        Hook.around("leased", CONNECTION, "activate", "()V"),
                        // also by who knows the library's runtime alone
                        letGo("releaseEndpoint"),
                        letGo("discardEndpoint"),
                        letGo("disconnectEndpoint"),
                        Hook.result("session", CONNECTION, "getSSLSession", "()Ljavax/net/ssl/SSLSession;"),
                        // has no execution chain
                        Hook.around(
                                "minimal",
                                CLASSIC + "MinimalHttpClient",
                                "doExecute",
                                "(Lorg/apache/hc/core5/http/HttpHost;Lorg/apache/hc/core5/http/ClassicHttpRequest;"
                                        + "Lorg/apache/hc/core5/http/protocol/HttpContext;)"
                                        + "Lorg/apache/hc/client5/http/impl/classic/CloseableHttpResponse;").whenPresent()))
                .released(Releases.of(List.of("org.apache.httpcomponents.client5:httpclient5"), "5.0 to 5.6"));
    }

    private static Hook letGo(String method) {
        return Hook.around("let-go", CLASSIC + "InternalExecRuntime", method, "()V");
    }

    /** In 5.0, from 5.1, from 5.4 and from 5.6 on: where the app's own limit for a connect is known, wherever it was set. */
    private static Hook connect(String between, int timeout) {
        return Hook.argument(
                        "connect-timeout",
                        "org.apache.hc.client5.http.impl.io.DefaultHttpClientConnectionOperator",
                        "connect",
                        "(Lorg/apache/hc/client5/http/io/ManagedHttpClientConnection;" + between + "Lorg/apache/hc/core5/http/protocol/HttpContext;)V",
                        timeout)
                .whenPresent();
    }
}
