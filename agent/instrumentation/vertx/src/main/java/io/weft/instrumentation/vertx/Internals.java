package io.weft.instrumentation.vertx;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.EventLoop;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.MultiMap;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.http.RequestOptions;
import io.vertx.core.http.impl.HttpRequestHead;
import io.vertx.core.http.impl.HttpResponseHead;
import io.vertx.core.net.HostAndPort;
import io.vertx.core.net.ProxyOptions;
import io.vertx.core.net.SocketAddress;
import io.weft.dataplane.Endpoint;
import io.weft.dataplane.LocalReply;
import io.weft.dataplane.RequestChanges;
import io.weft.instrumentation.AdapterContext;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeoutException;

/**
 * What Vert.x has not in public, or not alike in 4.5, 5.0 and from 5.1 on. Looked up once: a version that has it not is left alone.
 * Thread-safe.
 */
final class Internals {
    private static final String HTTP = "io.vertx.core.http.impl.";

    /** Before 5 a request is asked for with a promise. */
    private final boolean before5;
    private final boolean before51;
    private final Class<?> streamType;
    private final Class<?> connectionType;
    private final MethodHandle vertx;
    private final MethodHandle options;
    private final MethodHandle open;
    private final MethodHandle front;
    private final MethodHandle closed;
    private final MethodHandle reason;
    private final MethodHandle proxy;
    private final MethodHandle checkClosed;
    private final MethodHandle server;
    private final MethodHandle setServer;
    private final MethodHandle protocol;
    private final MethodHandle stream;
    private final MethodHandle streamConnection;
    private final MethodHandle resetRequest;
    private final MethodHandle headHandler;
    private final MethodHandle dataHandler;
    private final MethodHandle endHandler;
    private final MethodHandle exceptionHandler;
    /** Null: a reset is an exception. */
    private final MethodHandle resetHandler;
    private final MethodHandle promise;
    private final MethodHandle promiseContext;
    private final MethodHandle eventLoop;
    private final MethodHandle channelContext;
    private final MethodHandle requestHead;
    private final MethodHandle responseHead;
    private final MethodHandle authority;
    private final MethodHandle requestHeaders;
    private final MethodHandle secure;
    private final MethodHandle host;
    private final MethodHandle port;
    private final MethodHandle versions;
    private final MethodHandle upgrades;
    private final MethodHandle streamVersion;
    private final MethodHandle streamReset;

    /** Set while this thread asks the library for a request of its own. */
    private final ThreadLocal<Boolean> opening = new ThreadLocal<>();

