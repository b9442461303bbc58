package io.weft.instrumentation.helidon;

import static io.weft.instrumentation.Hook.argument;
import static io.weft.instrumentation.Hook.around;
import static io.weft.instrumentation.Hook.result;

import io.weft.instrumentation.InstrumentationModule;
import java.util.List;

/**
 * Helidon's WebClient over HTTP/1.1, which sends each request on the thread that asks for it.
 *
 * <p>The end of the chain of its services is called once for each attempt, below cookies, redirects and the app's services. It asks its cache for a
 * connection by a key, whose host says where the endpoint is and how it is secured, and makes one by a socket, which leads there. What the mesh changes
 * of a request is changed where it is written, so that nobody in between sees it. Over HTTP/2 a request goes without the mesh, and not at all where
 * policy wants it secured. Other connections are looked at when they are made: whether they may lead outside.
 */
public final class HelidonClientModule {
    static final String PROCEED = "proceed";
    static final String PROCEED_HTTP2 = "proceed-http2";
    static final String KEY = "key";
    static final String CONNECT = "connect";
    static final String ADDRESS = "address";
    static final String SOCKET = "client-socket";
    static final String LEASE = "lease";
    static final String RELEASE = "release";
    static final String HEADERS = "headers";
    static final String PROLOGUE = "prologue";
    static final String BODY = "body";
    static final String SENT = "sent";

    private static final String CLIENT = "io.helidon.webclient.";
    private static final String API = CLIENT + "api.";
    private static final String HTTP1 = CLIENT + "http1.Http1Call";
    private static final String CONNECTION = API + "TcpClientConnection";
    private static final String STREAM = HTTP1 + "OutputStreamChain$ClientConnectionOutputStream";
    private static final String OF_API = "Lio/helidon/webclient/api/";
    private static final String RESPONSE = OF_API + "WebClientServiceResponse;";
    private static final String REQUEST = OF_API + "WebClientServiceRequest;";
    private static final String KEY_OF = "(Ljava/lang/String;Ljava/lang/String;ILjava/time/Duration;Lio/helidon/common/tls/Tls;"
            + "Lio/helidon/webclient/spi/DnsResolver;" + OF_API + "DnsAddressLookup;" + OF_API + "Proxy;)V";
    private static final String SEND = "(" + OF_API + "ClientConnection;" + REQUEST + "Lio/helidon/http/ClientRequestHeaders;"
            + "Lio/helidon/common/buffers/DataWriter;Lio/helidon/common/buffers/DataReader;Lio/helidon/common/buffers/BufferData;)" + RESPONSE;

    private HelidonClientModule() {}

    public static InstrumentationModule module() {
        return new InstrumentationModule(
                "helidon-webclient",
                "4.0 to 4.5, over HTTP/1.1",
                "io.weft.instrumentation.helidon.HelidonClientAdapter",
                List.of(),
                List.of(
                        around(PROCEED, HTTP1 + "ChainBase", "proceed", "(" + REQUEST + ")" + RESPONSE),
                        around(PROCEED_HTTP2, CLIENT + "http2.Http2CallChainBase", "proceed", "(" + REQUEST + ")" + RESPONSE).whenPresent(),
                        argument(KEY, API + "ConnectionKey", "<init>", KEY_OF, 1),
                        around(CONNECT, CONNECTION, "connect", "()" + OF_API + "TcpClientConnection;"),
                        around(ADDRESS, CONNECTION, "inetSocketAddress", "()Ljava/net/InetSocketAddress;"),
                        around(SOCKET, API + "Proxy", "tcpSocket",
                                "(" + OF_API + "WebClient;Ljava/net/InetSocketAddress;Lio/helidon/common/socket/SocketOptions;Z)Ljava/net/Socket;"),
                        result(LEASE, CONNECTION, "isConnected", "()Z"),
                        around(RELEASE, CONNECTION, "releaseResource", "()V"),
                        argument(HEADERS, HTTP1 + "EntityChain", "doProceed", SEND, 2),
                        argument(HEADERS, HTTP1 + "OutputStreamChain", "doProceed", SEND, 2),
                        argument(PROLOGUE, HTTP1 + "EntityChain", "doProceed", SEND, 5),
                        argument(PROLOGUE, HTTP1 + "OutputStreamChain", "doProceed", SEND, 5),
                        around(BODY, STREAM, "write", "([BII)V"),
                        result(SENT, STREAM, "close", "()V")));
    }
}
