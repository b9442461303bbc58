package io.weft.instrumentation.jetty;

import io.weft.instrumentation.Adapter;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Handler;
import io.weft.instrumentation.UnsecurableServers;
import java.io.IOException;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles.Lookup;
import java.lang.invoke.MethodType;
import java.net.InetSocketAddress;
import java.nio.channels.NetworkChannel;
import java.nio.channels.SocketChannel;
import java.util.List;

/** A Jetty that none of the other adapters fits: it does not serve where policy demands what they could do. Thread-safe. */
public final class GuardedJettyAdapter implements Adapter {
    private final UnsecurableServers servers;
    private final MethodHandle transport;
    private final MethodHandle protocols;
    private final MethodHandle close;

    public GuardedJettyAdapter(AdapterContext context) throws ReflectiveOperationException {
        servers = new UnsecurableServers(context, "jetty");
        Lookup connector = context.lookup("org.eclipse.jetty.server.ServerConnector");
        Class<?> type = connector.lookupClass();
        transport = connector.findVirtual(type, "getTransport", MethodType.methodType(Object.class))
                .asType(MethodType.methodType(Object.class, Object.class));
        protocols = connector.findVirtual(type, "getProtocols", MethodType.methodType(List.class))
                .asType(MethodType.methodType(List.class, Object.class));
        close = connector.findVirtual(type, "close", MethodType.methodType(void.class))
                .asType(MethodType.methodType(void.class, Object.class));
    }

    @Override
    public Handler handler(String hook) {
        return switch (hook) {
            case JettyModule.OPENED -> (Handler.Result) (connector, nothing, a0, a1, a2) -> opened(connector);
            case JettyModule.ACCEPTED -> (Handler.Around) (connector, socket, a1, a2, a3) -> accepted(connector, (SocketChannel) socket);
            case JettyModule.CLOSE -> (Handler.Around) (connector, a0, a1, a2, a3) -> {
                servers.closed(connector);
                return Handler.PROCEED;
            };
            default -> JettyModule.module().idle(hook);
        };
    }

    private Object opened(Object connector) throws Throwable {
        Object listening = (Object) transport.invokeExact(connector);
        if (hasOwnTls(connector)
                || !(listening instanceof NetworkChannel channel)
                || !(channel.getLocalAddress() instanceof InetSocketAddress address)) {
            return null;
        }
        IOException refusal = servers.opened(connector, address);
        if (refusal == null) {
            return null;
        }
        close.invokeExact(connector);
        return new Handler.Thrown(refusal);
    }

    private Object accepted(Object connector, SocketChannel socket) {
        try {
            return servers.admits(address(socket.getLocalAddress()), address(socket.getRemoteAddress()), hasOwnTls(connector), socket)
                    ? Handler.PROCEED
                    : closed(socket);
        } catch (Throwable fault) {
            // Without the agent's word Jetty would go on: what policy may not admit must not get in because of that.
            closed(socket);
            return new Handler.Thrown(new IOException("the connection cannot be decided about", fault));
        }
    }

    private static Object closed(SocketChannel socket) {
        try {
            socket.close();
        } catch (IOException gone) {
            return null;
        }
        return null;
    }

    private static InetSocketAddress address(Object address) {
        return address instanceof InetSocketAddress inet ? inet : null;
    }

    @SuppressWarnings("unchecked")
    private boolean hasOwnTls(Object connector) throws Throwable {
        for (String protocol : (List<String>) (List<?>) (List) protocols.invokeExact(connector)) {
            if (protocol.equalsIgnoreCase("ssl")) {
                return true;
            }
        }
        return false;
    }
}
