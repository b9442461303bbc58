package io.weft.instrumentation.vertx;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.MultiMap;
import io.vertx.core.Promise;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.http.RequestOptions;
import io.vertx.core.http.impl.HttpRequestHead;
import io.vertx.core.http.impl.HttpResponseHead;
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
import java.lang.reflect.Method;
import java.util.function.Predicate;

/** In 4.0 to 4.4, where a client is one class, and a request has one limit for its connection and its response. */
final class InternalsBefore45 extends Internals {
    InternalsBefore45(AdapterContext context) throws ReflectiveOperationException {
        super(context);
        AdapterContext.initialize(MethodHandles.lookup(), Members.class);
    }

    /** In 4.0. */
    private static Method ownRequest(Class<?> type) throws NoSuchMethodException {
        for (Method method : type.getDeclaredMethods()) {
            if (method.getName().equals("request") && method.getReturnType() == void.class && method.getParameterCount() == 2
                    && method.getParameterTypes()[0] == RequestOptions.class && Promise.class.isAssignableFrom(method.getParameterTypes()[1])) {
                return method;
            }
        }
        throw new NoSuchMethodException("request");
    }

    private HttpClientOptions options(Object client) throws Throwable {
        return (HttpClientOptions) Members.OPTIONS.invokeExact(client);
    }

    @Override
    boolean isSecure(Object client) throws Throwable {
        return options(client).isSsl();
    }

    @Override
    String defaultHost(Object client) throws Throwable {
        return options(client).getDefaultHost();
    }

    @Override
    int defaultPort(Object client) throws Throwable {
        return options(client).getDefaultPort();
    }

    @Override
    HttpVersion version(Object client, RequestOptions request) throws Throwable {
        return options(client).getProtocolVersion();
    }

    @Override
    @SuppressWarnings("unchecked")
    boolean hasProxy(Object client, RequestOptions request, String host, int port) throws Throwable {
        if (Members.PROXY_OF_REQUEST == null) {
            return options(client).getProxyOptions() != null;
        }
        if ((ProxyOptions) Members.PROXY_OF_REQUEST.invokeExact(client, request) == null) {
            return false;
        }
        Predicate<?> filter = (Predicate<?>) Members.PROXY_FILTER.invokeExact(client);
        return filter == null || ((Predicate<SocketAddress>) filter).test(SocketAddress.inetSocketAddress(port, host));
    }

    @Override
    RequestOptions towards(Object client, RequestOptions request, Target target, Endpoint endpoint, SecuredChannels secured) throws Throwable {
        RequestOptions options = new RequestOptions(request);
        setServer(options, secured.address(endpoint, beginsWithHttp2(options(client))).server());
        // The app's patience is the request's that the app has.
        return options.setHost(target.host()).setPort(target.port()).setSsl(false).setTimeout(0);
    }

    @Override
    Future<HttpClientRequest> opened(Object client, RequestOptions request, Context context) throws Throwable {
        Promise<HttpClientRequest> promise = promise(context);
        Members.OPEN.invokeExact(client, request, (Object) promise);
        return promise.future();
    }

    @Override
    HttpClientRequest request(Object client, RequestOptions app, Target target, MeshStream stream) throws Throwable {
        String named = Members.TRACE_OPERATION == null ? null : (String) Members.TRACE_OPERATION.invokeExact(app);
        HttpClientRequest request = (HttpClientRequest) Members.FRONT.invokeExact(
                client, stream.self(), (Object) promise(stream.context()), false, app.getMethod(),
                SocketAddress.inetSocketAddress(target.port(), target.host()), target.host(), target.port(), app.getURI(), named);
        if (app.getHeaders() != null) {
            request.headers().setAll(app.getHeaders());
        }
        if (app.getFollowRedirects() != null) {
            request.setFollowRedirects(app.getFollowRedirects());
        }
        if (app.getTimeout() > 0) {
            request.setTimeout(app.getTimeout());
        }
        return request;
    }

    @Override
    Object authority(Target target) {
        return null;
    }

    @Override
    String authority(HttpRequestHead head) {
        return head.authority;
    }

