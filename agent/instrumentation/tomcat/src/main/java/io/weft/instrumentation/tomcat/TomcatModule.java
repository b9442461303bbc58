package io.weft.instrumentation.tomcat;

import static io.weft.instrumentation.Hook.argument;
import static io.weft.instrumentation.Hook.around;
import static io.weft.instrumentation.Hook.result;

import io.weft.instrumentation.InstrumentationModule;
import io.weft.instrumentation.Releases;
import java.util.List;

/**
 * Tomcat's coyote, embedded or not. The servlet API's package differs between 9 and 10, so only classes and members of which no
 * signature names it are used.
 *
 * <p>The seams: a connector's life cycle is its port's. A request begins in {@code CoyoteAdapter.service}, for HTTP/1.1 and
 * HTTP/2, servlets and upgrades; there the mesh answers it, holds it up or hands it on. What its response's head is to say is
 * changed where coyote is about to write it. It is over in {@code Request.updateCounters}, where Tomcat itself counts it: after the last byte
 * of a response, also of an asynchronous one, after an error and after a protocol upgrade. {@code Request.recycle} catches
 * what is dropped without being counted. A file that Tomcat sends by itself after that has hooks of its own.
 *
 * <p>A version that does not fit, from 7 on, is not a member of the mesh; but where policy demands what that would take, it does not serve.
 */
public final class TomcatModule {
    static final String CONNECTOR_STARTED = "connector-started";
    static final String CONNECTOR_RESUMED = "connector-resumed";
    static final String CONNECTOR_PAUSE = "connector-pause";
    static final String CONNECTOR_STOP = "connector-stop";
    static final String ACCEPTED = "accepted";
    static final String ACCEPTED_NIO2 = "accepted-nio2";
    static final String CHANNEL = "channel";
    static final String WRAPPED = "wrapped";
    static final String SERVICE = "service";
    static final String ASYNC_DISPATCH = "async-dispatch";
    static final String REQUEST_COUNTED = "request-counted";
    static final String REQUEST_RECYCLED = "request-recycled";
    static final String RESPONSE_HEAD = "response-head";
    static final String RESPONSE_HEAD_DONE = "response-head-done";
    static final String STREAM_HEAD = "stream-head";
    static final String SENDFILE_TRIED = "sendfile-tried";
    static final String SENDFILE_DATA = "sendfile-data";
    static final String CONNECTION_CLOSED = "connection-closed";
    static final String STREAM_ENDED = "stream-ended";
    static final String STREAM_RESET = "stream-reset";
    static final String STREAM_HEADER = "stream-header";
    static final String NEGOTIATED = "negotiated";

    private static final String PACKAGE = "io.weft.instrumentation.tomcat.";
    /** Where the other one fits that is no guard, there is all that only this one is said to need. */
    private static final String FULL = PACKAGE + "TomcatAdapter";
    private static final String CONNECTOR = "org.apache.catalina.connector.Connector";
    private static final String ADAPTER = "org.apache.catalina.connector.CoyoteAdapter";
    private static final String REQUEST = "org.apache.coyote.Request";
    private static final String PROCESSOR = "org.apache.coyote.http11.Http11Processor";
    private static final String NET = "org.apache.tomcat.util.net.";
    private static final String SOCKET = NET + "NioEndpoint$NioSocketWrapper";

    private TomcatModule() {}

