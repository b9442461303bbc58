package io.weft.instrumentation.apachehttpclient4;

import io.weft.instrumentation.Hook;
import io.weft.instrumentation.InstrumentationModule;
import java.util.List;

/**
 * Apache HttpClient 4, classic.
 *
 * <p>The last element of the execution chain is stood in for by another of the same class and for the same client, whose connections
 * lead to the mesh: they are leased when the request is complete, and as often as retries need one. Route, request, cookies and
 * credentials in the context stay the app's own. Clients that were built before the agent came are covered, too.
 */
public final class ApacheHttpClient4Module {
    private static final String CLIENT = "org.apache.http.impl.client.";

    private ApacheHttpClient4Module() {}

    public static InstrumentationModule module() {
        return new InstrumentationModule(
                "apache-httpclient4",
                "4.3 to 4.5, classic",
                "io.weft.instrumentation.apachehttpclient4.ApacheHttpClient4Adapter",
                List.of(),
                List.of(
                        Hook.around(
                                "execute",
                                "org.apache.http.impl.execchain.MainClientExec",
                                "execute",
                                "(Lorg/apache/http/conn/routing/HttpRoute;Lorg/apache/http/client/methods/HttpRequestWrapper;"
                                        + "Lorg/apache/http/client/protocol/HttpClientContext;"
                                        + "Lorg/apache/http/client/methods/HttpExecutionAware;)"
                                        + "Lorg/apache/http/client/methods/CloseableHttpResponse;"),
                        Hook.result(
                                "session",
                                "org.apache.http.impl.conn.DefaultManagedHttpClientConnection",
                                "getSSLSession",
                                "()Ljavax/net/ssl/SSLSession;"),
                        // neither has such a chain
                        Hook.result("minimal", CLIENT + "MinimalHttpClient", "<init>", "").whenPresent(),
                        Hook.result("before-4.3", CLIENT + "AbstractHttpClient", "<init>", "").whenPresent()));
    }
}
