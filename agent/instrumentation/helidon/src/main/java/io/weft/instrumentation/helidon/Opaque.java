package io.weft.instrumentation.helidon;

import io.helidon.common.buffers.BufferData;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.ConnectionContext;
import io.helidon.webserver.http1.spi.Http1Upgrader;
import io.helidon.webserver.spi.ServerConnection;
import io.helidon.webserver.spi.ServerConnectionSelector;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a connection may speak beside HTTP/1.1 and HTTP/2: WebSocket, and whatever the app has added. It is not looked into, so where policy says who
 * may call, it is not spoken.
 */
final class Opaque {
    private static final String HTTP2 = "io.helidon.webserver.http2.";
    private static final String HTTP1 = "io.helidon.webserver.http1.";

    private record Guarded(Map<?, ?> original, Map<?, ?> guarded) {}

    private final Accepting accepting;
    /** Of the last connection: all of a listener's have the same. */
    private volatile Guarded last = new Guarded(null, null);

    Opaque(Accepting accepting) {
        this.accepting = accepting;
    }

    void check(ConnectionContext context) {
        if (!accepting.admitsOpaque(context)) {
            throw new CloseConnectionException("policy says who may call, and this cannot be looked into");
        }
    }

    List<?> selectors(List<?> original) {
        List<Object> guarded = new ArrayList<>(original.size());
        for (Object selector : original) {
            String name = selector.getClass().getName();
            guarded.add(name.startsWith(HTTP1) || name.startsWith(HTTP2) ? selector : new Selector((ServerConnectionSelector) selector));
        }
        return guarded;
    }

    Map<?, ?> upgrades(Map<?, ?> original) {
        Guarded known = last;
        if (known.original != original) {
            Map<Object, Object> guarded = new HashMap<>();
            original.forEach((protocol, upgrade) -> guarded.put(protocol, guarded((Http1Upgrader) upgrade)));
            known = new Guarded(original, guarded);
            last = known;
        }
        return known.guarded;
    }

    /**
     * Of HTTP/2 each stream is looked into. From 4.5 on some upgrades are routed as requests are, and so decided as they are: they are a subtype, by
     * another method, which is theirs still.
     */
    private Http1Upgrader guarded(Http1Upgrader upgrade) {
        if (upgrade.getClass().getName().startsWith(HTTP2)) {
            return upgrade;
        }
        Set<Class<?>> types = new LinkedHashSet<>();
        for (Class<?> type = upgrade.getClass(); type != null; type = type.getSuperclass()) {
            types.addAll(List.of(type.getInterfaces()));
        }
        types.removeIf(type -> !Http1Upgrader.class.isAssignableFrom(type));
        return (Http1Upgrader) Proxy.newProxyInstance(
                upgrade.getClass().getClassLoader(), types.toArray(Class<?>[]::new), (proxy, method, arguments) -> {
                    if (method.getName().equals("upgrade")) {
                        check((ConnectionContext) arguments[0]);
                    }
                    try {
                        return method.invoke(upgrade, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    private final class Selector implements ServerConnectionSelector {
        private final ServerConnectionSelector selector;

        Selector(ServerConnectionSelector selector) {
            this.selector = selector;
        }

        @Override
        public int bytesToIdentifyConnection() {
            return selector.bytesToIdentifyConnection();
        }

        @Override
        public Support supports(BufferData data) {
            return selector.supports(data);
        }

        @Override
        public Set<String> supportedApplicationProtocols() {
            return selector.supportedApplicationProtocols();
        }

        @Override
        public ServerConnection connection(ConnectionContext context) {
            check(context);
            return selector.connection(context);
        }
    }
}
