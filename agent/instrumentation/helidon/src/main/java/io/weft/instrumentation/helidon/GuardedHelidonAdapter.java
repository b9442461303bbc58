package io.weft.instrumentation.helidon;

import io.weft.instrumentation.Adapter;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Handler;
import io.weft.instrumentation.UnsecurableServers;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.nio.channels.SocketChannel;

/** A Helidon that the other adapter does not fit: it does not serve where policy demands what that one could do. Thread-safe. */
public final class GuardedHelidonAdapter implements Adapter {
    private final UnsecurableServers servers;
    private final Listeners listeners;

    public GuardedHelidonAdapter(AdapterContext context) throws ReflectiveOperationException {
        servers = new UnsecurableServers(context, "helidon");
        listeners = new Listeners(context);
    }

    @Override
    public Handler handler(String hook) {
        return switch (hook) {
            case HelidonModule.STARTED -> (Handler.Result) (listener, nothing, a0, a1, a2) -> started(listener, nothing);
            case HelidonModule.STOP -> (Handler.Around) (listener, a0, a1, a2, a3) -> {
                InetSocketAddress address = listeners.address(listener);
                if (address != null) {
                    servers.closed(address.getPort());
                }
                return Handler.PROCEED;
            };
            case HelidonModule.SOCKET -> (Handler.Argument) (nobody, socket, a0, a1, a2) -> admitted((Socket) socket);
            case HelidonModule.CHANNEL -> (Handler.Argument) (nobody, channel, a0, a1, a2) -> admitted((SocketChannel) channel);
            case HelidonModule.TLS_SOCKET -> (Handler.Around) (nobody, secured, a1, a2, a3) -> {
                Socket socket = (Socket) secured;
                return admitted(socket, socket.getLocalSocketAddress(), socket.getRemoteSocketAddress(), true, Handler.PROCEED);
            };
            case HelidonModule.TLS_CHANNEL -> (Handler.Around) (nobody, secured, a1, a2, a3) -> {
                SocketChannel channel = (SocketChannel) secured;
                return admitted(channel, channel.getLocalAddress(), channel.getRemoteAddress(), true, Handler.PROCEED);
            };
            default -> HelidonModule.module().idle(hook);
        };
    }

    /** What comes in meanwhile is asked about one by one. */
    private Object started(Object listener, Object nothing) throws Throwable {
        InetSocketAddress address = listeners.address(listener);
        IOException refusal = address == null || listeners.hasOwnTls(listener) ? null : servers.opened(address);
        if (refusal == null) {
            return nothing;
        }
        listeners.stop(listener);
        // What start throws itself when it has no port.
        return new Handler.Thrown(new UncheckedIOException(refusal));
    }

    private Object admitted(Socket socket) {
        return admitted(socket, socket.getLocalSocketAddress(), socket.getRemoteSocketAddress(), false, socket);
    }

    private Object admitted(SocketChannel channel) throws IOException {
        return admitted(channel, channel.getLocalAddress(), channel.getRemoteAddress(), false, channel);
    }

    /** @return {@code then} or what is thrown instead: without the agent's word Helidon would go on */
    private Object admitted(Closeable socket, SocketAddress local, SocketAddress remote, boolean ownTls, Object then) {
        try {
            return servers.admits(address(local), address(remote), ownTls, socket)
                    ? then
                    : refused(socket, new UncheckedIOException(new SocketException("policy does not admit the connection")));
        } catch (Throwable fault) {
            return refused(socket, new IllegalStateException("the connection cannot be decided about", fault));
        }
    }

    private static Object refused(Closeable socket, RuntimeException why) {
        try {
            socket.close();
        } catch (IOException closed) {
            return new Handler.Thrown(why);
        }
        return new Handler.Thrown(why);
    }

    private static InetSocketAddress address(SocketAddress address) {
        return address instanceof InetSocketAddress inet ? inet : null;
    }
}
