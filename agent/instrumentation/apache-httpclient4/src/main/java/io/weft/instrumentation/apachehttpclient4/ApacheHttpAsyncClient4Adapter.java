package io.weft.instrumentation.apachehttpclient4;

import io.weft.instrumentation.Adapter;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Handler;
import io.weft.instrumentation.Outside;
import io.weft.instrumentation.Unsent;
import java.net.ConnectException;
import org.apache.http.HttpHost;
import org.apache.http.conn.routing.HttpRoute;
import org.apache.http.nio.protocol.HttpAsyncClientExchangeHandler;

/** The handlers of {@link ApacheHttpAsyncClient4Module}. Thread-safe. */
public final class ApacheHttpAsyncClient4Adapter implements Adapter {
    private final AdapterContext context;
    private final AsyncInternals internals;

    public ApacheHttpAsyncClient4Adapter(AdapterContext context) throws ReflectiveOperationException {
        this.context = context;
        this.internals = new AsyncInternals(context);
    }

    @Override
    public Handler handler(String hook) {
        return switch (hook) {
            case ApacheHttpAsyncClient4Module.REQUEST -> (Handler.Around) (handler, a0, a1, a2, a3) ->
                    requestConnection((HttpAsyncClientExchangeHandler) handler);
            case ApacheHttpAsyncClient4Module.RELEASE -> (Handler.Around) (handler, a0, a1, a2, a3) -> {
                AsyncConnection taken = internals.take((HttpAsyncClientExchangeHandler) handler);
                if (taken == null) {
                    return Handler.PROCEED;
                }
                taken.hop().release(internals.validMillis((HttpAsyncClientExchangeHandler) handler));
                return null;
            };
            case ApacheHttpAsyncClient4Module.DISCARD -> (Handler.Around) (handler, a0, a1, a2, a3) -> {
                AsyncConnection taken = internals.take((HttpAsyncClientExchangeHandler) handler);
                if (taken == null) {
                    return Handler.PROCEED;
                }
                taken.hop().discard();
                return null;
            };
            case ApacheHttpAsyncClient4Module.MINIMAL -> warning("HttpAsyncClients.createMinimal() and createPipelining() have no "
                    + "execution chain; their requests go out without the mesh; build the client with HttpAsyncClients.custom() instead");
            case ApacheHttpAsyncClient4Module.BEFORE_4_0 -> warning("DefaultHttpAsyncClient and the other classes of the API before 4.0 "
                    + "are not instrumented; their requests go out without the mesh; build the client with HttpAsyncClients.custom() instead");
            default -> throw new IllegalArgumentException("no hook of apache-httpclient4-async: " + hook);
        };
    }

    private Handler.Result warning(String message) {
        return (self, client, a0, a1, a2) -> {
            context.warn(message);
            return client;
        };
    }

    private Object requestConnection(HttpAsyncClientExchangeHandler handler) throws Throwable {
        HttpRoute route = internals.route(handler);
        HttpHost target = route.getTargetHost();
        ConnectException refusal = Outside.refusal(
                context.outbound(), !target.getSchemeName().equalsIgnoreCase("http"), target.getHostName(), target.getPort());
        if (refusal != null) {
            handler.failed(refusal);
            return null;
        }
        if (!isPlain(route) || !internals.isWhole(handler) || internals.isLeftAlone(handler)) {
            return Handler.PROCEED;
        }
        AsyncRequest exchange = new AsyncRequest(internals.request(handler), internals.producer(handler), route);
        AsyncHop hop;
        try {
            if (!context.outbound().claims(exchange)) {
                return Handler.PROCEED;
            }
            hop = new AsyncHop(context, internals, handler, exchange, route);
        } catch (Throwable fault) {
            handler.failed(Unsent.failure(exchange, fault));
            return null;
        }
        hop.start();
        return null;
    }

    private static boolean isPlain(HttpRoute route) {
        return !route.isSecure() && route.getProxyHost() == null && route.getTargetHost().getSchemeName().equalsIgnoreCase("http");
    }
}
