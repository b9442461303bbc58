package io.weft.instrumentation.apachehttpclient4;

import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Outside;
import io.weft.instrumentation.Unsent;
import java.net.ConnectException;
import org.apache.http.HttpHost;
import org.apache.http.HttpRequest;
import org.apache.http.conn.routing.HttpRoute;

/**
 * Those of clients without an execution chain: they go out without the mesh, and not at all where policy wants them secured, or guards
 * what is outside. Thread-safe.
 */
final class UnledRequests {
    private final AdapterContext context;
    private final String instead;

    /** @param builder what makes a client whose requests are led, as in {@code HttpClients.custom()} */
    UnledRequests(AdapterContext context, String builder) {
        this.context = context;
        this.instead = "; build the client with " + builder + " instead";
    }

    /**
     * @param of whose request it is, as in {@code minimal clients}
     * @return what the app is told in the place of a response; null: the request may go
     */
    ConnectException refusal(HttpRoute route, HttpRequest request, String of) throws Throwable {
        ConnectException outside = outside(route);
        if (outside != null || !isPlain(route)) {
            return outside;
        }
        UnledRequest exchange = new UnledRequest(request, route);
        try {
            if (!context.outbound().claims(exchange)) {
                return null;
            }
            if (!exchange.mayFailOpen()) {
                return new ConnectException("mesh TLS is not supported for " + of + ": " + exchange.authority() + instead);
            }
        } catch (Throwable fault) {
            return Unsent.failure(exchange, fault);
        }
        context.warn("requests of " + of + " go out without the mesh" + instead);
        return null;
    }

    /** Of any request along that route, led or not. */
    ConnectException outside(HttpRoute route) {
        HttpHost target = route.getTargetHost();
        return Outside.refusal(
                context.outbound(), !target.getSchemeName().equalsIgnoreCase("http"), target.getHostName(), target.getPort());
    }

    static boolean isPlain(HttpRoute route) {
        return !route.isSecure() && route.getProxyHost() == null && route.getTargetHost().getSchemeName().equalsIgnoreCase("http");
    }
}
