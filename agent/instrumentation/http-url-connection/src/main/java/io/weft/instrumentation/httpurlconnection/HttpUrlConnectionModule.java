package io.weft.instrumentation.httpurlconnection;

import io.weft.instrumentation.Hook;
import io.weft.instrumentation.InstrumentationModule;
import io.weft.instrumentation.Releases;
import java.util.List;

/**
 * {@code java.net.HttpURLConnection} for {@code http:} URLs; of {@code https:} only whether they may be called.
 *
 * <p>The JDK asks for a connection once for each hop of a request: at first, for a redirect, after a challenge and after a write that
 * failed. It gets one that belongs to the mesh and sends, retries and answers by itself. What the app sees of the request (URL,
 * headers, cookies, stream modes) stays in the JDK's own object.
 */
public final class HttpUrlConnectionModule {
    private static final String CONNECTION = "sun.net.www.protocol.http.HttpURLConnection";
    private static final String CLIENT = "sun.net.www.http.HttpClient";

    private HttpUrlConnectionModule() {}

    public static InstrumentationModule module() {
        return new InstrumentationModule(
                "http-url-connection",
                "JDK 17 to 25",
                "io.weft.instrumentation.httpurlconnection.HttpUrlConnectionAdapter",
                List.of(
                        "java.base/sun.net",
                        "java.base/sun.net.www",
                        "java.base/sun.net.www.http",
                        "java.base/sun.net.www.protocol.http"),
                List.of(
                        // also for https, which leaves it to this class
                        Hook.around("outside", CONNECTION, "plainConnect", "()V"),
                        Hook.around(
                                "connect",
                                CONNECTION,
                                "getNewHttpClient",
                                "(Ljava/net/URL;Ljava/net/Proxy;I)Lsun/net/www/http/HttpClient;"),
                        Hook.around(
                                "connect-anew",
                                CONNECTION,
                                "getNewHttpClient",
                                "(Ljava/net/URL;Ljava/net/Proxy;IZ)Lsun/net/www/http/HttpClient;"),
                        Hook.around("reconnect", CONNECTION, "setNewClient", "(Ljava/net/URL;Z)V"),
                        // has lost an argument between 17 and 25
                        Hook.around("response", CLIENT, "parseHTTP", "")))
                .released(Releases.ofJdk("17 to 25"));
    }
}
