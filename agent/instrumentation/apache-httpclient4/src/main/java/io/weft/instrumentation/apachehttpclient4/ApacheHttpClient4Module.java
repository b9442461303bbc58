package io.weft.instrumentation.apachehttpclient4;

import io.weft.instrumentation.Hook;
import io.weft.instrumentation.InstrumentationModule;
import io.weft.instrumentation.Releases;
import java.util.List;

/**
 * Apache HttpClient 4, classic.
 *
 * <p>The last element of the execution chain, or the only one of a minimal client, is stood in for by another of the same class and for the same client, whose connections
 * lead to the mesh: they are leased when the request is complete, and as often as retries need one. Route, request, cookies and
 * credentials in the context stay the app's own. Clients that were built before the agent came are covered, too.
 */
public final class ApacheHttpClient4Module {
    private static final String CLIENT = "org.apache.http.impl.client.";

    private ApacheHttpClient4Module() {}

    public static InstrumentationModule module() {
        return new InstrumentationModule(
                "apache-httpclient4",
                "4.3 to 4.5, classic, but for the API before 4.3",
                "io.weft.instrumentation.apachehttpclient4.ApacheHttpClient4Adapter",
                List.of(),
                List.of(
                        execute("MainClientExec"),
                        execute("MinimalClientExec"),
                        Hook.result(
                                "session",
                                "org.apache.http.impl.conn.DefaultManagedHttpClientConnection",
                                "getSSLSession",
                                "()Ljavax/net/ssl/SSLSession;"),
                        // has no such chain
                        Hook.around(
                                "before-4.3",
                                CLIENT + "DefaultRequestDirector",
                                "tryConnect",
                                "(Lorg/apache/http/impl/client/RoutedRequest;Lorg/apache/http/protocol/HttpContext;)V").whenPresent()))
                .released(Releases.of(List.of("org.apache.httpcomponents:httpclient"), "4.3 to 4.5"));
    }

    private static Hook execute(String end) {
        return Hook.around(
                "execute",
                "org.apache.http.impl.execchain." + end,
                "execute",
                "(Lorg/apache/http/conn/routing/HttpRoute;Lorg/apache/http/client/methods/HttpRequestWrapper;"
                        + "Lorg/apache/http/client/protocol/HttpClientContext;"
                        + "Lorg/apache/http/client/methods/HttpExecutionAware;)"
                        + "Lorg/apache/http/client/methods/CloseableHttpResponse;");
    }
}
