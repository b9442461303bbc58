package io.weft.instrumentation.javanethttp;

import io.weft.instrumentation.AdapterContext;
import java.io.IOException;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodHandles.Lookup;
import java.lang.invoke.MethodType;
import java.lang.invoke.VarHandle;
import java.net.Authenticator;
import java.net.InetSocketAddress;
import java.net.ProxySelector;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodySubscriber;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import javax.net.ssl.SSLEngine;

/**
 * The members of {@code jdk.internal.net.http} in use. Their classes are package-private, so they appear as {@link Object}: an
 * <i>exchange</i> is an {@code Exchange}, a <i>request</i> an {@code HttpRequestImpl}, a <i>multi</i> the {@code MultiExchange}
 * that holds all hops of one call of the app.
 */
final class Internals {
    private static final String PACKAGE = "jdk.internal.net.http.";

    private final VarHandle request;
    private final VarHandle multi;
    private final VarHandle exchangeImpl;
    private final VarHandle exchangeOfImpl;
    private final VarHandle pendingConnection;
    private final VarHandle bodyIgnored;
    private final VarHandle cancelled;
    private final VarHandle connectTimeout;
    private final VarHandle executor;
    private final VarHandle statusCode;
    private final VarHandle responseHeaders;
    private final VarHandle responseVersion;
    private final MethodHandle cancelExchange;
    private final MethodHandle newExchange;
    private final MethodHandle responseAsync;
    private final MethodHandle readBodyAsync;
    private final MethodHandle ignoreBody;
    private final VarHandle exchangeOfMulti;
    private final MethodHandle setExchange;
    private final MethodHandle requestCancelled;
    private final MethodHandle resetConnectTimeout;
    private final MethodHandle delegate;
    private final MethodHandle newRequest;
    private final MethodHandle proxy;
    private final MethodHandle isWebSocket;
    private final MethodHandle systemHeaders;
    private final MethodHandle headersOf;
    private final MethodHandle addHeader;
    private final MethodHandle newResponse;
    private final MethodHandle needsExecutor;
    private final MethodHandle getBodyAsync;
    private final MethodHandle unprocessedByPeer;
    private final MethodHandle userSetAuth;
    private final VarHandle address;
    private final MethodHandle newConnection;
    private final MethodHandle pooledConnection;
    private final MethodHandle isOpen;
    private final MethodHandle close;
    private final MethodHandle flow;
    private final MethodHandle finishConnect;
    private final MethodHandle clientOf;
    private final MethodHandle executorOf;
    private final MethodHandle buffersOf;
    private final MethodHandle giveBack;
    private final MethodHandle newTlsTube;
    private final MethodHandle handshake;
    private final MethodHandle poolKey;

