package io.weft.instrumentation.helidon;

import io.helidon.common.buffers.BufferData;
import io.helidon.common.socket.SocketOptions;
import io.helidon.http.ClientRequestHeaders;
import io.helidon.http.HeaderNames;
import io.helidon.http.Method;
import io.helidon.webclient.api.ClientConnection;
import io.helidon.webclient.api.ClientUri;
import io.helidon.webclient.api.ConnectionKey;
import io.helidon.webclient.api.TcpClientConnection;
import io.helidon.webclient.api.WebClientServiceRequest;
import io.helidon.webclient.spi.WebClientService;
import io.weft.instrumentation.Adapter;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Handler;
import io.weft.instrumentation.IdleSockets;
import io.weft.instrumentation.MeshSocket;
import io.weft.instrumentation.Outside;
import io.weft.instrumentation.Unsent;
import java.io.UncheckedIOException;
import java.lang.reflect.InvocationTargetException;
import java.net.ConnectException;

/** The handlers of {@link HelidonClientModule}. Compiled against Helidon 4.0, links on all of 4. Thread-safe. */
public final class HelidonClientAdapter implements Adapter {
    private static final String HTTPS = "https";
    private static final String WAY_OUT = "; tell Http2Client that the server speaks it (priorKnowledge), from Helidon 4.5 on, or ask for HTTP/1.1 by Http1Client";

    private final AdapterContext context;
    private final Connections connections;
    private final CallChains http1;
    /** Null: the app has none, or in another version. */
    private final Http2Calls http2;

    /** The library's cache keeps each for as long as nobody asks for the same endpoint. */
    private final IdleSockets idle = new IdleSockets(System::nanoTime);

    /** On this thread. Never removed: each request would pay for an entry anew. */
    private final ThreadLocal<UnderWay> current = new ThreadLocal<>();

    public HelidonClientAdapter(AdapterContext context) throws ReflectiveOperationException {
        this.context = context;
        connections = new Connections(context);
        http1 = new Http1CallChains(context, connections);
        http2 = http2(context, connections);
    }

    /** Of a part of Helidon that the app may not have: nothing but its name is here. */
    private static Http2Calls http2(AdapterContext context, Connections connections) throws ReflectiveOperationException {
        try {
            Class<?> type = Class.forName(HelidonClientAdapter.class.getPackageName() + ".Http2CallChains");
            return (Http2Calls) type.getDeclaredConstructor(AdapterContext.class, Connections.class).newInstance(context, connections);
        } catch (LinkageError absent) {
            return null;
        } catch (InvocationTargetException e) {
            if (e.getCause() instanceof ReflectiveOperationException || e.getCause() instanceof LinkageError) {
                return null;
            }
            throw e;
        }
    }

    @Override
    public Handler handler(String hook) {
        return switch (hook) {
            case HelidonClientModule.PROCEED -> (Handler.Around) (chain, request, a1, a2, a3) ->
                    proceed(http1, (WebClientService.Chain) chain, (WebClientServiceRequest) request);
            case HelidonClientModule.HTTP2_PROCEED -> (Handler.Around) (chain, request, a1, a2, a3) ->
                    overHttp2((WebClientService.Chain) chain, (WebClientServiceRequest) request);
            case HelidonClientModule.KEY -> (Handler.Argument) (self, host, a0, a1, a2) -> {
                Attempt attempt = current();
                return attempt != null && attempt.isConnecting() ? attempt.lead((String) host) : host;
            };
            case HelidonClientModule.CONNECT -> (Handler.Around) (connection, a0, a1, a2, a3) -> connects(connection);
            case HelidonClientModule.ADDRESS -> (Handler.Around) (connection, a0, a1, a2, a3) -> {
                Attempt attempt = current();
                return attempt != null && attempt.isLed() && attempt.isConnecting() ? attempt.address() : Handler.PROCEED;
            };
            case HelidonClientModule.SOCKET -> (Handler.Around) (proxy, client, address, options, tls) -> {
                Attempt attempt = current();
                return attempt != null && attempt.isConnecting() ? attempt.connect((SocketOptions) options) : Handler.PROCEED;
            };
            case HelidonClientModule.SYSTEM_PROXY -> (Handler.Around) (proxy, uri, a1, a2, a3) -> {
                Attempt attempt = current();
                return attempt != null && attempt.isConnecting() ? Boolean.FALSE : Handler.PROCEED;
            };
            case HelidonClientModule.LEASE -> (Handler.Result) (connection, is, a0, a1, a2) -> {
                Attempt attempt = current();
                if (!(boolean) is || attempt == null || !attempt.isConnecting() || !(connections.socket(connection) instanceof MeshSocket socket)) {
                    return is;
                }
                idle.remove(socket);
                return attempt.takes(socket);
            };
            case HelidonClientModule.RELEASE -> (Handler.Around) (connection, a0, a1, a2, a3) -> released((TcpClientConnection) connection);
            case HelidonClientModule.HEADERS -> (Handler.Argument) (chain, headers, connection, a1, a2) ->
                    current.get() instanceof Http1Attempt attempt && attempt.isOf(chain)
                            ? attempt.begin((ClientConnection) connection, (ClientRequestHeaders) headers)
                            : headers;
            case HelidonClientModule.PROLOGUE -> (Handler.Argument) (chain, prologue, a0, request, a2) ->
                    current.get() instanceof Http1Attempt attempt && attempt.isOf(chain) ? attempt.prologue((BufferData) prologue) : prologue;
            case HelidonClientModule.BODY -> (Handler.Around) (stream, bytes, offset, length, a3) -> {
                Attempt attempt = current();
                if (attempt != null) {
                    attempt.sends((int) length);
                }
                return Handler.PROCEED;
            };
            case HelidonClientModule.SENT -> (Handler.Result) (stream, nothing, a0, a1, a2) -> {
                Attempt attempt = current();
                if (attempt != null) {
                    attempt.sent();
                }
                return nothing;
            };
            default -> http2 == null ? HelidonClientModule.module().idle(hook) : http2.handler(hook, this::current);
        };
    }

