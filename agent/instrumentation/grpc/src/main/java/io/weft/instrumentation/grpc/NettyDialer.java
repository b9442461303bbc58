package io.weft.instrumentation.grpc;

import io.grpc.ChannelLogger;
import io.grpc.internal.ClientTransportFactory;
import io.grpc.internal.ClientTransportFactory.ClientTransportOptions;
import io.weft.dataplane.ClientTls;
import io.weft.dataplane.Endpoint;
import java.util.concurrent.Executor;

/** For {@code grpc-netty}, under its own name or shaded under another. */
final class NettyDialer implements Dialer {
    static final String FACTORY = "io.grpc.netty.NettyChannelBuilder$NettyTransportFactory";

    private final NettyTls tls;

    NettyDialer(Class<?> factory) throws ReflectiveOperationException {
        String name = factory.getName();
        tls = new NettyTls(name.substring(0, name.length() - FACTORY.length()), factory.getClassLoader());
    }

    static boolean isPlaintext(Object factory) throws ReflectiveOperationException {
        return Wrapped.value(factory, "protocolNegotiator").getClass().getName().endsWith("$PlaintextProtocolNegotiator");
    }

    @Override
    public String name() {
        return "netty";
    }

    @Override
    public Executor hearing() {
        return null;
    }

    @Override
    public Dialed dial(
            ClientTransportFactory factory, Endpoint endpoint, long connectNanos, ClientTransportOptions options, ChannelLogger logger)
            throws Throwable {
        ClientTls wanted = endpoint.tls();
        EndpointAddress address =
                new EndpointAddress(endpoint, tls, wanted == null ? null : tls.handler(wanted.http2Engine(endpoint.address())));
        return new Dialed(factory.newClientTransport(address, options, logger), address::isAsWanted);
    }
}