    Internals(AdapterContext context) throws ReflectiveOperationException {
        MethodHandles.Lookup client = context.lookup(VertxModule.CLIENT);
        MethodHandles.Lookup base = context.lookup(HTTP + "HttpClientBase");
        MethodHandles.Lookup request = context.lookup(HTTP + "HttpClientRequestBase");
        MethodHandles.Lookup head = context.lookup(HTTP + "HttpRequestHead");
        streamType = context.lookup(HTTP + "HttpClientStream").lookupClass();
        Method connection = streamType.getMethod("connection");
        connectionType = connection.getReturnType();
        Method streamContext = method(streamType, "getContext", "context");
        Class<?> contextType = streamContext.getReturnType();

        Method doRequest = declared(client.lookupClass(), "doRequest", 2);
        before5 = doRequest != null;
        before51 = declared(base.lookupClass(), "options", 0) != null;
        open = before5
                ? generic(client.unreflect(doRequest), void.class, Object.class, RequestOptions.class, Object.class)
                : generic(client.unreflect(client.lookupClass().getDeclaredMethod("request", RequestOptions.class)),
                        Future.class, Object.class, RequestOptions.class);
        int parts = before5 ? 1 : before51 ? 3 : 4;
        Method create = null;
        for (Method one : client.lookupClass().getDeclaredMethods()) {
            if (one.getName().equals("createRequest") && one.getParameterCount() == parts
                    && one.getParameterTypes()[parts == 1 ? 0 : parts - 2] == streamType) {
                create = one;
            }
        }
        front = client.unreflect(found(create, "createRequest"));
        vertx = generic(base.unreflectGetter(base.lookupClass().getDeclaredField("vertx")), Vertx.class, Object.class);
        proxy = generic(base.unreflect(found(declared(base.lookupClass(), before5 ? "resolveProxyOptions" : "computeProxyOptions", 2), "proxies")),
                ProxyOptions.class, Object.class, ProxyOptions.class, SocketAddress.class);
        Method check = declared(base.lookupClass(), "checkClosed", 0);
        checkClosed = generic(
                check == null ? client.unreflect(client.lookupClass().getDeclaredMethod("checkClosed")) : base.unreflect(check),
                void.class, Object.class);
        if (before51) {
            options = generic(base.unreflect(base.lookupClass().getDeclaredMethod("options")), HttpClientOptions.class, Object.class);
            secure = null;
            host = null;
            port = null;
            versions = null;
            protocol = null;
            upgrades = null;
        } else {
            options = null;
            secure = generic(client.unreflectGetter(client.lookupClass().getDeclaredField("defaultSsl")), boolean.class, Object.class);
            host = generic(client.unreflectGetter(client.lookupClass().getDeclaredField("defaultHost")), String.class, Object.class);
            port = generic(client.unreflectGetter(client.lookupClass().getDeclaredField("defaultPort")), int.class, Object.class);
            versions = generic(client.unreflectGetter(client.lookupClass().getDeclaredField("versions")), List.class, Object.class);
            upgrades = upgrades(context, client);
            protocol = generic(of(RequestOptions.class.getMethod("getProtocolVersion")), HttpVersion.class, RequestOptions.class);
        }
        streamVersion = generic(of(streamType.getMethod("version")), HttpVersion.class, Object.class);
        streamReset = before51
                ? generic(of(streamType.getMethod("reset", Throwable.class)), void.class, Object.class, Throwable.class)
                : MethodHandles.dropArguments(
                        generic(of(streamType.getMethod("cancel")), void.class, Object.class), 1, Throwable.class);
        reason = generic(request.unreflectGetter(request.lookupClass().getDeclaredField("reset")), Throwable.class, Object.class);
        Method handleClosed = declared(request.lookupClass(), "handleClosed", 0);
        closed = handleClosed == null ? null : generic(request.unreflect(handleClosed), void.class, Object.class);
        server = generic(of(RequestOptions.class.getMethod("getServer")), Object.class, RequestOptions.class);
        setServer = generic(of(setServer()), void.class, RequestOptions.class, SocketAddress.class);
        stream = generic(request.unreflectGetter(request.lookupClass().getDeclaredField("stream")), Object.class, Object.class);
        streamConnection = generic(of(connection), Object.class, Object.class);
        resetRequest = generic(of(HttpClientRequest.class.getMethod("reset")), void.class, HttpClientRequest.class);
        headHandler = listener("headHandler");
        dataHandler = listener(before51 ? "chunkHandler" : "dataHandler");
        endHandler = listener(before51 ? "endHandler" : "trailersHandler");
        exceptionHandler = listener("exceptionHandler");
        resetHandler = before51 ? null : listener("resetHandler");
        Method newPromise = contextType.getMethod("promise");
        promise = generic(of(newPromise), Promise.class, Object.class);
        promiseContext = generic(of(newPromise.getReturnType().getMethod("context")), Context.class, Object.class);
        eventLoop = generic(of(contextType.getMethod("nettyEventLoop")), EventLoop.class, Object.class);
        channelContext = generic(of(connectionType.getMethod("channelHandlerContext")), ChannelHandlerContext.class, Object.class);
        requestHead = head.unreflectConstructor(only(head.lookupClass()));
        responseHead = of(only(HttpResponseHead.class));
        authority = generic(head.unreflectGetter(head.lookupClass().getDeclaredField("authority")), Object.class, HttpRequestHead.class);
        requestHeaders = before51 ? null : generic(of(connectionType.getMethod("newHttpRequestHeaders")), MultiMap.class, Object.class);
    }

