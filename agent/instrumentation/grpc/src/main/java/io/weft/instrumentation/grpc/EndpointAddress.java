package io.weft.instrumentation.grpc;

import io.weft.dataplane.Endpoint;
import java.net.InetSocketAddress;

/** Where Netty connects for one transport; it is told so again when it does. */
final class EndpointAddress extends InetSocketAddress {
    private static final long serialVersionUID = 1L;

    private final transient NettyTls tls;

    /** Null: plaintext. */
    private final transient Object handler;

    private volatile transient boolean secured;

    /** @param handler Netty's, that secures the connection; null: plaintext */
    EndpointAddress(Endpoint endpoint, NettyTls tls, Object handler) {
        super(endpoint.address().getAddress(), endpoint.address().getPort());
        this.tls = tls;
        this.handler = handler;
    }

    /** @param channelContext Netty's, of a channel that has not connected yet */
    void connecting(Object channelContext) throws Throwable {
        if (handler != null) {
            tls.secure(channelContext, handler);
            secured = true;
        }
    }

    /** Whether what goes out is as policy wants it. */
    boolean isAsWanted() {
        return handler == null || secured;
    }
}
