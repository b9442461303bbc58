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
import java.lang.reflect.Field;
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
    private static final HttpProtocol[] HTTP11 = {HttpProtocol.HTTP11};

    private final Class<?> handlerType;
    private final MethodHandle newHandler;
    private final MethodHandle target;
    private final MethodHandle setTarget;
    private final MethodHandle from;
    private final MethodHandle setFrom;
    private final MethodHandle previousHeaders;
    private final MethodHandle setPreviousHeaders;
    private final MethodHandle method;
    /** Null: its method is that of the configuration. */
    private final MethodHandle setMethod;
    private final MethodHandle setShouldRetry;
    private final MethodHandle defaultHeaders;
    private final MethodHandle callback;
    private final MethodHandle webSocket;
    private final MethodHandle requestWithBody;
    private final MethodHandle hostHeader;

    private final MethodHandle isSecure;
    private final MethodHandle pathAndQuery;
    private final MethodHandle remoteAddress;

    private final MethodHandle copyConfig;
    private final MethodHandle setBody;
    private final MethodHandle setProtocols;
    private final MethodHandle setProxy;
    private final MethodHandle setPipeline;
    private final MethodHandle options;
    private final MethodHandle setOptions;

    private final MethodHandle send;
    private final MethodHandle setRedirecting;
    private final RuntimeException redirect;

    Internals(AdapterContext context) throws ReflectiveOperationException {
        Members handler = new Members(context, CONNECT);
        handlerType = handler.type;
        newHandler = handler.constructor(HttpClientConfig.class);
        target = handler.getter("toURI");
        setTarget = handler.setter("toURI");
        from = handler.getter("fromURI");
        setFrom = handler.setter("fromURI");
        previousHeaders = handler.getter("previousRequestHeaders");
        setPreviousHeaders = handler.setter("previousRequestHeaders");
        method = handler.getter("method");
        setMethod = handler.isFinal("method") ? null : handler.setter("method");
        setShouldRetry = handler.setter("shouldRetry");
        defaultHeaders = handler.getter("defaultHeaders");
        callback = handler.getter("handler");
        webSocket = handler.getter("websocketClientSpec");
        requestWithBody = handler.method("requestWithBody");
        hostHeader = handler.method("resolveHostHeaderValue");
        Members uri = new Members(context, ReactorNettyModule.CLIENT + "UriEndpoint");
        isSecure = uri.method("isSecure");
        pathAndQuery = uri.method("getPathAndQuery");
        remoteAddress = uri.method("getRemoteAddress");
        Members config = new Members(context, HttpClientConfig.class.getName());
        copyConfig = config.constructor(HttpClientConfig.class);
        setBody = config.setter("body");
        setProtocols = config.method("protocols", HttpProtocol[].class);
        setProxy = new Members(context, "reactor.netty.transport.ClientTransportConfig").setter("proxyProvider");
        Members transport = new Members(context, "reactor.netty.transport.TransportConfig");
        setPipeline = transport.setter("doOnChannelInit");
        options = transport.getter("options");
        setOptions = transport.setter("options");
        Members operations = new Members(context, ReactorNettyModule.CLIENT + "HttpClientOperations");
        send = operations.method("send", new Class<?>[0]);
        setRedirecting = operations.setter("redirecting");
        redirect = redirect(new Members(context, ReactorNettyModule.CLIENT + "RedirectClientException"));
    }

    private static RuntimeException redirect(Members exception) throws ReflectiveOperationException {
        HttpHeaders nowhere = new DefaultHttpHeaders().set(HttpHeaderNames.LOCATION, "/");
        Constructor<?> constructor = exception.type.getDeclaredConstructors()[0];
        constructor.setAccessible(true);
        return (RuntimeException) (constructor.getParameterCount() == 1
                ? constructor.newInstance(nowhere)
                : constructor.newInstance(nowhere, HttpResponseStatus.FOUND));
    }

    boolean isHandler(Object supplier) {
        return handlerType.isInstance(supplier);
    }

    /** Where the hop goes, as the library sees it. */
    Object target(Object handler) throws Throwable {
        return (Object) target.invokeExact(handler);
    }

    HttpMethod method(Object handler) throws Throwable {
        return (HttpMethod) (Object) method.invokeExact(handler);
    }

    /** Those of the client, which the app's callback may yet change. */
    HttpHeaders defaultHeaders(Object handler) throws Throwable {
        return (HttpHeaders) (Object) defaultHeaders.invokeExact(handler);
    }

    /** Null: the app has none, so that there is no body. */
    Object callback(Object handler) throws Throwable {
        return (Object) callback.invokeExact(handler);
    }

    /** Null: it is no WebSocket. */
    Object webSocket(Object handler) throws Throwable {
        return (Object) webSocket.invokeExact(handler);
    }

    /** From now on a connection that is reset is the app's business. */
    void noRetry(Object handler) throws Throwable {
        Object ignored = (Object) setShouldRetry.invokeExact(handler, (Object) Boolean.FALSE);
    }

    String hostHeader(Object address) throws Throwable {
        return (String) (Object) hostHeader.invokeExact(address);
    }

    boolean isSecure(Object target) throws Throwable {
        return (boolean) (Object) isSecure.invokeExact(target);
    }

    String pathAndQuery(Object target) throws Throwable {
        return (String) (Object) pathAndQuery.invokeExact(target);
    }

    Object address(Object target) throws Throwable {
        return (Object) remoteAddress.invokeExact(target);
    }

    /**
     * The app's own configuration but for the way to the endpoint: there is no proxy, and no upgrade to HTTP/2.
     *
     * @param connectMillis above 0; the app's own limit counts where it is less
     */
    @SuppressWarnings("unchecked")
    HttpClientConfig towards(HttpClientConfig apps, ChannelPipelineConfigurer pipeline, int connectMillis) throws Throwable {
        HttpClientConfig config = (HttpClientConfig) (Object) copyConfig.invokeExact((Object) apps);
        Map<ChannelOption<?>, Object> changed = new HashMap<>((Map<ChannelOption<?>, ?>) (Object) options.invokeExact((Object) apps));
        changed.merge(ChannelOption.CONNECT_TIMEOUT_MILLIS, connectMillis, Internals::shorter);
        Object ignored = (Object) setOptions.invokeExact((Object) config, (Object) changed);
        ignored = (Object) setPipeline.invokeExact((Object) config, (Object) pipeline);
        ignored = (Object) setProxy.invokeExact((Object) config, (Object) null);
        if (!Protocols.areHttp11Alone(apps)) {
            ignored = (Object) setProtocols.invokeExact((Object) config, (Object) HTTP11);
        }
        return config;
    }

    /** 0: without a limit. */
    private static Object shorter(Object apps, Object policys) {
        int some = (Integer) apps;
        return some > 0 && some < (Integer) policys ? apps : policys;
    }

    /** As if the library sent the request of this hop with another callback. */
    Object request(Object handler, HttpClientConfig apps, Object operations, BiFunction<?, ?, ? extends Publisher<Void>> callback)
            throws Throwable {
        Object config = (Object) copyConfig.invokeExact((Object) apps);
        Object ignored = (Object) setBody.invokeExact(config, (Object) callback);
        Object other = (Object) newHandler.invokeExact(config);
        ignored = (Object) setTarget.invokeExact(other, target(handler));
        ignored = (Object) setFrom.invokeExact(other, (Object) from.invokeExact(handler));
        ignored = (Object) setPreviousHeaders.invokeExact(other, (Object) previousHeaders.invokeExact(handler));
        if (setMethod != null) {
            ignored = (Object) setMethod.invokeExact(other, (Object) method.invokeExact(handler));
        }
        return (Object) requestWithBody.invokeExact(other, operations);
    }

    /** Sends a request that has no body. */
    Publisher<Void> sendWithoutBody(Object operations) throws Throwable {
        @SuppressWarnings("unchecked")
        Publisher<Void> sent = (Publisher<Void>) (Object) send.invokeExact(operations);
        return sent;
    }

    /** The library drops the response as that of a redirect, and says {@link #isDropped} to its observer once it has. */
    void drop(Object operations) throws Throwable {
        Object ignored = (Object) setRedirecting.invokeExact(operations, (Object) redirect);
    }

    boolean isDropped(Throwable told) {
        return told == redirect;
    }

    /** Members of one class as handles that take and give objects. */
    private static final class Members {
        private final MethodHandles.Lookup lookup;
        private final Class<?> type;

        Members(AdapterContext context, String className) throws ReflectiveOperationException {
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
