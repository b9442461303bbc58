package io.weft.instrumentation.apachehttpclient4;

import io.weft.instrumentation.Hook;
import io.weft.instrumentation.InstrumentationModule;
import io.weft.instrumentation.Releases;
import java.util.List;

/**
 * Apache HttpAsyncClient 4.
 *
 * <p>A request that is complete and wants a connection is given one that leads to the mesh: as often as retries need it, one of the app's
 * pool is behind it. Route, request, cookies and credentials in the context stay the app's own, and so do its producer and consumer, which
 * hear of one exchange, however many attempts it takes. Clients that were built before the agent came are covered, too.
 */
public final class ApacheHttpAsyncClient4Module {
    static final String REQUEST = "request-connection";
    static final String RELEASE = "release-connection";
    static final String DISCARD = "discard-connection";
    static final String PIPELINED = "pipelined";

    private static final String CLIENT = "org.apache.http.impl.nio.client.";
    private static final String HANDLER = CLIENT + "AbstractClientExchangeHandler";

    private ApacheHttpAsyncClient4Module() {}

    public static InstrumentationModule module() {
        return new InstrumentationModule(
                "apache-httpclient4-async",
                "4.1 (HttpAsyncClient), but for minimal and pipelining clients",
                "io.weft.instrumentation.apachehttpclient4.ApacheHttpAsyncClient4Adapter",
                List.of(),
                List.of(
                        Hook.around(REQUEST, HANDLER, "requestConnection", "()V"),
                        Hook.around(RELEASE, HANDLER, "releaseConnection", "()V"),
                        Hook.around(DISCARD, HANDLER, "discardConnection", "()V"),
                        // has no such exchange
                        Hook.result(
                                PIPELINED,
                                CLIENT + "PipeliningClientExchangeHandlerImpl",
                                "generateRequest",
                                "()Lorg/apache/http/HttpRequest;").whenPresent()))
                .released(Releases.of(List.of("org.apache.httpcomponents:httpasyncclient"), "4.1"));
    }
}
