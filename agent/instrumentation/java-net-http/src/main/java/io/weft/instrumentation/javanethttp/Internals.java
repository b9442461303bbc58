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

    /**
     * How much room the JDK makes for the bytes of a record. It guesses that by the largest so far, rounded up to eight, while JSSE wants one byte
     * more: records of a multiple of eight then cost a failed attempt and 16 KiB each.
     */
    private static final int RECORD_BYTES = 2048;

    /** Read once, by {@link Members}. */
    private static volatile AdapterContext context;

    Internals(AdapterContext context) throws ReflectiveOperationException {
        Internals.context = context;
        AdapterContext.initialize(MethodHandles.lookup(), Members.class);
    }

    /**
     * With {@link Object} in the place of what is package-private, for {@code invokeExact}: the JIT cannot see what a handle leads to that is
     * yet to be fitted to its call.
     */
    private static MethodHandle erased(MethodHandle handle) {
        Class<?>[] parameters = handle.type().parameterArray();
        for (int i = 0; i < parameters.length; i++) {
            parameters[i] = erased(parameters[i]);
        }
        return handle.asType(MethodType.methodType(erased(handle.type().returnType()), parameters));
    }

    private static Class<?> erased(Class<?> type) {
        return type.getName().startsWith(PACKAGE) ? Object.class : type;
    }

    /** Members that came with an update of JDK 17. */
    private static MethodHandle optional(Lookup lookup, Class<?> owner, String name, MethodType type)
            throws IllegalAccessException {
        try {
            return erased(lookup.findVirtual(owner, name, type));
        } catch (NoSuchMethodException e) {
            return null;
        }
    }

    /** What later JDKs have otherwise, and do not need. */
    private static VarHandle optionalField(Lookup lookup, String name, Class<?> type) throws IllegalAccessException {
        try {
            return lookup.findVarHandle(lookup.lookupClass(), name, type);
        } catch (NoSuchFieldException e) {
            return null;
        }
    }

    Object request(Object exchange) {
        return Members.REQUEST.get(exchange);
    }

    Object multi(Object exchange) {
        return Members.MULTI.get(exchange);
    }

    Object newExchange(Object request, Object multi) throws Throwable {
        return Members.NEW_EXCHANGE.invokeExact(request, multi);
    }

    /** Below the hook: sends the request and gives a future of its {@code Response}. */
    @SuppressWarnings("unchecked")
    CompletableFuture<Object> send(Object exchange) throws Throwable {
        return (CompletableFuture<Object>) Members.RESPONSE_ASYNC.invokeExact(exchange);
    }

    @SuppressWarnings("unchecked")
    CompletableFuture<Object> readBody(Object exchange, BodyHandler<?> handler) throws Throwable {
        return (CompletableFuture<Object>) Members.READ_BODY_ASYNC.invokeExact(exchange, handler);
    }

    @SuppressWarnings("unchecked")
    CompletableFuture<Void> ignoreBody(Object exchange) throws Throwable {
        return (CompletableFuture<Void>) Members.IGNORE_BODY.invokeExact(exchange);
    }

    /** Null unless the body is not to be read from the exchange's connection. */
    Object bodyIgnored(Object exchange) {
        return Members.BODY_IGNORED.getVolatile(exchange);
    }

    /** For whoever hears of the exchange, or of what became of it, after that. */
    void bodyIgnored(Object exchange, CompletableFuture<Void> body) {
        Members.BODY_IGNORED.setRelease(exchange, body);
    }

    /** @param impl an {@code ExchangeImpl} */
    Object exchangeOf(Object impl) {
        return Members.EXCHANGE_OF_IMPL.get(impl);
    }

    /** Ends this exchange only; completes futures on the calling thread. */
    void cancelExchange(Object exchange, IOException cause) throws Throwable {
        Members.CANCEL_EXCHANGE.invokeExact(exchange, cause);
    }

    /** Makes what was sent and received by one exchange that of another one, too. */
    void shareConnection(Object from, Object to) {
        Members.EXCHANGE_IMPL.setVolatile(to, Members.EXCHANGE_IMPL.getVolatile(from));
    }

    /** Fails when the app or a timer cancels the exchange before it has a connection. */
    void pendingConnection(Object exchange, CompletableFuture<?> future) {
        Members.PENDING_CONNECTION.setVolatile(exchange, future);
    }

    /**
     * JDK 17, and 21 at first, fail the streams that a connection has when it closes; of one that is begun meanwhile they never say
     * anything. Volatile on either side: asked after the stream was begun, nobody is overlooked.
     *
     * @param stream of HTTP/2, begun
     */
    boolean isLost(Object stream) {
        return Members.STREAM_CONNECTION_CLOSED != null
                && (boolean) Members.STREAM_CONNECTION_CLOSED.getVolatile(Members.STREAM_CONNECTION.get(stream));
    }

    /** What was failed before stays so. */
    void cancelImpl(Object impl, IOException cause) throws Throwable {
        Members.CANCEL_IMPL.invokeExact(impl, cause);
    }

    /** HTTP/2: the peer said that it did nothing. */
    boolean unprocessedByPeer(Object exchange) throws Throwable {
        Object impl = Members.EXCHANGE_IMPL.getVolatile(exchange);
        return impl != null && Members.UNPROCESSED_BY_PEER != null && (boolean) Members.UNPROCESSED_BY_PEER.invokeExact(impl);
    }

    /** What comes in the place of {@code 100 Continue}, before the app's handler is asked: JDK 17. */
    boolean readsWhatWasNotExpected() {
        return Members.EXPECTATION_FAILED == null;
    }

    /** The latest. */
    Object exchange(Object multi) {
        return Members.EXCHANGE_OF_MULTI.getVolatile(multi);
    }

    /** From now on cancellation and the body concern this exchange; it is cancelled at once when the call already is. */
    void setExchange(Object multi, Object exchange) throws Throwable {
        Members.SET_EXCHANGE.invokeExact(multi, exchange);
    }

    boolean cancelled(Object multi) {
        return (boolean) Members.CANCELLED.getVolatile(multi);
    }

    boolean cancelledByApp(Object multi) throws Throwable {
        return (boolean) Members.REQUEST_CANCELLED.invokeExact(multi);
    }

    /** The next connection gets all of the app's connect timeout. */
    void resetConnectTimeout(Object multi) throws Throwable {
        Object tracker = Members.CONNECT_TIMEOUT.get(multi);
        if (tracker != null) {
            Members.RESET_CONNECT_TIMEOUT.invokeExact(tracker);
        }
    }

    /** The executor of the app's client. */
    Executor executor(Object multi) throws Throwable {
        return (Executor) Members.DELEGATE.invokeExact(Members.EXECUTOR.get(multi));
    }

    /** Without a proxy. */
    HttpRequest newRequest(HttpRequest request) throws Throwable {
        return (HttpRequest) (Object) Members.NEW_REQUEST.invokeExact(request, (ProxySelector) null);
    }

    boolean hasProxy(Object request) throws Throwable {
        return (InetSocketAddress) Members.PROXY.invokeExact(request) != null;
    }

    boolean isWebSocket(Object request) throws Throwable {
        return (boolean) Members.IS_WEB_SOCKET.invokeExact(request);
    }

    /** What the JDK sends beside the app's own headers, such as cookies. */
    @SuppressWarnings("unchecked")
    Map<String, List<String>> systemHeaders(Object request) throws Throwable {
        return (Map<String, List<String>>) Members.HEADERS_OF.invokeExact(Members.SYSTEM_HEADERS.invokeExact(request));
    }

    void addSystemHeader(Object request, String name, String value) throws Throwable {
        Members.ADD_HEADER.invokeExact(Members.SYSTEM_HEADERS.invokeExact(request), name, value);
    }

    /** The app set credentials itself: a challenge is for the app, not for its authenticator. */
    void appAuthorizes(Object request) throws Throwable {
        if (Members.USER_SET_AUTH != null) {
            Members.USER_SET_AUTH.invokeExact(request, Authenticator.RequestorType.SERVER, true);
        }
    }

    int statusCode(Object response) {
        return (int) Members.STATUS_CODE.get(response);
    }

    HttpHeaders headers(Object response) {
        return (HttpHeaders) Members.RESPONSE_HEADERS.get(response);
    }

    HttpClient.Version version(Object response) {
        return (HttpClient.Version) Members.RESPONSE_VERSION.get(response);
    }

    Object newResponse(Object request, Object exchange, HttpHeaders headers, int status, HttpClient.Version version) throws Throwable {
        return Members.NEW_RESPONSE.invokeExact(request, exchange, headers, status, version);
    }

    /** {@link BodySubscriber#getBody}, on the executor where that may block. */
    @SuppressWarnings("unchecked")
    <T> CompletionStage<T> body(Object multi, BodySubscriber<T> subscriber) throws Throwable {
        return (CompletionStage<T>) Members.GET_BODY_ASYNC.invokeExact((Executor) Members.EXECUTOR.get(multi), subscriber);
    }

    InetSocketAddress address(Object connection) {
        return (InetSocketAddress) Members.ADDRESS.get(connection);
    }

    /** Without a proxy, and yet to be connected. */
    Object newConnection(InetSocketAddress address, Object client, Object request) throws Throwable {
        return Members.NEW_CONNECTION.invokeExact(address, request, client);
    }

    /** Null when there is none. */
    Object pooledConnection(Object client, InetSocketAddress proxy) throws Throwable {
        return Members.POOLED_CONNECTION.invokeExact(client, proxy);
    }

    /** The key under which such a connection is found. */
    Object poolKey(InetSocketAddress proxy) throws Throwable {
        return Members.POOL_KEY.invokeExact(proxy);
    }

    boolean isOpen(Object connection) throws Throwable {
        return (boolean) Members.IS_OPEN.invokeExact(connection);
    }

    void close(Object connection) throws Throwable {
        Members.CLOSE.invokeExact(connection);
    }

    @SuppressWarnings("unchecked")
    CompletableFuture<Void> finishConnect(Object connection) throws Throwable {
        return (CompletableFuture<Void>) Members.FINISH_CONNECT.invokeExact(connection);
    }

    /** What the JDK sends and receives by, {@link SecuredConnections#flow} included. */
    Object flow(Object connection) throws Throwable {
        return Members.FLOW.invokeExact(connection);
    }

    /** Between a connection and its flow, as the JDK puts it there; what it reads off the wire goes into buffers that its client uses again. */
    Object newTlsTube(SSLEngine engine, Object connection) throws Throwable {
        Object client = Members.CLIENT_OF.invokeExact(connection);
        Object buffers = Members.BUFFERS_OF.invokeExact(client);
        Consumer<ByteBuffer> recycler = buffer -> giveBack(buffers, buffer);
        Object tube = Members.NEW_TLS_TUBE.invokeExact(
                engine, (Executor) (Object) Members.EXECUTOR_OF.invokeExact(client), recycler, Members.FLOW.invokeExact(connection));
        if (Members.RECORD_GUESS != null) {
            Members.RECORD_GUESS.set(Members.TLS_OF_TUBE.get(tube), RECORD_BYTES);
        }
        return tube;
    }

    private void giveBack(Object buffers, ByteBuffer buffer) {
        try {
            Members.GIVE_BACK.invokeExact(buffers, buffer);
        } catch (Throwable fault) {
            throw new IllegalStateException("a buffer cannot be given back", fault);
        }
    }

    /** Complete when the handshake is; with the protocol that ALPN chose, which may be empty. */
    @SuppressWarnings("unchecked")
    CompletableFuture<String> handshake(Object tlsTube) throws Throwable {
        return (CompletableFuture<String>) Members.HANDSHAKE.invokeExact(tlsTube);
    }

    /** Constants, of each library's loader its own: with them the JIT compiles what a member leads to into the caller. */
    private static final class Members {
        static final VarHandle REQUEST;
        static final VarHandle MULTI;
        static final VarHandle EXCHANGE_IMPL;
        static final VarHandle EXCHANGE_OF_IMPL;
        static final VarHandle PENDING_CONNECTION;
        static final VarHandle BODY_IGNORED;
        static final VarHandle CANCELLED;
        static final VarHandle CONNECT_TIMEOUT;
        static final VarHandle EXECUTOR;
        static final VarHandle STATUS_CODE;
        static final VarHandle RESPONSE_HEADERS;
        static final VarHandle RESPONSE_VERSION;
        static final MethodHandle CANCEL_EXCHANGE;
        static final MethodHandle NEW_EXCHANGE;
        static final MethodHandle RESPONSE_ASYNC;
        static final MethodHandle READ_BODY_ASYNC;
        static final MethodHandle IGNORE_BODY;
        static final VarHandle EXCHANGE_OF_MULTI;
        static final MethodHandle SET_EXCHANGE;
        static final MethodHandle REQUEST_CANCELLED;
        static final MethodHandle RESET_CONNECT_TIMEOUT;
        static final MethodHandle DELEGATE;
        static final MethodHandle NEW_REQUEST;
        static final MethodHandle PROXY;
        static final MethodHandle IS_WEB_SOCKET;
        static final MethodHandle SYSTEM_HEADERS;
        static final MethodHandle HEADERS_OF;
        static final MethodHandle ADD_HEADER;
        static final MethodHandle NEW_RESPONSE;
        static final MethodHandle GET_BODY_ASYNC;
        static final MethodHandle UNPROCESSED_BY_PEER;
        static final MethodHandle USER_SET_AUTH;
        static final MethodHandle EXPECTATION_FAILED;
        static final VarHandle ADDRESS;
        static final MethodHandle NEW_CONNECTION;
        static final MethodHandle POOLED_CONNECTION;
        static final MethodHandle IS_OPEN;
        static final MethodHandle CLOSE;
        static final MethodHandle FLOW;
        static final MethodHandle FINISH_CONNECT;
        static final MethodHandle CLIENT_OF;
        static final MethodHandle EXECUTOR_OF;
        static final MethodHandle BUFFERS_OF;
        static final MethodHandle GIVE_BACK;
        static final MethodHandle NEW_TLS_TUBE;
        static final VarHandle TLS_OF_TUBE;
        static final VarHandle RECORD_GUESS;
        static final MethodHandle HANDSHAKE;
        static final MethodHandle POOL_KEY;
        static final VarHandle STREAM_CONNECTION;
        static final VarHandle STREAM_CONNECTION_CLOSED;
        static final MethodHandle CANCEL_IMPL;

        static {
            AdapterContext context = Internals.context;
            try {
                Lookup ofExchange = context.lookup(PACKAGE + "Exchange");
                Lookup ofMulti = context.lookup(PACKAGE + "MultiExchange");
                Lookup ofRequest = context.lookup(PACKAGE + "HttpRequestImpl");
                Lookup ofResponse = context.lookup(PACKAGE + "Response");
                Lookup ofImpl = context.lookup(PACKAGE + "ExchangeImpl");
                Lookup ofTracker = context.lookup(PACKAGE + "MultiExchange$ConnectTimeoutTracker");
                Lookup ofExecutor = context.lookup(PACKAGE + "HttpClientImpl$DelegatingExecutor");
                Lookup ofHeaders = context.lookup(PACKAGE + "common.HttpHeadersBuilder");
                Lookup ofSubscribers = context.lookup(PACKAGE + "ResponseSubscribers");
                Class<?> exchange = ofExchange.lookupClass();
                Class<?> multiExchange = ofMulti.lookupClass();
                Class<?> requestImpl = ofRequest.lookupClass();
                Class<?> response = ofResponse.lookupClass();
                Class<?> impl = ofImpl.lookupClass();
                Class<?> connection = context.lookup(PACKAGE + "HttpConnection").lookupClass();

                REQUEST = ofExchange.findVarHandle(exchange, "request", requestImpl);
                MULTI = ofExchange.findVarHandle(exchange, "multi", multiExchange);
                EXCHANGE_IMPL = ofExchange.findVarHandle(exchange, "exchImpl", impl);
                EXCHANGE_OF_IMPL = ofImpl.findVarHandle(impl, "exchange", exchange);
                CANCEL_EXCHANGE = erased(ofExchange.findVirtual(exchange, "cancel", MethodType.methodType(void.class, IOException.class)));
                PENDING_CONNECTION = ofExchange.findVarHandle(exchange, "exchangeCF", CompletableFuture.class);
                BODY_IGNORED = ofExchange.findVarHandle(exchange, "bodyIgnored", CompletableFuture.class);
                NEW_EXCHANGE = erased(ofExchange.findConstructor(exchange, MethodType.methodType(void.class, requestImpl, multiExchange)));
                RESPONSE_ASYNC = erased(MethodHandles.insertArguments(
                        ofExchange.findVirtual(
                                exchange, "responseAsyncImpl", MethodType.methodType(CompletableFuture.class, connection)),
                        1,
                        (Object) null));
                READ_BODY_ASYNC = erased(ofExchange.findVirtual(
                        exchange, "readBodyAsync", MethodType.methodType(CompletableFuture.class, BodyHandler.class)));
                IGNORE_BODY = erased(ofExchange.findVirtual(exchange, "ignoreBody", MethodType.methodType(CompletableFuture.class)));

                CANCELLED = ofMulti.findVarHandle(multiExchange, "cancelled", boolean.class);
                CONNECT_TIMEOUT = ofMulti.findVarHandle(multiExchange, "connectTimeout", ofTracker.lookupClass());
                EXECUTOR = ofMulti.findVarHandle(multiExchange, "executor", ofExecutor.lookupClass());
                EXCHANGE_OF_MULTI = ofMulti.findVarHandle(multiExchange, "exchange", exchange);
                SET_EXCHANGE = erased(ofMulti.findVirtual(multiExchange, "setExchange", MethodType.methodType(void.class, exchange)));
                REQUEST_CANCELLED = erased(ofMulti.findVirtual(multiExchange, "requestCancelled", MethodType.methodType(boolean.class)));
                RESET_CONNECT_TIMEOUT = erased(ofTracker.findVirtual(ofTracker.lookupClass(), "reset", MethodType.methodType(void.class)));
                DELEGATE = erased(ofExecutor.findVirtual(ofExecutor.lookupClass(), "delegate", MethodType.methodType(Executor.class)));

                NEW_REQUEST = erased(ofRequest.findConstructor(
                        requestImpl, MethodType.methodType(void.class, HttpRequest.class, ProxySelector.class)));
                PROXY = erased(ofRequest.findVirtual(requestImpl, "proxy", MethodType.methodType(InetSocketAddress.class)));
                IS_WEB_SOCKET = erased(ofRequest.findVirtual(requestImpl, "isWebSocket", MethodType.methodType(boolean.class)));
                SYSTEM_HEADERS = erased(ofRequest.findVirtual(
                        requestImpl, "getSystemHeadersBuilder", MethodType.methodType(ofHeaders.lookupClass())));
                HEADERS_OF = erased(ofHeaders.findVirtual(ofHeaders.lookupClass(), "map", MethodType.methodType(Map.class)));
                ADD_HEADER = erased(ofHeaders.findVirtual(
                        ofHeaders.lookupClass(), "addHeader", MethodType.methodType(void.class, String.class, String.class)));

                STATUS_CODE = ofResponse.findVarHandle(response, "statusCode", int.class);
                RESPONSE_HEADERS = ofResponse.findVarHandle(response, "headers", HttpHeaders.class);
                RESPONSE_VERSION = ofResponse.findVarHandle(response, "version", HttpClient.Version.class);
                NEW_RESPONSE = erased(MethodHandles.insertArguments(
                        ofResponse.findConstructor(
                                response,
                                MethodType.methodType(
                                        void.class, requestImpl, exchange, HttpHeaders.class, connection, int.class, HttpClient.Version.class)),
                        3,
                        (Object) null));

                GET_BODY_ASYNC = erased(ofSubscribers.findStatic(
                        ofSubscribers.lookupClass(),
                        "getBodyAsync",
                        MethodType.methodType(CompletionStage.class, Executor.class, BodySubscriber.class)));
                UNPROCESSED_BY_PEER = optional(ofImpl, impl, "isUnprocessedByPeer", MethodType.methodType(boolean.class));
                EXPECTATION_FAILED = optional(ofImpl, impl, "expectContinueFailed", MethodType.methodType(void.class, int.class));
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
                ADDRESS = ofConnection.findVarHandle(connection, "address", InetSocketAddress.class);
                NEW_CONNECTION = erased(MethodHandles.insertArguments(
                        ofConnection.findStatic(
                                connection,
                                "getPlainConnection",
                                MethodType.methodType(
                                        connection, InetSocketAddress.class, InetSocketAddress.class, requestImpl, client)),
                        1,
                        (Object) null));
                MethodHandle fromPool = ofPool.findVirtual(
                        pool,
                        "getConnection",
                        MethodType.methodType(connection, boolean.class, InetSocketAddress.class, InetSocketAddress.class));
                POOLED_CONNECTION = erased(MethodHandles.filterArguments(
                        MethodHandles.insertArguments(fromPool, 1, false, null),
                        0,
                        ofClient.findVirtual(client, "connectionPool", MethodType.methodType(pool))));
                IS_OPEN = erased(ofConnection.findVirtual(connection, "isOpen", MethodType.methodType(boolean.class)));
                CLOSE = erased(ofConnection.findVirtual(connection, "close", MethodType.methodType(void.class)));
                FLOW = erased(ofConnection.findVirtual(connection, "getConnectionFlow", MethodType.methodType(flowTube)));
                FINISH_CONNECT = erased(ofPlain.findVirtual(plain, "finishConnect", MethodType.methodType(CompletableFuture.class)));
                CLIENT_OF = erased(ofConnection.findVirtual(connection, "client", MethodType.methodType(client)));
                EXECUTOR_OF = erased(ofClient.findVirtual(client, "theExecutor", MethodType.methodType(ofExecutor.lookupClass())));
                BUFFERS_OF = erased(ofClient.findVirtual(client, "getSSLBufferSupplier", MethodType.methodType(ofBuffers.lookupClass())));
                GIVE_BACK = erased(ofBuffers.findVirtual(ofBuffers.lookupClass(), "recycle", MethodType.methodType(void.class, ByteBuffer.class)));
                NEW_TLS_TUBE = erased(ofTube.findConstructor(
                        ofTube.lookupClass(),
                        MethodType.methodType(void.class, SSLEngine.class, Executor.class, Consumer.class, flowTube)));
                Lookup ofTls = context.lookup(PACKAGE + "common.SSLFlowDelegate");
                TLS_OF_TUBE = optionalField(ofTube, "sslDelegate", ofTls.lookupClass());
                RECORD_GUESS = TLS_OF_TUBE == null ? null : optionalField(ofTls, "adaptiveAppBufferSize", int.class);
                HANDSHAKE = erased(ofTube.findVirtual(ofTube.lookupClass(), "getALPN", MethodType.methodType(CompletableFuture.class)));
                POOL_KEY = erased(MethodHandles.insertArguments(
                        ofPool.findStatic(
                                pool,
                                "cacheKey",
                                MethodType.methodType(key, boolean.class, InetSocketAddress.class, InetSocketAddress.class)),
                        0,
                        false,
                        null));
                USER_SET_AUTH = optional(
                        ofRequest,
                        requestImpl,
                        "setUserSetAuthFlag",
                        MethodType.methodType(void.class, Authenticator.RequestorType.class, boolean.class));
                Lookup ofStream = context.lookup(PACKAGE + "Stream");
                Lookup ofHttp2 = context.lookup(PACKAGE + "Http2Connection");
                STREAM_CONNECTION = ofStream.findVarHandle(ofStream.lookupClass(), "connection", ofHttp2.lookupClass());
                STREAM_CONNECTION_CLOSED = optionalField(ofHttp2, "closed", boolean.class);
                CANCEL_IMPL = erased(ofImpl.findVirtual(impl, "cancel", MethodType.methodType(void.class, IOException.class)));
            } catch (ReflectiveOperationException e) {
                throw new ExceptionInInitializerError(e);
            }
        }
    }
}