    /** @return null: none that is for the mesh */
    private Attempt current() {
        return current.get() instanceof Attempt attempt ? attempt : null;
    }

    /** Over TLS the library connects before it knows by which protocol a request will go. */
    private Object connects(Object connection) throws Throwable {
        Attempt attempt = current();
        if (attempt != null && attempt.isConnecting()) {
            return Handler.PROCEED;
        }
        ConnectionKey key = connections.key(connection);
        ConnectException refusal = Outside.refusal(context.outbound(), key.tls().enabled(), key.host(), key.port());
        return refusal == null ? Handler.PROCEED : new Handler.Thrown(new UncheckedIOException(refusal));
    }

    /** After each use of a connection, in front of the cache. */
    private Object released(TcpClientConnection connection) throws Throwable {
        if (connections.socket(connection) instanceof MeshSocket socket && !socket.isClosed()) {
            socket.idle();
            if (socket.isClosed()) {
                connection.closeResource();
                return null;
            }
            idle.add(socket, connection::closeResource);
        }
        return Handler.PROCEED;
    }

    /** What it throws is a fault; what the app is to have comes as {@link Handler.Thrown}. */
    private Object proceed(CallChains chains, WebClientService.Chain chain, WebClientServiceRequest request) throws Throwable {
        UnderWay outer = current.get();
        if (outer != null && outer.isOf(chain)) {
            return Handler.PROCEED;
        }
        if (outer != null) {
            // What writes the body of a request sends one of its own, as the library does to follow a redirect.
            current.set(null);
        }
        try {
            ClientUri uri = request.uri();
            ConnectException refusal = Outside.refusal(context.outbound(), uri.scheme().equals(HTTPS), uri.host(), uri.port());
            if (refusal != null) {
                return new Handler.Thrown(new UncheckedIOException(refusal));
            }
            OutgoingRequest exchange = chains.request(chain, request);
            boolean claimed;
            try {
                claimed = isClaimed(chains, chain, exchange);
            } catch (Throwable fault) {
                return new Handler.Thrown(new UncheckedIOException(Unsent.failure(exchange, fault)));
            }
            if (claimed) {
                return send(new Attempts(chains, current, chain, exchange));
            }
            if (outer == null) {
                return Handler.PROCEED;
            }
            current.set(new UnderWay(chain));
            return unmeshed(chain, request);
        } finally {
            if (outer != null) {
                current.set(outer);
            }
        }
    }

    private Object overHttp2(WebClientService.Chain chain, WebClientServiceRequest request) throws Throwable {
        return http2 != null && http2.isByPriorKnowledge(chain) ? proceed(http2, chain, request) : unled(chain, request);
    }

    /** It may be an upgrade of HTTP/1.1, or be found out that there is none. */
    private Object unled(WebClientService.Chain chain, WebClientServiceRequest request) throws Throwable {
        ClientUri uri = request.uri();
        boolean secure = uri.scheme().equals(HTTPS);
        ConnectException refusal = Outside.refusal(context.outbound(), secure, uri.host(), uri.port());
        if (refusal != null) {
            return new Handler.Thrown(new UncheckedIOException(refusal));
        }
        OutgoingRequest exchange = new OutgoingRequest("HTTP/2", request, null);
        try {
            if (secure || !connections.isDirectOverHttp2(chain, uri) || !context.outbound().claims(exchange)) {
                return Handler.PROCEED;
            }
            if (exchange.mayFailOpen()) {
                context.warn("helidon-webclient: requests over HTTP/2 go out without the mesh" + WAY_OUT);
                return Handler.PROCEED;
            }
            return new Handler.Thrown(new UncheckedIOException(
                    new ConnectException("mesh TLS is not supported where the server is asked for HTTP/2: " + exchange.authority() + WAY_OUT)));
        } catch (Throwable fault) {
            return new Handler.Thrown(new UncheckedIOException(Unsent.failure(exchange, fault)));
        }
    }

    private static Object send(Attempts attempts) {
        try {
            return attempts.run();
        } catch (Throwable thrown) {
            // The app's as the library throws it.
            return new Handler.Thrown(thrown);
        }
    }

    private static Object unmeshed(WebClientService.Chain chain, WebClientServiceRequest request) {
        try {
            return chain.proceed(request);
        } catch (RuntimeException | Error thrown) {
            return new Handler.Thrown(thrown);
        }
    }

    /** Whether a policy names it, and it is for the mesh. */
    private boolean isClaimed(CallChains chains, WebClientService.Chain chain, OutgoingRequest exchange) throws Throwable {
        WebClientServiceRequest request = exchange.request();
        return !request.uri().scheme().equals(HTTPS)
                && !request.method().equals(Method.CONNECT)
                && !request.headers().contains(HeaderNames.UPGRADE)
                && chains.isDirect(chain, request.uri())
                && context.outbound().claims(exchange);
    }
}