    /** Of a client's transport. */
    private static MethodHandle upgrades(AdapterContext context, MethodHandles.Lookup client) throws ReflectiveOperationException {
        MethodHandles.Lookup transport = context.lookup(HTTP + "tcp.TcpHttpClientTransport");
        MethodHandle config = transport.unreflectGetter(transport.lookupClass().getDeclaredField("http2Config"));
        MethodHandle upgrades = of(config.type().returnType().getMethod("isClearTextUpgrade"));
        MethodHandle tcp = client.unreflectGetter(client.lookupClass().getDeclaredField("tcpTransport"));
        MethodHandle ofClient = MethodHandles.filterReturnValue(
                tcp, MethodHandles.filterReturnValue(config, upgrades).asType(MethodType.methodType(boolean.class, tcp.type().returnType())));
        return generic(ofClient, boolean.class, Object.class);
    }

    private MethodHandle listener(String name) throws ReflectiveOperationException {
        return generic(of(streamType.getMethod(name, Handler.class)), void.class, Object.class, Handler.class);
    }

    private static MethodHandle generic(MethodHandle handle, Class<?> result, Class<?>... parameters) {
        return handle.asType(MethodType.methodType(result, parameters));
    }

    private static MethodHandle of(Method method) throws IllegalAccessException {
        return MethodHandles.publicLookup().unreflect(method);
    }

    private static MethodHandle of(Constructor<?> constructor) throws IllegalAccessException {
        return MethodHandles.publicLookup().unreflectConstructor(constructor);
    }

    private static Constructor<?> only(Class<?> type) throws NoSuchMethodException {
        Constructor<?>[] constructors = type.getConstructors();
        if (constructors.length != 1) {
            throw new NoSuchMethodException(type + " has " + constructors.length + " constructors");
        }
        return constructors[0];
    }

    private static Method method(Class<?> type, String name, String otherName) throws NoSuchMethodException {
        try {
            return type.getMethod(name);
        } catch (NoSuchMethodException renamed) {
            return type.getMethod(otherName);
        }
    }

    private static Method setServer() throws NoSuchMethodException {
        for (Method method : RequestOptions.class.getMethods()) {
            if (method.getName().equals("setServer") && method.getReturnType() == RequestOptions.class && !method.isBridge()) {
                return method;
            }
        }
        throw new NoSuchMethodException("setServer");
    }

    private static Method declared(Class<?> type, String name, int parameters) {
        for (Method method : type.getDeclaredMethods()) {
            if (method.getName().equals(name) && method.getParameterCount() == parameters && !method.isBridge()) {
                return method;
            }
        }
        return null;
    }

    private static Method found(Method method, String name) throws NoSuchMethodException {
        if (method == null) {
            throw new NoSuchMethodException(name);
        }
        return method;
    }

    boolean areBefore5() {
        return before5;
    }

    private HttpClientOptions options(Object client) throws Throwable {
        return (HttpClientOptions) options.invokeExact(client);
    }

    Vertx vertx(Object client) throws Throwable {
        return (Vertx) vertx.invokeExact(client);
    }

    /** Of whoever asks for a request. */
    Context context(Promise<?> asked) throws Throwable {
        return (Context) promiseContext.invokeExact((Object) asked);
    }

    @SuppressWarnings("unchecked")
    <T> Promise<T> promise(Context context) throws Throwable {
        return (Promise<T>) promise.invokeExact((Object) context);
    }

    EventLoop eventLoop(Context context) throws Throwable {
        return (EventLoop) eventLoop.invokeExact((Object) context);
    }

    boolean isClosed(Object client) throws Throwable {
        try {
            checkClosed.invokeExact(client);
            return false;
        } catch (IllegalStateException closed) {
            return true;
        }
    }

    boolean isSecure(Object client) throws Throwable {
        return before51 ? options(client).isSsl() : (boolean) secure.invokeExact(client);
    }

    String defaultHost(Object client) throws Throwable {
        return before51 ? options(client).getDefaultHost() : (String) host.invokeExact(client);
    }

    int defaultPort(Object client) throws Throwable {
        return before51 ? options(client).getDefaultPort() : (int) port.invokeExact(client);
    }

    HttpVersion version(Object client, RequestOptions request) throws Throwable {
        if (before51) {
            return options(client).getProtocolVersion();
        }
        HttpVersion asked = (HttpVersion) protocol.invokeExact(request);
        return asked == null ? (HttpVersion) ((List<?>) versions.invokeExact(client)).get(0) : asked;
    }

