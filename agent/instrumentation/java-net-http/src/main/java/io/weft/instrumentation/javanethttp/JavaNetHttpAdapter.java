package io.weft.instrumentation.javanethttp;

import io.weft.instrumentation.Adapter;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Handler;
import java.net.InetSocketAddress;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandler;
import java.util.concurrent.CompletableFuture;

/** The handlers of {@link JavaNetHttpModule}. Thread-safe. */
public final class JavaNetHttpAdapter implements Adapter {
    private final AdapterContext context;
    private final Internals internals;
    private final Dialing dialing = new Dialing();

    public JavaNetHttpAdapter(AdapterContext context) throws ReflectiveOperationException {
        this.context = context;
        this.internals = new Internals(context);
    }

    @Override
    public Handler handler(String hook) {
        return switch (hook) {
            case "response" -> (Handler.Around) (exchange, a0, a1, a2, a3) -> response(exchange);
            case "address" -> (Handler.Around) (request, a0, a1, a2, a3) -> address(request);
            case "read-body" -> (Handler.Around) (exchange, handler, a1, a2, a3) ->
                    internals.bodyIgnored(exchange) instanceof Body body
                            ? body.read(exchange, (BodyHandler<?>) handler)
                            : Handler.PROCEED;
            case "ignore-body" -> (Handler.Around) (exchange, a0, a1, a2, a3) ->
                    internals.bodyIgnored(exchange) instanceof Body body ? body.ignore(exchange) : Handler.PROCEED;
            case "no-body" -> (Handler.Around) (exchange, a0, a1, a2, a3) ->
                    internals.bodyIgnored(exchange) instanceof Body body ? body.none(exchange) : Handler.PROCEED;
            case "needs-executor" -> (Handler.Around) (self, subscriber, a1, a2, a3) ->
                    subscriber instanceof WatchedSubscriber<?> watched
                            ? internals.needsExecutor(watched.subscriber())
                            : Handler.PROCEED;
            default -> throw new IllegalArgumentException("no hook of java-net-http: " + hook);
        };
    }

    private Object response(Object exchange) throws Throwable {
        if (internals.bodyIgnored(exchange) instanceof GivenUp givenUp) {
            internals.bodyIgnored(exchange, null);
            return CompletableFuture.failedFuture(givenUp.failure());
        }
        Object request = internals.request(exchange);
        HttpRequest asSent = (HttpRequest) request;
        if (!asSent.uri().getScheme().equalsIgnoreCase("http") || internals.hasProxy(request) || internals.isWebSocket(request)) {
            return Handler.PROCEED;
        }
        OutgoingRequest mesh = new OutgoingRequest(asSent, internals.systemHeaders(request));
        if (!context.outbound().claims(mesh)) {
            return Handler.PROCEED;
        }
        return new Attempts(context, internals, dialing, mesh, exchange).start();
    }

    private Object address(Object request) {
        InetSocketAddress address = dialing.address(request);
        return address == null ? Handler.PROCEED : address;
    }
}
