package io.weft.instrumentation.jdkhttpserver;

import static io.weft.instrumentation.Hook.argument;
import static io.weft.instrumentation.Hook.around;
import static io.weft.instrumentation.Hook.result;

import io.weft.instrumentation.InstrumentationModule;
import io.weft.instrumentation.Releases;
import java.util.List;

/**
 * The JDK's {@code com.sun.net.httpserver}, whose implementation has the same seams from 17 to 25. A request begins with its
 * {@code ExchangeImpl} and is over when the server completes its response, wherever the handler closed the exchange, or when the
 * connection closes: a handler that throws closes it without completing anything. In between the mesh is in front of the app's
 * filters. A path without a context is answered by the server before that.
 */
public final class JdkHttpServerModule {
    static final String STARTED = "started";
    static final String STOP = "stop";
    static final String ACCEPTED = "accepted";
    static final String HANDLE = "handle";
    static final String READS = "reads";
    static final String WRITES = "writes";
    static final String AVAILABLE = "available";
    static final String EXCHANGE_STARTED = "exchange-started";
    static final String DO_FILTER = "do-filter";
    static final String RESPONSE_HEAD = "response-head";
    static final String RESPONSE_COMPLETED = "response-completed";
    static final String CONNECTION_CLOSE = "connection-close";

    private static final String PACKAGE = "sun.net.httpserver";

    private JdkHttpServerModule() {}

    public static InstrumentationModule module() {
        return new InstrumentationModule(
                "jdk-httpserver",
                "17 to 25",
                "io.weft.instrumentation.jdkhttpserver.JdkHttpServerAdapter",
                List.of("jdk.httpserver/" + PACKAGE),
                List.of(
                        around(STARTED, PACKAGE + ".ServerImpl", "start", "()V"),
                        around(STOP, PACKAGE + ".ServerImpl", "stop", "(I)V"),
                        result(ACCEPTED, PACKAGE + ".HttpConnection", "setChannel", "(Ljava/nio/channels/SocketChannel;)V"),
                        around(HANDLE, PACKAGE + ".ServerImpl$Dispatcher", "handle",
                                "(Ljava/nio/channels/SocketChannel;Lsun/net/httpserver/HttpConnection;)V"),
                        argument(READS, PACKAGE + ".Request$ReadStream", "<init>",
                                "(Lsun/net/httpserver/ServerImpl;Ljava/nio/channels/SocketChannel;)V", 1),
                        argument(WRITES, PACKAGE + ".Request$WriteStream", "<init>",
                                "(Lsun/net/httpserver/ServerImpl;Ljava/nio/channels/SocketChannel;)V", 1),
                        result(AVAILABLE, PACKAGE + ".Request$ReadStream", "available", "()I"),
                        result(EXCHANGE_STARTED, PACKAGE + ".ExchangeImpl", "<init>",
                                "(Ljava/lang/String;Ljava/net/URI;Lsun/net/httpserver/Request;JLsun/net/httpserver/HttpConnection;)V"),
                        around(DO_FILTER, "com.sun.net.httpserver.Filter$Chain", "doFilter",
                                "(Lcom/sun/net/httpserver/HttpExchange;)V"),
                        around(RESPONSE_HEAD, PACKAGE + ".ExchangeImpl", "sendResponseHeaders", "(IJ)V"),
                        around(RESPONSE_COMPLETED, PACKAGE + ".ServerImpl", "responseCompleted",
                                "(Lsun/net/httpserver/HttpConnection;)V"),
                        around(CONNECTION_CLOSE, PACKAGE + ".HttpConnection", "close", "()V")))
                .released(Releases.ofJdk("17 to 25"));
    }
}
