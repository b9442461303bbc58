package io.weft.policy.xds;

import io.netty.channel.Channel;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import java.net.SocketAddress;
import java.net.URI;
import java.net.UnixDomainSocketAddress;
import java.util.List;
import java.util.Map;

/** Where somebody on this machine, as Istio's {@code pilot-agent}, hands on what is said to the control plane. */
record ControlPlaneSocket(String path) implements GrpcServer {
    static final String SCHEME = "unix";

    /** @throws IllegalArgumentException not {@code unix:///path} */
    static ControlPlaneSocket of(URI uri) {
        if (uri.getRawAuthority() != null || uri.getPath() == null || !uri.getPath().startsWith("/")) {
            throw new IllegalArgumentException("control plane " + uri + ": write unix:///path of a socket");
        }
        return new ControlPlaneSocket(uri.getPath());
    }

    @Override
    public String role() {
        return "the control plane";
    }

    @Override
    public String authority() {
        return "localhost";
    }

    @Override
    public boolean tls() {
        return false;
    }

    @Override
    public Map<String, String> headers() {
        return Map.of();
    }

    @Override
    public List<SocketAddress> resolve() {
        return List.of(UnixDomainSocketAddress.of(path));
    }

    @Override
    public Channel channel() {
        return new NioDomainSocketChannel();
    }

    @Override
    public String toString() {
        return SCHEME + ":" + path;
    }
}
