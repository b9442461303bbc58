package io.weft.instrumentation.jettyclient;

import static io.weft.instrumentation.Hook.argument;
import static io.weft.instrumentation.Hook.around;
import static io.weft.instrumentation.Hook.result;

import io.weft.instrumentation.InstrumentationModule;
import io.weft.instrumentation.Releases;
import java.util.List;

/**
 * Jetty's HttpClient, and what is built on it.
 *
 * <p>What goes over HTTP/2 is not in the mesh, and said so.
 *
 * <p>An exchange of the app's that is handed to its destination is kept from it. In its place the mesh makes attempts: each a request of its
 * own, which is a view of the app's, to a destination of its own, which the client keeps apart by the request's tag. What becomes of
 * the last of them is told to the app's exchange as the library would, so that cookies, redirects, challenges and listeners are
 * above the mesh and see the app's request only.
 */
public final class JettyClientModule {
    static final String SEND = "send";
    static final String ABORT = "abort";
    static final String ABORT_REQUEST = "abort-request";
    static final String PROXY = "proxy";
    static final String DESTINATION = "destination";
    static final String HANDLER = "handler";
    static final String ACQUIRED = "acquired";
    static final String DIAL = "dial";
    static final String COMPLETES = "completes";
    static final String COMPLETED = "completed";

    private static final String PACKAGE = "io.weft.instrumentation.jettyclient.";
    private static final String CLIENT = "org.eclipse.jetty.client.";
    private static final String FROM_12 = CLIENT + "transport.";

    private static final String REQUEST = "(Lorg/eclipse/jetty/client/transport/HttpRequest;)V";
    private static final String FAILED = "(Ljava/lang/Throwable;Lorg/eclipse/jetty/util/Promise;)V";

    private JettyClientModule() {}

    public static InstrumentationModule module() {
        return new InstrumentationModule(
                "jetty-client",
                "12, over HTTP/1.1",
                PACKAGE + "JettyClientAdapter",
                List.of(),
                List.of(
                        result(PROXY, CLIENT + "ProxyConfiguration", "match",
                                "(Lorg/eclipse/jetty/client/Origin;)Lorg/eclipse/jetty/client/ProxyConfiguration$Proxy;"),
                        around(SEND, FROM_12 + "HttpDestination", "send", "(Lorg/eclipse/jetty/client/transport/HttpExchange;)V"),
                        around(ABORT, FROM_12 + "HttpExchange", "abort", FAILED),
                        // from 12.1 on
                        around(ABORT_REQUEST, FROM_12 + "HttpExchange", "abortRequest", FAILED).whenPresent(),
                        around(ABORT, FROM_12 + "HttpExchange", "abortResponse", FAILED).whenPresent(),
                        result(HANDLER, CLIENT + "ProtocolHandlers", "find",
                                "(Lorg/eclipse/jetty/client/Request;Lorg/eclipse/jetty/client/Response;)"
                                        + "Lorg/eclipse/jetty/client/ProtocolHandler;"),
                        result(DESTINATION, FROM_12 + "HttpDestination", "<init>", ""),
                        argument(DIAL, FROM_12 + "HttpDestination", "newConnection", "(Lorg/eclipse/jetty/util/Promise;)V", 0),
                        around(ACQUIRED, FROM_12 + "internal.HttpConnectionOverHTTP", "send",
                                "(Lorg/eclipse/jetty/client/transport/HttpExchange;)Lorg/eclipse/jetty/client/transport/SendFailure;"),
                        // Without them the app's own authentication sees an endpoint's address.
                        around(COMPLETES, FROM_12 + "HttpConnection", "normalizeRequest", REQUEST).whenPresent(),
                        result(COMPLETED, FROM_12 + "HttpConnection", "normalizeRequest", REQUEST).whenPresent()))
                .markedBy(FROM_12 + "HttpDestination")
                .released(Releases.of(List.of("org.eclipse.jetty:jetty-client"), "12"));
    }
}
