package io.weft.instrumentation.jetty;

import io.weft.instrumentation.Adapter;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Handler;
import java.io.IOException;
import java.nio.channels.SocketChannel;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.io.SocketChannelEndPoint;
import org.eclipse.jetty.server.ServerConnector;

/** The handlers of {@link JettyModule} that are the same in all versions: connectors and their connections. Thread-safe. */
abstract class ServerAdapter implements Adapter {
    final Http2Sessions http2;
    final ConnectorPorts ports;
    final Connections connections = new Connections();
    private final Accepting accepting;

    ServerAdapter(AdapterContext context) throws ReflectiveOperationException {
        http2 = new Http2Sessions(context);
        ports = new ConnectorPorts(context, http2);
        accepting = new Accepting(context.inbound(), new Interest(context));
    }

    /** For what has to do with requests. */
    abstract Handler requestHandler(String hook);

    @Override
    public final Handler handler(String hook) {
        return switch (hook) {
            case JettyModule.OPENED -> JettyModule.module().idle(hook);
            case JettyModule.STARTED -> (Handler.Result) (connector, nothing, a0, a1, a2) -> {
                ports.started((ServerConnector) connector);
                return nothing;
            };
            case JettyModule.CLOSE -> (Handler.Around) (connector, a0, a1, a2, a3) -> {
                ports.closed((ServerConnector) connector);
                return Handler.PROCEED;
            };
            case JettyModule.ACCEPTED -> (Handler.Around) (connector, socket, a1, a2, a3) ->
                    accepting.accept((ServerConnector) connector, (SocketChannel) socket);
            case JettyModule.CHANNEL -> (Handler.Argument) (nothing, socket, a0, a1, a2) -> accepting.channel((SocketChannel) socket);
            case JettyModule.END_POINT -> (Handler.Result) (endPoint, same, channel, a1, a2) -> {
                accepting.made((SocketChannelEndPoint) endPoint, (SocketChannel) channel);
                return same;
            };
            case JettyModule.FLUSHED -> (Handler.Result) (endPoint, flushed, a0, a1, a2) ->
                    (boolean) flushed ? isFlushed(channel(endPoint)) : flushed;
            case JettyModule.WANTS_INPUT -> (Handler.Around) (endPoint, a0, a1, a2, a3) -> wantsInput(channel(endPoint));
            case JettyModule.SHUTDOWN_OUTPUT -> (Handler.Around) (endPoint, a0, a1, a2, a3) -> {
                MeshSocketChannel channel = channel(endPoint);
                if (channel == null) {
                    return Handler.PROCEED;
                }
                return shutdownOutput(channel);
            };
            default -> requestHandler(hook);
        };
    }

    private static MeshSocketChannel channel(Object endPoint) {
        return ((EndPoint) endPoint).getTransport() instanceof MeshSocketChannel channel ? channel : null;
    }

    private static Object isFlushed(MeshSocketChannel channel) {
        try {
            return channel == null || channel.isFlushed();
        } catch (IOException gone) {
            return new Handler.Thrown(gone);
        }
    }

    private static Object shutdownOutput(MeshSocketChannel channel) {
        try {
            channel.shutdownOutput();
        } catch (IOException gone) {
            // Jetty does not care either.
            return null;
        }
        return null;
    }

    /** What a selector would look for may be here already, or must not be looked for yet. */
    private static Object wantsInput(MeshSocketChannel channel) {
        if (channel == null) {
            return Handler.PROCEED;
        }
        if (channel.isHeld()) {
            return null;
        }
        if (channel.bytes().hasInput()) {
            channel.fill();
            return null;
        }
        return Handler.PROCEED;
    }
}
