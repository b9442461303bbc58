package io.weft.instrumentation.micronauthttpclient;

import io.micronaut.core.execution.ExecutionFlow;
import io.micronaut.http.client.HttpClientConfiguration;
import io.micronaut.http.client.HttpVersionSelection;
import io.micronaut.http.client.HttpVersionSelection.PlaintextMode;
import io.micronaut.http.client.netty.ConnectionManager.PoolHandle;
import io.micronaut.http.client.netty.DefaultHttpClient.RequestKey;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.ChannelHandler;
import io.netty.channel.EventLoopGroup;
import io.netty.util.concurrent.Promise;
import io.weft.instrumentation.AdapterContext;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.reflect.Method;
import java.util.Map;
import java.util.function.BiConsumer;
import reactor.core.publisher.Mono;

/** What the library keeps to itself. Thread-safe. */
final class Internals {
    private static final String NETTY = "io.micronaut.http.client.netty.";

    /** Read once, by {@link Members}. */
    private static volatile AdapterContext context;

    private final AdapterContext adapter;

    Internals(AdapterContext context) throws ReflectiveOperationException {
        Internals.context = context;
        this.adapter = context;
        AdapterContext.initialize(MethodHandles.lookup(), Members.class);
    }

    HttpClientConfiguration configuration(Object connections) throws Throwable {
        return (HttpClientConfiguration) (Object) Members.CONFIGURATION.invokeExact(connections);
    }

    /** It asks for an upgrade of each connection to a plaintext URL. */
    boolean upgradesToHttp2(Object connections) throws Throwable {
        HttpVersionSelection version = (HttpVersionSelection) (Object) Members.HTTP_VERSION.invokeExact(connections);
        return version.getPlaintextMode() != PlaintextMode.HTTP_1;
    }

    Bootstrap bootstrap(Object connections) throws Throwable {
        return (Bootstrap) (Object) Members.BOOTSTRAP.invokeExact(connections);
    }

    EventLoopGroup group(Object connections) throws Throwable {
        return (EventLoopGroup) (Object) Members.GROUP.invokeExact(connections);
    }

    /** As the library does before it connects. */
    void customize(Object connections, ChannelHandler initializer, Bootstrap bootstrap) throws Throwable {
        if (Members.SPECIALIZE != null) {
            Object customizer = (Object) Members.CUSTOMIZER.invokeExact(connections);
            Object specialized = (Object) Members.SPECIALIZE.invokeExact(customizer, (Object) bootstrap);
            Object ignored = (Object) Members.BOOTSTRAPPED.invokeExact((Object) initializer, specialized);
        }
    }

    /**
     * Asks the library's pool for a connection.
     *
     * @param told of it or of the failure, on any thread
     */
    @SuppressWarnings("unchecked")
    void acquire(Object connections, RequestKey key, BiConsumer<PoolHandle, Throwable> told) throws Throwable {
        Object coming = (Object) Members.ACQUIRE.invokeExact(connections, (Object) key, (Object) null);
        if (coming instanceof Mono<?> mono) {
            ((Mono<PoolHandle>) mono).subscribe(handle -> told.accept(handle, null), failure -> told.accept(null, failure));
        } else {
            ((ExecutionFlow<PoolHandle>) coming).onComplete((handle, failure) -> told.accept(handle, failure));
        }
    }

    /** The pool of what is never asked for again. */
    void forget(Object connections, RequestKey key) {
        try {
            ((Map<?, ?>) (Object) Members.POOLS.invokeExact(connections)).remove(key);
        } catch (Throwable fault) {
            adapter.warn("micronaut-http-client: a pool is kept whose endpoint has gone: " + fault);
        }
    }

    /** Of a handler of responses, up to 4.6. */
    Promise<?> response(Object handler) throws Throwable {
        return (Promise<?>) (Object) Members.RESPONSE.invokeExact(handler);
    }

    /** Constants, of each library's loader its own: with them the JIT compiles what a member leads to into the caller. */
    private static final class Members {
        static final MethodHandle ACQUIRE;
        static final MethodHandle BOOTSTRAP;
        static final MethodHandle CONFIGURATION;
        static final MethodHandle GROUP;
        static final MethodHandle HTTP_VERSION;
        static final MethodHandle POOLS;
        /** Null before 4.7, as the next two. */
        static final MethodHandle CUSTOMIZER;
        static final MethodHandle SPECIALIZE;
        static final MethodHandle BOOTSTRAPPED;
        /** Null from 4.7 on. */
        static final MethodHandle RESPONSE;

        static {
            AdapterContext context = Internals.context;
            try {
                Type connections = new Type(context, NETTY + "ConnectionManager");
                ACQUIRE = connections.method("connect", 2);
                BOOTSTRAP = connections.getter("bootstrap");
                CONFIGURATION = connections.getter("configuration");
                GROUP = connections.getter("group");
                HTTP_VERSION = connections.getter("httpVersion");
                POOLS = connections.getter("pools");
                Type customizer = new Type(context, NETTY + "NettyClientCustomizer");
                if (customizer.has("specializeForBootstrap")) {
                    CUSTOMIZER = connections.getter("clientCustomizer");
                    SPECIALIZE = customizer.method("specializeForBootstrap", 1);
                    BOOTSTRAPPED = new Type(context, NETTY + "ConnectionManager$CustomizerAwareInitializer").setter("bootstrappedCustomizer");
                    RESPONSE = null;
                } else {
                    CUSTOMIZER = null;
                    SPECIALIZE = null;
                    BOOTSTRAPPED = null;
                    RESPONSE = new Type(context, NETTY + "DefaultHttpClient$BaseHttpResponseHandler").getter("responsePromise");
                }
            } catch (ReflectiveOperationException e) {
                throw new ExceptionInInitializerError(e);
            }
        }
    }

    /** Members of one class as handles that take and give objects. */
    private static final class Type {
        private final MethodHandles.Lookup lookup;
        private final Class<?> type;

        Type(AdapterContext context, String className) throws ReflectiveOperationException {
            lookup = context.lookup(className);
            type = lookup.lookupClass();
        }

        boolean has(String method) {
            for (Method candidate : type.getDeclaredMethods()) {
                if (candidate.getName().equals(method)) {
                    return true;
                }
            }
            return false;
        }

        /** The only one of that name with so many parameters. */
        MethodHandle method(String name, int parameters) throws ReflectiveOperationException {
            for (Method method : type.getDeclaredMethods()) {
                if (method.getName().equals(name) && method.getParameterCount() == parameters && !method.isBridge() && !method.isSynthetic()) {
                    return generic(lookup.unreflect(method));
                }
            }
            throw new NoSuchMethodException(type.getName() + "." + name);
        }

        MethodHandle getter(String field) throws ReflectiveOperationException {
            return generic(lookup.unreflectGetter(type.getDeclaredField(field)));
        }

        MethodHandle setter(String field) throws ReflectiveOperationException {
            return generic(lookup.unreflectSetter(type.getDeclaredField(field)));
        }

        private static MethodHandle generic(MethodHandle handle) {
            return handle.asType(handle.type().generic());
        }
    }
}
