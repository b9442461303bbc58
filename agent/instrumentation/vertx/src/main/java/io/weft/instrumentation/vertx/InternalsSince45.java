package io.weft.instrumentation.vertx;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.MultiMap;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
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
import io.weft.instrumentation.HostHeader;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Method;
import java.util.List;

/** In 4.5, 5.0, and from 5.1 on. */
final class InternalsSince45 extends Internals {
    InternalsSince45(AdapterContext context) throws ReflectiveOperationException {
        super(context);
        AdapterContext.initialize(MethodHandles.lookup(), Members.class);
    }

    boolean areBefore5() {
        return Members.BEFORE_5;
    }

    private HttpClientOptions options(Object client) throws Throwable {
        return (HttpClientOptions) Members.OPTIONS.invokeExact(client);
    }

    Vertx vertx(Object client) throws Throwable {
        return (Vertx) Members.VERTX.invokeExact(client);
    }

    @Override
    boolean isSecure(Object client) throws Throwable {
        return Members.BEFORE_5_1 ? options(client).isSsl() : (boolean) Members.SECURE.invokeExact(client);
    }

    @Override
    String defaultHost(Object client) throws Throwable {
        return Members.BEFORE_5_1 ? options(client).getDefaultHost() : (String) Members.HOST.invokeExact(client);
    }

    @Override
    int defaultPort(Object client) throws Throwable {
        return Members.BEFORE_5_1 ? options(client).getDefaultPort() : (int) Members.PORT.invokeExact(client);
    }

    @Override
    HttpVersion version(Object client, RequestOptions request) throws Throwable {
        if (Members.BEFORE_5_1) {
            return options(client).getProtocolVersion();
        }
        HttpVersion asked = (HttpVersion) Members.PROTOCOL.invokeExact(request);
        return asked == null ? (HttpVersion) ((List<?>) Members.VERSIONS.invokeExact(client)).get(0) : asked;
    }

    private boolean beginsWithHttp2(Object client, RequestOptions request) throws Throwable {
        return Members.BEFORE_5_1
                ? beginsWithHttp2(options(client))
                : version(client, request) == HttpVersion.HTTP_2 && !(boolean) Members.UPGRADES.invokeExact(client);
    }

    @Override
    boolean hasProxy(Object client, RequestOptions request, String host, int port) throws Throwable {
        if (request.getProxyOptions() == null && defaultProxy(client) == null) {
            return false;
        }
        return (ProxyOptions) Members.PROXY.invokeExact(client, request.getProxyOptions(), SocketAddress.inetSocketAddress(port, host)) != null;
    }

    private ProxyOptions defaultProxy(Object client) throws Throwable {
        return Members.BEFORE_5_1 ? options(client).getProxyOptions() : (ProxyOptions) Members.DEFAULT_PROXY.invokeExact(client);
    }

    @Override
    RequestOptions towards(Object client, RequestOptions request, Target target, Endpoint endpoint, SecuredChannels secured) throws Throwable {
        RequestOptions options = new RequestOptions(request);
        SecuredChannels.Address at = secured.address(endpoint, beginsWithHttp2(client, request));
        // From 5.1 on the library looks up an address's name once more, its pools have the authority's, and it takes an IPv6 address for a name unless it has brackets.
        boolean named = !Members.BEFORE_5_1 && at.name() != null;
        setServer(options, Members.BEFORE_5_1 ? at.server() : at.literal());
        options.setHost(named ? at.name() : target.host()).setPort(target.port()).setSsl(false);
        long limit = request.getConnectTimeout() >= 0 ? request.getConnectTimeout() : request.getTimeout();
        // The rest of the app's patience is the request's that the app has.
        return options.setTimeout(0).setIdleTimeout(0).setConnectTimeout(Math.max(0, limit));
    }

    @Override
    @SuppressWarnings("unchecked")
    Future<HttpClientRequest> opened(Object client, RequestOptions request, Context context) throws Throwable {
        if (Members.BEFORE_5) {
            Promise<HttpClientRequest> promise = promise(context);
            Members.OPEN.invokeExact(client, request, (Object) promise);
            return promise.future();
        }
        return (Future<HttpClientRequest>) (Future<?>) Members.OPEN.invokeExact(client, request);
    }

