package io.weft.instrumentation.apachehttpclient5;

import io.weft.instrumentation.AdapterContext;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.invoke.VarHandle;
import java.lang.reflect.Field;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.async.AsyncExecChain;
import org.apache.hc.client5.http.async.AsyncExecRuntime;
import org.apache.hc.client5.http.nio.AsyncClientConnectionManager;
import org.apache.hc.client5.http.protocol.HttpClientContext;
import org.apache.hc.core5.concurrent.Cancellable;
import org.apache.hc.core5.concurrent.CancellableDependency;
import org.apache.hc.core5.concurrent.FutureCallback;
import org.apache.hc.core5.http.HttpRequest;
import org.apache.hc.core5.http.nio.AsyncEntityProducer;
import org.apache.hc.core5.http.nio.AsyncRequestProducer;
import org.apache.hc.core5.http.nio.DataStreamChannel;
import org.apache.hc.core5.http.nio.RequestChannel;
import org.apache.hc.core5.http.protocol.HttpCoreContext;
import org.apache.hc.core5.reactor.IOSession;

/** What of the asynchronous client is not public, or not in every version. Thread-safe. */
final class AsyncInternals {
    /** Those that have the bytes in memory. */
    private static final Set<String> IN_MEMORY = Set.of(
            "org.apache.hc.core5.http.nio.entity.BasicAsyncEntityProducer",
            "org.apache.hc.core5.http.nio.entity.StringAsyncEntityProducer");

    private static final String SCHEDULER = "org.apache.hc.client5.http.async.AsyncExecChain$Scheduler";
    private static final String CONNECTION = "org.apache.hc.client5.http.impl.nio.DefaultManagedAsyncClientConnection";
    private static final String PRODUCER = "org.apache.hc.core5.http.nio.support.BasicRequestProducer";
    private static final String OVER_HTTP1 = "org.apache.hc.client5.http.impl.async.InternalHttpAsyncExecRuntime";
    private static final String OVER_HTTP2 = "org.apache.hc.client5.http.impl.async.InternalH2AsyncExecRuntime";
    private static final String STREAM = "org.apache.hc.core5.http2.impl.nio.AbstractH2StreamMultiplexer$H2StreamChannelImpl";

    /** Read once, by {@link Members}. */
    private static volatile AdapterContext adapterContext;

    private final AdapterContext context;

    AsyncInternals(AdapterContext context) throws ReflectiveOperationException {
        this.context = context;
        adapterContext = context;
        AdapterContext.initialize(MethodHandles.lookup(), Constants.class);
    }

    /** The app's manager, of whatever kind; null: it is not known. */
    Object manager(AsyncExecRuntime runtime) {
        if (runtime.getClass() != Constants.RUNTIME) {
            return null;
        }
        try {
            return (Object) Constants.MANAGER.invokeExact((Object) runtime);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable undeclared) {
            throw new AssertionError(undeclared);
        }
    }

    boolean speaksHttp2Alone(AsyncExecRuntime runtime) {
        return runtime.getClass() == Constants.OVER_HTTP2_ALONE;
    }

    /** Of the connection that one has which speaks HTTP/2 alone; null: it has none. */
    IOSession http2Session(AsyncExecRuntime runtime) {
        try {
            Object endpoint = ((AtomicReference<?>) Constants.HTTP2_ENDPOINT.invokeExact((Object) runtime)).get();
            return endpoint == null ? null : (IOSession) Constants.HTTP2_SESSION.invokeExact(endpoint);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable undeclared) {
            throw new AssertionError(undeclared);
        }
    }

    /** Whether it can be ended alone. @param stream null: the library makes it elsewhere */
    private static boolean isKnown(Cancellable stream) {
        return stream != null && Constants.STREAM_ENDED != null && Constants.STREAM_RESET != null;
    }

    /** Over HTTP/2. */
    void sent(Cancellable stream) {
        if (!isKnown(stream)) {
            context.warn("over HTTP/2 a request that is given up may go on at its endpoint, and one that waits for its stream until then ends the connection:"
                    + " the streams of this HttpCore are not as those of 5.0 to 5.4");
        }
    }

    /** Of which the peer knows. */
    void resetStream(Cancellable stream) {
        if (Constants.TELLS_OF_INCOMPLETE_ALONE) {
            Constants.STREAM_ENDED.setVolatile(stream, false);
        }
        stream.cancel();
    }

    /**
     * Of which the peer knows nothing: it would take a reset for a fault of the whole connection. On the reactor's thread.
     *
     * @return false: nothing is done
     */
    boolean dropStream(Cancellable stream) {
        if (!isKnown(stream)) {
            return false;
        }
        Constants.STREAM_ENDED.setVolatile(stream, true);
        // So long ago that nothing can come for it any more.
        Constants.STREAM_RESET.setVolatile(stream, 1L);
        ((DataStreamChannel) stream).requestOutput();
        return true;
    }

