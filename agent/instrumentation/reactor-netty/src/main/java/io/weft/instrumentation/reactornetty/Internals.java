package io.weft.instrumentation.reactornetty;

import io.netty.channel.ChannelOption;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.weft.instrumentation.AdapterContext;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.reflect.Constructor;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.HashMap;
import java.util.Map;
import java.util.function.BiFunction;
import org.reactivestreams.Publisher;
import reactor.netty.ChannelPipelineConfigurer;
import reactor.netty.http.HttpProtocol;
import reactor.netty.http.client.HttpClientConfig;

/** What the library keeps to itself. Thread-safe. */
final class Internals {
    private static final String CONNECT = ReactorNettyModule.CLIENT + "HttpClientConnect$HttpClientHandler";
    private static final String PROVIDER = "reactor.netty.resources.PooledConnectionProvider";
    private static final HttpProtocol[] HTTP11 = {HttpProtocol.HTTP11};

    /** Read once, by {@link Members}. */
    private static volatile AdapterContext context;

    private volatile Limited limited;

    Internals(AdapterContext context) throws ReflectiveOperationException {
        Internals.context = context;
        AdapterContext.initialize(MethodHandles.lookup(), Members.class);
    }

    private static RuntimeException redirect(Type exception) throws ReflectiveOperationException {
        HttpHeaders nowhere = new DefaultHttpHeaders().set(HttpHeaderNames.LOCATION, "/");
        Constructor<?> constructor = exception.type.getDeclaredConstructors()[0];
        constructor.setAccessible(true);
        return (RuntimeException) (constructor.getParameterCount() == 1
                ? constructor.newInstance(nowhere)
                : constructor.newInstance(nowhere, HttpResponseStatus.FOUND));
    }

    boolean isHandler(Object supplier) {
        return Members.HANDLER_TYPE.isInstance(supplier);
    }

    /** Where the hop goes, as the library sees it. */
    Object target(Object handler) throws Throwable {
        return (Object) Members.TARGET.invokeExact(handler);
    }

    HttpMethod method(Object handler) throws Throwable {
        return (HttpMethod) (Object) Members.METHOD.invokeExact(handler);
    }

    /** Those of the client, which the app's callback may yet change. */
    HttpHeaders defaultHeaders(Object handler) throws Throwable {
        return (HttpHeaders) (Object) Members.DEFAULT_HEADERS.invokeExact(handler);
    }

    /** Null: the app has none, so that there is no body. */
    Object callback(Object handler) throws Throwable {
        return (Object) Members.CALLBACK.invokeExact(handler);
    }

    /** Null: it is no WebSocket. */
    Object webSocket(Object handler) throws Throwable {
        return (Object) Members.WEB_SOCKET.invokeExact(handler);
    }

    /** From now on a connection that is reset is the app's business. */
    void noRetry(Object handler) throws Throwable {
        Object ignored = (Object) Members.SET_SHOULD_RETRY.invokeExact(handler, (Object) Boolean.FALSE);
    }

    String hostHeader(Object address) throws Throwable {
        return (String) (Object) Members.HOST_HEADER.invokeExact(address);
    }

    boolean isSecure(Object target) throws Throwable {
        return (boolean) (Object) Members.IS_SECURE.invokeExact(target);
    }

    String pathAndQuery(Object target) throws Throwable {
        return (String) (Object) Members.PATH_AND_QUERY.invokeExact(target);
    }

    Object address(Object target) throws Throwable {
        return (Object) Members.REMOTE_ADDRESS.invokeExact(target);
    }

    /**
     * The app's own configuration but for the way to the endpoint: there is no proxy, and no upgrade to HTTP/2.
     *
     * @param connectMillis above 0; the app's own limit counts where it is less
     */
    @SuppressWarnings("unchecked")
    HttpClientConfig towards(HttpClientConfig apps, ChannelPipelineConfigurer pipeline, int connectMillis) throws Throwable {
        HttpClientConfig config = (HttpClientConfig) (Object) Members.COPY_CONFIG.invokeExact((Object) apps);
        Object ignored = (Object) Members.SET_OPTIONS.invokeExact(
                (Object) config, (Object) within((Map<ChannelOption<?>, ?>) (Object) Members.OPTIONS.invokeExact((Object) apps), connectMillis));
        ignored = (Object) Members.SET_PIPELINE.invokeExact((Object) config, (Object) pipeline);
        ignored = (Object) Members.SET_PROXY.invokeExact((Object) config, (Object) null);
        if (!Protocols.areHttp11Alone(apps)) {
            ignored = (Object) Members.SET_PROTOCOLS.invokeExact((Object) config, (Object) HTTP11);
        }
        return config;
    }

