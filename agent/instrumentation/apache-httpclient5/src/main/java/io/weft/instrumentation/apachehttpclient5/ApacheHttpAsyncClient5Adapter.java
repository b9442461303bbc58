package io.weft.instrumentation.apachehttpclient5;

import static io.weft.instrumentation.apachehttpclient5.ApacheHttpAsyncClient5Module.ADDRESS;
import static io.weft.instrumentation.apachehttpclient5.ApacheHttpAsyncClient5Module.BODY;
import static io.weft.instrumentation.apachehttpclient5.ApacheHttpAsyncClient5Module.LEASE;
import static io.weft.instrumentation.apachehttpclient5.ApacheHttpAsyncClient5Module.LEASED;
import static io.weft.instrumentation.apachehttpclient5.ApacheHttpAsyncClient5Module.LIMIT;
import static io.weft.instrumentation.apachehttpclient5.ApacheHttpAsyncClient5Module.MINIMAL;
import static io.weft.instrumentation.apachehttpclient5.ApacheHttpAsyncClient5Module.MINIMAL_EXCHANGE;
import static io.weft.instrumentation.apachehttpclient5.ApacheHttpAsyncClient5Module.PROTOCOL;
import static io.weft.instrumentation.apachehttpclient5.ApacheHttpAsyncClient5Module.RELEASED;
import static io.weft.instrumentation.apachehttpclient5.ApacheHttpAsyncClient5Module.SCOPE;
import static io.weft.instrumentation.apachehttpclient5.ApacheHttpAsyncClient5Module.SOCKET;
import static io.weft.instrumentation.apachehttpclient5.ApacheHttpAsyncClient5Module.STREAM;
import static io.weft.instrumentation.apachehttpclient5.ApacheHttpAsyncClient5Module.TLS;

import io.weft.instrumentation.Adapter;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Handler;
import io.weft.instrumentation.Outside;
import io.weft.instrumentation.Unsent;
import java.net.ConnectException;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.async.AsyncExecChain;
import org.apache.hc.core5.concurrent.BasicFuture;
import org.apache.hc.core5.concurrent.Cancellable;
import org.apache.hc.core5.concurrent.FutureCallback;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.http.HttpRequest;
import org.apache.hc.core5.http.nio.AsyncClientExchangeHandler;
import org.apache.hc.core5.http.nio.AsyncEntityProducer;
import org.apache.hc.core5.http.nio.AsyncPushConsumer;
import org.apache.hc.core5.http.nio.HandlerFactory;
import org.apache.hc.core5.http.protocol.HttpContext;
import org.apache.hc.core5.reactor.IOSession;
import org.apache.hc.core5.util.Timeout;

/** The handlers of {@link ApacheHttpAsyncClient5Module}. Thread-safe. */
public final class ApacheHttpAsyncClient5Adapter implements Adapter {
    private final AdapterContext context;
    private final AsyncInternals internals;
    private final AsyncDialing dialing;
    private final MinimalClients minimal;
    private final MinimalExchanges minimalExchanges;

    public ApacheHttpAsyncClient5Adapter(AdapterContext context) throws ReflectiveOperationException {
        this.context = context;
        this.internals = new AsyncInternals(context);
        this.dialing = new AsyncDialing(internals);
        this.minimal = new MinimalClients(context);
        this.minimalExchanges = new MinimalExchanges(context, internals, dialing, minimal);
    }

    @Override
    @SuppressWarnings("unchecked")
    public Handler handler(String hook) {
        return switch (hook) {
            case SCOPE -> (Handler.Argument) (element, scope, request, body, a2) ->
                    scope((AsyncExecChain.Scope) scope, (HttpRequest) request, (AsyncEntityProducer) body);
            case BODY -> (Handler.Argument) (element, body, a0, a1, scope) ->
                    ((AsyncExecChain.Scope) scope).execRuntime instanceof AsyncMeshRuntime runtime
                            ? runtime.sends((AsyncEntityProducer) body)
                            : body;
            case ADDRESS -> (Handler.Argument) (requester, address, a0, a1, a2) -> dialing.at(address);
            case LIMIT -> (Handler.Argument) (reactor, timeout, a0, a1, a2) -> dialing.within((Timeout) timeout);
            case PROTOCOL -> (Handler.Argument) (reactor, attachment, a0, a1, a2) -> dialing.speaking(attachment);
            case SOCKET -> (Handler.Argument) (reactor, callback, a0, a1, a2) -> dialing.secured((FutureCallback<IOSession>) callback);
            case LEASED -> (Handler.Around) (connection, a0, a1, a2, a3) -> {
                dialing.leased(connection);
                return Handler.PROCEED;
            };
            case RELEASED -> (Handler.Around) (connection, a0, a1, a2, a3) -> {
                dialing.released(connection);
                return Handler.PROCEED;
            };
            case TLS -> (Handler.Result) (session, details, a0, a1, a2) -> dialing.isSecured(session) ? null : details;
            case STREAM -> (Handler.Argument) (none, handler, channel, a1, a2) -> {
                if (handler instanceof AsyncAttempt attempt) {
                    attempt.begins((Cancellable) channel);
                }
                return handler;
            };
            case MINIMAL -> (Handler.Argument) (client, handler, a0, a1, a2) ->
                    handler == null ? null : new MinimalHandler(context, minimal, (AsyncClientExchangeHandler) handler);
            case MINIMAL_EXCHANGE -> (Handler.Around) (client, handler, push, http, a3) ->
                    handler instanceof MinimalHandler known ? minimalExchanges.execute(client, known, (HandlerFactory<AsyncPushConsumer>) push, (HttpContext) http) : Handler.PROCEED;
            case LEASE -> (Handler.Around) (client, host, a1, callback, a3) -> {
                ConnectException refusal = host == null ? null : minimal.refusal((HttpHost) host);
                if (refusal == null) {
                    return Handler.PROCEED;
                }
                BasicFuture<Object> refused = new BasicFuture<>((FutureCallback<Object>) callback);
                refused.failed(refusal);
                return refused;
            };
            default -> throw new IllegalArgumentException(hook);
        };
    }

    private Object scope(AsyncExecChain.Scope scope, HttpRequest request, AsyncEntityProducer body) throws Throwable {
        HttpRoute route = scope.route;
        HttpHost target = route.getTargetHost();
        boolean plain = target.getSchemeName().equals("http");
        ConnectException refusal = Outside.refusal(context.outbound(), !plain, target.getHostName(), target.getPort());
        if (refusal != null) {
            return new Handler.Thrown(refusal);
        }
        if (!plain || route.isSecure() || route.getProxyHost() != null) {
            return scope;
        }
        if (Members.isToUnixDomainSocket(route)) {
            return scope;
        }
        if (scope.execRuntime.isEndpointAcquired() && isAuthenticated(scope)) {
            return scope;
        }
        AsyncRequest exchange = new AsyncRequest(request, body, scope.route, internals);
        try {
            if (!context.outbound().claims(exchange)) {
                return scope;
            }
            return internals.with(scope, new AsyncMeshRuntime(context, internals, dialing, scope));
        } catch (Throwable fault) {
            return new Handler.Thrown(Unsent.failure(exchange, fault));
        }
    }

    /** NTLM and the like authenticate a connection: the next leg of the dialogue goes over the same one. */
    private static boolean isAuthenticated(AsyncExecChain.Scope scope) {
        return scope.clientContext.getAuthExchange(scope.route.getTargetHost()).isConnectionBased();
    }
}
