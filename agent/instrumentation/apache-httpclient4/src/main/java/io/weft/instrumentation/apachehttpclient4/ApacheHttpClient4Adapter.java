package io.weft.instrumentation.apachehttpclient4;

import io.weft.instrumentation.Adapter;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Handler;
import io.weft.instrumentation.Unsent;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.net.ConnectException;
import javax.net.ssl.SSLSession;
import org.apache.http.HttpRequest;
import org.apache.http.client.methods.HttpExecutionAware;
import org.apache.http.client.methods.HttpRequestWrapper;
import org.apache.http.client.protocol.HttpClientContext;
import org.apache.http.conn.ManagedHttpClientConnection;
import org.apache.http.conn.routing.HttpRoute;
import org.apache.http.impl.execchain.ClientExecChain;

/** The handlers of {@link ApacheHttpClient4Module}. Thread-safe. */
public final class ApacheHttpClient4Adapter implements Adapter {
    private final AdapterContext context;
    private final SecuredSockets secured = new SecuredSockets();
    private final StandIns standIns;
    private final UnledRequests unled;
    /** Null where the app's copy of the library has nothing of the API before 4.3, as the one below. */
    private final MethodHandle routeOf;
    private final MethodHandle requestOf;

    public ApacheHttpClient4Adapter(AdapterContext context) throws ReflectiveOperationException {
        this.context = context;
        this.standIns = new StandIns(new Internals(context), context.outbound(), secured);
        this.unled = new UnledRequests(context, "HttpClients.custom()");
        this.routeOf = ofRoutedRequest("getRoute", HttpRoute.class);
        this.requestOf = ofRoutedRequest("getRequest", HttpRequest.class);
    }

    private MethodHandle ofRoutedRequest(String getter, Class<?> type) throws ReflectiveOperationException {
        try {
            Class<?> routed = context.lookup("org.apache.http.impl.client.RoutedRequest").lookupClass();
            return MethodHandles.publicLookup().unreflect(routed.getMethod(getter)).asType(MethodType.methodType(type, Object.class));
        } catch (ClassNotFoundException leftOut) {
            return null;
        }
    }

    @Override
    public Handler handler(String hook) {
        return switch (hook) {
            case "execute" -> (Handler.Around) (exec, route, request, clientContext, aware) -> execute(
                    (ClientExecChain) exec,
                    (HttpRoute) route,
                    (HttpRequestWrapper) request,
                    (HttpClientContext) clientContext,
                    (HttpExecutionAware) aware);
            case "session" -> (Handler.Result) (connection, session, a0, a1, a2) ->
                    session != null && secured.isMesh(((ManagedHttpClientConnection) connection).getSocket()) ? null : (SSLSession) session;
            case "before-4.3" -> (Handler.Around) (director, routed, a1, a2, a3) -> unled(
                    (HttpRoute) routeOf.invokeExact(routed), (HttpRequest) requestOf.invokeExact(routed), "DefaultHttpClient and the like");
            default -> throw new IllegalArgumentException("no hook of apache-httpclient4: " + hook);
        };
    }

    private Object unled(HttpRoute route, HttpRequest request, String of) throws Throwable {
        ConnectException refusal = unled.refusal(route, request, of);
        return refusal == null ? Handler.PROCEED : new Handler.Thrown(refusal);
    }

    private Object execute(
            ClientExecChain exec, HttpRoute route, HttpRequestWrapper request, HttpClientContext clientContext, HttpExecutionAware aware)
            throws Throwable {
        ConnectException refusal = unled.outside(route);
        if (refusal != null) {
            return new Handler.Thrown(refusal);
        }
        if (!UnledRequests.isPlain(route) || standIns.contains(exec)) {
            return Handler.PROCEED;
        }
        ClassicRequest exchange = new ClassicRequest(request, route, null);
        ClientExecChain standIn;
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
}
