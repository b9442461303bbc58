package io.weft.instrumentation.javanethttp;

import io.weft.instrumentation.Hook;
import io.weft.instrumentation.InstrumentationModule;
import io.weft.instrumentation.Releases;
import java.util.List;

/**
 * {@code java.net.http.HttpClient}.
 *
 * <p>The JDK makes one {@code Exchange} for each hop of a request: after cookies and credentials were added, before a connection is
 * looked for. A redirect, a challenge and the JDK's own retry come by again. All that is above (timers, cancellation, cookies, the
 * URI in the response, the executor of dependent stages, the body handler) stays the JDK's own.
 */
public final class JavaNetHttpModule {
    private static final String PACKAGE = "jdk.internal.net.http.";
    private static final String PACKAGE_PATH = "jdk/internal/net/http/";
    private static final String EXCHANGE = PACKAGE + "Exchange";
    private static final String CONNECTION = PACKAGE + "HttpConnection";
    private static final String PLAIN_CONNECTION = PACKAGE + "PlainHttpConnection";
    private static final String FUTURE = "Ljava/util/concurrent/CompletableFuture;";

    /** The hooks that only connections with mesh TLS need. */
    static final List<String> OF_SECURED_CONNECTIONS = List.of("connection", "version", "finish-connect", "flow", "cache-key", "over");

    private JavaNetHttpModule() {}

    public static InstrumentationModule module() {
        return new InstrumentationModule(
                "java-net-http",
                "JDK 17 to 25",
                "io.weft.instrumentation.javanethttp.JavaNetHttpAdapter",
                List.of("java.net.http/jdk.internal.net.http", "java.net.http/jdk.internal.net.http.common"),
                List.of(
                        Hook.around("response", EXCHANGE, "responseAsync", "()" + FUTURE),
                        Hook.around("connecting", PACKAGE + "PlainHttpConnection", "connectAsync", "(L" + PACKAGE_PATH + "Exchange;)" + FUTURE),
                        Hook.around("connected", PACKAGE + "Http1Exchange", "connectFlows", "(L" + PACKAGE_PATH + "HttpConnection;)V"),
                        Hook.around("connected-http2", PACKAGE + "Stream", "sendHeadersAsync", "()" + FUTURE),
                        Hook.result("begun-http2", PACKAGE + "Stream", "sendHeadersAsync", "()" + FUTURE),
                        Hook.around("bytes-sent", PACKAGE + "Http1Exchange", "appendToOutgoing", "(Ljava/util/List;)V"),
                        Hook.result("body-sent", PACKAGE + "Http1Exchange", "sendBodyAsync", "()" + FUTURE),
                        Hook.result("body-sent", PACKAGE + "Stream", "sendBodyAsync", "()" + FUTURE),
                        Hook.around("read-body", EXCHANGE, "readBodyAsync", "(Ljava/net/http/HttpResponse$BodyHandler;)" + FUTURE),
                        Hook.around("ignore-body", EXCHANGE, "ignoreBody", "()" + FUTURE),
                        Hook.around("no-body", EXCHANGE, "nullBody", "(Ljava/net/http/HttpResponse;Ljava/lang/Throwable;)V"),
                        // has got another argument between 17 and 25
                        Hook.around("failed", PACKAGE + "MultiExchange", "getExceptionalCF", ""),
                        // decides the address, the key of the HTTP/1.1 pool and the key of the HTTP/2 pool; would ask DNS
                        Hook.around(
                                "address",
                                "jdk.internal.net.http.HttpRequestImpl",
                                "getAddress",
                                "()Ljava/net/InetSocketAddress;"),
                        // where mesh TLS comes in, below all that the app sees
                        Hook.around(
                                "connection",
                                CONNECTION,
                                "getConnection",
                                "(Ljava/net/InetSocketAddress;Ljdk/internal/net/http/HttpClientImpl;"
                                        + "Ljdk/internal/net/http/HttpRequestImpl;Ljava/net/http/HttpClient$Version;)L"
                                        + CONNECTION.replace('.', '/') + ";").untilWoken(),
                        Hook.result("version", EXCHANGE, "version", "()Ljava/net/http/HttpClient$Version;").untilWoken(),
                        Hook.around("finish-connect", PLAIN_CONNECTION, "finishConnect", "()" + FUTURE).untilWoken(),
                        Hook.result("flow", PLAIN_CONNECTION, "getConnectionFlow", "()Ljdk/internal/net/http/common/FlowTube;")
                                .untilWoken(),
                        Hook.result("cache-key", PLAIN_CONNECTION, "cacheKey", "()Ljdk/internal/net/http/ConnectionPool$CacheKey;")
                                .untilWoken(),
                        Hook.around("over", CONNECTION, "closeOrReturnToCache", "(Ljava/net/http/HttpHeaders;)V").untilWoken()))
                .released(Releases.ofJdk("17 to 25"));
    }
}