    Internals(AdapterContext context) throws ReflectiveOperationException {
        Lookup ofExchange = context.lookup(PACKAGE + "Exchange");
        Lookup ofMulti = context.lookup(PACKAGE + "MultiExchange");
        Lookup ofRequest = context.lookup(PACKAGE + "HttpRequestImpl");
        Lookup ofResponse = context.lookup(PACKAGE + "Response");
        Lookup ofImpl = context.lookup(PACKAGE + "ExchangeImpl");
        Lookup ofTracker = context.lookup(PACKAGE + "MultiExchange$ConnectTimeoutTracker");
        Lookup ofExecutor = context.lookup(PACKAGE + "HttpClientImpl$DelegatingExecutor");
        Lookup ofHeaders = context.lookup(PACKAGE + "common.HttpHeadersBuilder");
        Lookup ofSubscribers = context.lookup(PACKAGE + "ResponseSubscribers");
        Lookup ofTrusted = context.lookup(PACKAGE + "ResponseSubscribers$TrustedSubscriber");
        Class<?> exchange = ofExchange.lookupClass();
        Class<?> multiExchange = ofMulti.lookupClass();
        Class<?> requestImpl = ofRequest.lookupClass();
        Class<?> response = ofResponse.lookupClass();
        Class<?> impl = ofImpl.lookupClass();
        Class<?> connection = context.lookup(PACKAGE + "HttpConnection").lookupClass();

        request = ofExchange.findVarHandle(exchange, "request", requestImpl);
        multi = ofExchange.findVarHandle(exchange, "multi", multiExchange);
        exchangeImpl = ofExchange.findVarHandle(exchange, "exchImpl", impl);
        exchangeOfImpl = ofImpl.findVarHandle(impl, "exchange", exchange);
        cancelExchange = ofExchange.findVirtual(exchange, "cancel", MethodType.methodType(void.class, IOException.class));
        pendingConnection = ofExchange.findVarHandle(exchange, "exchangeCF", CompletableFuture.class);
        bodyIgnored = ofExchange.findVarHandle(exchange, "bodyIgnored", CompletableFuture.class);
        newExchange = ofExchange.findConstructor(exchange, MethodType.methodType(void.class, requestImpl, multiExchange));
        responseAsync = MethodHandles.insertArguments(
                ofExchange.findVirtual(
                        exchange, "responseAsyncImpl", MethodType.methodType(CompletableFuture.class, connection)),
                1,
                (Object) null);
        readBodyAsync = ofExchange.findVirtual(
                exchange, "readBodyAsync", MethodType.methodType(CompletableFuture.class, BodyHandler.class));
        ignoreBody = ofExchange.findVirtual(exchange, "ignoreBody", MethodType.methodType(CompletableFuture.class));

        cancelled = ofMulti.findVarHandle(multiExchange, "cancelled", boolean.class);
        connectTimeout = ofMulti.findVarHandle(multiExchange, "connectTimeout", ofTracker.lookupClass());
        executor = ofMulti.findVarHandle(multiExchange, "executor", ofExecutor.lookupClass());
        exchangeOfMulti = ofMulti.findVarHandle(multiExchange, "exchange", exchange);
        setExchange = ofMulti.findVirtual(multiExchange, "setExchange", MethodType.methodType(void.class, exchange));
        requestCancelled = ofMulti.findVirtual(multiExchange, "requestCancelled", MethodType.methodType(boolean.class));
        resetConnectTimeout = ofTracker.findVirtual(ofTracker.lookupClass(), "reset", MethodType.methodType(void.class));
        delegate = ofExecutor.findVirtual(ofExecutor.lookupClass(), "delegate", MethodType.methodType(Executor.class));

        newRequest = ofRequest.findConstructor(
                requestImpl, MethodType.methodType(void.class, HttpRequest.class, ProxySelector.class));
        proxy = ofRequest.findVirtual(requestImpl, "proxy", MethodType.methodType(InetSocketAddress.class));
        isWebSocket = ofRequest.findVirtual(requestImpl, "isWebSocket", MethodType.methodType(boolean.class));
        systemHeaders = ofRequest.findVirtual(
                requestImpl, "getSystemHeadersBuilder", MethodType.methodType(ofHeaders.lookupClass()));
        headersOf = ofHeaders.findVirtual(ofHeaders.lookupClass(), "map", MethodType.methodType(Map.class));
        addHeader = ofHeaders.findVirtual(
                ofHeaders.lookupClass(), "addHeader", MethodType.methodType(void.class, String.class, String.class));

        statusCode = ofResponse.findVarHandle(response, "statusCode", int.class);
        responseHeaders = ofResponse.findVarHandle(response, "headers", HttpHeaders.class);
        responseVersion = ofResponse.findVarHandle(response, "version", HttpClient.Version.class);
        newResponse = MethodHandles.insertArguments(
                ofResponse.findConstructor(
                        response,
                        MethodType.methodType(
                                void.class, requestImpl, exchange, HttpHeaders.class, connection, int.class, HttpClient.Version.class)),
                3,
                (Object) null);

        needsExecutor = ofTrusted.findStatic(
                ofTrusted.lookupClass(), "needsExecutor", MethodType.methodType(boolean.class, BodySubscriber.class));
        getBodyAsync = ofSubscribers.findStatic(
                ofSubscribers.lookupClass(),
                "getBodyAsync",
                MethodType.methodType(CompletionStage.class, Executor.class, BodySubscriber.class));
        unprocessedByPeer = optional(ofImpl, impl, "isUnprocessedByPeer", MethodType.methodType(boolean.class));
        Lookup ofConnection = context.lookup(PACKAGE + "HttpConnection");
        Lookup ofPlain = context.lookup(PACKAGE + "PlainHttpConnection");
        Lookup ofClient = context.lookup(PACKAGE + "HttpClientImpl");
        Lookup ofPool = context.lookup(PACKAGE + "ConnectionPool");
        Lookup ofTube = context.lookup(PACKAGE + "common.SSLTube");
        Lookup ofBuffers = context.lookup(PACKAGE + "common.BufferSupplier");
        Class<?> plain = ofPlain.lookupClass();
        Class<?> client = ofClient.lookupClass();
        Class<?> pool = ofPool.lookupClass();
        Class<?> key = context.lookup(PACKAGE + "ConnectionPool$CacheKey").lookupClass();
        Class<?> flowTube = context.lookup(PACKAGE + "common.FlowTube").lookupClass();
        address = ofConnection.findVarHandle(connection, "address", InetSocketAddress.class);
        newConnection = MethodHandles.insertArguments(
                ofConnection.findStatic(
                        connection,
                        "getPlainConnection",
                        MethodType.methodType(
                                connection, InetSocketAddress.class, InetSocketAddress.class, requestImpl, client)),
                1,
                (Object) null);
        MethodHandle fromPool = ofPool.findVirtual(
                pool,
                "getConnection",
                MethodType.methodType(connection, boolean.class, InetSocketAddress.class, InetSocketAddress.class));
        pooledConnection = MethodHandles.filterArguments(
                MethodHandles.insertArguments(fromPool, 1, false, null),
                0,
                ofClient.findVirtual(client, "connectionPool", MethodType.methodType(pool)));
        isOpen = ofConnection.findVirtual(connection, "isOpen", MethodType.methodType(boolean.class));
        close = ofConnection.findVirtual(connection, "close", MethodType.methodType(void.class));
        flow = ofConnection.findVirtual(connection, "getConnectionFlow", MethodType.methodType(flowTube));
        finishConnect = ofPlain.findVirtual(plain, "finishConnect", MethodType.methodType(CompletableFuture.class));
        clientOf = ofConnection.findVirtual(connection, "client", MethodType.methodType(client));
        executorOf = ofClient.findVirtual(client, "theExecutor", MethodType.methodType(ofExecutor.lookupClass()));
        buffersOf = ofClient.findVirtual(client, "getSSLBufferSupplier", MethodType.methodType(ofBuffers.lookupClass()));
        giveBack = ofBuffers.findVirtual(ofBuffers.lookupClass(), "recycle", MethodType.methodType(void.class, ByteBuffer.class));
        newTlsTube = ofTube.findConstructor(
                ofTube.lookupClass(),
                MethodType.methodType(void.class, SSLEngine.class, Executor.class, Consumer.class, flowTube));
        handshake = ofTube.findVirtual(ofTube.lookupClass(), "getALPN", MethodType.methodType(CompletableFuture.class));
        poolKey = MethodHandles.insertArguments(
                ofPool.findStatic(
                        pool,
                        "cacheKey",
                        MethodType.methodType(key, boolean.class, InetSocketAddress.class, InetSocketAddress.class)),
                0,
                false,
                null);
        userSetAuth = optional(
                ofRequest,
                requestImpl,
                "setUserSetAuthFlag",
                MethodType.methodType(void.class, Authenticator.RequestorType.class, boolean.class));
    }

