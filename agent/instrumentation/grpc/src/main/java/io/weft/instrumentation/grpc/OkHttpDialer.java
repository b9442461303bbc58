package io.weft.instrumentation.grpc;

import io.grpc.ChannelLogger;
import io.grpc.internal.ClientTransportFactory;
import io.grpc.internal.ClientTransportFactory.ClientTransportOptions;
import io.grpc.internal.ConnectionClientTransport;
import io.weft.dataplane.Endpoint;
import io.weft.instrumentation.AdapterContext;
import java.lang.reflect.Field;
import java.util.concurrent.Executor;
import javax.net.SocketFactory;

/** For {@code grpc-okhttp}. Where policy wants mesh TLS, its sockets come out secured, and it does not know. */
final class OkHttpDialer implements Dialer {
    static final String FACTORY = "io.grpc.okhttp.OkHttpChannelBuilder$OkHttpTransportFactory";

    private final AdapterContext context;
    private final Executor executor;
    private final boolean ownSockets;

    OkHttpDialer(Object factory, AdapterContext context) throws ReflectiveOperationException {
        this.context = context;
        executor = (Executor) Wrapped.value(factory, "executor");
        Object sockets = Wrapped.value(factory, "socketFactory");
        ownSockets = sockets != null && sockets != SocketFactory.getDefault();
    }

    static boolean isPlaintext(Object factory) throws ReflectiveOperationException {
        return Wrapped.value(factory, "sslSocketFactory") == null;
    }

    @Override
    public String name() {
        return "okhttp";
    }

    @Override
    public Executor hearing() {
        return executor;
    }

    @Override
    public Dialed dial(
            ClientTransportFactory factory, Endpoint endpoint, long connectNanos, ClientTransportOptions options, ChannelLogger logger)
            throws Throwable {
        ConnectionClientTransport transport = factory.newClientTransport(endpoint.address(), options, logger);
        if (endpoint.tls() != null) {
            if (ownSockets) {
                context.warn("a channel of grpc-okhttp has a SocketFactory of its own; connections that the mesh secures do not come from it");
            }
            Object made = transport;
            for (Object inner = made; inner != null; inner = Wrapped.by(inner, ConnectionClientTransport.class)) {
                made = inner;
            }
            Field sockets = made.getClass().getDeclaredField("socketFactory");
            sockets.setAccessible(true);
            sockets.set(made, new MeshSocketFactory(endpoint, connectNanos));
        }
        return new Dialed(transport, () -> true);
    }
}
