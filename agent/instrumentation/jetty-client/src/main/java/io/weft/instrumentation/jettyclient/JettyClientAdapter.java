package io.weft.instrumentation.jettyclient;

import io.weft.instrumentation.Adapter;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Handler;
import io.weft.instrumentation.Outside;
import io.weft.instrumentation.Unsent;
import java.net.ConnectException;
import java.nio.channels.ClosedChannelException;
import org.eclipse.jetty.client.Connection;
import org.eclipse.jetty.client.ContinueProtocolHandler;
import org.eclipse.jetty.client.HttpClientTransport;
import org.eclipse.jetty.client.Origin;
import org.eclipse.jetty.client.ProtocolHandler;
import org.eclipse.jetty.client.Response;
import org.eclipse.jetty.client.transport.HttpClientTransportDynamic;
import org.eclipse.jetty.client.transport.HttpClientTransportOverHTTP;
import org.eclipse.jetty.client.transport.HttpDestination;
import org.eclipse.jetty.client.transport.HttpExchange;
import org.eclipse.jetty.client.transport.HttpRequest;
import org.eclipse.jetty.client.transport.SendFailure;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.AbstractConnection;
import org.eclipse.jetty.util.Promise;

/** The handlers of {@link JettyClientModule} from Jetty 12 on. Thread-safe. */
public final class JettyClientAdapter implements Adapter {
    private final AdapterContext context;
    private final Internals internals;
    private final Destinations destinations;

    public JettyClientAdapter(AdapterContext context) throws ReflectiveOperationException {
        this.context = context;
        internals = new Internals(context);
        destinations = new Destinations(context);
    }

    @Override
    @SuppressWarnings("unchecked")
    public Handler handler(String hook) {
        return switch (hook) {
            case JettyClientModule.SEND -> (Handler.Around) (destination, exchange, a1, a2, a3) ->
                    send((HttpDestination) destination, (HttpExchange) exchange);
            case JettyClientModule.ABORT -> (Handler.Around) (exchange, failure, promise, a2, a3) ->
                    abort((HttpExchange) exchange, (Throwable) failure, (Promise<Boolean>) promise);
            case JettyClientModule.ABORT_REQUEST -> (Handler.Around) (exchange, failure, promise, a2, a3) ->
                    abortRequest((HttpExchange) exchange, (Throwable) failure, (Promise<Boolean>) promise);
            case JettyClientModule.PROXY -> (Handler.Result) (self, proxy, origin, a1, a2) ->
                    ((Origin) origin).getTag() instanceof MeshTag ? null : proxy;
            case JettyClientModule.HANDLER -> (Handler.Result) (self, handler, request, response, a2) ->
                    request instanceof AttemptRequest && !isOfTheConnection((ProtocolHandler) handler, (Response) response) ? null : handler;
            case JettyClientModule.DESTINATION -> (Handler.Result) (self, destination, a0, a1, a2) -> {
                destinations.made((HttpDestination) destination);
                return destination;
            };
            case JettyClientModule.DIAL -> (Handler.Argument) (destination, promise, a0, a1, a2) ->
                    dial((HttpDestination) destination, (Promise<Connection>) promise);
            case JettyClientModule.ACQUIRED -> (Handler.Around) (connection, exchange, a1, a2, a3) ->
                    acquired(connection, (HttpExchange) exchange);
            case JettyClientModule.COMPLETES -> (Handler.Around) (connection, request, a1, a2, a3) -> {
                completing(request, true);
                return Handler.PROCEED;
            };
            case JettyClientModule.COMPLETED -> (Handler.Result) (connection, nothing, request, a1, a2) -> {
                completing(request, false);
                return nothing;
            };
            default -> throw new IllegalArgumentException(hook);
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
        OutgoingRequest mesh = new OutgoingRequest(request);
        try {
            if (!context.outbound().claims(mesh)) {
                return Handler.PROCEED;
            }
            if (!speaksHttp1(destination)) {
                return sendOverHttp2(mesh, request);
            }
            internals.sent(request);
            new Hop(context, internals, destinations, destination, exchange, mesh).start();
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
                && !request.getHeaders().contains(HttpHeader.UPGRADE);
    }

    private static boolean speaksHttp1(HttpDestination destination) {
        HttpClientTransport transport = destination.getHttpClient().getTransport();
        boolean otherwise = destination.getOrigin().getProtocol() != null
                && destination.getOrigin().getProtocol().getProtocols().contains("h2c");
        return !otherwise
                && !transport.getClass().getName().contains(".http2.")
                && (transport instanceof HttpClientTransportOverHTTP || transport instanceof HttpClientTransportDynamic);
    }

    private static Object abort(HttpExchange exchange, Throwable failure, Promise<Boolean> promise) {
        Hop hop = Hop.of(exchange);
        if (hop == null) {
            return Handler.PROCEED;
        }
        promise.succeeded(hop.abort(failure));
        return null;
    }

    /** The library's own handlers do so, too, once they know from the head of a response that nobody needs the rest. */
    private static Object abortRequest(HttpExchange exchange, Throwable failure, Promise<Boolean> promise) {
        Hop hop = Hop.of(exchange);
        if (hop == null || !hop.hasRequestSucceeded()) {
            return abort(exchange, failure, promise);
        }
        promise.succeeded(false);
        return null;
    }

    private static Promise<Connection> dial(HttpDestination destination, Promise<Connection> pool) {
        return destination.getOrigin().getTag() instanceof MeshTag tag
                ? new Dial(destination.getHttpClient(), pool, tag.endpoint().connectNanos())
                : pool;
    }

    private static void completing(Object request, boolean completing) {
        if (request instanceof AttemptRequest attempt) {
            attempt.completing(completing);
        }
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