    /** The same scope with another runtime. */
    AsyncExecChain.Scope with(AsyncExecChain.Scope scope, AsyncExecRuntime runtime) throws Throwable {
        if (Constants.NEW_SCOPE == null) {
            return new AsyncExecChain.Scope(
                    scope.exchangeId, scope.route, scope.originalRequest, scope.cancellableDependency, scope.clientContext, runtime);
        }
        return (AsyncExecChain.Scope) Constants.NEW_SCOPE.invokeExact(
                scope.exchangeId,
                scope.route,
                scope.originalRequest,
                scope.cancellableDependency,
                scope.clientContext,
                runtime,
                (Object) Constants.SCOPE_SCHEDULER.invokeExact(scope),
                (AtomicInteger) Constants.EXEC_COUNT.invokeExact(scope));
    }

    /** For an exchange that no execution chain has. */
    AsyncExecChain.Scope scope(
            String id, HttpRoute route, HttpRequest request, CancellableDependency dependency, HttpClientContext context, AsyncExecRuntime runtime)
            throws Throwable {
        return Constants.NEW_SCOPE == null
                ? new AsyncExecChain.Scope(id, route, request, dependency, context, runtime)
                : (AsyncExecChain.Scope) Constants.NEW_SCOPE.invokeExact(id, route, request, dependency, context, runtime, (Object) null, new AtomicInteger(1));
    }

    /** Of a connection of the library's. */
    IOSession session(Object connection) throws Throwable {
        return (IOSession) Constants.SESSION.invokeExact(connection);
    }

    /** What the app sees as the request that is sent. */
    void request(HttpClientContext seen, HttpRequest request) {
        try {
            if (Constants.SET_REQUEST == null) {
                seen.setAttribute(HttpCoreContext.HTTP_REQUEST, request);
            } else {
                Constants.SET_REQUEST.invokeExact((HttpCoreContext) seen, request);
            }
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable undeclared) {
            throw new AssertionError(undeclared);
        }
    }

    void disconnect(AsyncExecRuntime runtime) {
        try {
            if (Constants.DISCONNECT != null) {
                Constants.DISCONNECT.invokeExact(runtime);
            }
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable undeclared) {
            throw new AssertionError(undeclared);
        }
    }

    void upgrade(AsyncExecRuntime runtime, HttpClientContext context, FutureCallback<AsyncExecRuntime> callback) {
        try {
            Constants.UPGRADE.invokeExact(runtime, context, (FutureCallback<?>) callback);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable undeclared) {
            throw new AssertionError(undeclared);
        }
    }

    /**
     * The body behind the one that the library's own client has made, if it has its bytes in memory, and to ask it for them costs the app
     * nothing.
     *
     * @return null: it is another one
     */
    AsyncEntityProducer inMemory(AsyncEntityProducer body) throws Throwable {
        Object request = requestOf(body);
        if (request == null || !isBasic(request.getClass())) {
            return null;
        }
        AsyncEntityProducer apps = (AsyncEntityProducer) Constants.BODY.invokeExact(request);
        return apps != null && IN_MEMORY.contains(apps.getClass().getName()) ? apps : null;
    }

    /** The library's own classes alone: an app's may do more when it is asked. */
    private static boolean isBasic(Class<?> type) {
        return type.getName().equals(PRODUCER) || type.getName().equals("org.apache.hc.client5.http.async.methods.SimpleRequestProducer");
    }

    /**
     * That of which the client makes a body of its own.
     *
     * @param made in a class without a name, which has it, or before 5.6 the object around it
     * @return null: it is none of these
     */
    private Object requestOf(Object made) throws ReflectiveOperationException {
        Class<?> type = made.getClass();
        if (!type.getName().startsWith("org.apache.hc.client5.http.impl.async.")) {
            return null;
        }
        for (Field field : type.getDeclaredFields()) {
            if (field.getType() == AsyncRequestProducer.class) {
                return context.lookup(type.getName()).unreflectVarHandle(field).get(made);
            }
            if (RequestChannel.class.isAssignableFrom(field.getType())) {
                return requestOf(context.lookup(type.getName()).unreflectVarHandle(field).get(made));
            }
        }
        return null;
    }

    /** Of each library's loader its own: with them the JIT compiles what a member leads to into the caller. */
    private static final class Constants {
        static final MethodHandle SESSION;

        /** The app's body in a request of one; null: not there. */
        static final MethodHandle BODY;

        /** Null before 5.1, as the two below. */
        static final MethodHandle NEW_SCOPE;

        static final MethodHandle SCOPE_SCHEDULER;
        static final MethodHandle EXEC_COUNT;