    private Map<ChannelOption<?>, ?> within(Map<ChannelOption<?>, ?> apps, int connectMillis) {
        Limited known = limited;
        if (known != null && known.apps == apps && known.connectMillis == connectMillis) {
            return known.changed;
        }
        Map<ChannelOption<?>, Object> changed = new HashMap<>(apps);
        changed.merge(ChannelOption.CONNECT_TIMEOUT_MILLIS, connectMillis, Internals::shorter);
        limited = new Limited(apps, connectMillis, changed);
        return changed;
    }

    /** An app's clients share their options mostly, which the library never changes. */
    private record Limited(Map<ChannelOption<?>, ?> apps, int connectMillis, Map<ChannelOption<?>, ?> changed) {}

    /** 0: without a limit. */
    private static Object shorter(Object apps, Object policys) {
        int some = (Integer) apps;
        return some > 0 && some < (Integer) policys ? apps : policys;
    }

    /** As if the library sent the request of this hop with another callback. */
    Object request(Object handler, HttpClientConfig apps, Object operations, BiFunction<?, ?, ? extends Publisher<Void>> callback)
            throws Throwable {
        Object config = (Object) Members.COPY_CONFIG.invokeExact((Object) apps);
        Object ignored = (Object) Members.SET_BODY.invokeExact(config, (Object) callback);
        Object other = (Object) Members.NEW_HANDLER.invokeExact(config);
        ignored = (Object) Members.SET_TARGET.invokeExact(other, target(handler));
        ignored = (Object) Members.SET_FROM.invokeExact(other, (Object) Members.FROM.invokeExact(handler));
        ignored = (Object) Members.SET_PREVIOUS_HEADERS.invokeExact(other, (Object) Members.PREVIOUS_HEADERS.invokeExact(handler));
        if (Members.SET_METHOD != null) {
            ignored = (Object) Members.SET_METHOD.invokeExact(other, (Object) Members.METHOD.invokeExact(handler));
        }
        return (Object) Members.REQUEST_WITH_BODY.invokeExact(other, operations);
    }

    /** Sends a request that has no body. */
    Publisher<Void> sendWithoutBody(Object operations) throws Throwable {
        @SuppressWarnings("unchecked")
        Publisher<Void> sent = (Publisher<Void>) (Object) Members.SEND.invokeExact(operations);
        return sent;
    }

    /** The library drops the response as that of a redirect, and says {@link #isDropped} to its observer once it has. */
    void drop(Object operations) throws Throwable {
        Object ignored = (Object) Members.SET_REDIRECTING.invokeExact(operations, (Object) Members.REDIRECT);
    }

    boolean isDropped(Throwable told) {
        return told == Members.REDIRECT;
    }

    /** Those of a pooled provider, by a key of the library's own. */
    @SuppressWarnings("unchecked")
    Map<Object, Object> pools(Object provider) throws Throwable {
        return (Map<Object, Object>) (Object) Members.POOLS.invokeExact(provider);
    }

    /** The object that the library was given for the pool's address. */
    Object poolAddress(Object key) throws Throwable {
        return (Object) Members.POOL_ADDRESS.invokeExact(key);
    }

    /** Constants, of each library's loader its own: with them the JIT compiles what a member leads to into the caller. */
    private static final class Members {
        static final Class<?> HANDLER_TYPE;
        static final RuntimeException REDIRECT;
        static final MethodHandle NEW_HANDLER;
        static final MethodHandle TARGET;
        static final MethodHandle SET_TARGET;
        static final MethodHandle FROM;
        static final MethodHandle SET_FROM;
        static final MethodHandle PREVIOUS_HEADERS;
        static final MethodHandle SET_PREVIOUS_HEADERS;
        static final MethodHandle METHOD;
        /** Null: its method is that of the configuration. */
        static final MethodHandle SET_METHOD;
        static final MethodHandle SET_SHOULD_RETRY;
        static final MethodHandle DEFAULT_HEADERS;
        static final MethodHandle CALLBACK;
        static final MethodHandle WEB_SOCKET;
        static final MethodHandle REQUEST_WITH_BODY;
        static final MethodHandle HOST_HEADER;
        static final MethodHandle IS_SECURE;
        static final MethodHandle PATH_AND_QUERY;
        static final MethodHandle REMOTE_ADDRESS;
        static final MethodHandle COPY_CONFIG;
        static final MethodHandle SET_BODY;
        static final MethodHandle SET_PROTOCOLS;
        static final MethodHandle SET_PROXY;
        static final MethodHandle SET_PIPELINE;
        static final MethodHandle OPTIONS;
        static final MethodHandle SET_OPTIONS;
        static final MethodHandle SEND;
        static final MethodHandle SET_REDIRECTING;
        static final MethodHandle POOLS;
        static final MethodHandle POOL_ADDRESS;