    public static InstrumentationModule module() {
        return new InstrumentationModule(
                "tomcat",
                "8.5.76 and later, 9.0.27 and later, 10.1, 11; others from 7 on are kept from serving where they cannot be secured",
                List.of(FULL, PACKAGE + "TomcatBefore9048Adapter", PACKAGE + "GuardedTomcatAdapter"),
                List.of(),
                List.of(
                        result(CONNECTOR_STARTED, CONNECTOR, "startInternal", "()V"),
                        result(CONNECTOR_RESUMED, CONNECTOR, "resume", "()V").neededBy(FULL),
                        around(CONNECTOR_PAUSE, CONNECTOR, "pause", "()V").neededBy(FULL),
                        around(CONNECTOR_STOP, CONNECTOR, "stopInternal", "()V"),
                        around(ACCEPTED, "org.apache.tomcat.util.net.NioEndpoint", "setSocketOptions",
                                "(Ljava/nio/channels/SocketChannel;)Z"),
                        around(ACCEPTED_NIO2, NET + "Nio2Endpoint", "setSocketOptions",
                                "(Ljava/nio/channels/AsynchronousSocketChannel;)Z").neededBy(FULL),
                        argument(CHANNEL, SOCKET, "<init>",
                                "(Lorg/apache/tomcat/util/net/NioChannel;Lorg/apache/tomcat/util/net/NioEndpoint;)V", 0).neededBy(FULL),
                        result(WRAPPED, SOCKET, "<init>",
                                "(Lorg/apache/tomcat/util/net/NioChannel;Lorg/apache/tomcat/util/net/NioEndpoint;)V").neededBy(FULL),
                        around(SERVICE, ADAPTER, "service", "(Lorg/apache/coyote/Request;Lorg/apache/coyote/Response;)V"),
                        around(ASYNC_DISPATCH, ADAPTER, "asyncDispatch",
                                "(Lorg/apache/coyote/Request;Lorg/apache/coyote/Response;Lorg/apache/tomcat/util/net/SocketEvent;)Z").neededBy(FULL),
                        around(REQUEST_COUNTED, REQUEST, "updateCounters", "()V").neededBy(FULL),
                        around(REQUEST_RECYCLED, REQUEST, "recycle", "()V").neededBy(FULL),
                        around(RESPONSE_HEAD, PROCESSOR, "prepareResponse", "()V").neededBy(FULL),
                        result(RESPONSE_HEAD_DONE, PROCESSOR, "prepareResponse", "()V").neededBy(FULL),
                        // since 8.5.20
                        result(SENDFILE_TRIED, PROCESSOR, "processSendfile",
                                "(Lorg/apache/tomcat/util/net/SocketWrapperBase;)Lorg/apache/tomcat/util/net/SendfileState;")
                                .whenPresent(),
                        around(SENDFILE_DATA, SOCKET, "setSendfileData",
                                "(Lorg/apache/tomcat/util/net/NioEndpoint$SendfileData;)V").neededBy(FULL),
                        // since 9.0.21
                        around(CONNECTION_CLOSED, SOCKET, "doClose", "()V").whenPresent(),
                        around(CONNECTION_CLOSED, NET + "Nio2Endpoint$Nio2SocketWrapper", "doClose", "()V").whenPresent(),
                        // not since 10.1
                        around(CONNECTION_CLOSED, NET + "AprEndpoint$AprSocketWrapper", "doClose", "()V").whenPresent(),
                        // not in a Tomcat without its HTTP/2
                        around(STREAM_HEAD, "org.apache.coyote.http2.StreamProcessor", "prepareResponse", "()V").whenPresent(),
                        // since 9.0.3, and not in a Tomcat without its HTTP/2
                        result(STREAM_ENDED, "org.apache.coyote.http2.Stream$StreamOutputBuffer", "end", "()V").whenPresent(),
                        around(STREAM_RESET, "org.apache.coyote.http2.Stream", "receiveReset", "(J)V").whenPresent(),
                        argument(STREAM_HEADER, "org.apache.coyote.http2.Stream", "emitHeader", "(Ljava/lang/String;Ljava/lang/String;)V", 1)
                                .whenPresent(),
                        result(NEGOTIATED, "org.apache.coyote.http11.AbstractHttp11Protocol", "getNegotiatedProtocol",
                                "(Ljava/lang/String;)Lorg/apache/coyote/UpgradeProtocol;").neededBy(FULL)))
                .released(Releases.of(
                        // the last as it is in a standalone one
                        List.of("org.apache.tomcat.embed:tomcat-embed-core", "org.apache.tomcat:tomcat-catalina", "org.apache.tomcat:catalina"),
                        "8.5.76 to 8.5", "9.0.27 to 9.0", "10.1", "11"));
    }
}
