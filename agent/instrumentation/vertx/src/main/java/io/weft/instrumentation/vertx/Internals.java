package io.weft.instrumentation.vertx;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.EventLoop;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.MultiMap;
import io.vertx.core.Promise;
import io.vertx.core.VertxException;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.ConnectionPoolTooBusyException;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.http.RequestOptions;
import io.vertx.core.http.impl.HttpRequestHead;
import io.vertx.core.http.impl.HttpResponseHead;
import io.vertx.core.net.SocketAddress;
import io.weft.dataplane.Endpoint;
import io.weft.dataplane.LocalReply;
import io.weft.dataplane.RequestChanges;
import io.weft.instrumentation.AdapterContext;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.concurrent.TimeoutException;

/**
 * What Vert.x has not in public, or not alike in its versions. Looked up once: a version that has it not is left alone. Refers to nothing
 * that one of them lacks. Thread-safe.
 */
abstract class Internals {
    static final String HTTP = "io.vertx.core.http.impl.";

    /** Read once, when the members are looked up. */
    static volatile AdapterContext context;

    /**
     * Whether this thread asks the library for a request of its own. What holds that is kept, since to put a value into a thread and take it out
     * again costs each request more, and so is of no class that an app's loader would stay for.
     */
    private final ThreadLocal<boolean[]> opening = ThreadLocal.withInitial(() -> new boolean[1]);

    Internals(AdapterContext context) throws ReflectiveOperationException {
        Internals.context = context;
        AdapterContext.initialize(MethodHandles.lookup(), Members.class);
    }

    static MethodHandle generic(MethodHandle handle, Class<?> result, Class<?>... parameters) {
        return handle.asType(MethodType.methodType(result, parameters));
    }

    static MethodHandle of(Method method) throws IllegalAccessException {
        return MethodHandles.publicLookup().unreflect(method);
    }

    static MethodHandle of(Constructor<?> constructor) throws IllegalAccessException {
        return MethodHandles.publicLookup().unreflectConstructor(constructor);
    }

    static Constructor<?> only(Class<?> type) throws NoSuchMethodException {
        Constructor<?>[] constructors = type.getConstructors();
        if (constructors.length != 1) {
            throw new NoSuchMethodException(type + " has " + constructors.length + " constructors");
        }
        return constructors[0];
    }

    private static Method method(Class<?> type, String name, String otherName) throws NoSuchMethodException {
        return hasMethod(type, name) ? type.getMethod(name) : type.getMethod(otherName);
    }

    private static boolean hasMethod(Class<?> type, String name, Class<?>... parameters) {
        try {
            type.getMethod(name, parameters);
            return true;
        } catch (NoSuchMethodException otherVersion) {
            return false;
        }
    }

