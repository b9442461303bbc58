package io.weft.instrumentation.helidon;

import io.helidon.http.ClientResponseHeaders;
import io.helidon.http.Headers;
import io.helidon.webclient.api.ClientConnection;
import io.helidon.webclient.api.ClientUri;
import io.helidon.webclient.api.ConnectionKey;
import io.helidon.webclient.api.HttpClientConfig;
import io.helidon.webclient.api.Proxy;
import io.helidon.webclient.api.TcpClientConnection;
import io.helidon.webclient.api.WebClientServiceResponse;
import io.helidon.webclient.spi.WebClientService;
import io.weft.instrumentation.AdapterContext;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodHandles.Lookup;
import java.lang.invoke.MethodType;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** What is internal to the library about a request over HTTP/1.1 and its connection. Thread-safe. */
final class CallChains {
    private static final String HTTP1 = "io.helidon.webclient.http1.Http1Call";

    private final Class<?> ofEntity;
    private final MethodHandle entity;
    private final MethodHandle proxy;
    private final MethodHandle config;
    private final MethodHandle ownConnection;
    private final MethodHandle setConnection;
    private final MethodHandle whenComplete;
    private final MethodHandle socket;
    private final MethodHandle key;
    /** Of a path in the file system; null before there was such a thing. */
    private final MethodHandle requestOfChain;
    private final MethodHandle ownAddress;
    /** Null where the app has no HTTP/2. */
    private final MethodHandle http2Proxy;

    CallChains(AdapterContext context) throws ReflectiveOperationException {
        Lookup ofEntityChain = context.lookup(HTTP1 + "EntityChain");
        ofEntity = ofEntityChain.lookupClass();
        entity = getter(ofEntityChain, "entity", byte[].class);
        Lookup chain = context.lookup(HTTP1 + "ChainBase");
        proxy = getter(chain, "proxy", Proxy.class);
        config = getter(chain, "clientConfig", HttpClientConfig.class);
        ownConnection = getter(chain, "connection", ClientConnection.class);
        whenComplete = getter(chain, "whenComplete", CompletableFuture.class);
        setConnection = chain.findSetter(chain.lookupClass(), "effectiveConnection", ClientConnection.class)
                .asType(MethodType.methodType(void.class, Object.class, ClientConnection.class));
        Lookup connection = context.lookup(TcpClientConnection.class.getName());
        socket = getter(connection, "socket", Socket.class);
        key = getter(connection, "connectionKey", ConnectionKey.class);
        Class<?> request = context.lookup("io.helidon.webclient.http1.Http1ClientRequestImpl").lookupClass();
        MethodHandle address = address(context);
        ownAddress = address;
        http2Proxy = http2Proxy(context);
        requestOfChain = address == null
                ? null
                : chain.findGetter(chain.lookupClass(), "originalRequest", request).asType(MethodType.methodType(Object.class, Object.class));
    }

    private static MethodHandle getter(Lookup lookup, String field, Class<?> type) throws ReflectiveOperationException {
        return lookup.findGetter(lookup.lookupClass(), field, type).asType(MethodType.methodType(type, Object.class));
    }

    private static MethodHandle http2Proxy(AdapterContext context) throws ReflectiveOperationException {
        try {
            Lookup chain = context.lookup("io.helidon.webclient.http2.Http2CallChainBase");
            MethodHandle request = chain.unreflectGetter(chain.lookupClass().getDeclaredField("clientRequest"));
            MethodHandle proxy = chain.findVirtual(request.type().returnType(), "proxy", MethodType.methodType(Proxy.class));
            return MethodHandles.filterReturnValue(request, proxy).asType(MethodType.methodType(Proxy.class, Object.class));
        } catch (ClassNotFoundException without) {
            return null;
        }
    }

    private static MethodHandle address(AdapterContext context) throws ReflectiveOperationException {
        Lookup request = context.lookup("io.helidon.webclient.api.ClientRequestBase");
        try {
            return request.findVirtual(request.lookupClass(), "address", MethodType.methodType(Optional.class))
                    .asType(MethodType.methodType(Optional.class, Object.class));
        } catch (NoSuchMethodException before) {
            return null;
        }
    }

    /** @return null: it is written as it goes */
    byte[] entity(WebClientService.Chain chain) throws Throwable {
        return ofEntity.isInstance(chain) ? (byte[]) entity.invokeExact((Object) chain) : null;
    }

    /** Whether the library itself is to find a connection for it, over which no proxy stands. */
    boolean isDirect(WebClientService.Chain chain, ClientUri uri) throws Throwable {
        if ((ClientConnection) ownConnection.invokeExact((Object) chain) != null) {
            return false;
        }
        if (ownAddress != null && ((Optional<?>) ownAddress.invokeExact((Object) requestOfChain.invokeExact((Object) chain))).isPresent()) {
            return false;
        }
        return isDirect((Proxy) proxy.invokeExact((Object) chain), uri);
    }

    /** Of one over HTTP/2: whether no proxy stands there. */
    boolean isDirectOverHttp2(Object chain, ClientUri uri) throws Throwable {
        return http2Proxy == null || isDirect((Proxy) http2Proxy.invokeExact(chain), uri);
    }

    private static boolean isDirect(Proxy apps, ClientUri uri) {
        return switch (apps.type()) {
            case NONE -> true;
            case SYSTEM -> !apps.isUsingSystemProxy(uri.scheme() + "://" + uri.host() + ":" + uri.port());
            case HTTP -> apps.isNoHosts(InetSocketAddress.createUnresolved(uri.host(), uri.port()));
        };
    }

    Socket socket(Object connection) throws Throwable {
        return (Socket) socket.invokeExact(connection);
    }

    ConnectionKey key(Object connection) throws Throwable {
        return (ConnectionKey) key.invokeExact(connection);
    }

    /** From now on it is the one that the app's response is of. */
    void answeredOver(WebClientService.Chain chain, ClientConnection connection) throws Throwable {
        setConnection.invokeExact((Object) chain, connection);
    }

    @SuppressWarnings("unchecked")
    CompletableFuture<WebClientServiceResponse> whenComplete(WebClientService.Chain chain) throws Throwable {
        return (CompletableFuture<WebClientServiceResponse>) (CompletableFuture<?>) whenComplete.invokeExact((Object) chain);
    }

    /** As the library would have read them. */
    ClientResponseHeaders headers(WebClientService.Chain chain, Headers headers) throws Throwable {
        return ClientResponseHeaders.create(headers, ((HttpClientConfig) config.invokeExact((Object) chain)).mediaTypeParserMode());
    }
}
