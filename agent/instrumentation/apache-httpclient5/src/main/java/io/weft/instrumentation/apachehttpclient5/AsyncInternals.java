package io.weft.instrumentation.apachehttpclient5;

import io.weft.instrumentation.AdapterContext;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Field;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.async.AsyncExecChain;
import org.apache.hc.client5.http.async.AsyncExecRuntime;
import org.apache.hc.client5.http.protocol.HttpClientContext;
import org.apache.hc.core5.concurrent.CancellableDependency;
import org.apache.hc.core5.concurrent.FutureCallback;
import org.apache.hc.core5.http.HttpRequest;
import org.apache.hc.core5.http.nio.AsyncEntityProducer;
import org.apache.hc.core5.http.nio.AsyncRequestProducer;
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
    private static final String OVER_HTTP2 = "org.apache.hc.client5.http.impl.async.InternalH2AsyncExecRuntime";

    private final AdapterContext context;
    private final MethodHandle session;

    /** The app's body in a request of one; null: not there. */
    private final MethodHandle producer;

    /** Null before 5.6. */
    private final MethodHandle unixDomainSocket;

    /** Null before 5.1, as the two below. */
    private final MethodHandle newScope;

    private final MethodHandle scheduler;
    private final MethodHandle execCount;

    /** Null before 5.4, as the one below. */
    private final MethodHandle disconnect;

    private final MethodHandle setRequest;

    /** Null before 5.2. */
    private final MethodHandle upgrade;

    /** Of a client that speaks HTTP/2 alone. */
    private final MethodHandle http2Endpoint;

    private final MethodHandle http2Session;

    AsyncInternals(AdapterContext context) throws ReflectiveOperationException {
        this.context = context;
        MethodHandles.Lookup connection = context.lookup(CONNECTION);
        session = connection
                .findGetter(connection.lookupClass(), "ioSession", IOSession.class)
                .asType(MethodType.methodType(IOSession.class, Object.class));
        producer = getter(PRODUCER, "dataProducer", AsyncEntityProducer.class);
        unixDomainSocket = Members.whenPresent(HttpRoute.class, "getUnixDomainSocket", MethodType.methodType(Path.class));
        disconnect = Members.whenPresent(AsyncExecRuntime.class, "disconnectEndpoint", MethodType.methodType(void.class));
        setRequest = Members.whenPresent(HttpCoreContext.class, "setRequest", MethodType.methodType(void.class, HttpRequest.class));
        upgrade = Members.whenPresent(
                AsyncExecRuntime.class, "upgradeTls", MethodType.methodType(void.class, HttpClientContext.class, FutureCallback.class));
        http2Endpoint = getter(OVER_HTTP2, "sessionRef", AtomicReference.class);
        http2Session = getter(OVER_HTTP2 + "$Endpoint", "session", IOSession.class);
        Class<?> schedulers = schedulers();
        if (schedulers == null) {
            newScope = null;
            scheduler = null;
            execCount = null;
            return;
        }
        MethodHandles.Lookup open = MethodHandles.publicLookup();
        newScope = open.findConstructor(
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
        scheduler = open.findGetter(AsyncExecChain.Scope.class, "scheduler", schedulers);
        execCount = open.findGetter(AsyncExecChain.Scope.class, "execCount", AtomicInteger.class);
    }

    private static Class<?> schedulers() {
        try {
            return Class.forName(SCHEDULER, false, AsyncExecChain.class.getClassLoader());
        } catch (ClassNotFoundException e) {
            return null;
        }
    }

    private MethodHandle getter(String owner, String field, Class<?> type) throws ReflectiveOperationException {
        MethodHandles.Lookup lookup = context.lookup(owner);
        return lookup.findGetter(lookup.lookupClass(), field, type).asType(MethodType.methodType(type, Object.class));
    }

    boolean isToUnixDomainSocket(HttpRoute route) throws Throwable {
        return unixDomainSocket != null && unixDomainSocket.invoke(route) != null;
    }

    boolean speaksHttp2Alone(AsyncExecRuntime runtime) {
        return runtime.getClass().getName().equals(OVER_HTTP2);
    }

    /** Of the connection that one has which speaks HTTP/2 alone; null: it has none. */
    IOSession http2Session(AsyncExecRuntime runtime) {
        try {
            Object endpoint = ((AtomicReference<?>) http2Endpoint.invokeExact((Object) runtime)).get();
            return endpoint == null ? null : (IOSession) http2Session.invokeExact(endpoint);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable undeclared) {
            throw new AssertionError(undeclared);
        }
    }

    /** The same scope with another runtime. */
    AsyncExecChain.Scope with(AsyncExecChain.Scope scope, AsyncExecRuntime runtime) throws Throwable {
        if (newScope == null) {
            return new AsyncExecChain.Scope(
                    scope.exchangeId, scope.route, scope.originalRequest, scope.cancellableDependency, scope.clientContext, runtime);
        }
        return (AsyncExecChain.Scope) newScope.invoke(
                scope.exchangeId,
                scope.route,
                scope.originalRequest,
                scope.cancellableDependency,
                scope.clientContext,
                runtime,
                scheduler.invoke(scope),
                (AtomicInteger) execCount.invoke(scope));
    }

    /** Of a connection of the library's. */
    IOSession session(Object connection) throws Throwable {
        return (IOSession) session.invokeExact(connection);
    }

    /** What the app sees as the request that is sent. */
    void request(HttpClientContext seen, HttpRequest request) {
        try {
            if (setRequest == null) {
                seen.setAttribute(HttpCoreContext.HTTP_REQUEST, request);
            } else {
                setRequest.invokeExact((HttpCoreContext) seen, request);
            }
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable undeclared) {
            throw new AssertionError(undeclared);
        }
    }

    void disconnect(AsyncExecRuntime runtime) {
        try {
            if (disconnect != null) {
                disconnect.invokeExact(runtime);
            }
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable undeclared) {
            throw new AssertionError(undeclared);
        }
    }

    void upgrade(AsyncExecRuntime runtime, HttpClientContext context, FutureCallback<AsyncExecRuntime> callback) {
        try {
            upgrade.invokeExact(runtime, context, (FutureCallback<?>) callback);
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
        AsyncEntityProducer apps = (AsyncEntityProducer) producer.invokeExact(request);
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
}