    @Override
    HttpClientRequest request(Object client, RequestOptions app, Target target, MeshStream stream) throws Throwable {
        long patience = app.getIdleTimeout() >= 0 ? app.getIdleTimeout() : app.getTimeout();
        if (Members.BEFORE_5) {
            HttpClientRequest request = (HttpClientRequest) Members.FRONT.invokeExact(client, stream.self());
            request.setMethod(app.getMethod());
            request.authority((HostAndPort) stream.authority());
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
        return Members.BEFORE_5_1
                ? (HttpClientRequest) Members.FRONT.invokeExact(client, stream.connection(), stream.self(), (Object) options)
                : (HttpClientRequest) Members.FRONT.invokeExact(client, stream.authority(), stream.connection(), stream.self(), (Object) options);
    }

    @Override
    Object authority(Target target) {
        return HostAndPort.create(target.host(), target.port());
    }

    @Override
    String authority(HttpRequestHead head) throws Throwable {
        Object named = (Object) Members.AUTHORITY.invokeExact(head);
        if (!(named instanceof HostAndPort address)) {
            return (String) named;
        }
        return HostHeader.of(address.host(), address.port());
    }

    @Override
    HttpRequestHead onWire(HttpRequestHead head, RequestChanges changes, Object stream) throws Throwable {
        // From 5.1 on HTTP/2 has a kind of headers of its own.
        if (changes.equals(RequestChanges.NONE) && (Members.BEFORE_5_1 || !isHttp2(stream))) {
            return head;
        }
        MultiMap headers = Members.BEFORE_5_1 ? HttpHeaders.headers() : (MultiMap) Members.REQUEST_HEADERS.invokeExact(connection(stream));
        if (head.headers != null) {
            headers.addAll(head.headers);
        }
        VertxHeaders edits = new VertxHeaders(headers);
        if (!changes.equals(RequestChanges.NONE)) {
            edits.change(changes);
        }
        Object host = (Object) Members.AUTHORITY.invokeExact(head);
        if (changes.authority() != null) {
            if (headers.contains("host")) {
                edits.set("host", changes.authority());
            }
            host = Members.BEFORE_5_1 ? changes.authority() : hostAndPort(changes.authority());
        }
        String uri = changes.path() == null ? head.uri : changes.path();
        return Members.BEFORE_5_1
                ? (HttpRequestHead) Members.REQUEST_HEAD.invokeExact(head.method, uri, headers, host, head.absoluteURI, head.traceOperation)
                : (HttpRequestHead) Members.REQUEST_HEAD.invokeExact("http", head.method, uri, headers, host, head.absoluteURI, head.traceOperation);
    }

    private static HostAndPort hostAndPort(String authority) {
        int colon = authority.lastIndexOf(':');
        return colon < 0 || authority.endsWith("]")
                ? HostAndPort.create(authority, -1)
                : HostAndPort.create(authority.substring(0, colon), Integer.parseInt(authority.substring(colon + 1)));
    }

    @Override
    HttpResponseHead responseHead(LocalReply reply) throws Throwable {
        return (HttpResponseHead) (Members.BEFORE_5_1
                ? Members.RESPONSE_HEAD.invoke(HttpVersion.HTTP_1_1, reply.status(), reply.reason(), headers(reply))
                : Members.RESPONSE_HEAD.invoke(reply.status(), reply.reason(), headers(reply)));
    }

    @Override
    boolean takesPushes(Object stream) {
        return true;
    }

    /** As those that are alike in all versions. */
    private static final class Members {
        /** Before 5 a request is asked for with a promise. */
        static final boolean BEFORE_5;
        static final boolean BEFORE_5_1;
        static final MethodHandle VERTX;
        static final MethodHandle OPTIONS;
        static final MethodHandle OPEN;
        static final MethodHandle FRONT;
        static final MethodHandle PROXY;
        /** Null before 5.1, where it is one of the options. */
        static final MethodHandle DEFAULT_PROXY;
        static final MethodHandle PROTOCOL;
        static final MethodHandle REQUEST_HEAD;
        static final MethodHandle RESPONSE_HEAD;
        static final MethodHandle AUTHORITY;
        static final MethodHandle REQUEST_HEADERS;
        static final MethodHandle SECURE;
        static final MethodHandle HOST;
        static final MethodHandle PORT;
        static final MethodHandle VERSIONS;
        static final MethodHandle UPGRADES;

        static {
            AdapterContext context = Internals.context;
            try {
                MethodHandles.Lookup client = context.lookup(VertxModule.CLIENT);
                MethodHandles.Lookup base = context.lookup(HTTP + "HttpClientBase");
                MethodHandles.Lookup head = context.lookup(HTTP + "HttpRequestHead");

                Method doRequest = declared(client.lookupClass(), "doRequest", 2);
                BEFORE_5 = doRequest != null;
                BEFORE_5_1 = declared(base.lookupClass(), "options", 0) != null;
                OPEN = BEFORE_5
                        ? generic(client.unreflect(doRequest), void.class, Object.class, RequestOptions.class, Object.class)
                        : generic(client.unreflect(client.lookupClass().getDeclaredMethod("request", RequestOptions.class)),
                                Future.class, Object.class, RequestOptions.class);
                int parts = BEFORE_5 ? 1 : BEFORE_5_1 ? 3 : 4;
                Method create = null;
                for (Method one : client.lookupClass().getDeclaredMethods()) {
                    if (one.getName().equals("createRequest") && one.getParameterCount() == parts
                            && one.getParameterTypes()[parts == 1 ? 0 : parts - 2] == Internals.Members.STREAM_TYPE) {
                        create = one;
                    }
                }
                MethodHandle front = client.unreflect(found(create, "createRequest"));
                FRONT = front.asType(front.type().generic().changeReturnType(HttpClientRequest.class));
                VERTX = generic(base.unreflectGetter(base.lookupClass().getDeclaredField("vertx")), Vertx.class, Object.class);
                PROXY = generic(base.unreflect(found(declared(base.lookupClass(), BEFORE_5 ? "resolveProxyOptions" : "computeProxyOptions", 2), "proxies")),
                        ProxyOptions.class, Object.class, ProxyOptions.class, SocketAddress.class);
                if (BEFORE_5_1) {
                    OPTIONS = generic(base.unreflect(base.lookupClass().getDeclaredMethod("options")), HttpClientOptions.class, Object.class);
                    SECURE = null;
                    HOST = null;
                    PORT = null;
                    VERSIONS = null;
                    PROTOCOL = null;
                    UPGRADES = null;
                    DEFAULT_PROXY = null;
                } else {
                    OPTIONS = null;
                    SECURE = generic(client.unreflectGetter(client.lookupClass().getDeclaredField("defaultSsl")), boolean.class, Object.class);
                    HOST = generic(client.unreflectGetter(client.lookupClass().getDeclaredField("defaultHost")), String.class, Object.class);
                    PORT = generic(client.unreflectGetter(client.lookupClass().getDeclaredField("defaultPort")), int.class, Object.class);
                    VERSIONS = generic(client.unreflectGetter(client.lookupClass().getDeclaredField("versions")), List.class, Object.class);
                    UPGRADES = upgrades(context, client);
                    DEFAULT_PROXY = generic(base.unreflectGetter(base.lookupClass().getDeclaredField("defaultProxyOptions")), ProxyOptions.class, Object.class);
                    PROTOCOL = generic(of(RequestOptions.class.getMethod("getProtocolVersion")), HttpVersion.class, RequestOptions.class);
                }
                MethodHandle requestHead = head.unreflectConstructor(only(head.lookupClass()));
                REQUEST_HEAD = requestHead.asType(requestHead.type().changeParameterType(BEFORE_5_1 ? 3 : 4, Object.class));
                RESPONSE_HEAD = of(only(HttpResponseHead.class));
                AUTHORITY = generic(head.unreflectGetter(head.lookupClass().getDeclaredField("authority")), Object.class, HttpRequestHead.class);
                REQUEST_HEADERS = BEFORE_5_1 ? null : generic(of(Internals.Members.CONNECTION_TYPE.getMethod("newHttpRequestHeaders")), MultiMap.class, Object.class);
            } catch (ReflectiveOperationException e) {
                throw new ExceptionInInitializerError(e);
            }
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
    }
}
