package io.weft.instrumentation.helidon;

import static io.weft.instrumentation.Hook.argument;
import static io.weft.instrumentation.Hook.around;
import static io.weft.instrumentation.Hook.result;

import io.weft.instrumentation.InstrumentationModule;
import io.weft.instrumentation.Releases;
import java.util.List;

/**
 * Helidon's WebClient, which sends each request on the thread that asks for it.
 *
 * <p>The end of the chain of its services is called once for each attempt, below cookies, redirects and the app's services. It asks its cache for a
 * connection by a key, whose host says where the endpoint is and how it is secured, and makes one by a socket, which leads there. What the mesh changes
 * of a request is changed where it is written, so that nobody in between sees it. Over HTTP/2 it is the same, but for streams, which share a connection:
 * whether the cache may hand out another one of it is asked each time. Where a client does not know whether its server speaks HTTP/2, a request goes
 * without the mesh, and not at all where policy wants it secured. Other connections are looked at when they are made: whether they may lead outside.
 */
public final class HelidonClientModule {
    static final String PROCEED = "proceed";
    static final String KEY = "key";
    static final String CONNECT = "connect";
    static final String ADDRESS = "address";
    static final String SOCKET = "client-socket";
    static final String SYSTEM_PROXY = "system-proxy";
    static final String LEASE = "lease";
    static final String RELEASE = "release";
    static final String HEADERS = "headers";
    static final String PROLOGUE = "prologue";
    static final String BODY = "body";
    static final String SENT = "sent";
    static final String HTTP2_PROCEED = "http2-proceed";
    static final String HTTP2_GONE = "http2-gone";
    static final String HTTP2_CLOSE = "http2-close";
    static final String HTTP2_HEADERS = "http2-headers";
    static final String HTTP2_ENTITY = "http2-entity";
    static final String HTTP2_HEAD = "http2-client-head";

    private static final String CLIENT = "io.helidon.webclient.";
    private static final String API = CLIENT + "api.";
    private static final String HTTP1 = CLIENT + "http1.Http1Call";
    private static final String HTTP2 = CLIENT + "http2.Http2";
    private static final String HTTP2_STREAM = HTTP2 + "CallOutputStreamChain$ClientOutputStream";
    private static final String CONNECTION = API + "TcpClientConnection";
    private static final String STREAM = HTTP1 + "OutputStreamChain$ClientConnectionOutputStream";
    private static final String OF_API = "Lio/helidon/webclient/api/";
    private static final String RESPONSE = OF_API + "WebClientServiceResponse;";
    private static final String REQUEST = OF_API + "WebClientServiceRequest;";
    private static final String KEY_OF = "(Ljava/lang/String;Ljava/lang/String;ILjava/time/Duration;Lio/helidon/common/tls/Tls;"
            + "Lio/helidon/webclient/spi/DnsResolver;" + OF_API + "DnsAddressLookup;" + OF_API + "Proxy;)V";
    private static final String SEND = "(" + OF_API + "ClientConnection;" + REQUEST + "Lio/helidon/http/ClientRequestHeaders;"
            + "Lio/helidon/common/buffers/DataWriter;Lio/helidon/common/buffers/DataReader;Lio/helidon/common/buffers/BufferData;)" + RESPONSE;
    private static final String SEND_HTTP2 = "(" + REQUEST + "Lio/helidon/http/ClientRequestHeaders;Lio/helidon/webclient/http2/Http2ClientStream;)" + RESPONSE;

    private HelidonClientModule() {}

    public static InstrumentationModule module() {
        return new InstrumentationModule(
                "helidon-webclient",
                "4.0 to 4.5, over HTTP/1.1; 4.5 over HTTP/2 by prior knowledge, too",
                "io.weft.instrumentation.helidon.HelidonClientAdapter",
                List.of(),
                List.of(
                        around(PROCEED, HTTP1 + "ChainBase", "proceed", "(" + REQUEST + ")" + RESPONSE),
                        argument(KEY, API + "ConnectionKey", "<init>", KEY_OF, 1),
                        around(CONNECT, CONNECTION, "connect", "()" + OF_API + "TcpClientConnection;"),
                        around(ADDRESS, CONNECTION, "inetSocketAddress", "()Ljava/net/InetSocketAddress;"),
                        around(SOCKET, API + "Proxy", "tcpSocket",
                                "(" + OF_API + "WebClient;Ljava/net/InetSocketAddress;Lio/helidon/common/socket/SocketOptions;Z)Ljava/net/Socket;"),
                        // It was asked before the request was the mesh's, and the library asks for each request, too.
                        around(SYSTEM_PROXY, API + "Proxy", "isUsingSystemProxy", "(Ljava/lang/String;)Z"),
                        result(LEASE, CONNECTION, "isConnected", "()Z"),
                        around(RELEASE, CONNECTION, "releaseResource", "()V"),
                        argument(HEADERS, HTTP1 + "EntityChain", "doProceed", SEND, 2),
                        argument(HEADERS, HTTP1 + "OutputStreamChain", "doProceed", SEND, 2),
                        argument(PROLOGUE, HTTP1 + "EntityChain", "doProceed", SEND, 5),
                        argument(PROLOGUE, HTTP1 + "OutputStreamChain", "doProceed", SEND, 5),
                        around(BODY, STREAM, "write", "([BII)V"),
                        result(SENT, STREAM, "close", "()V"),
                        around(HTTP2_PROCEED, HTTP2 + "CallChainBase", "proceed", "(" + REQUEST + ")" + RESPONSE).whenPresent(),
                        result(HTTP2_GONE, HTTP2 + "ClientConnection", "closed", "()Z").whenPresent(),
                        around(HTTP2_CLOSE, HTTP2 + "ClientConnection", "close", "()V").whenPresent(),
                        argument(HTTP2_HEADERS, HTTP2 + "CallEntityChain", "doProceed", SEND_HTTP2, 1).whenPresent(),
                        argument(HTTP2_HEADERS, HTTP2 + "CallOutputStreamChain", "doProceed", SEND_HTTP2, 1).whenPresent(),
                        around(HTTP2_ENTITY, HTTP2 + "CallEntityChain", "entityBytes", "(Ljava/lang/Object;Lio/helidon/http/ClientRequestHeaders;)[B")
                                .whenPresent(),
                        result(HTTP2_HEAD, HTTP2 + "CallChainBase", "prepareHeaders",
                                "(Lio/helidon/http/Method;Lio/helidon/http/ClientRequestHeaders;" + OF_API + "ClientUri;)Lio/helidon/http/http2/Http2Headers;")
                                .whenPresent(),
                        around(BODY, HTTP2_STREAM, "write", "([BII)V").whenPresent(),
                        result(SENT, HTTP2_STREAM, "close", "()V").whenPresent()))
                .released(Releases.of(List.of("io.helidon.webclient:helidon-webclient-http1"), "4.0 to 4.5"));
    }
}