    private static boolean hasField(Class<?> type, String name) {
        try {
            Field ignored = type.getDeclaredField(name);
            return true;
        } catch (NoSuchFieldException otherVersion) {
            return false;
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

    static Method declared(Class<?> type, String name, int parameters) {
        for (Method method : type.getDeclaredMethods()) {
            if (method.getName().equals(name) && method.getParameterCount() == parameters && !method.isBridge()) {
                return method;
            }
        }
        return null;
    }

    static Method found(Method method, String name) throws NoSuchMethodException {
        if (method == null) {
            throw new NoSuchMethodException(name);
        }
        return method;
    }

    // In one of the two ways.

    abstract boolean isSecure(Object client) throws Throwable;

    abstract String defaultHost(Object client) throws Throwable;

    abstract int defaultPort(Object client) throws Throwable;

    abstract HttpVersion version(Object client, RequestOptions request) throws Throwable;

    abstract boolean hasProxy(Object client, RequestOptions request, String host, int port) throws Throwable;

    /** Where an attempt gets its connection. */
    abstract RequestOptions towards(Object client, RequestOptions request, Target target, Endpoint endpoint, SecuredChannels secured)
            throws Throwable;

    /** A request on a connection of the library's pools, asked for by {@link #open}. */
    abstract Future<HttpClientRequest> opened(Object client, RequestOptions request, Context context) throws Throwable;

    /** The library's own request on a stream that is not the library's. */
    abstract HttpClientRequest request(Object client, RequestOptions app, Target target, MeshStream stream) throws Throwable;

    /** As a connection tells it; null before there was such a thing. */
    abstract Object authority(Target target);

    abstract String authority(HttpRequestHead head) throws Throwable;

    /** The head as it goes out. Its headers are of the connection's kind, where that matters. */
    abstract HttpRequestHead onWire(HttpRequestHead head, RequestChanges changes, Object stream) throws Throwable;

    abstract HttpResponseHead responseHead(LocalReply reply) throws Throwable;

    /** Whether a stream may be told who takes what its server pushes. */
    abstract boolean takesPushes(Object stream) throws Throwable;

    // Alike in all versions.

    /** A connection of the pool's that its server has closed meanwhile. */
    final boolean tellsOfAClosedConnection(Throwable cause) {
        return cause instanceof VertxException && !(cause instanceof ConnectionPoolTooBusyException);
    }

    /** Of whoever asks for a request. */
    Context context(Promise<?> asked) throws Throwable {
        return (Context) Members.PROMISE_CONTEXT.invokeExact((Object) asked);
    }

    @SuppressWarnings("unchecked")
    <T> Promise<T> promise(Context context) throws Throwable {
        return (Promise<T>) Members.PROMISE.invokeExact((Object) context);
    }

    EventLoop eventLoop(Context context) throws Throwable {
        return (EventLoop) Members.EVENT_LOOP.invokeExact((Object) context);
    }

    boolean isClosed(Object client) throws Throwable {
        try {
            Members.CHECK_CLOSED.invokeExact(client);
            return false;
        } catch (IllegalStateException closed) {
            return true;
        }
    }

    /** An address of the app's choice; null: none. */
    Object server(RequestOptions request) throws Throwable {
        return (Object) Members.SERVER.invokeExact(request);
    }

    void setServer(RequestOptions request, SocketAddress address) throws Throwable {
        Members.SET_SERVER.invokeExact(request, address);
    }

    boolean isOpening() {
        return opening.get()[0];
    }

    /** A request on a connection of the library's pools. On its context. */
    Future<HttpClientRequest> open(Object client, RequestOptions request, Context context) throws Throwable {
        boolean[] here = opening.get();
        here[0] = true;
        try {
            return opened(client, request, context);
        } finally {
            here[0] = false;
        }
    }

    Object stream(HttpClientRequest request) throws Throwable {
        return (Object) Members.STREAM.invokeExact((Object) request);
    }

    Object connection(Object stream) throws Throwable {
        return (Object) Members.STREAM_CONNECTION.invokeExact(stream);
    }

    /** Each request has one, which by reflection would cost a microsecond. */
    static Object writeHead(Object stream, Object[] args) throws Throwable {
        return (Object) Members.WRITE_HEAD.invokeExact(stream, args);
    }

    static HttpVersion version(Object stream) throws Throwable {
        return (HttpVersion) Members.STREAM_VERSION.invokeExact(stream);
    }

    boolean isHttp2(Object stream) throws Throwable {
        return version(stream) == HttpVersion.HTTP_2;
    }

    void reset(Object stream, Throwable cause) throws Throwable {
        Members.STREAM_RESET.invokeExact(stream, cause);
    }

    ChannelHandlerContext channelContext(Object connection) throws Throwable {
        return (ChannelHandlerContext) Members.CHANNEL_CONTEXT.invokeExact(connection);
    }

    /** In place of the library's own request. */
    void listen(Object on, Attempt attempt) throws Throwable {
        Members.HEAD_HANDLER.invokeExact(on, (Handler<?>) (Handler<HttpResponseHead>) attempt::head);
        Members.DATA_HANDLER.invokeExact(on, (Handler<?>) (Handler<Object>) attempt::data);
        Members.END_HANDLER.invokeExact(on, (Handler<?>) (Handler<MultiMap>) attempt::end);
        Members.EXCEPTION_HANDLER.invokeExact(on, (Handler<?>) (Handler<Throwable>) attempt::exception);
        if (Members.RESET_HANDLER != null) {
            Members.RESET_HANDLER.invokeExact(on, (Handler<?>) (Handler<Long>) attempt::reset);
        }
    }

    void giveBack(HttpClientRequest request) throws Throwable {
        Members.RESET_REQUEST.invokeExact(request);
    }

    /** Beside those of {@link #listen(Object, Attempt)}. */
    static void listen(Object on, Listener listener, Handler<?> handler) throws Throwable {
        switch (listener) {
            case PUSH -> Members.PUSH_HANDLER.invokeExact(on, handler);
            case CONTINUE -> Members.CONTINUE_HANDLER.invokeExact(on, handler);
            case EARLY_HINTS -> Members.EARLY_HINTS_HANDLER.invokeExact(on, handler);
            case DRAIN -> Members.DRAIN_HANDLER.invokeExact(on, handler);
            case PRIORITY -> Members.PRIORITY_HANDLER.invokeExact(on, handler);
            case CUSTOM_FRAME -> Members.CUSTOM_FRAME_HANDLER.invokeExact(on, handler);
        }
    }

    Object newStream(InvocationHandler handler) throws Throwable {
        return (Object) Members.NEW_STREAM.invokeExact(handler);
    }

    Object newConnection(InvocationHandler handler) throws Throwable {
        return (Object) Members.NEW_CONNECTION.invokeExact(handler);
    }

    /** Whether it was the app's patience that has ended a request. */
    boolean isTimedOut(HttpClientRequest request) throws Throwable {
        Throwable given = (Throwable) Members.REASON.invokeExact((Object) request);
        return given instanceof TimeoutException || given != null && given.getCause() instanceof TimeoutException;
    }

    /** Nothing more becomes of the request. */
    void closed(HttpClientRequest request) throws Throwable {
        if (Members.CLOSED != null) {
            Members.CLOSED.invokeExact((Object) request);
        }
    }

    /** Of the mesh's own answer. */
    static MultiMap headers(LocalReply reply) {
        MultiMap headers = HttpHeaders.headers();
        reply.headers().forEach(header -> headers.add(header.getKey(), header.getValue()));
        if (reply.status() != 204 && !headers.contains("content-length")) {
            headers.set("content-length", Integer.toString(reply.body().length));
        }
        return headers;
    }

    /** Whether a connection in plaintext is HTTP/2 from its first byte on. */
    static boolean beginsWithHttp2(HttpClientOptions options) {
        return options.getProtocolVersion() == HttpVersion.HTTP_2 && !options.isHttp2ClearTextUpgrade();
    }

    /** For one of several attempts: what it is given it lets go of. */
    static Object share(Object body) {
        return body instanceof ByteBuf bytes ? bytes.retainedDuplicate() : body == null ? null : ((Buffer) body).slice();
    }

    /** Constants, of each library's loader its own: with them the JIT compiles what a member leads to into the caller. */
    static final class Members {
        static final Class<?> STREAM_TYPE;
        static final Class<?> CONNECTION_TYPE;
        /** Null where a request has no such thing. */
        static final MethodHandle CLOSED;
        static final MethodHandle REASON;
        static final MethodHandle CHECK_CLOSED;
        static final MethodHandle SERVER;
        static final MethodHandle SET_SERVER;
        static final MethodHandle STREAM;
        static final MethodHandle STREAM_CONNECTION;
        /** Its arguments in an array. */
        static final MethodHandle WRITE_HEAD;
        static final MethodHandle STREAM_VERSION;
        static final MethodHandle STREAM_RESET;
        static final MethodHandle RESET_REQUEST;
        static final MethodHandle HEAD_HANDLER;
        static final MethodHandle DATA_HANDLER;
        static final MethodHandle END_HANDLER;
        static final MethodHandle EXCEPTION_HANDLER;
        /** Null: a reset is an exception. */
        static final MethodHandle RESET_HANDLER;
        static final MethodHandle PUSH_HANDLER;
        static final MethodHandle CONTINUE_HANDLER;
        /** Null where there are none. */
        static final MethodHandle EARLY_HINTS_HANDLER;
        static final MethodHandle DRAIN_HANDLER;
        static final MethodHandle PRIORITY_HANDLER;
        static final MethodHandle CUSTOM_FRAME_HANDLER;
        static final MethodHandle NEW_STREAM;
        static final MethodHandle NEW_CONNECTION;
        static final MethodHandle PROMISE;
        static final MethodHandle PROMISE_CONTEXT;
        static final MethodHandle EVENT_LOOP;
        static final MethodHandle CHANNEL_CONTEXT;

        static {
            AdapterContext context = Internals.context;
            try {
                MethodHandles.Lookup client = context.lookup(VertxModule.CLIENT);
                MethodHandles.Lookup request = context.lookup(HTTP + "HttpClientRequestBase");
                STREAM_TYPE = context.lookup(HTTP + "HttpClientStream").lookupClass();
                Method connection = STREAM_TYPE.getMethod("connection");
                CONNECTION_TYPE = connection.getReturnType();
                Class<?> contextType = method(STREAM_TYPE, "getContext", "context").getReturnType();

                // from 4.5 on above the client
                Method check = declared(client.lookupClass(), "checkClosed", 0);
                CHECK_CLOSED = generic(
                        check == null
                                ? context.lookup(HTTP + "HttpClientBase").unreflect(found(declared(client.lookupClass().getSuperclass(), "checkClosed", 0), "checkClosed"))
                                : client.unreflect(check),
                        void.class, Object.class);
                // from 4.5 on above the request
                boolean above = hasField(request.lookupClass(), "reset");
                MethodHandles.Lookup resets = above ? request : context.lookup(HTTP + "HttpClientRequestImpl");
                REASON = generic(resets.unreflectGetter(resets.lookupClass().getDeclaredField("reset")), Throwable.class, Object.class);
                Method handleClosed = declared(request.lookupClass(), "handleClosed", 0);
                CLOSED = handleClosed == null ? null : generic(request.unreflect(handleClosed), void.class, Object.class);
                SERVER = generic(of(RequestOptions.class.getMethod("getServer")), Object.class, RequestOptions.class);
                SET_SERVER = generic(of(setServer()), void.class, RequestOptions.class, SocketAddress.class);
                STREAM = generic(request.unreflectGetter(request.lookupClass().getDeclaredField("stream")), Object.class, Object.class);
                WRITE_HEAD = writeHead();
                STREAM_CONNECTION = generic(of(connection), Object.class, Object.class);
                STREAM_VERSION = generic(of(STREAM_TYPE.getMethod("version")), HttpVersion.class, Object.class);
                RESET_REQUEST = generic(of(HttpClientRequest.class.getMethod("reset")), void.class, HttpClientRequest.class);
                HEAD_HANDLER = listener("headHandler");
                EXCEPTION_HANDLER = listener("exceptionHandler");
                boolean before51 = hasMethod(STREAM_TYPE, "chunkHandler", Handler.class);
                DATA_HANDLER = listener(before51 ? "chunkHandler" : "dataHandler");
                END_HANDLER = listener(before51 ? "endHandler" : "trailersHandler");
                RESET_HANDLER = before51 ? null : listener("resetHandler");
                PUSH_HANDLER = listener("pushHandler");
                CONTINUE_HANDLER = listener("continueHandler");
                EARLY_HINTS_HANDLER = hasMethod(STREAM_TYPE, "earlyHintsHandler", Handler.class) ? listener("earlyHintsHandler") : null;
                DRAIN_HANDLER = listener("drainHandler");
                PRIORITY_HANDLER = listener(before51 ? "priorityHandler" : "priorityChangeHandler");
                CUSTOM_FRAME_HANDLER = listener(before51 ? "unknownFrameHandler" : "customFrameHandler");
                NEW_STREAM = proxy(STREAM_TYPE);
                NEW_CONNECTION = proxy(CONNECTION_TYPE);
                STREAM_RESET = before51
                        ? generic(of(STREAM_TYPE.getMethod("reset", Throwable.class)), void.class, Object.class, Throwable.class)
                        : MethodHandles.dropArguments(
                                generic(of(STREAM_TYPE.getMethod("cancel")), void.class, Object.class), 1, Throwable.class);
                Method newPromise = contextType.getMethod("promise");
                PROMISE = generic(of(newPromise), Promise.class, Object.class);
                PROMISE_CONTEXT = generic(of(newPromise.getReturnType().getMethod("context")), Context.class, Object.class);
                EVENT_LOOP = generic(of(contextType.getMethod("nettyEventLoop")), EventLoop.class, Object.class);
                CHANNEL_CONTEXT = generic(of(CONNECTION_TYPE.getMethod("channelHandlerContext")), ChannelHandlerContext.class, Object.class);
            } catch (ReflectiveOperationException e) {
                throw new ExceptionInInitializerError(e);
            }
        }

        private static MethodHandle writeHead() throws ReflectiveOperationException {
            for (Method method : STREAM_TYPE.getMethods()) {
                if (method.getName().equals("writeHead")) {
                    return of(method).asSpreader(Object[].class, method.getParameterCount())
                            .asType(MethodType.methodType(Object.class, Object.class, Object[].class));
                }
            }
            throw new NoSuchMethodException("writeHead");
        }

        /** That of its class: to look for that costs as much as all else that is made for a request. */
        private static MethodHandle proxy(Class<?> type) throws ReflectiveOperationException {
            Object made = Proxy.newProxyInstance(
                    Internals.class.getClassLoader(), new Class<?>[] {type}, (proxy, method, args) -> StandIn.nothing(method.getReturnType()));
            return generic(of(made.getClass().getConstructor(InvocationHandler.class)), Object.class, InvocationHandler.class);
        }

        private static MethodHandle listener(String name) throws ReflectiveOperationException {
            return generic(of(STREAM_TYPE.getMethod(name, Handler.class)), void.class, Object.class, Handler.class);
        }
    }
}