    /** Members that came with an update of JDK 17. */
    private static MethodHandle optional(Lookup lookup, Class<?> owner, String name, MethodType type)
            throws IllegalAccessException {
        try {
            return lookup.findVirtual(owner, name, type);
        } catch (NoSuchMethodException e) {
            return null;
        }
    }

    Object request(Object exchange) {
        return request.get(exchange);
    }

    Object multi(Object exchange) {
        return multi.get(exchange);
    }

    Object newExchange(Object request, Object multi) throws Throwable {
        return newExchange.invoke(request, multi);
    }

    /** Below the hook: sends the request and gives a future of its {@code Response}. */
    @SuppressWarnings("unchecked")
    CompletableFuture<Object> send(Object exchange) throws Throwable {
        return (CompletableFuture<Object>) responseAsync.invoke(exchange);
    }

    @SuppressWarnings("unchecked")
    CompletableFuture<Object> readBody(Object exchange, BodyHandler<?> handler) throws Throwable {
        return (CompletableFuture<Object>) readBodyAsync.invoke(exchange, handler);
    }

    @SuppressWarnings("unchecked")
    CompletableFuture<Void> ignoreBody(Object exchange) throws Throwable {
        return (CompletableFuture<Void>) ignoreBody.invoke(exchange);
    }

