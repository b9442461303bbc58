package io.weft.instrumentation.undertow;

import io.undertow.Undertow;
import io.undertow.protocols.http2.Http2Channel;
import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.ListenerRegistry;
import io.undertow.server.ListenerRegistry.Listener;
import io.undertow.server.protocol.framed.AbstractFramedStreamSinkChannel;
import io.weft.instrumentation.Adapter;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Handler;
import java.net.InetSocketAddress;
import org.xnio.StreamConnection;

/** The handlers of {@link UndertowModule}. Compiled against Undertow 2.2, links on 2.3 and 2.4. Thread-safe. */
public final class UndertowAdapter implements Adapter {
    private final Http2Channels http2;
    private final ListenerPorts ports;
    private final Accepting accepting;
    private final Admission admission;

    public UndertowAdapter(AdapterContext context) throws ReflectiveOperationException {
        http2 = new Http2Channels(context);
        ports = new ListenerPorts(context, http2);
        accepting = new Accepting(context);
        admission = new Admission(context, ports, accepting, http2);
    }

    @Override
    public Handler handler(String hook) {
        return switch (hook) {
            case UndertowModule.STARTED -> (Handler.Result) (undertow, nothing, a0, a1, a2) -> {
                ports.started((Undertow) undertow);
                return nothing;
            };
            case UndertowModule.STOP -> (Handler.Around) (undertow, a0, a1, a2, a3) -> {
                ports.stopped((Undertow) undertow);
                return Handler.PROCEED;
            };
            case UndertowModule.REGISTERED -> (Handler.Result) (registry, nothing, listener, a1, a2) -> {
                ports.registered((Listener) listener);
                return nothing;
            };
            case UndertowModule.UNREGISTERED -> (Handler.Around) (registry, name, a1, a2, a3) -> {
                ports.unregistered(((ListenerRegistry) registry).getListener((String) name));
                return Handler.PROCEED;
            };
            case UndertowModule.WRITTEN_DOWN -> (Handler.Result) (listener, before, key, value, a2) -> {
                if (WildFlyModule.BOUND.equals(key)) {
                    ports.bound((Listener) listener, (InetSocketAddress) value);
                }
                return before;
            };
            case UndertowModule.OPENED -> (Handler.Around) (listener, connection, a1, a2, a3) ->
                    accepting.opened(listener, (StreamConnection) connection);
            case UndertowModule.HANDLE -> (Handler.Around) (nothing, handler, exchange, a2, a3) ->
                    admission.handle((HttpHandler) handler, (HttpServerExchange) exchange);
            case UndertowModule.HTTP2 -> (Handler.Result) (channel, same, a0, a1, a2) -> {
                http2.opened((Http2Channel) channel);
                return same;
            };
            case UndertowModule.LAST_FRAME -> (Handler.Around) (goAway, a0, a1, a2, a3) ->
                    Http2Channels.leavesStreams((AbstractFramedStreamSinkChannel<?, ?, ?>) goAway) ? Boolean.FALSE : Handler.PROCEED;
            default -> throw new IllegalArgumentException(hook);
        };
    }
}
