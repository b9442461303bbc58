package io.weft.instrumentation.jetty;

import static io.weft.instrumentation.Hook.argument;
import static io.weft.instrumentation.Hook.around;
import static io.weft.instrumentation.Hook.result;

import io.weft.instrumentation.InstrumentationModule;
import io.weft.instrumentation.Releases;
import java.util.List;

/**
 * Jetty as a server, embedded or not.
 *
 * <p>The seams: a connector's life cycle is its port's. The end point of an accepted socket is given a channel of the mesh's in the socket's
 * place, below every protocol that Jetty speaks over it; what TLS makes of reading and writing (bytes that no selector sees, bytes that
 * are on their way still) is told to the end point where it asks. A request is decided where the connector hands it to the server, in
 * front of every handler of the app's. Before 12 that is inside {@code HttpChannel}, which has the request's whole life; from 12 on
 * the request's stream is wrapped, which has it, too.
 *
 * <p>A version that fits neither is not a member of the mesh; but where policy demands what that would take, it does not serve.
 */
public final class JettyModule {
    static final String OPENED = "opened";
    static final String STARTED = "started";
    static final String CLOSE = "close";
    static final String ACCEPTED = "accepted";
    static final String CHANNEL = "channel";
    static final String END_POINT = "end-point";
    static final String FLUSHED = "flushed";
    static final String WANTS_INPUT = "wants-input";
    static final String SHUTDOWN_OUTPUT = "shutdown-output";
    static final String REQUEST_HEAD = "request-head";
    static final String HANDLE = "handle";
    static final String SERVE = "serve";
    static final String RESPONSE_HEAD = "response-head";
    static final String BODY_READ = "body-read";
    static final String OVER = "over";

    private static final String PACKAGE = "io.weft.instrumentation.jetty.";
    private static final String SERVER = "org.eclipse.jetty.server.";
    private static final String CONNECTOR = SERVER + "ServerConnector";
    private static final String CHANNEL_BEFORE_12 = SERVER + "HttpChannel";
    private static final String IO = "org.eclipse.jetty.io.";
    private static final String SOCKET = IO + "SocketChannelEndPoint";
    private static final String SOCKET_MADE =
            "(Ljava/nio/channels/SocketChannel;Lorg/eclipse/jetty/io/ManagedSelector;Ljava/nio/channels/SelectionKey;"
                    + "Lorg/eclipse/jetty/util/thread/Scheduler;)V";
    private static final String FLUSH = "([Ljava/nio/ByteBuffer;)Z";
    private static final String HEAD = "(Lorg/eclipse/jetty/http/MetaData$Request;)";

    private JettyModule() {}

    public static InstrumentationModule module() {
        return new InstrumentationModule(
                "jetty",
                "9.4.20 to 12; others are kept from serving where they cannot be secured",
                List.of(PACKAGE + "JettyAdapter", PACKAGE + "JettyBefore12Adapter", PACKAGE + "GuardedJettyAdapter"),
                List.of(),
                List.of(
                        result(OPENED, CONNECTOR, "open", "()V"),
                        result(STARTED, CONNECTOR, "doStart", "()V"),
                        around(CLOSE, CONNECTOR, "close", "()V"),
                        around(ACCEPTED, CONNECTOR, "accepted", "(Ljava/nio/channels/SocketChannel;)V"),
                        argument(CHANNEL, SOCKET, "<init>", SOCKET_MADE, 0).whenPresent(),
                        result(END_POINT, SOCKET, "<init>", SOCKET_MADE).whenPresent(),
                        around(SHUTDOWN_OUTPUT, SOCKET, "doShutdownOutput", "()V").whenPresent(),
                        // from 10 on
                        result(FLUSHED, SOCKET, "flush", FLUSH).whenPresent(),
                        around(WANTS_INPUT, SOCKET, "needsFillInterest", "()V").whenPresent(),
                        around(WANTS_INPUT, IO + "SelectableChannelEndPoint", "needsFillInterest", "()V").whenPresent(),
                        // 9.4
                        result(FLUSHED, IO + "ChannelEndPoint", "flush", FLUSH).whenPresent(),
                        around(WANTS_INPUT, IO + "ChannelEndPoint", "needsFillInterest", "()V").whenPresent(),
                        // 12
                        argument(REQUEST_HEAD, SERVER + "internal.HttpChannelState", "onRequest", HEAD + "Ljava/lang/Runnable;", 0)
                                .whenPresent(),
                        around(HANDLE, SERVER + "Server", "handle",
                                "(Lorg/eclipse/jetty/server/Request;Lorg/eclipse/jetty/server/Response;Lorg/eclipse/jetty/util/Callback;)Z")
                                .whenPresent(),
                        // before 12
                        argument(REQUEST_HEAD, CHANNEL_BEFORE_12, "onRequest", HEAD + "V", 0).whenPresent(),
                        around(HANDLE, CHANNEL_BEFORE_12, "handle", "()Z").whenPresent(),
                        around(SERVE, SERVER + "Server", "handle", "(Lorg/eclipse/jetty/server/HttpChannel;)V").whenPresent(),
                        around(RESPONSE_HEAD, CHANNEL_BEFORE_12, "sendResponse",
                                "(Lorg/eclipse/jetty/http/MetaData$Response;Ljava/nio/ByteBuffer;ZLorg/eclipse/jetty/util/Callback;)Z")
                                .whenPresent(),
                        result(BODY_READ, SERVER + "HttpInput", "read", "([BII)I").whenPresent(),
                        around(OVER, CHANNEL_BEFORE_12, "onCompleted", "()V").whenPresent(),
                        around(OVER, CHANNEL_BEFORE_12, "recycle", "()V").whenPresent()))
                // Jetty's client has end points, too.
                .markedBy(CONNECTOR)
                .released(Releases.of(List.of("org.eclipse.jetty:jetty-server"), "9.4.20 to 12"));
    }
}