    /** Whether a connection in plaintext is HTTP/2 from its first byte on. */
    private boolean beginsWithHttp2(Object client, RequestOptions request) throws Throwable {
        if (version(client, request) != HttpVersion.HTTP_2) {
            return false;
        }
        return before51 ? !options(client).isHttp2ClearTextUpgrade() : !(boolean) upgrades.invokeExact(client);
    }

    /** An address of the app's choice; null: none. */
    Object server(RequestOptions request) throws Throwable {
        return (Object) server.invokeExact(request);
    }

    boolean hasProxy(Object client, RequestOptions request, SocketAddress address) throws Throwable {
        return (ProxyOptions) proxy.invokeExact(client, request.getProxyOptions(), address) != null;
    }

    /** Where an attempt gets its connection. */
    RequestOptions towards(Object client, RequestOptions request, Target target, Endpoint endpoint, SecuredChannels secured) throws Throwable {
        RequestOptions options = new RequestOptions(request);
        InetSocketAddress at = secured.address(endpoint, beginsWithHttp2(client, request));
        SocketAddress address = SocketAddress.inetSocketAddress(at);
        // From 5.1 on the library looks up an address's name once more, and its pools have the authority's.
        boolean named = !before51 && endpoint.tls() != null;
        SocketAddress there = named ? SocketAddress.inetSocketAddress(address.port(), address.hostAddress()) : address;
        setServer.invokeExact(options, there);
        options.setHost(named ? at.getHostString() : target.host()).setPort(target.port()).setSsl(false);
        long limit = request.getConnectTimeout() >= 0 ? request.getConnectTimeout() : request.getTimeout();
        // The rest of the app's patience is the request's that the app has.
        return options.setTimeout(0).setIdleTimeout(0).setConnectTimeout(Math.max(0, limit));
    }

    boolean isOpening() {
        return opening.get() != null;
    }

    /** A request on a connection of the library's pools. On its context. */
    @SuppressWarnings("unchecked")
    Future<HttpClientRequest> open(Object client, RequestOptions request, Context context) throws Throwable {
        opening.set(true);
        try {
            if (before5) {
                Promise<HttpClientRequest> promise = promise(context);
                open.invokeExact(client, request, (Object) promise);
                return promise.future();
            }
            return (Future<HttpClientRequest>) (Future<?>) open.invokeExact(client, request);
        } finally {
            opening.remove();
        }
    }

    Object stream(HttpClientRequest request) throws Throwable {
        return (Object) stream.invokeExact((Object) request);
    }

    Object connection(Object stream) throws Throwable {
        return (Object) streamConnection.invokeExact(stream);
    }

    boolean isHttp2(Object stream) throws Throwable {
        return (HttpVersion) streamVersion.invokeExact(stream) == HttpVersion.HTTP_2;
    }

    void reset(Object stream, Throwable cause) throws Throwable {
        streamReset.invokeExact(stream, cause);
    }

    ChannelHandlerContext channelContext(Object connection) throws Throwable {
        return (ChannelHandlerContext) channelContext.invokeExact(connection);
    }

    /** In place of the library's own request. */
    void listen(Object on, Attempt attempt) throws Throwable {
        headHandler.invokeExact(on, (Handler<?>) (Handler<HttpResponseHead>) attempt::head);
        dataHandler.invokeExact(on, (Handler<?>) (Handler<Object>) attempt::data);
        endHandler.invokeExact(on, (Handler<?>) (Handler<MultiMap>) attempt::end);
        exceptionHandler.invokeExact(on, (Handler<?>) (Handler<Throwable>) attempt::exception);
        if (resetHandler != null) {
            resetHandler.invokeExact(on, (Handler<?>) (Handler<Long>) attempt::reset);
        }
    }

    void giveBack(HttpClientRequest request) throws Throwable {
        resetRequest.invokeExact(request);
    }

    Object newStream(InvocationHandler handler) {
        return Proxy.newProxyInstance(Internals.class.getClassLoader(), new Class<?>[] {streamType}, handler);
    }

    Object newConnection(InvocationHandler handler) {
        return Proxy.newProxyInstance(Internals.class.getClassLoader(), new Class<?>[] {connectionType}, handler);
    }

