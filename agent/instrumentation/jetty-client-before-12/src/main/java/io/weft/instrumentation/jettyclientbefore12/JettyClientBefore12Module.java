package io.weft.instrumentation.jettyclientbefore12;

import static io.weft.instrumentation.Hook.argument;
import static io.weft.instrumentation.Hook.around;
import static io.weft.instrumentation.Hook.result;

import io.weft.instrumentation.Hook;
import io.weft.instrumentation.InstrumentationModule;
import io.weft.instrumentation.Releases;
import java.util.List;

/**
 * Jetty's HttpClient before 12, whose classes have other names than from 12 on, and which hands on what it receives in another way. The
 * seams are the same. Before 9.4.25 requests have no tags, by which the library's pools tell the mesh's endpoints apart.
 */
public final class JettyClientBefore12Module {
    static final String VERSIONS = "9.4.25 to 11, over HTTP/1.1";

    static final String SEND = "send";
    static final String ABORT = "abort";
    static final String PROXY = "proxy";
    static final String DESTINATION = "destination";
    static final String HANDLER = "handler";
    static final String ACQUIRED = "acquired";
    static final String DIAL = "dial";
    static final String QUEUED = "queued";
    static final String BEGIN = "begin";
    static final String HEADERS = "headers";
    static final String COMMIT = "commit";
    static final String CONTENT = "content";
    static final String SUCCESS = "success";
    static final String FAILURE = "failure";

    private static final String PACKAGE = "io.weft.instrumentation.jettyclientbefore12.";
    private static final String CLIENT = "org.eclipse.jetty.client.";
    private static final String REQUEST = "Lorg/eclipse/jetty/client/api/Request;";

    private JettyClientBefore12Module() {}

    public static InstrumentationModule module() {
        return new InstrumentationModule(
                "jetty-client-before-12",
                VERSIONS,
                PACKAGE + "JettyClientBefore12Adapter",
                List.of(),
                List.of(
                        result(PROXY, CLIENT + "ProxyConfiguration", "match",
                                "(Lorg/eclipse/jetty/client/Origin;)Lorg/eclipse/jetty/client/ProxyConfiguration$Proxy;"),
                        around(SEND, CLIENT + "HttpDestination", "send", "(Lorg/eclipse/jetty/client/HttpExchange;)V"),
                        around(ABORT, CLIENT + "HttpExchange", "abort", "(Ljava/lang/Throwable;)Z"),
                        result(HANDLER, CLIENT + "ProtocolHandlers", "find",
                                "(" + REQUEST + "Lorg/eclipse/jetty/client/api/Response;)Lorg/eclipse/jetty/client/ProtocolHandler;"),
                        result(DESTINATION, CLIENT + "HttpDestination", "<init>", ""),
                        argument(DIAL, CLIENT + "HttpDestination", "newConnection", "(Lorg/eclipse/jetty/util/Promise;)V", 0),
                        around(ACQUIRED, CLIENT + "http.HttpConnectionOverHTTP", "send",
                                "(Lorg/eclipse/jetty/client/HttpExchange;)Lorg/eclipse/jetty/client/SendFailure;"),
                        notifies(QUEUED, "notifyQueued", ""),
                        notifies(BEGIN, "notifyBegin", ""),
                        notifies(HEADERS, "notifyHeaders", ""),
                        notifies(COMMIT, "notifyCommit", ""),
                        notifies(CONTENT, "notifyContent", "Ljava/nio/ByteBuffer;"),
                        notifies(SUCCESS, "notifySuccess", ""),
                        notifies(FAILURE, "notifyFailure", "Ljava/lang/Throwable;")))
                .markedBy(CLIENT + "HttpDestination")
                .released(Releases.of(List.of("org.eclipse.jetty:jetty-client"), "9.4.25 to 11"));
    }

    private static Hook notifies(String id, String method, String what) {
        return around(id, CLIENT + "RequestNotifier", method, "(" + REQUEST + what + ")V");
    }
}
