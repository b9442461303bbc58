package io.weft.instrumentation.grpc;

import io.grpc.ChannelLogger;
import io.grpc.internal.ClientTransportFactory;
import io.grpc.internal.ClientTransportFactory.ClientTransportOptions;
import io.grpc.internal.ConnectionClientTransport;
import io.weft.dataplane.Endpoint;
import io.weft.instrumentation.AdapterContext;
import java.util.concurrent.Executor;
import java.util.function.BooleanSupplier;

/** Makes transports to endpoints by the factory of one of the app's channels. Thread-safe. */
interface Dialer {
    /**
     * @param transport not started
     * @param isAsWanted whether the connection is secured as policy wants it; asked once it is there
     */
    record Dialed(ConnectionClientTransport transport, BooleanSupplier isAsWanted) {}

    /** As the library names it in its user agent. */
    String name();

    /**
     * Where what its transports say is to be heard: they may say it with their locks held, and to hear it may be to start a stream on
     * another one. Null: on their own threads, which hold none.
     */
    Executor hearing();

    /** @param connectNanos how long policy gives a connection */
    Dialed dial(
            ClientTransportFactory factory, Endpoint endpoint, long connectNanos, ClientTransportOptions options, ChannelLogger logger)
            throws Throwable;

    /** @return null: its transports are not known, or secured by the app itself */
    static Dialer of(ClientTransportFactory factory, AdapterContext context) throws Throwable {
        Object made = factory;
        for (Object inner = made; inner != null; inner = Wrapped.by(inner, ClientTransportFactory.class)) {
            made = inner;
        }
        String kind = made.getClass().getName();
        if (kind.endsWith(NettyDialer.FACTORY)) {
            return NettyDialer.isPlaintext(made) ? new NettyDialer(made.getClass()) : null;
        }
        if (kind.equals(OkHttpDialer.FACTORY)) {
            return OkHttpDialer.isPlaintext(made) ? new OkHttpDialer(made, context) : null;
        }
        return null;
    }
}
