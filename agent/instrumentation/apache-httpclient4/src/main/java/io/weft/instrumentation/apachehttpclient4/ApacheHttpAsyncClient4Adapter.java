package io.weft.instrumentation.apachehttpclient4;

import io.weft.instrumentation.Adapter;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Handler;
import io.weft.instrumentation.Unsent;
import java.net.ConnectException;
import org.apache.http.HttpRequest;
import org.apache.http.conn.routing.HttpRoute;
import org.apache.http.nio.protocol.HttpAsyncClientExchangeHandler;

/** The handlers of {@link ApacheHttpAsyncClient4Module}. Thread-safe. */
public final class ApacheHttpAsyncClient4Adapter implements Adapter {
    private final AdapterContext context;
    private final AsyncInternals internals;
    private final UnledRequests unled;

    public ApacheHttpAsyncClient4Adapter(AdapterContext context) throws ReflectiveOperationException {
        this.context = context;
        this.internals = new AsyncInternals(context);
        this.unled = new UnledRequests(context, "HttpAsyncClients.custom()");
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
            case ApacheHttpAsyncClient4Module.PIPELINED -> (Handler.Result) (handler, request, a0, a1, a2) ->
                    pipelined((HttpAsyncClientExchangeHandler) handler, (HttpRequest) request);
            default -> throw new IllegalArgumentException("no hook of apache-httpclient4-async: " + hook);
        };
    }

    /** The library makes the requests of a pipeline when there is a connection, each for itself. */
    private Object pipelined(HttpAsyncClientExchangeHandler handler, HttpRequest request) throws Throwable {
        ConnectException refusal = request == null ? null : unled.refusal(internals.route(handler), request, "pipelining clients");
        return refusal == null ? request : new Handler.Thrown(refusal);
    }

    private Object requestConnection(HttpAsyncClientExchangeHandler handler) throws Throwable {
        HttpRoute route = internals.route(handler);
        ConnectException refusal = internals.isMinimal(handler)
                ? unled.refusal(route, internals.request(handler), "minimal clients")
                : unled.outside(route);
        if (refusal != null) {
            internals.fail(handler, refusal);
            return null;
        }
        if (!UnledRequests.isPlain(route) || !internals.isWhole(handler) || internals.isLeftAlone(handler)) {
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
}
