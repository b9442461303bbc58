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
import java.net.ConnectException;

/** The handlers of {@link HelidonClientModule}. Compiled against Helidon 4.0, links on all of 4. Thread-safe. */
public final class HelidonClientAdapter implements Adapter {
    private static final String HTTPS = "https";

    private final AdapterContext context;
    private final CallChains chains;

    /** The library's cache keeps each for as long as nobody asks for the same endpoint. */
    private final IdleSockets idle = new IdleSockets(System::nanoTime);

    /** Under way on this thread. */
    private final ThreadLocal<Attempt> current = new ThreadLocal<>();

    public HelidonClientAdapter(AdapterContext context) throws ReflectiveOperationException {
        this.context = context;
        chains = new CallChains(context);
    }

    @Override
    public Handler handler(String hook) {
        return switch (hook) {
            case HelidonClientModule.PROCEED -> (Handler.Around) (chain, request, a1, a2, a3) ->
                    proceed((WebClientService.Chain) chain, (WebClientServiceRequest) request);
            case HelidonClientModule.PROCEED_HTTP2 -> (Handler.Around) (chain, request, a1, a2, a3) ->
                    overHttp2(chain, (WebClientServiceRequest) request);
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
            case HelidonClientModule.LEASE -> (Handler.Result) (connection, is, a0, a1, a2) -> {
                Attempt attempt = current();
                if (!(boolean) is || attempt == null || !attempt.isConnecting() || !(chains.socket(connection) instanceof MeshSocket socket)) {
                    return is;
                }
                idle.remove(socket);
                return attempt.takes(socket);
            };
            case HelidonClientModule.RELEASE -> (Handler.Around) (connection, a0, a1, a2, a3) -> released((TcpClientConnection) connection);
            case HelidonClientModule.HEADERS -> (Handler.Argument) (chain, headers, connection, a1, a2) -> {
                Attempt attempt = current();
                return attempt == null || !attempt.isOf(chain)
                        ? headers
                        : attempt.begin((ClientConnection) connection, (ClientRequestHeaders) headers);
            };
            case HelidonClientModule.PROLOGUE -> (Handler.Argument) (chain, prologue, a0, request, a2) -> {
                Attempt attempt = current();
                return attempt == null || !attempt.isOf(chain) ? prologue : attempt.prologue((BufferData) prologue);
            };
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
            default -> throw new IllegalArgumentException("no hook of helidon-webclient: " + hook);
        };
    }

    /** @return null: none that is for the mesh */
    private Attempt current() {
        Attempt attempt = current.get();
        return attempt == null || attempt.isUnmeshed() ? null : attempt;
    }

    /** Over TLS the library connects before it knows by which protocol a request will go. */
    private Object connects(Object connection) throws Throwable {
        Attempt attempt = current();
        if (attempt != null && attempt.isConnecting()) {
            return Handler.PROCEED;
        }
        ConnectionKey key = chains.key(connection);
        ConnectException refusal = Outside.refusal(context.outbound(), key.tls().enabled(), key.host(), key.port());
        return refusal == null ? Handler.PROCEED : new Handler.Thrown(new UncheckedIOException(refusal));
    }

    /** After each use of a connection, in front of the cache. */
    private Object released(TcpClientConnection connection) throws Throwable {
        if (chains.socket(connection) instanceof MeshSocket socket && !socket.isClosed()) {
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
    private Object proceed(WebClientService.Chain chain, WebClientServiceRequest request) throws Throwable {
        Attempt outer = current.get();
        if (outer != null && outer.isOf(chain)) {
            return Handler.PROCEED;
        }
        // What writes the body of a request sends one of its own, as the library does to follow a redirect.
        current.remove();
        try {
            ClientUri uri = request.uri();
            ConnectException refusal = Outside.refusal(context.outbound(), uri.scheme().equals(HTTPS), uri.host(), uri.port());
            if (refusal != null) {
                return new Handler.Thrown(new UncheckedIOException(refusal));
            }
            OutgoingRequest exchange = new OutgoingRequest(request, chains.entity(chain));
            boolean claimed;
            try {
                claimed = isClaimed(chain, exchange);
            } catch (Throwable fault) {
                return new Handler.Thrown(new UncheckedIOException(Unsent.failure(exchange, fault)));
            }
            if (claimed) {
                return send(new Attempts(context, chains, current, chain, exchange));
            }
            if (outer == null) {
                return Handler.PROCEED;
            }
            current.set(Attempt.unmeshed(chain));
            return unmeshed(chain, request);
        } finally {
            if (outer == null) {
                current.remove();
            } else {
                current.set(outer);
            }
        }
    }

    /** Also where it would be an upgrade of HTTP/1.1, or be found out that there is none. */
    private Object overHttp2(Object chain, WebClientServiceRequest request) throws Throwable {
        ClientUri uri = request.uri();
        boolean secure = uri.scheme().equals(HTTPS);
        ConnectException refusal = Outside.refusal(context.outbound(), secure, uri.host(), uri.port());
        if (refusal != null) {
            return new Handler.Thrown(new UncheckedIOException(refusal));
        }
        OutgoingRequest exchange = new OutgoingRequest(request, null);
        try {
            if (secure || !chains.isDirectOverHttp2(chain, uri) || !context.outbound().claims(exchange)) {
                return Handler.PROCEED;
            }
            if (exchange.mayFailOpen()) {
                context.warn("helidon-webclient: requests over HTTP/2 go out without the mesh; ask for HTTP/1.1 by Http1Client");
                return Handler.PROCEED;
            }
            return new Handler.Thrown(new UncheckedIOException(new ConnectException("mesh TLS is not supported over HTTP/2: "
                    + exchange.authority() + "; ask for HTTP/1.1 by Http1Client")));
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
    private boolean isClaimed(WebClientService.Chain chain, OutgoingRequest exchange) throws Throwable {
        WebClientServiceRequest request = exchange.request();
        return !request.uri().scheme().equals(HTTPS)
                && !request.method().equals(Method.CONNECT)
                && !request.headers().contains(HeaderNames.UPGRADE)
                && chains.isDirect(chain, request.uri())
                && context.outbound().claims(exchange);
    }
}
