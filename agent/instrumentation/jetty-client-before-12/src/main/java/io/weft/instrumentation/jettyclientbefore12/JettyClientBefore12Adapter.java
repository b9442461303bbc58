package io.weft.instrumentation.jettyclientbefore12;

import io.weft.instrumentation.Adapter;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Handler;
import io.weft.instrumentation.Outside;
import io.weft.instrumentation.Unsent;
import java.net.ConnectException;
import java.nio.channels.ClosedChannelException;
import java.util.function.BiConsumer;
import org.eclipse.jetty.client.ContinueProtocolHandler;
import org.eclipse.jetty.client.HttpDestination;
import org.eclipse.jetty.client.HttpExchange;
import org.eclipse.jetty.client.HttpRequest;
import org.eclipse.jetty.client.Origin;
import org.eclipse.jetty.client.ProtocolHandler;
import org.eclipse.jetty.client.SendFailure;
import org.eclipse.jetty.client.api.Connection;
import org.eclipse.jetty.client.api.Response;
import org.eclipse.jetty.io.AbstractConnection;
import org.eclipse.jetty.util.Promise;

/** The handlers of {@link JettyClientBefore12Module}. Thread-safe. */
public final class JettyClientBefore12Adapter implements Adapter {
    private static final String OVER_HTTP = "org.eclipse.jetty.client.http.HttpClientTransportOverHTTP";
    private static final String DYNAMIC = "org.eclipse.jetty.client.dynamic.HttpClientTransportDynamic";

    private final AdapterContext context;
    private final Internals internals;
    private final Destinations destinations;

    public JettyClientBefore12Adapter(AdapterContext context) throws ReflectiveOperationException {
        this.context = context;
        internals = new Internals(context);
        destinations = new Destinations(context, internals);
    }

    @Override
    @SuppressWarnings("unchecked")
    public Handler handler(String hook) {
        return switch (hook) {
            case JettyClientBefore12Module.SEND -> (Handler.Around) (destination, exchange, a1, a2, a3) ->
                    send((HttpDestination) destination, (HttpExchange) exchange);
            case JettyClientBefore12Module.ABORT -> (Handler.Around) (exchange, failure, a1, a2, a3) -> {
                Hop hop = Hop.of((HttpExchange) exchange);
                return hop == null ? Handler.PROCEED : hop.abort((Throwable) failure);
            };
            case JettyClientBefore12Module.PROXY -> (Handler.Result) (self, proxy, origin, a1, a2) ->
                    ((Origin) origin).getTag() instanceof MeshTag ? null : proxy;
            case JettyClientBefore12Module.HANDLER -> (Handler.Result) (self, handler, request, response, a2) ->
                    request instanceof AttemptRequest && !isOfTheConnection((ProtocolHandler) handler, (Response) response) ? null : handler;
            case JettyClientBefore12Module.DESTINATION -> (Handler.Result) (self, destination, a0, a1, a2) -> {
                destinations.made((HttpDestination) destination);
                return destination;
            };
            case JettyClientBefore12Module.DIAL -> (Handler.Argument) (destination, promise, a0, a1, a2) ->
                    dial((HttpDestination) destination, (Promise<Connection>) promise);
            case JettyClientBefore12Module.ACQUIRED -> (Handler.Around) (connection, exchange, a1, a2, a3) ->
                    acquired(connection, (HttpExchange) exchange);
            case JettyClientBefore12Module.QUEUED -> told((attempt, what) -> attempt.hop().queued());
            case JettyClientBefore12Module.BEGIN -> told((attempt, what) -> attempt.request().begins());
            case JettyClientBefore12Module.HEADERS -> told((attempt, what) -> attempt.hop().headers());
            case JettyClientBefore12Module.COMMIT -> told((attempt, what) -> attempt.hop().commits(attempt));
            case JettyClientBefore12Module.CONTENT -> told(Attempt::sends);
            case JettyClientBefore12Module.SUCCESS -> told((attempt, what) -> attempt.sent());
            // The app hears of it only if it is the last one.
            case JettyClientBefore12Module.FAILURE -> told((attempt, what) -> { });
            default -> throw new IllegalArgumentException(hook);
        };
    }

