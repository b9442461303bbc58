package io.weft.policy.xds;

import io.netty.channel.Channel;
import java.io.IOException;
import java.net.SocketAddress;
import java.util.List;
import java.util.Map;

/** Whom calls go to. */
sealed interface GrpcServer permits ControlPlaneAddress, UnaryCall.Address, WorkloadApiAddress {

    /** For people: {@code the control plane}. */
    String role();

    /** The value of {@code :authority}. */
    String authority();

    boolean tls();

    /** Sent with each call, whoever makes it. */
    Map<String, String> headers();

    /**
     * At least one, to be tried in this order.
     *
     * @throws IOException there is none; the message says why
     */
    List<SocketAddress> resolve() throws IOException;

    /** A new channel that connects to addresses of this kind. */
    Channel channel();
}
