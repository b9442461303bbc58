package io.weft.instrumentation.jetty;

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
import java.nio.channels.NetworkChannel;
import java.nio.channels.SocketChannel;
import java.util.List;

/** A Jetty that none of the other adapters fits: it does not serve where policy demands what they could do. Thread-safe. */
public final class GuardedJettyAdapter implements Adapter {
    private final UnsecurableServers servers;
    private final MethodHandle transport;
    private final MethodHandle protocols;
    private final MethodHandle close;
    private final boolean late;
    private final MethodHandle connectorOfChannel;
    private final MethodHandle endPointOfChannel;
    private final MethodHandle localOfChannel;
    private final MethodHandle remoteOfChannel;

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
        late = context.late();
        Lookup channel = context.lookup("org.eclipse.jetty.server.HttpChannel");
        connectorOfChannel = of(channel, "getConnector", context.lookup("org.eclipse.jetty.server.Connector").lookupClass(), Object.class);
        endPointOfChannel = of(channel, "getEndPoint", context.lookup("org.eclipse.jetty.io.EndPoint").lookupClass(), Closeable.class);
        localOfChannel = of(channel, "getLocalAddress", InetSocketAddress.class, InetSocketAddress.class);
        remoteOfChannel = of(channel, "getRemoteAddress", InetSocketAddress.class, InetSocketAddress.class);
    }

    /** @param as what it is here, which does not know the library's types */
    private static MethodHandle of(Lookup lookup, String name, Class<?> result, Class<?> as) throws ReflectiveOperationException {
        return lookup.findVirtual(lookup.lookupClass(), name, MethodType.methodType(result)).asType(MethodType.methodType(as, Object.class));
    }

    @Override
    public Handler handler(String hook) {
        return switch (hook) {
            case JettyModule.OPENED -> (Handler.Result) (connector, nothing, a0, a1, a2) -> opened(connector);
            case JettyModule.ACCEPTED -> (Handler.Around) (connector, socket, a1, a2, a3) -> accepted(connector, (SocketChannel) socket);
            case JettyModule.CLOSE -> (Handler.Around) (connector, a0, a1, a2, a3) -> {
                InetSocketAddress address = listening(connector);
                if (address != null) {
                    servers.closed(address.getPort());
                }
                return Handler.PROCEED;
            };
            case JettyModule.SERVE -> (Handler.Around) (server, channel, a1, a2, a3) -> late ? asked(channel) : Handler.PROCEED;
            default -> JettyModule.module().idle(hook);
        };
    }

    private Object opened(Object connector) throws Throwable {
        InetSocketAddress address = listening(connector);
        if (address == null || hasOwnTls(connector)) {
            return null;
        }
        IOException refusal = servers.opened(address);
        if (refusal == null) {
            return null;
        }
        close.invokeExact(connector);
        return new Handler.Thrown(refusal);
    }

    /** @return null: it listens on no TCP port, or on none any more */
    private InetSocketAddress listening(Object connector) throws Throwable {
        Object socket = (Object) transport.invokeExact(connector);
        return socket instanceof NetworkChannel channel && channel.isOpen() && channel.getLocalAddress() instanceof InetSocketAddress address
                ? address
                : null;
    }

    /** A request, maybe over a connection from before the agent. */
    private Object asked(Object channel) {
        try {
            Object connector = (Object) connectorOfChannel.invokeExact(channel);
            InetSocketAddress local = (InetSocketAddress) localOfChannel.invokeExact(channel);
            InetSocketAddress remote = (InetSocketAddress) remoteOfChannel.invokeExact(channel);
            return servers.admits(local, remote, hasOwnTls(connector)) ? Handler.PROCEED : closed((Closeable) endPointOfChannel.invokeExact(channel));
        } catch (Throwable fault) {
            // Without the agent's word the app would be called.
            return new Handler.Thrown(new IOException("the request cannot be decided about", fault));
        }
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

    private static Object closed(Closeable socket) {
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