    /** In place of the listeners that the app has for all requests: they are to hear of the app's own, each event once. */
    private static Handler.Around told(BiConsumer<Attempt, Object> event) {
        return (notifier, request, what, a2, a3) -> {
            if (!(request instanceof AttemptRequest ours)) {
                return Handler.PROCEED;
            }
            event.accept(ours.attempt(), what);
            return null;
        };
    }

    /** The others are asked for the app's request, once an attempt is the last one. */
    private static boolean isOfTheConnection(ProtocolHandler handler, Response response) {
        return handler == null || response.getStatus() < 200 || handler.getName().equals(ContinueProtocolHandler.NAME);
    }

    /** A WebSocket's scheme is its destination's, too. */
    private static boolean isSecure(String scheme) {
        return scheme.equalsIgnoreCase("https") || scheme.equalsIgnoreCase("wss");
    }

    private Object send(HttpDestination destination, HttpExchange exchange) throws Throwable {
        HttpRequest request = exchange.getRequest();
        if (!(request instanceof AttemptRequest)) {
            ConnectException refusal = Outside.refusal(
                    context.outbound(), isSecure(destination.getScheme()), destination.getHost(), destination.getPort());
            if (refusal != null) {
                request.abort(refusal);
                return null;
            }
        }
        if (!isForTheMesh(destination, request) || Hop.isLeftAlone(exchange)) {
            return Handler.PROCEED;
        }
        if (!destination.getHttpClient().isRunning()) {
            return Handler.PROCEED;
        }
        OutgoingRequest mesh = new OutgoingRequest(request, internals);
        try {
            if (!context.outbound().claims(mesh)) {
                return Handler.PROCEED;
            }
            if (!speaksHttp1(destination)) {
                return sendOverHttp2(mesh, request);
            }
            internals.sent(request);
            return new Hop(context, internals, destinations, destination, exchange, mesh).start();
        } catch (Throwable fault) {
            request.abort(Unsent.failure(mesh, fault));
        }
        return null;
    }

    private Object sendOverHttp2(OutgoingRequest mesh, HttpRequest request) {
        if (mesh.mayFailOpen()) {
            context.warn("requests over HTTP/2 go out without the mesh");
            return Handler.PROCEED;
        }
        request.abort(new ConnectException("mesh TLS is not supported for HTTP/2 in plaintext"));
        return null;
    }

    /** The views that attempts are have a class of their own, as has what is to become something else than HTTP. */
    private static boolean isForTheMesh(HttpDestination destination, HttpRequest request) {
        return request.getClass() == HttpRequest.class
                && destination.getScheme().equals("http")
                && destination.getProxy() == null
                && !request.getMethod().equals("CONNECT")
                && JettyHeaders.joined(Internals.fields(request), "upgrade") == null;
    }

    private boolean speaksHttp1(HttpDestination destination) {
        Class<?> transport = destination.getHttpClient().getTransport().getClass();
        if (transport.getName().contains(".http2.") || internals.speaksHttp2(destination.getOrigin())) {
            return false;
        }
        for (Class<?> type = transport; type != null; type = type.getSuperclass()) {
            if (type.getName().equals(OVER_HTTP) || type.getName().equals(DYNAMIC)) {
                return true;
            }
        }
        return false;
    }

    private static Promise<Connection> dial(HttpDestination destination, Promise<Connection> pool) {
        return destination.getOrigin().getTag() instanceof MeshTag tag
                ? new Dial(destination.getHttpClient(), pool, tag.endpoint().connectNanos())
                : pool;
    }

    private Object acquired(Object connection, HttpExchange exchange) {
        if (!(exchange.getRequest() instanceof AttemptRequest request)) {
            return Handler.PROCEED;
        }
        MeshConnection secured = MeshConnection.below((AbstractConnection) connection);
        if (secured != null) {
            if (!secured.lease()) {
                // Policy has taken it away meanwhile. The library takes another one.
                secured.closeSoon();
                return new SendFailure(new ClosedChannelException(), true);
            }
            request.attempt().on(secured);
        }
        request.attempt().acquired();
        return Handler.PROCEED;
    }
}