        static {
            AdapterContext context = Internals.context;
            try {
                Type handler = new Type(context, CONNECT);
                HANDLER_TYPE = handler.type;
                NEW_HANDLER = handler.constructor(HttpClientConfig.class);
                TARGET = handler.getter("toURI");
                SET_TARGET = handler.setter("toURI");
                FROM = handler.getter("fromURI");
                SET_FROM = handler.setter("fromURI");
                PREVIOUS_HEADERS = handler.getter("previousRequestHeaders");
                SET_PREVIOUS_HEADERS = handler.setter("previousRequestHeaders");
                METHOD = handler.getter("method");
                SET_METHOD = handler.isFinal("method") ? null : handler.setter("method");
                SET_SHOULD_RETRY = handler.setter("shouldRetry");
                DEFAULT_HEADERS = handler.getter("defaultHeaders");
                CALLBACK = handler.getter("handler");
                WEB_SOCKET = handler.getter("websocketClientSpec");
                REQUEST_WITH_BODY = handler.method("requestWithBody");
                HOST_HEADER = handler.method("resolveHostHeaderValue");
                Type uri = new Type(context, ReactorNettyModule.CLIENT + "UriEndpoint");
                IS_SECURE = uri.method("isSecure");
                PATH_AND_QUERY = uri.method("getPathAndQuery");
                REMOTE_ADDRESS = uri.method("getRemoteAddress");
                Type config = new Type(context, HttpClientConfig.class.getName());
                COPY_CONFIG = config.constructor(HttpClientConfig.class);
                SET_BODY = config.setter("body");
                SET_PROTOCOLS = config.method("protocols", HttpProtocol[].class);
                SET_PROXY = new Type(context, "reactor.netty.transport.ClientTransportConfig").setter("proxyProvider");
                Type transport = new Type(context, "reactor.netty.transport.TransportConfig");
                SET_PIPELINE = transport.setter("doOnChannelInit");
                OPTIONS = transport.getter("options");
                SET_OPTIONS = transport.setter("options");
                Type operations = new Type(context, ReactorNettyModule.CLIENT + "HttpClientOperations");
                SEND = operations.method("send", new Class<?>[0]);
                SET_REDIRECTING = operations.setter("redirecting");
                POOLS = new Type(context, PROVIDER).getter("channelPools");
                POOL_ADDRESS = new Type(context, PROVIDER + "$PoolKey").getter("holder");
                REDIRECT = redirect(new Type(context, ReactorNettyModule.CLIENT + "RedirectClientException"));
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

        /** The only one of that name. */
        MethodHandle method(String name) throws ReflectiveOperationException {
            for (Method method : type.getDeclaredMethods()) {
                if (method.getName().equals(name) && !method.isBridge()) {
                    return generic(lookup.unreflect(method));
                }
            }
            throw new NoSuchMethodException(type.getName() + "." + name);
        }

        MethodHandle method(String name, Class<?>... parameters) throws ReflectiveOperationException {
            return generic(lookup.unreflect(type.getDeclaredMethod(name, parameters)).asFixedArity());
        }

        MethodHandle constructor(Class<?>... parameters) throws ReflectiveOperationException {
            return generic(lookup.unreflectConstructor(type.getDeclaredConstructor(parameters)));
        }

        MethodHandle getter(String field) throws ReflectiveOperationException {
            return generic(lookup.unreflectGetter(type.getDeclaredField(field)));
        }

        MethodHandle setter(String field) throws ReflectiveOperationException {
            return generic(lookup.unreflectSetter(type.getDeclaredField(field)));
        }

        boolean isFinal(String field) throws ReflectiveOperationException {
            return Modifier.isFinal(type.getDeclaredField(field).getModifiers());
        }

        private static MethodHandle generic(MethodHandle handle) {
            return handle.asType(handle.type().generic());
        }
    }
}