    /** Null unless the body is not to be read from the exchange's connection. */
    Object bodyIgnored(Object exchange) {
        return bodyIgnored.getVolatile(exchange);
    }

    void bodyIgnored(Object exchange, CompletableFuture<Void> body) {
        bodyIgnored.setVolatile(exchange, body);
    }

    /** @param impl an {@code ExchangeImpl} */
    Object exchangeOf(Object impl) {
        return exchangeOfImpl.get(impl);
    }

    /** Ends this exchange only; completes futures on the calling thread. */
    void cancelExchange(Object exchange, IOException cause) throws Throwable {
        cancelExchange.invoke(exchange, cause);
    }

    /** Makes what was sent and received by one exchange that of another one, too. */
    void shareConnection(Object from, Object to) {
        exchangeImpl.setVolatile(to, exchangeImpl.getVolatile(from));
    }

    /** Fails when the app or a timer cancels the exchange before it has a connection. */
    void pendingConnection(Object exchange, CompletableFuture<?> future) {
        pendingConnection.setVolatile(exchange, future);
    }

    /** HTTP/2: the peer said that it did nothing. */
    boolean unprocessedByPeer(Object exchange) throws Throwable {
        Object impl = exchangeImpl.getVolatile(exchange);
        return impl != null && unprocessedByPeer != null && (boolean) unprocessedByPeer.invoke(impl);
    }

    /** The latest. */
    Object exchange(Object multi) {
        return exchangeOfMulti.getVolatile(multi);
    }

    /** From now on cancellation and the body concern this exchange; it is cancelled at once when the call already is. */
    void setExchange(Object multi, Object exchange) throws Throwable {
        setExchange.invoke(multi, exchange);
    }

    boolean cancelled(Object multi) {
        return (boolean) cancelled.getVolatile(multi);
    }

    boolean cancelledByApp(Object multi) throws Throwable {
        return (boolean) requestCancelled.invoke(multi);
    }

    /** The next connection gets all of the app's connect timeout. */
    void resetConnectTimeout(Object multi) throws Throwable {
        Object tracker = connectTimeout.get(multi);
        if (tracker != null) {
            resetConnectTimeout.invoke(tracker);
        }
    }

    /** The executor of the app's client. */
    Executor executor(Object multi) throws Throwable {
        return (Executor) delegate.invoke(executor.get(multi));
    }

    /** Without a proxy. */
    HttpRequest newRequest(HttpRequest request) throws Throwable {
        return (HttpRequest) newRequest.invoke(request, (ProxySelector) null);
    }

    boolean hasProxy(Object request) throws Throwable {
        return proxy.invoke(request) != null;
    }

