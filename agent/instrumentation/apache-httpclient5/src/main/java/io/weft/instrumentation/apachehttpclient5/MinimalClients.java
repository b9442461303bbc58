package io.weft.instrumentation.apachehttpclient5;

import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.HostHeader;
import io.weft.instrumentation.Outside;
import io.weft.instrumentation.Unsent;
import java.net.ConnectException;
import java.util.Locale;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.http.HttpRequest;

/**
 * Asynchronous ones that have no execution chain. Over HTTP/1.1 {@link MinimalExchanges} leads their requests; others go out without the mesh, and not at all where policy
 * wants them secured, or guards what is outside. Thread-safe.
 */
final class MinimalClients {
    private static final int HTTP = 80;
    private static final int HTTPS = 443;
    private static final String INSTEAD = "; build the client with HttpAsyncClients.custom() instead";

    private final AdapterContext context;

    MinimalClients(AdapterContext context) {
        this.context = context;
    }

    /** @return what the app is told in the place of a response; null: the request may go */
    ConnectException refusal(HttpRequest request, HttpHost target) throws Throwable {
        ConnectException outside = outside(target);
        if (outside != null || isSecure(target)) {
            return outside;
        }
        UnledRequest exchange = exchange(request, target);
        try {
            if (!context.outbound().claims(exchange)) {
                return null;
            }
            if (!exchange.mayFailOpen()) {
                return unsecurable(exchange.authority());
            }
        } catch (Throwable fault) {
            return Unsent.failure(exchange, fault);
        }
        context.warn("apache-httpclient5: requests of minimal clients go out without the mesh" + INSTEAD);
        return null;
    }

    /** Whether it is for the mesh, if it need not be refused. */
    boolean isClaimed(UnledRequest exchange, HttpHost target) {
        return !isSecure(target) && context.outbound().claims(exchange);
    }

    static UnledRequest exchange(HttpRequest request, HttpHost target) {
        return new UnledRequest(request, route(target));
    }

    static HttpRoute route(HttpHost target) {
        return new HttpRoute(new HttpHost("http", target.getHostName(), port(target)));
    }

    /** Of a connection whose requests nobody knows yet. */
    ConnectException refusal(HttpHost target) {
        ConnectException outside = outside(target);
        if (outside != null || isSecure(target)) {
            return outside;
        }
        String authority = HostHeader.of(target.getHostName(), port(target));
        return context.outbound().mayBeSecured(authority) ? unsecurable(authority) : null;
    }

    private static ConnectException unsecurable(String authority) {
        return new ConnectException("mesh TLS is not supported for a minimal client: " + authority + INSTEAD);
    }

    ConnectException outside(HttpHost target) {
        return Outside.refusal(context.outbound(), isSecure(target), target.getHostName(), port(target));
    }

    private static boolean isSecure(HttpHost target) {
        return !target.getSchemeName().toLowerCase(Locale.ROOT).equals("http");
    }

    private static int port(HttpHost target) {
        return target.getPort() >= 0 ? target.getPort() : isSecure(target) ? HTTPS : HTTP;
    }
}
