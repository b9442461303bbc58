package io.weft.instrumentation.helidon;

import static io.weft.instrumentation.Hook.argument;
import static io.weft.instrumentation.Hook.around;
import static io.weft.instrumentation.Hook.result;

import io.weft.instrumentation.InstrumentationModule;
import io.weft.instrumentation.Releases;
import java.util.List;

/**
 * Helidon's WebServer, which serves each connection, and each stream of HTTP/2, on a virtual thread of its own: whatever is waited for here, such a
 * thread waits for it.
 *
 * <p>The seams: a {@code ServerListener} is a port. Where a connection that has no TLS of the app's gets its socket, it gets one of the mesh's, which shakes
 * hands when it is first read from. A request is decided in front of the app's filters, and of everything else that its routing knows; the head of its
 * response is seen by a listener of HTTP/1.1's, or on its way into the stream of HTTP/2. What a connection may speak beside HTTP is not looked into, and is closed where
 * policy says who may call.
 *
 * <p>A version that does not fit is not a member of the mesh; but where policy demands what that would take, it does not serve.
 */
public final class HelidonModule {
    static final String STARTED = "started";
    static final String STOP = "stop";
    static final String SOCKET = "socket";
    static final String CHANNEL = "channel";
    static final String TLS_SOCKET = "tls-socket";
    static final String TLS_CHANNEL = "tls-channel";
    static final String SELECTORS = "selectors";
    static final String UPGRADES = "upgrades";
    static final String FILTER = "filter";
    static final String RESPONSE = "response";
    static final String SUB_PROTOCOLS = "sub-protocols";
    static final String HTTP2_OPENED = "http2-opened";
    static final String HTTP2_HEAD = "http2-head";
    static final String HTTP2_HEAD_WITH_DATA = "http2-head-with-data";
    static final String HTTP2_DATA = "http2-data";

    private static final String SERVER = "io.helidon.webserver.";
    private static final String SOCKETS = "io.helidon.common.socket.";
    private static final String HTTP2 = SERVER + "http2.";
    private static final String CONTEXT = "Lio/helidon/webserver/ConnectionContext;";
    private static final String IDS = "Ljava/lang/String;Ljava/lang/String;)Lio/helidon/common/socket/";
    private static final String HEAD = "(Lio/helidon/http/http2/Http2Headers;";
    private static final String BUFFER = "Lio/helidon/common/buffers/BufferData;";
    private static final String RESPONSE_OF = "(" + CONTEXT + "Lio/helidon/webserver/http1/Http1ConnectionListener;"
            + "Lio/helidon/common/buffers/DataWriter;Lio/helidon/webserver/http1/Http1ServerRequest;";
    private static final String HTTP2_OF = "(" + CONTEXT + "Lio/helidon/webserver/http2/Http2Config;Ljava/util/List;)V";

    private HelidonModule() {}

    public static InstrumentationModule module() {
        return new InstrumentationModule(
                "helidon",
                "4.0 to 4.5, as a server; others are kept from serving where they cannot be secured",
                List.of("io.weft.instrumentation.helidon.HelidonAdapter", "io.weft.instrumentation.helidon.GuardedHelidonAdapter"),
                List.of(),
                List.of(
                        result(STARTED, SERVER + "ServerListener", "start", "()V"),
                        around(STOP, SERVER + "ServerListener", "stop", "()V"),
                        argument(SOCKET, SOCKETS + "PlainSocket", "server", "(Ljava/net/Socket;" + IDS + "PlainSocket;", 0).whenPresent(),
                        argument(CHANNEL, SOCKETS + "NioSocket", "server", "(Ljava/nio/channels/SocketChannel;" + IDS + "NioSocket;", 0)
                                .whenPresent(),
                        around(TLS_SOCKET, SOCKETS + "TlsSocket", "server", "(Ljavax/net/ssl/SSLSocket;" + IDS + "TlsSocket;").whenPresent(),
                        around(TLS_CHANNEL, SOCKETS + "TlsNioSocket", "server",
                                "(Ljava/nio/channels/SocketChannel;Ljavax/net/ssl/SSLEngine;" + IDS + "TlsNioSocket;").whenPresent(),
                        argument(SELECTORS, SERVER + "ConnectionProviders", "create",
                                "(Ljava/util/List;)Lio/helidon/webserver/ConnectionProviders;", 0).whenPresent(),
                        argument(UPGRADES, SERVER + "http1.Http1Connection", "<init>",
                                "(" + CONTEXT + "Lio/helidon/webserver/http1/Http1Config;Ljava/util/Map;)V", 2).whenPresent(),
                        around(FILTER, SERVER + "http.Filters", "filter",
                                "(" + CONTEXT + "Lio/helidon/webserver/http/RoutingRequest;Lio/helidon/webserver/http/RoutingResponse;"
                                        + "Ljava/util/concurrent/Callable;)V").whenPresent(),
                        argument(RESPONSE, SERVER + "http1.Http1ServerResponse", "<init>", RESPONSE_OF + "ZZ)V", 1).whenPresent(),
                        // From 4.4 on.
                        argument(RESPONSE, SERVER + "http1.Http1ServerResponse", "<init>", RESPONSE_OF + "ZZZ)V", 1).whenPresent(),
                        argument(SUB_PROTOCOLS, HTTP2 + "Http2Connection", "<init>", HTTP2_OF, 2).whenPresent(),
                        result(HTTP2_OPENED, HTTP2 + "Http2Connection", "<init>", HTTP2_OF).whenPresent(),
                        around(HTTP2_HEAD, HTTP2 + "Http2ServerStream", "writeHeaders", HEAD + "Z)I").whenPresent(),
                        around(HTTP2_HEAD_WITH_DATA, HTTP2 + "Http2ServerStream", "writeHeadersWithData", HEAD + "I" + BUFFER + "Z)I")
                                .whenPresent(),
                        around(HTTP2_DATA, HTTP2 + "Http2ServerStream", "writeData", "(" + BUFFER + "Z)I").whenPresent()))
                .released(Releases.of(List.of("io.helidon.webserver:helidon-webserver"), "4.0 to 4.5"));
    }
}