    @Override
    HttpRequestHead onWire(HttpRequestHead head, RequestChanges changes, Object stream) throws Throwable {
        if (changes.equals(RequestChanges.NONE)) {
            return head;
        }
        MultiMap headers = HttpHeaders.headers();
        if (head.headers != null) {
            headers.addAll(head.headers);
        }
        VertxHeaders edits = new VertxHeaders(headers);
        edits.change(changes);
        String host = changes.authority() == null ? head.authority : changes.authority();
        if (changes.authority() != null && headers.contains("host")) {
            edits.set("host", host);
        }
        String uri = changes.path() == null ? head.uri : changes.path();
        return (HttpRequestHead) (Members.TRACE_OPERATION_OF_HEAD == null
                ? Members.REQUEST_HEAD.invoke(head.method, uri, headers, host, head.absoluteURI)
                : Members.REQUEST_HEAD.invoke(head.method, uri, headers, host, head.absoluteURI, (String) Members.TRACE_OPERATION_OF_HEAD.invokeExact(head)));
    }

    @Override
    HttpResponseHead responseHead(LocalReply reply) {
        return new HttpResponseHead(HttpVersion.HTTP_1_1, reply.status(), reply.reason(), headers(reply));
    }

    /** Before 4.3 one that is about to be upgraded takes nobody but the first, which is the library's own request. */
    @Override
    boolean takesPushes(Object stream) throws Throwable {
        return isHttp2(stream);
    }

    /** As those that are alike in all versions. */
    private static final class Members {
        static final MethodHandle OPTIONS;
        static final MethodHandle OPEN;
        static final MethodHandle FRONT;
        /** The client's or its own; null in 4.0, where a client has one or has none. */
        static final MethodHandle PROXY_OF_REQUEST;
        /** Null in 4.0. */
        static final MethodHandle PROXY_FILTER;
        static final MethodHandle REQUEST_HEAD;
        /** Of a request; null before it had such a name. */
        static final MethodHandle TRACE_OPERATION;
        static final MethodHandle TRACE_OPERATION_OF_HEAD;

        static {
            AdapterContext context = Internals.context;
            try {
                MethodHandles.Lookup client = context.lookup(VertxModule.CLIENT);
                Class<?> type = client.lookupClass();
                OPTIONS = generic(client.unreflectGetter(type.getDeclaredField("options")), HttpClientOptions.class, Object.class);
                Method doRequest = declared(type, "doRequest", 2);
                OPEN = generic(client.unreflect(doRequest == null ? ownRequest(type) : doRequest),
                        void.class, Object.class, RequestOptions.class, Object.class);
                MethodHandles.Lookup request = context.lookup(HTTP + "HttpClientRequestImpl");
                Constructor<?> constructor = request.lookupClass().getDeclaredConstructors()[0];
                boolean named = constructor.getParameterCount() == 10;
                if (!named && constructor.getParameterCount() != 9) {
                    throw new NoSuchMethodException(constructor.toString());
                }
                MethodHandle made = request.unreflectConstructor(constructor);
                FRONT = (named ? made : MethodHandles.dropArguments(made, 9, String.class)).asType(MethodType.methodType(
                        HttpClientRequest.class, Object.class, Object.class, Object.class, boolean.class, HttpMethod.class,
                        SocketAddress.class, String.class, int.class, String.class, String.class));
                TRACE_OPERATION = named
                        ? generic(of(RequestOptions.class.getMethod("getTraceOperation")), String.class, RequestOptions.class)
                        : null;
                REQUEST_HEAD = of(only(HttpRequestHead.class));
                TRACE_OPERATION_OF_HEAD = REQUEST_HEAD.type().parameterCount() == 5
                        ? null
                        : generic(MethodHandles.publicLookup().unreflectGetter(HttpRequestHead.class.getField("traceOperation")),
                                String.class, HttpRequestHead.class);
                Method chosen = declared(type, "getProxyOptions", 1);
                PROXY_OF_REQUEST = chosen == null
                        ? null
                        : generic(MethodHandles.filterArguments(client.unreflect(chosen), 1, of(RequestOptions.class.getMethod("getProxyOptions"))),
                                ProxyOptions.class, Object.class, RequestOptions.class);
                PROXY_FILTER = chosen == null
                        ? null
                        : generic(client.unreflectGetter(type.getDeclaredField("proxyFilter")), Predicate.class, Object.class);
            } catch (ReflectiveOperationException e) {
                throw new ExceptionInInitializerError(e);
            }
        }
    }
}
