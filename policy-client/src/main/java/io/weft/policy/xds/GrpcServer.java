package io.weft.policy.xds;

import io.netty.channel.Channel;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.URI;
import java.util.List;
import java.util.Map;

/** Whom calls go to. */
sealed interface GrpcServer permits ControlPlaneAddress, ControlPlaneSocket, UnaryCall.Address, WorkloadApiAddress {

    /** @throws IllegalArgumentException neither {@code grpc://host:port}, {@code grpcs://host:port} nor {@code unix:///path} */
    static GrpcServer controlPlane(URI uri) {
        return ControlPlaneSocket.SCHEME.equals(uri.getScheme()) ? ControlPlaneSocket.of(uri) : ControlPlaneAddress.of(uri);
    }

    /**
     * That others reach this process at, as far as a connection to here tells.
     *
     * @param local address of the connection; a socket of this machine has none that others could use
     */
    static InetSocketAddress reachable(SocketAddress local) {
        return local instanceof InetSocketAddress network ? network : new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    }

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
