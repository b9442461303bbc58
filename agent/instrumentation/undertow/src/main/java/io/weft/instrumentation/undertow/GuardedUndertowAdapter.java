package io.weft.instrumentation.undertow;

import io.weft.instrumentation.Adapter;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Handler;
import io.weft.instrumentation.UnsecurableServers;
import java.io.Closeable;
import java.io.IOException;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles.Lookup;
import java.lang.invoke.MethodType;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSession;

/** An Undertow that the other adapter does not fit: it does not serve where policy demands what that one could do. Thread-safe. */
public final class GuardedUndertowAdapter implements Adapter {
    private final UnsecurableServers servers;
    private final MethodHandle listeners;
    private final MethodHandle addressOfListener;
    private final MethodHandle tlsOfListener;
    private final MethodHandle stop;
    private final MethodHandle local;
    private final MethodHandle remote;
    private final Class<?> ownTls;
    private final boolean late;
    private final MethodHandle connectionOfExchange;
    private final MethodHandle localOfConnection;
    private final MethodHandle remoteOfConnection;
    private final MethodHandle tlsOfConnection;

    public GuardedUndertowAdapter(AdapterContext context) throws ReflectiveOperationException {
        servers = new UnsecurableServers(context, "undertow");
        listeners = method(context, "io.undertow.Undertow", "getListenerInfo", List.class);
        stop = method(context, "io.undertow.Undertow", "stop", void.class);
        addressOfListener = method(context, "io.undertow.Undertow$ListenerInfo", "getAddress", SocketAddress.class);
        tlsOfListener = method(context, "io.undertow.Undertow$ListenerInfo", "getSslContext", SSLContext.class);
        local = method(context, "org.xnio.StreamConnection", "getLocalAddress", SocketAddress.class);
        remote = method(context, "org.xnio.StreamConnection", "getPeerAddress", SocketAddress.class);
        ownTls = context.lookup("org.xnio.channels.SslChannel").lookupClass();
        late = context.late();
        Class<?> connection = context.lookup("io.undertow.server.ServerConnection").lookupClass();
        connectionOfExchange = method(context, "io.undertow.server.HttpServerExchange", "getConnection", connection)
                .asType(MethodType.methodType(Closeable.class, Object.class));
        localOfConnection = method(context, connection.getName(), "getLocalAddress", SocketAddress.class);
        remoteOfConnection = method(context, connection.getName(), "getPeerAddress", SocketAddress.class);
        tlsOfConnection = method(context, connection.getName(), "getSslSession", SSLSession.class);
    }

    private static MethodHandle method(AdapterContext context, String className, String name, Class<?> result)
            throws ReflectiveOperationException {
        Lookup lookup = context.lookup(className);
        return lookup.findVirtual(lookup.lookupClass(), name, MethodType.methodType(result))
                .asType(MethodType.methodType(result, Object.class));
    }

    @Override
    public Handler handler(String hook) {
        return switch (hook) {
            case UndertowModule.STARTED -> (Handler.Result) (undertow, nothing, a0, a1, a2) -> started(undertow);
            case UndertowModule.STOP -> (Handler.Around) (undertow, a0, a1, a2, a3) -> {
                for (Object listener : listeners(undertow)) {
                    if ((SocketAddress) addressOfListener.invokeExact(listener) instanceof InetSocketAddress address) {
                        servers.closed(address.getPort());
                    }
                }
                return Handler.PROCEED;
            };
            case UndertowModule.OPENED -> (Handler.Around) (listener, connection, a1, a2, a3) -> accepted((Closeable) connection);
            case UndertowModule.HANDLE -> (Handler.Around) (nothing, handler, exchange, a2, a3) -> late ? asked(exchange) : Handler.PROCEED;
            default -> UndertowModule.module().idle(hook);
        };
    }

    private List<?> listeners(Object undertow) throws Throwable {
        List<?> all = (List<?>) (List) listeners.invokeExact(undertow);
        return all == null ? List.of() : List.copyOf(all);
    }

    /** What comes in meanwhile is asked about one by one. */
    private Object started(Object undertow) throws Throwable {
        for (Object listener : listeners(undertow)) {
            SSLContext tls = (SSLContext) tlsOfListener.invokeExact(listener);
            SocketAddress address = (SocketAddress) addressOfListener.invokeExact(listener);
            IOException refusal = tls == null && address instanceof InetSocketAddress inet ? servers.opened(inet) : null;
            if (refusal != null) {
                stop.invokeExact(undertow);
                // What start throws itself when it has no port.
                return new Handler.Thrown(new RuntimeException(refusal));
            }
        }
        return null;
    }

    private Object accepted(Closeable connection) {
        try {
            SocketAddress here = (SocketAddress) local.invokeExact((Object) connection);
            SocketAddress there = (SocketAddress) remote.invokeExact((Object) connection);
            return servers.admits(address(here), address(there), ownTls.isInstance(connection), connection)
                    ? Handler.PROCEED
                    : closed(connection);
        } catch (Throwable fault) {
            // Without the agent's word Undertow would go on: what policy may not admit must not get in because of that.
            closed(connection);
            return new Handler.Thrown(new IllegalStateException("the connection cannot be decided about", fault));
        }
    }

    /** A request, maybe over a connection from before the agent. */
    private Object asked(Object exchange) {
        try {
            Closeable connection = (Closeable) connectionOfExchange.invokeExact(exchange);
            SocketAddress here = (SocketAddress) localOfConnection.invokeExact((Object) connection);
            SocketAddress there = (SocketAddress) remoteOfConnection.invokeExact((Object) connection);
            SSLSession tls = (SSLSession) tlsOfConnection.invokeExact((Object) connection);
            return servers.admits(address(here), address(there), tls != null) ? Handler.PROCEED : closed(connection);
        } catch (Throwable fault) {
            // Without the agent's word the app would be called.
            return new Handler.Thrown(new IllegalStateException("the request cannot be decided about", fault));
        }
    }

    private static Object closed(Closeable connection) {
        try {
            connection.close();
        } catch (IOException gone) {
            return null;
        }
        return null;
    }

    private static InetSocketAddress address(SocketAddress address) {
        return address instanceof InetSocketAddress inet ? inet : null;
    }
}
