package io.weft.instrumentation.helidon;

import static io.weft.instrumentation.helidon.Handles.getter;

import io.helidon.webclient.api.ClientUri;
import io.helidon.webclient.api.ConnectionKey;
import io.helidon.webclient.api.FullClientRequest;
import io.helidon.webclient.api.TcpClientConnection;
import io.helidon.webclient.spi.WebClientService;
import io.weft.dataplane.Endpoint;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Attached;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodHandles.Lookup;
import java.net.Socket;

/** What is internal to the library about connections, and about who asks for them. Thread-safe. */
final class Connections {
    private static final String HTTP2 = "io.helidon.webclient.http2.";

    /** Read once, by {@link Members}. */
    private static volatile AdapterContext context;

    /** @param key of its connections in the library's caches, in the place of the host */
    private record Way(String host, String key) {}

    /** Of the host that was asked for last: mostly there is one. */
    private final Attached<Way> byEndpoint = new Attached<>();

    Connections(AdapterContext context) throws ReflectiveOperationException {
        Connections.context = context;
        AdapterContext.initialize(MethodHandles.lookup(), Members.class);
    }

    /** @return null: it has none */
    Socket socket(Object connection) throws Throwable {
        return connection instanceof TcpClientConnection ? (Socket) Members.SOCKET.invokeExact(connection) : null;
    }

    /**
     * Connections are cached by that: a text, since the cache keeps it for ever, and one of few, so that what was secured by an earlier certificate is found, and
     * dropped.
     *
     * @param host the app's
     */
    String towards(Endpoint endpoint, String cluster, String host) {
        Way known = byEndpoint.of(endpoint);
        if (known == null || !known.host().equals(host)) {
            known = new Way(host, host + ' ' + cluster + ' ' + endpoint.address() + (endpoint.tls() == null ? "" : " by mesh TLS"));
            byEndpoint.put(endpoint, known);
        }
        return known.key();
    }

    ConnectionKey key(Object connection) throws Throwable {
        return (ConnectionKey) Members.KEY.invokeExact(connection);
    }

    /** Of a chain that speaks HTTP/2: whether no proxy stands there. */
    boolean isDirectOverHttp2(WebClientService.Chain chain, ClientUri uri) throws Throwable {
        return CallChains.isDirect(http2Request(chain).proxy(), uri);
    }

    FullClientRequest<?> http2Request(WebClientService.Chain chain) throws Throwable {
        return (FullClientRequest<?>) (Object) Members.HTTP2_REQUEST.invokeExact((Object) chain);
    }

    /** Constants, of each library's loader its own: with them the JIT compiles what a member leads to into the caller. */
    private static final class Members {
        static final MethodHandle SOCKET;
        static final MethodHandle KEY;
        /** Null: the app has no HTTP/2. */
        static final MethodHandle HTTP2_REQUEST;

        static {
            AdapterContext context = Connections.context;
            try {
                Lookup connection = context.lookup(TcpClientConnection.class.getName());
                SOCKET = getter(connection, "socket", Socket.class);
                KEY = getter(connection, "connectionKey", ConnectionKey.class);
                HTTP2_REQUEST = http2Request(context);
            } catch (ReflectiveOperationException e) {
                throw new ExceptionInInitializerError(e);
            }
        }

        private static MethodHandle http2Request(AdapterContext context) throws ReflectiveOperationException {
            try {
                return getter(context.lookup(HTTP2 + "Http2CallChainBase"), "clientRequest", context.lookup(HTTP2 + "Http2ClientRequestImpl"));
            } catch (ClassNotFoundException without) {
                return null;
            }
        }
    }
}
