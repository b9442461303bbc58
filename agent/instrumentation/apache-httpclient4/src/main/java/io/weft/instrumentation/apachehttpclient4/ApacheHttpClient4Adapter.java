package io.weft.instrumentation.apachehttpclient4;

import io.weft.instrumentation.Adapter;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Handler;
import io.weft.instrumentation.Outside;
import io.weft.instrumentation.Unsent;
import java.net.ConnectException;
import javax.net.ssl.SSLSession;
import org.apache.http.HttpHost;
import org.apache.http.client.methods.HttpExecutionAware;
import org.apache.http.client.methods.HttpRequestWrapper;
import org.apache.http.client.protocol.HttpClientContext;
import org.apache.http.conn.ManagedHttpClientConnection;
import org.apache.http.conn.routing.HttpRoute;
import org.apache.http.impl.execchain.MainClientExec;

/** The handlers of {@link ApacheHttpClient4Module}. Thread-safe. */
public final class ApacheHttpClient4Adapter implements Adapter {
    private final AdapterContext context;
    private final SecuredSockets secured = new SecuredSockets();
    private final StandIns standIns;

    public ApacheHttpClient4Adapter(AdapterContext context) throws ReflectiveOperationException {
        this.context = context;
        this.standIns = new StandIns(new Internals(context), context.outbound(), secured);
    }

    @Override
    public Handler handler(String hook) {
        return switch (hook) {
            case "execute" -> (Handler.Around) (exec, route, request, clientContext, aware) -> execute(
                    (MainClientExec) exec,
                    (HttpRoute) route,
                    (HttpRequestWrapper) request,
                    (HttpClientContext) clientContext,
                    (HttpExecutionAware) aware);
            case "session" -> (Handler.Result) (connection, session, a0, a1, a2) ->
                    session != null && secured.isMesh(((ManagedHttpClientConnection) connection).getSocket()) ? null : (SSLSession) session;
            case "minimal" -> warning("HttpClients.createMinimal() has no execution chain; its requests go out without the mesh; build "
                    + "the client with HttpClients.custom() instead");
            case "before-4.3" -> warning("DefaultHttpClient and the other classes of the API before 4.3 are not instrumented; their "
                    + "requests go out without the mesh; build the client with HttpClients.custom() instead");
            default -> throw new IllegalArgumentException("no hook of apache-httpclient4: " + hook);
        };
    }

    private Handler.Result warning(String message) {
        return (self, client, a0, a1, a2) -> {
            context.warn(message);
            return client;
        };
    }

    private Object execute(
            MainClientExec exec, HttpRoute route, HttpRequestWrapper request, HttpClientContext clientContext, HttpExecutionAware aware)
            throws Throwable {
        HttpHost target = route.getTargetHost();
        ConnectException refusal = Outside.refusal(
                context.outbound(), !target.getSchemeName().equalsIgnoreCase("http"), target.getHostName(), target.getPort());
        if (refusal != null) {
            return new Handler.Thrown(refusal);
        }
        if (!isPlain(route) || standIns.contains(exec)) {
            return Handler.PROCEED;
        }
        ClassicRequest exchange = new ClassicRequest(request, route, null);
        MainClientExec standIn;
        try {
            if (!context.outbound().claims(exchange)) {
                return Handler.PROCEED;
            }
            standIn = standIns.of(exec);
        } catch (Throwable fault) {
            return new Handler.Thrown(Unsent.failure(exchange, fault));
        }
        try {
            return standIn.execute(route, request, clientContext, aware);
        } catch (Throwable thrown) {
            // the app's as the library throws it
            return new Handler.Thrown(thrown);
        }
    }

    private static boolean isPlain(HttpRoute route) {
        return !route.isSecure() && route.getProxyHost() == null && route.getTargetHost().getSchemeName().equalsIgnoreCase("http");
    }
}
