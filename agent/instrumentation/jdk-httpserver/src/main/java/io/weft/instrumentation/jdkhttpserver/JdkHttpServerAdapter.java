package io.weft.instrumentation.jdkhttpserver;

import io.weft.dataplane.Inbound;
import io.weft.instrumentation.Adapter;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Handler;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;

public final class JdkHttpServerAdapter implements Adapter {
    private final AdapterContext context;
    private final Internals internals;
    private final Map<Object, Inbound.Port> portOfServer = new ConcurrentHashMap<>(4);

    /**
     * Per connection, the port while a request is in flight on it: there is one at a time. The entry lives as long as the
     * connection, so that a request allocates nothing.
     */
    private final Map<Object, AtomicReference<Inbound.Port>> inFlight = new ConcurrentHashMap<>();

    public JdkHttpServerAdapter(AdapterContext context) throws ReflectiveOperationException {
        this.context = context;
        internals = new Internals(context);
    }

    @Override
    public Handler handler(String hook) {
        return switch (hook) {
            case JdkHttpServerModule.STARTED -> (Handler.Result) (server, nothing, a0, a1, a2) -> {
                portOfServer.put(server, context.inbound().opened("jdk-httpserver", internals.address(server), internals.https(server)));
                return nothing;
            };
            case JdkHttpServerModule.EXCHANGE_STARTED -> (Handler.Result) (exchange, same, a0, a1, a2) -> {
                requestStarted(exchange);
                return same;
            };
            case JdkHttpServerModule.STOP -> before(this::stop);
            case JdkHttpServerModule.RESPONSE_HEAD -> before(this::announceDrain);
            case JdkHttpServerModule.RESPONSE_COMPLETED -> (Handler.Around) (server, connection, a1, a2, a3) -> {
                requestEnded(inFlight.get(connection));
                return Handler.PROCEED;
            };
            case JdkHttpServerModule.CONNECTION_CLOSE -> before(connection -> requestEnded(inFlight.remove(connection)));
            default -> throw new IllegalArgumentException(hook);
        };
    }

    private void stop(Object server) {
        Inbound.Port port = portOfServer.remove(server);
        if (port != null) {
            port.close();
        }
    }

    private void requestStarted(Object exchange) throws Throwable {
        Inbound.Port port = portOfServer.get(internals.server(exchange));
        if (port == null) {
            return;
        }
        Object connection = internals.connection(exchange);
        AtomicReference<Inbound.Port> slot = inFlight.get(connection);
        if (slot == null) {
            slot = new AtomicReference<>();
            inFlight.put(connection, slot);
        }
        port.requestStarted();
        slot.set(port);
    }

    private static void requestEnded(AtomicReference<Inbound.Port> slot) {
        Inbound.Port port = slot == null ? null : slot.getAndSet(null);
        if (port != null) {
            port.requestEnded();
        }
    }

    private void announceDrain(Object exchange) throws Throwable {
        Inbound.Port port = portOfServer.get(internals.server(exchange));
        if (port != null && port.draining()) {
            internals.closeAfterResponse(exchange);
        }
    }

    @FunctionalInterface
    private interface Observer {
        void observe(Object self) throws Throwable;
    }

    private static Handler before(Observer observer) {
        return (Handler.Around) (self, a0, a1, a2, a3) -> {
            observer.observe(self);
            return Handler.PROCEED;
        };
    }
}