    boolean isWebSocket(Object request) throws Throwable {
        return (boolean) isWebSocket.invoke(request);
    }

    /** What the JDK sends beside the app's own headers, such as cookies. */
    @SuppressWarnings("unchecked")
    Map<String, List<String>> systemHeaders(Object request) throws Throwable {
        return (Map<String, List<String>>) headersOf.invoke(systemHeaders.invoke(request));
    }

    void addSystemHeader(Object request, String name, String value) throws Throwable {
        addHeader.invoke(systemHeaders.invoke(request), name, value);
    }

    /** The app set credentials itself: a challenge is for the app, not for its authenticator. */
    void appAuthorizes(Object request) throws Throwable {
        if (userSetAuth != null) {
            userSetAuth.invoke(request, Authenticator.RequestorType.SERVER, true);
        }
    }

    int statusCode(Object response) {
        return (int) statusCode.get(response);
    }

    HttpHeaders headers(Object response) {
        return (HttpHeaders) responseHeaders.get(response);
    }

    HttpClient.Version version(Object response) {
        return (HttpClient.Version) responseVersion.get(response);
    }

    Object newResponse(Object request, Object exchange, HttpHeaders headers, int status, HttpClient.Version version) throws Throwable {
        return newResponse.invoke(request, exchange, headers, status, version);
    }

    boolean needsExecutor(BodySubscriber<?> subscriber) throws Throwable {
        return (boolean) needsExecutor.invoke(subscriber);
    }

    /** {@link BodySubscriber#getBody}, on the executor where that may block. */
    @SuppressWarnings("unchecked")
    <T> CompletionStage<T> body(Object multi, BodySubscriber<T> subscriber) throws Throwable {
        return (CompletionStage<T>) getBodyAsync.invoke(executor.get(multi), subscriber);
    }

    InetSocketAddress address(Object connection) {
        return (InetSocketAddress) address.get(connection);
    }

    /** Without a proxy, and yet to be connected. */
    Object newConnection(InetSocketAddress address, Object client, Object request) throws Throwable {
        return newConnection.invoke(address, request, client);
    }

    /** Null when there is none. */
    Object pooledConnection(Object client, InetSocketAddress proxy) throws Throwable {
        return pooledConnection.invoke(client, proxy);
    }

    /** The key under which such a connection is found. */
    Object poolKey(InetSocketAddress proxy) throws Throwable {
        return poolKey.invoke(proxy);
    }

    boolean isOpen(Object connection) throws Throwable {
        return (boolean) isOpen.invoke(connection);
    }

    void close(Object connection) throws Throwable {
        close.invoke(connection);
    }

    @SuppressWarnings("unchecked")
    CompletableFuture<Void> finishConnect(Object connection) throws Throwable {
        return (CompletableFuture<Void>) finishConnect.invoke(connection);
    }

    /** Between a connection and its flow, as the JDK puts it there; what it reads off the wire goes into buffers that its client uses again. */
    Object newTlsTube(SSLEngine engine, Object connection) throws Throwable {
        Object client = clientOf.invoke(connection);
        Object buffers = buffersOf.invoke(client);
        Consumer<ByteBuffer> recycler = buffer -> giveBack(buffers, buffer);
        return newTlsTube.invoke(engine, (Executor) executorOf.invoke(client), recycler, flow.invoke(connection));
    }

    private void giveBack(Object buffers, ByteBuffer buffer) {
        try {
            giveBack.invoke(buffers, buffer);
        } catch (Throwable fault) {
            throw new IllegalStateException("a buffer cannot be given back", fault);
        }
    }

    /** Complete when the handshake is; with the protocol that ALPN chose, which may be empty. */
    @SuppressWarnings("unchecked")
    CompletableFuture<String> handshake(Object tlsTube) throws Throwable {
        return (CompletableFuture<String>) handshake.invoke(tlsTube);
    }
}
