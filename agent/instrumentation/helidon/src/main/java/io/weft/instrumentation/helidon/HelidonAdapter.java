package io.weft.instrumentation.helidon;

import io.helidon.webserver.ConnectionContext;
import io.helidon.webserver.http.Filters;
import io.helidon.webserver.http.RoutingRequest;
import io.helidon.webserver.http.RoutingResponse;
import io.helidon.webserver.http1.Http1ConnectionListener;
import io.weft.instrumentation.Adapter;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Handler;
import java.lang.reflect.InvocationTargetException;
import java.net.Socket;
import java.nio.channels.SocketChannel;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import javax.net.ssl.SSLSocket;

/** The handlers of {@link HelidonModule}. Compiled against Helidon 4.0, links on all of 4. Thread-safe. */
public final class HelidonAdapter implements Adapter {
    private final ListenerPorts ports;
    private final Accepting accepting;
    private final Opaque opaque;
    private final Http2Requests http2;
    private final Admission admission;

    public HelidonAdapter(AdapterContext context) throws ReflectiveOperationException {
        boolean speaksHttp2 = speaksHttp2(context);
        accepting = new Accepting(context, speaksHttp2);
        opaque = new Opaque(accepting);
        http2 = speaksHttp2 ? http2(context, accepting, opaque) : new Http2Requests.None();
        ports = new ListenerPorts(context, http2::tell);
        admission = new Admission(context, ports, accepting, http2);
        new Woven(context).isAllThere();
    }

    private static boolean speaksHttp2(AdapterContext context) {
        try {
            context.lookup("io.helidon.webserver.http2.Http2Connection");
            return true;
        } catch (ReflectiveOperationException | LinkageError absent) {
            return false;
        }
    }

    /** Of a part of Helidon that the app may not have: nothing but its name is here. */
    private static Http2Requests http2(AdapterContext context, Accepting accepting, Opaque opaque) throws ReflectiveOperationException {
        Class<?> type = Class.forName(HelidonAdapter.class.getPackageName() + ".Http2");
        try {
            return (Http2Requests) type.getDeclaredConstructor(AdapterContext.class, Accepting.class, Opaque.class)
                    .newInstance(context, accepting, opaque);
        } catch (InvocationTargetException e) {
            throw e.getCause() instanceof ReflectiveOperationException missing ? missing : e;
        }
    }

    @Override
    public Handler handler(String hook) {
        return switch (hook) {
            case HelidonModule.STARTED -> (Handler.Result) (listener, nothing, a0, a1, a2) -> {
                ports.started(listener);
                return nothing;
            };
            case HelidonModule.STOP -> (Handler.Around) (listener, a0, a1, a2, a3) -> {
                ports.stopped(listener);
                return Handler.PROCEED;
            };
            case HelidonModule.SOCKET -> (Handler.Argument) (nobody, socket, a0, a1, a2) -> accepting.socket((Socket) socket);
            case HelidonModule.CHANNEL -> (Handler.Argument) (nobody, channel, a0, a1, a2) -> accepting.channel((SocketChannel) channel);
            case HelidonModule.TLS_SOCKET -> (Handler.Around) (nobody, secured, a1, a2, a3) -> {
                SSLSocket socket = (SSLSocket) secured;
                return accepting.ownTls(socket.getLocalSocketAddress(), socket.getRemoteSocketAddress(), socket);
            };
            case HelidonModule.TLS_CHANNEL -> (Handler.Around) (nobody, channel, a1, a2, a3) -> {
                SocketChannel socket = (SocketChannel) channel;
                return accepting.ownTls(socket.getLocalAddress(), socket.getRemoteAddress(), socket);
            };
            case HelidonModule.SELECTORS -> (Handler.Argument) (nobody, selectors, a0, a1, a2) -> opaque.selectors((List<?>) selectors);
            case HelidonModule.UPGRADES -> (Handler.Argument) (nobody, upgrades, a0, a1, a2) -> opaque.upgrades((Map<?, ?>) upgrades);
            case HelidonModule.FILTER -> filter();
            case HelidonModule.RESPONSE -> (Handler.Argument) (nobody, listener, a0, a1, a2) ->
                    new WatchedResponse((Http1ConnectionListener) listener);
            default -> {
                Handler handler = http2.handler(hook);
                yield handler == null ? HelidonModule.module().idle(hook) : handler;
            }
        };
    }

    @SuppressWarnings("unchecked")
    private Handler filter() {
        return (Handler.Around) (filters, connection, request, response, routing) -> admission.filter(
                (Filters) filters, (ConnectionContext) connection, (RoutingRequest) request, (RoutingResponse) response, (Callable<Void>) routing);
    }
}
