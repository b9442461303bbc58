package io.weft.instrumentation.apachehttpclient5;

import io.weft.instrumentation.Adapter;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Attached;
import io.weft.instrumentation.Handler;
import io.weft.instrumentation.Outside;
import io.weft.instrumentation.Unsent;
import java.lang.invoke.MethodHandles;
import java.lang.ref.WeakReference;
import java.net.ConnectException;
import java.net.Socket;
import javax.net.ssl.SSLSession;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.classic.ExecChain;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.core5.http.ClassicHttpRequest;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.http.protocol.HttpContext;
import org.apache.hc.core5.util.TimeValue;

/** The handlers of {@link ApacheHttpClient5Module}. Thread-safe. */
public final class ApacheHttpClient5Adapter implements Adapter {
    private final AdapterContext context;
    private final MinimalClients minimal;
    private final StandIns standIns;
    private final Managers managers;
    private final ConnectLimit connectLimit = new ConnectLimit();
    private final Dialing dialing = new Dialing();
    /** By the library's runtime that holds the response's connection. */
    private final Attached<WeakReference<ClassicRequest>> delivered = new Attached<>();

    public ApacheHttpClient5Adapter(AdapterContext context) throws ReflectiveOperationException {
        this.context = context;
        this.minimal = new MinimalClients(context);
        this.standIns = new StandIns(context);
        this.managers = new Managers(context);
        // Now, and not with the first request: what is not as expected leaves the library alone.
        AdapterContext.initialize(MethodHandles.lookup(), Members.class);
        AdapterContext.initialize(MethodHandles.lookup(), MeshRuntime.class);
    }

    @Override
    public Handler handler(String hook) {
        return switch (hook) {
            case "connect" -> (Handler.Argument) (element, scope, request, a1, a2) ->
                    connect((ExecChain.Scope) scope, (ClassicHttpRequest) request);
            case "connect-timeout" -> (Handler.Argument) (operator, timeout, a0, a1, a2) -> dialing.within(connectLimit.of((TimeValue) timeout));
            case "bind" -> (Handler.Argument) (connection, socket, a0, a1, a2) -> dialing.secure(connection, (Socket) socket);
            case "leased" -> (Handler.Around) (connection, a0, a1, a2, a3) -> {
                dialing.leased(connection);
                return Handler.PROCEED;
            };
            case "released" -> (Handler.Around) (connection, a0, a1, a2, a3) -> {
                dialing.released(connection);
                return Handler.PROCEED;
            };
            case "let-go" -> (Handler.Around) (runtime, a0, a1, a2, a3) -> {
                letGo(runtime);
                return Handler.PROCEED;
            };
            case "session" -> (Handler.Result) (connection, session, a0, a1, a2) -> dialing.visible(connection, (SSLSession) session);
            case "minimal" -> (Handler.Around) (client, target, request, apps, a3) ->
                    target == null ? Handler.PROCEED : minimal(client, (HttpHost) target, (ClassicHttpRequest) request, (HttpContext) apps);
            default -> throw new IllegalArgumentException("no hook of apache-httpclient5: " + hook);
        };
    }

    private void letGo(Object runtime) {
        WeakReference<ClassicRequest> known = delivered.remove(runtime);
        ClassicRequest exchange = known == null ? null : known.get();
        if (exchange != null) {
            exchange.isLetGo();
        }
    }

    private Object minimal(Object client, HttpHost target, ClassicHttpRequest request, HttpContext apps) throws Throwable {
        ConnectException refusal = minimal.outside(target);
        if (refusal != null) {
            return new Handler.Thrown(refusal);
        }
        UnledRequest exchange = MinimalClients.exchange(request, target);
        CloseableHttpClient standIn;
        try {
            if (!minimal.isClaimed(exchange, target)) {
                return Handler.PROCEED;
            }
            standIn = standIns.of(client);
        } catch (Throwable fault) {
            return new Handler.Thrown(Unsent.failure(exchange, fault));
        }
        try {
            return standIn.execute(target, request, apps);
        } catch (Throwable thrown) {
            // the app's as the library throws it
            return new Handler.Thrown(thrown);
        }
    }

    private Object connect(ExecChain.Scope scope, ClassicHttpRequest request) throws Throwable {
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
        ClassicRequest exchange = new ClassicRequest(request, scope, scope.execRuntime);
        try {
            if (!context.outbound().claims(exchange)) {
                return scope;
            }
            MeshRuntime runtime = new MeshRuntime(context.outbound(), dialing, scope, connectLimit, managers, delivered);
            return new ExecChain.Scope(scope.exchangeId, route, scope.originalRequest, runtime, scope.clientContext);
        } catch (Throwable fault) {
            return new Handler.Thrown(Unsent.failure(exchange, fault));
        }
    }

    /** NTLM and the like authenticate a connection: the next leg of the dialogue goes over the same one. */
    private static boolean isAuthenticated(ExecChain.Scope scope) {
        return scope.clientContext.getAuthExchange(scope.route.getTargetHost()).isConnectionBased();
    }
}