    /** The library's own request on a stream that is not the library's. */
    HttpClientRequest request(Object client, RequestOptions app, Target target, Object stream, Object connection) throws Throwable {
        long patience = app.getIdleTimeout() >= 0 ? app.getIdleTimeout() : app.getTimeout();
        if (before5) {
            HttpClientRequest request = (HttpClientRequest) front.invoke(client, stream);
            request.setMethod(app.getMethod());
            request.authority(HostAndPort.create(target.host(), target.port()));
            request.setURI(app.getURI());
            request.traceOperation(app.getTraceOperation());
            if (app.getHeaders() != null) {
                request.headers().setAll(app.getHeaders());
            }
            if (app.getFollowRedirects() != null) {
                request.setFollowRedirects(app.getFollowRedirects());
            }
            if (patience > 0) {
                request.idleTimeout(patience);
            }
            return request;
        }
        RequestOptions options = new RequestOptions(app).setIdleTimeout(Math.max(0, patience)).setProxyOptions(null);
        return (HttpClientRequest) (before51
                ? front.invoke(client, connection, stream, options)
                : front.invoke(client, HostAndPort.create(target.host(), target.port()), connection, stream, options));
    }

    /** Whether it was the app's patience that has ended a request. */
    boolean isTimedOut(HttpClientRequest request) throws Throwable {
        Throwable given = (Throwable) reason.invokeExact((Object) request);
        return given instanceof TimeoutException || given != null && given.getCause() instanceof TimeoutException;
    }

    /** Nothing more becomes of the request. */
    void closed(HttpClientRequest request) throws Throwable {
        if (closed != null) {
            closed.invokeExact((Object) request);
        }
    }

    String authority(HttpRequestHead head) throws Throwable {
        Object named = (Object) authority.invokeExact(head);
        if (!(named instanceof HostAndPort address)) {
            return (String) named;
        }
        return address.port() == 80 || address.port() < 0 ? address.host() : address.host() + ":" + address.port();
    }

    /** The head as it goes out. Its headers are of the connection's kind. */
    HttpRequestHead onWire(HttpRequestHead head, RequestChanges changes, Object connection) throws Throwable {
        if (before51 && changes.equals(RequestChanges.NONE)) {
            return head;
        }
        MultiMap headers = before51 ? HttpHeaders.headers() : (MultiMap) requestHeaders.invokeExact(connection);
        if (head.headers != null) {
            headers.addAll(head.headers);
        }
        VertxHeaders edits = new VertxHeaders(headers);
        edits.change(changes);
        Object host = (Object) authority.invokeExact(head);
        if (changes.authority() != null) {
            if (headers.contains("host")) {
                edits.set("host", changes.authority());
            }
            host = before51 ? changes.authority() : hostAndPort(changes.authority());
        }
        String uri = changes.path() == null ? head.uri : changes.path();
        return (HttpRequestHead) (before51
                ? requestHead.invoke(head.method, uri, headers, (String) host, head.absoluteURI, head.traceOperation)
                : requestHead.invoke("http", head.method, uri, headers, (HostAndPort) host, head.absoluteURI, head.traceOperation));
    }

    private static HostAndPort hostAndPort(String authority) {
        int colon = authority.lastIndexOf(':');
        return colon < 0 || authority.endsWith("]")
                ? HostAndPort.create(authority, -1)
                : HostAndPort.create(authority.substring(0, colon), Integer.parseInt(authority.substring(colon + 1)));
    }

    HttpResponseHead responseHead(LocalReply reply) throws Throwable {
        MultiMap headers = HttpHeaders.headers();
        for (Map.Entry<String, String> header : reply.headers()) {
            headers.add(header.getKey(), header.getValue());
        }
        if (reply.status() != 204 && !headers.contains("content-length")) {
            headers.set("content-length", Integer.toString(reply.body().length));
        }
        String message = reply.reason();
        return (HttpResponseHead) (before51
                ? responseHead.invoke(HttpVersion.HTTP_1_1, reply.status(), message, headers)
                : responseHead.invoke(reply.status(), message, headers));
    }

    /** For one of several attempts: what it is given it lets go of. */
    static Object share(Object body) {
        return body instanceof ByteBuf bytes ? bytes.retainedDuplicate() : body == null ? null : ((Buffer) body).slice();
    }
}
