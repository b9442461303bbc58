package io.weft.instrumentation.armeriaclient;

import com.linecorp.armeria.client.ClientRequestContext;
import com.linecorp.armeria.client.Endpoint;
import com.linecorp.armeria.client.HttpClient;
import com.linecorp.armeria.client.UnprocessedRequestException;
import com.linecorp.armeria.client.proxy.ProxyType;
import com.linecorp.armeria.common.HttpHeaderNames;
import com.linecorp.armeria.common.HttpMethod;
import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.SessionProtocol;
import com.linecorp.armeria.internal.client.ClientPendingThrowableUtil;
import com.linecorp.armeria.internal.client.PooledChannel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.weft.instrumentation.Adapter;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Handler;
import io.weft.instrumentation.Outside;
import io.weft.instrumentation.Unsent;
import java.net.ConnectException;

/** The handlers of {@link ArmeriaClientModule}. Thread-safe. */
public final class ArmeriaClientAdapter implements Adapter {
    private final AdapterContext context;
    private final Internals internals;
    private final SecuredChannels secured;

    public ArmeriaClientAdapter(AdapterContext context) throws ReflectiveOperationException {
        this.context = context;
        this.internals = new Internals(context);
        this.secured = new SecuredChannels(new Pools(context));
    }

    @Override
    public Handler handler(String hook) {
        return switch (hook) {
            case ArmeriaClientModule.EXECUTE -> (Handler.Around) (delegate, asked, request, a2, a3) ->
                    execute((HttpClient) delegate, (ClientRequestContext) asked, (HttpRequest) request);
            case ArmeriaClientModule.SEND -> (Handler.Around) (self, channel, asked, request, response) -> {
                if (asked instanceof AttemptContext attempt) {
                    attempt.attempt().sends((PooledChannel) channel, (HttpResponse) response);
                }
                return Handler.PROCEED;
            };
            case ArmeriaClientModule.PROXIES -> (Handler.Around) (factory, a0, a1, a2, a3) ->
                    internals.goesDirectly() ? Internals.NO_PROXY : Handler.PROCEED;
            case ArmeriaClientModule.CONNECT -> (Handler.Around) (configurator, channel, remote, local, promise) -> {
                boolean goesOn = secured.connects(((ChannelHandlerContext) channel).channel(), remote, (ChannelPromise) promise);
                return goesOn ? Handler.PROCEED : null;
            };
            default -> throw new IllegalArgumentException("no hook of armeria-client: " + hook);
        };
    }

    private Object execute(HttpClient delegate, ClientRequestContext asked, HttpRequest request) throws Throwable {
        Endpoint endpoint = asked.endpoint();
        if (asked instanceof MeshContext || endpoint == null || request != asked.request() || isSocketFile(endpoint)
                || ClientPendingThrowableUtil.pendingThrowable(asked) != null) {
            return Handler.PROCEED;
        }
        SessionProtocol protocol = asked.sessionProtocol();
        ConnectException refusal =
                Outside.refusal(context.outbound(), protocol.isTls(), endpoint.host(), endpoint.port(protocol.defaultPort()));
        if (refusal != null) {
            return unsent(asked, request, refusal);
        }
        String authority = asked.authority();
        if (protocol.isTls() || wantsConnection(request) || authority == null || !context.outbound().names(authority)
                || internals.proxy(delegate, protocol, endpoint).proxyType() != ProxyType.DIRECT) {
            return Handler.PROCEED;
        }
        OutgoingRequest exchange = OutgoingRequest.of(asked, request);
        try {
            if (!context.outbound().claims(exchange)) {
                return Handler.PROCEED;
            }
            Hop hop = new Hop(context, internals, secured, delegate, asked, request, exchange);
            exchange.drivenBy(hop);
            return hop.start();
        } catch (Throwable fault) {
            return unsent(asked, request, Unsent.failure(exchange, fault));
        }
    }

    /** As the library ends a request that it cannot send: nothing is thrown at the app's decorators. */
    private static HttpResponse unsent(ClientRequestContext asked, HttpRequest request, ConnectException why) {
        UnprocessedRequestException cause = UnprocessedRequestException.of(why);
        request.abort(cause);
        asked.logBuilder().endRequest(cause);
        asked.logBuilder().endResponse(cause);
        return HttpResponse.ofFailure(cause);
    }

    private static boolean isSocketFile(Endpoint endpoint) {
        return endpoint.host().regionMatches(true, 0, "unix%3a", 0, 7);
    }

    /** For another protocol, such as a WebSocket. */
    private static boolean wantsConnection(HttpRequest request) {
        return request.method() == HttpMethod.CONNECT || request.headers().contains(HttpHeaderNames.UPGRADE);
    }
}
