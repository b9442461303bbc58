package io.weft.instrumentation.tomcat;

import io.weft.instrumentation.AdapterContext;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.coyote.AbstractProtocol;
import org.apache.coyote.ProtocolHandler;
import org.apache.coyote.UpgradeProtocol;
import org.apache.coyote.http11.AbstractHttp11Protocol;
import org.apache.tomcat.util.net.SocketWrapperBase;

/**
 * HTTP/2 over mesh TLS, chosen as Tomcat chooses it where ALPN did over TLS of its own: every sidecar of Kuma speaks it unasked. Where the
 * app has given the connector none, it gets one that only such connections find. Thread-safe.
 */
final class MeshHttp2 {
    /** On a connector without TLS, Tomcat never sets it itself. */
    private static final String NEGOTIATED = "h2";
    private static final String PLAINTEXT = "h2c";

    /** Null in a Tomcat without its HTTP/2. */
    private final MethodHandle make;
    private final Map<AbstractHttp11Protocol<?>, UpgradeProtocol> made = new ConcurrentHashMap<>();

    MeshHttp2(AdapterContext context) {
        make = maker(context);
    }

    private static MethodHandle maker(AdapterContext context) {
        try {
            MethodHandles.Lookup http2 = context.lookup("org.apache.coyote.http2.Http2Protocol");
            MethodHandle make = http2.findConstructor(http2.lookupClass(), MethodType.methodType(void.class));
            MethodHandle join = join(http2);
            // (protocol, connector) → protocol, after it has joined the connector
            MethodHandle joined = MethodHandles.foldArguments(
                    MethodHandles.dropArguments(MethodHandles.identity(http2.lookupClass()), 1, AbstractHttp11Protocol.class), join);
            return MethodHandles.foldArguments(joined, make)
                    .asType(MethodType.methodType(UpgradeProtocol.class, AbstractHttp11Protocol.class));
        } catch (ReflectiveOperationException e) {
            context.warn("Tomcat: callers that speak HTTP/2 over mesh TLS are refused: " + e);
            return null;
        }
    }

    /** (protocol, connector) → void: before 9.0.38 it has another type, and before 9.0.31 there is nothing to be told. */
    private static MethodHandle join(MethodHandles.Lookup http2) throws ReflectiveOperationException {
        MethodType type = MethodType.methodType(void.class, http2.lookupClass(), AbstractHttp11Protocol.class);
        for (Class<?> connector : List.of(AbstractHttp11Protocol.class, AbstractProtocol.class)) {
            try {
                return http2.findVirtual(http2.lookupClass(), "setHttp11Protocol", MethodType.methodType(void.class, connector)).asType(type);
            } catch (NoSuchMethodException other) {
                continue;
            }
        }
        return MethodHandles.empty(type);
    }

    boolean isThere() {
        return make != null;
    }

    void choose(SocketWrapperBase<?> connection) {
        connection.setNegotiatedProtocol(NEGOTIATED);
    }

    /**
     * What Tomcat finds for a negotiated protocol.
     *
     * @param found null: nothing
     */
    UpgradeProtocol find(AbstractHttp11Protocol<?> connector, UpgradeProtocol found, String name) {
        if (found != null || !NEGOTIATED.equals(name) || make == null) {
            return found;
        }
        UpgradeProtocol own = connector.getUpgradeProtocol(PLAINTEXT);
        return own == null ? made.computeIfAbsent(connector, this::make) : own;
    }

    private UpgradeProtocol make(AbstractHttp11Protocol<?> connector) {
        try {
            return (UpgradeProtocol) make.invokeExact(connector);
        } catch (Throwable e) {
            throw new IllegalStateException("Tomcat's HTTP/2 cannot be made", e);
        }
    }

    /** The connector is stopped. */
    void forget(ProtocolHandler connector) {
        made.remove(connector);
    }
}
