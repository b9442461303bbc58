package io.weft.instrumentation.javanethttp;

import io.weft.instrumentation.Adapter;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Handler;
import io.weft.instrumentation.Outside;
import io.weft.instrumentation.Unsent;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandler;
import java.util.concurrent.CompletableFuture;

/** The handlers of {@link JavaNetHttpModule}. Thread-safe. */
public final class JavaNetHttpAdapter implements Adapter {
    private final AdapterContext context;
    private final Internals internals;
    private final Dialing dialing = new Dialing(this::firstSecured);
    private final SecuredConnections secured;

    public JavaNetHttpAdapter(AdapterContext context) throws ReflectiveOperationException {
        this.context = context;
        this.internals = new Internals(context);
        this.secured = new SecuredConnections(internals, dialing);
    }

    @Override
    public Handler handler(String hook) {
        return switch (hook) {
            case "response" -> (Handler.Around) (exchange, a0, a1, a2, a3) -> response(exchange);
            case "address" -> (Handler.Around) (request, a0, a1, a2, a3) -> address(request);
            case "connecting" -> (Handler.Around) (connection, exchange, a1, a2, a3) ->
                    internals.bodyIgnored(exchange) instanceof UnderWay attempt && !attempt.connecting()
                            ? CompletableFuture.failedFuture(attempt.ended())
                            : Handler.PROCEED;
            case "connected" -> (Handler.Around) (impl, connection, a1, a2, a3) -> {
                UnderWay attempt = attempt(impl);
                ConnectException unsecured = secured.refusal(connection, attempt);
                if (unsecured != null) {
                    return new Handler.Thrown(unsecured);
                }
                return attempt != null && !attempt.connected() ? new Handler.Thrown(attempt.ended()) : Handler.PROCEED;
            };
            case "connected-http2" -> (Handler.Around) (impl, a0, a1, a2, a3) -> {
                UnderWay attempt = attempt(impl);
                if (attempt != null && attempt.overTls()) {
                    return CompletableFuture.failedFuture(SecuredConnections.leftOut("a stream of HTTP/2", null));
                }
                return attempt != null && !attempt.connected() ? CompletableFuture.failedFuture(attempt.ended()) : Handler.PROCEED;
            };
            case "begun-http2" -> (Handler.Result) (stream, begun, a0, a1, a2) -> {
                UnderWay attempt = attempt(stream);
                if (attempt != null && internals.isLost(stream)) {
                    internals.cancelImpl(stream, attempt.ended());
                }
                return begun;
            };
            case "bytes-sent" -> (Handler.Around) (impl, data, a1, a2, a3) -> {
                UnderWay attempt = attempt(impl);
                if (attempt != null) {
                    attempt.bytesSent();
                }
                return Handler.PROCEED;
            };
            case "body-sent" -> (Handler.Result) (impl, sent, a0, a1, a2) -> {
                UnderWay attempt = attempt(impl);
                if (attempt == null) {
                    return sent;
                }
                attempt.bodyBegun();
                return attempt.awaitsEndOfRequest() ? sent(attempt, (CompletableFuture<?>) sent) : sent;
            };
            case "read-body" -> (Handler.Around) (exchange, handler, a1, a2, a3) ->
                    internals.bodyIgnored(exchange) instanceof Body body
                            ? body.read(exchange, (BodyHandler<?>) handler)
                            : Handler.PROCEED;
            case "ignore-body" -> (Handler.Around) (exchange, a0, a1, a2, a3) ->
                    internals.bodyIgnored(exchange) instanceof Body body ? body.ignore(exchange) : Handler.PROCEED;
            case "no-body" -> (Handler.Around) (exchange, a0, a1, a2, a3) ->
                    internals.bodyIgnored(exchange) instanceof Body body ? body.none(exchange) : Handler.PROCEED;
            case "failed" -> (Handler.Around) (multi, failure, a1, a2, a3) -> {
                if (internals.bodyIgnored(internals.exchange(multi)) instanceof Body body) {
                    body.failed();
                }
                return Handler.PROCEED;
            };
            case "connection" -> (Handler.Around) (self, address, client, request, version) -> secured.connection(client, request);
            // Over TLS a connection that was upgraded to HTTP/2 would be pooled by its address alone, and outlive a change of policy.
            case "version" -> (Handler.Result) (exchange, version, a0, a1, a2) ->
                    secured.covers(internals.request(exchange)) ? HttpClient.Version.HTTP_1_1 : version;
            case "finish-connect" -> (Handler.Around) (connection, a0, a1, a2, a3) -> secured.finishConnect(connection);
            case "flow" -> (Handler.Result) (connection, flow, a0, a1, a2) -> secured.flow(connection, flow);
            case "over" -> (Handler.Around) (connection, a0, a1, a2, a3) -> secured.over(connection);
            case "cache-key" -> (Handler.Result) (connection, key, a0, a1, a2) -> secured.cacheKey(connection, key);
            default -> throw new IllegalArgumentException("no hook of java-net-http: " + hook);
        };
    }

    private void firstSecured() {
        JavaNetHttpModule.OF_SECURED_CONNECTIONS.forEach(context::wake);
    }

    private static CompletableFuture<?> sent(UnderWay attempt, CompletableFuture<?> sent) {
        if (sent.isDone() && !sent.isCompletedExceptionally()) {
            attempt.requestSent();
            return sent;
        }
        return sent.thenApply(value -> {
            attempt.requestSent();
            return value;
        });
    }

    private Object response(Object exchange) throws Throwable {
        if (internals.bodyIgnored(exchange) instanceof GivenUp givenUp) {
            internals.bodyIgnored(exchange, null);
            return CompletableFuture.failedFuture(givenUp.failure());
        }
        Object request = internals.request(exchange);
        HttpRequest asSent = (HttpRequest) request;
        URI uri = asSent.uri();
        boolean plaintext = isHttp(uri.getScheme());
        ConnectException refusal = Outside.refusal(context.outbound(), !plaintext, uri.getHost(), uri.getPort());
        if (refusal != null) {
            return CompletableFuture.failedFuture(refusal);
        }
        if (!plaintext || internals.hasProxy(request) || internals.isWebSocket(request)) {
            return Handler.PROCEED;
        }
        OutgoingRequest mesh = new OutgoingRequest(asSent, internals.systemHeaders(request));
        try {
            return context.outbound().claims(mesh)
                    ? new Attempts(context, internals, dialing, mesh, exchange).start()
                    : Handler.PROCEED;
        } catch (Throwable fault) {
            return CompletableFuture.failedFuture(Unsent.failure(mesh, fault));
        }
    }

    /** Mostly as it is written here; to compare without regard to case costs a request more. */
    private static boolean isHttp(String scheme) {
        return scheme.equals("http") || scheme.equalsIgnoreCase("http");
    }

    /** Null: the mesh has nothing to do with it. */
    private UnderWay attempt(Object impl) {
        return internals.bodyIgnored(internals.exchangeOf(impl)) instanceof UnderWay attempt ? attempt : null;
    }

    private Object address(Object request) {
        Dialing.Dial dial = dialing.of(request);
        if (dial == null) {
            return Handler.PROCEED;
        }
        // only now: the JDK clears the field when it begins to send; it may ask more than once
        if (internals.bodyIgnored(dial.exchange()) != dial.attempt()) {
            internals.bodyIgnored(dial.exchange(), dial.attempt());
        }
        return dial.endpoint().address();
    }
}