        /** Null before 5.4, as the one below. */
        static final MethodHandle DISCONNECT;

        static final MethodHandle SET_REQUEST;

        /** Null before 5.2. */
        static final MethodHandle UPGRADE;

        static final Class<?> RUNTIME;

        static final MethodHandle MANAGER;

        /** Of a client that speaks HTTP/2 alone, as the two below. */
        static final Class<?> OVER_HTTP2_ALONE;

        static final MethodHandle HTTP2_ENDPOINT;

        static final MethodHandle HTTP2_SESSION;

        /** Before HttpCore 5.4: the peer hears of no stream that is reset when its request is complete. */
        static final boolean TELLS_OF_INCOMPLETE_ALONE;

        /** Whether anything may go out on it; null: another HttpCore, as the one below. */
        static final VarHandle STREAM_ENDED;

        /** Milliseconds of the clock; 0: it was not. */
        static final VarHandle STREAM_RESET;

        static {
            try {
                SESSION = getter(CONNECTION, "ioSession", IOSession.class);
                BODY = getter(PRODUCER, "dataProducer", AsyncEntityProducer.class);
                DISCONNECT = Members.whenPresent(AsyncExecRuntime.class, "disconnectEndpoint", MethodType.methodType(void.class));
                SET_REQUEST = Members.whenPresent(HttpCoreContext.class, "setRequest", MethodType.methodType(void.class, HttpRequest.class));
                UPGRADE = Members.whenPresent(
                        AsyncExecRuntime.class, "upgradeTls", MethodType.methodType(void.class, HttpClientContext.class, FutureCallback.class));
                RUNTIME = adapterContext.lookup(OVER_HTTP1).lookupClass();
                MANAGER = getter(OVER_HTTP1, "manager", AsyncClientConnectionManager.class).asType(MethodType.methodType(Object.class, Object.class));
                OVER_HTTP2_ALONE = adapterContext.lookup(OVER_HTTP2).lookupClass();
                HTTP2_ENDPOINT = getter(OVER_HTTP2, "sessionRef", AtomicReference.class);
                HTTP2_SESSION = getter(OVER_HTTP2 + "$Endpoint", "session", IOSession.class);
                VarHandle endedBefore54 = ofStream("localEndStream", boolean.class);
                TELLS_OF_INCOMPLETE_ALONE = endedBefore54 != null;
                STREAM_ENDED = TELLS_OF_INCOMPLETE_ALONE ? endedBefore54 : ofStream("localClosed", boolean.class);
                STREAM_RESET = ofStream(TELLS_OF_INCOMPLETE_ALONE ? "deadline" : "localResetTime", long.class);
                Class<?> schedulers = schedulers();
                MethodHandles.Lookup open = MethodHandles.publicLookup();
                NEW_SCOPE = schedulers == null ? null : newScope(open, schedulers);
                SCOPE_SCHEDULER = schedulers == null
                        ? null
                        : open.findGetter(AsyncExecChain.Scope.class, "scheduler", schedulers)
                                .asType(MethodType.methodType(Object.class, AsyncExecChain.Scope.class));
                EXEC_COUNT = schedulers == null ? null : open.findGetter(AsyncExecChain.Scope.class, "execCount", AtomicInteger.class);
            } catch (ReflectiveOperationException e) {
                throw new ExceptionInInitializerError(e);
            }
        }

        /** Null: it has none. HTTP/1.1 goes without. */
        private static VarHandle ofStream(String field, Class<?> type) {
            try {
                MethodHandles.Lookup stream = adapterContext.lookup(STREAM);
                return stream.findVarHandle(stream.lookupClass(), field, type);
            } catch (ReflectiveOperationException absent) {
                return null;
            }
        }

        private static MethodHandle newScope(MethodHandles.Lookup lookup, Class<?> schedulers) throws ReflectiveOperationException {
            MethodHandle made = lookup.findConstructor(
                    AsyncExecChain.Scope.class,
                    MethodType.methodType(
                            void.class,
                            String.class,
                            HttpRoute.class,
                            HttpRequest.class,
                            CancellableDependency.class,
                            HttpClientContext.class,
                            AsyncExecRuntime.class,
                            schedulers,
                            AtomicInteger.class));
            return made.asType(made.type().changeParameterType(6, Object.class));
        }

        private static Class<?> schedulers() {
            try {
                return Class.forName(SCHEDULER, false, AsyncExecChain.class.getClassLoader());
            } catch (ClassNotFoundException e) {
                return null;
            }
        }

        private static MethodHandle getter(String owner, String field, Class<?> type) throws ReflectiveOperationException {
            MethodHandles.Lookup lookup = adapterContext.lookup(owner);
            return lookup.findGetter(lookup.lookupClass(), field, type).asType(MethodType.methodType(type, Object.class));
        }
    }
}
