package io.weft.policy.xds;

import io.netty.channel.Channel;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Where the control plane listens, and whether it does so with TLS. */
record ControlPlaneAddress(String host, int port, boolean tls) implements GrpcServer {

    /** @throws IllegalArgumentException not {@code grpc://host:port} or {@code grpcs://host:port} */
    static ControlPlaneAddress of(URI uri) {
        boolean tls = "grpcs".equals(uri.getScheme());
        boolean extras = uri.getRawUserInfo() != null || uri.getRawQuery() != null || uri.getRawFragment() != null
                || !(uri.getRawPath() == null || uri.getRawPath().isEmpty() || uri.getRawPath().equals("/"));
        if (!tls && !"grpc".equals(uri.getScheme()) || uri.getHost() == null || uri.getPort() < 1 || uri.getPort() > 65535
                || extras) {
            throw new IllegalArgumentException(
                    "control plane " + uri + ": write grpc://host:port, or grpcs://host:port for TLS");
        }
        String host = uri.getHost();
        if (host.startsWith("[")) {
            host = host.substring(1, host.length() - 1);
        }
        return new ControlPlaneAddress(host, uri.getPort(), tls);
    }

    @Override
    public String role() {
        return "the control plane";
    }

    @Override
    public Map<String, String> headers() {
        return Map.of();
    }

    @Override
    public List<SocketAddress> resolve() throws IOException {
        try {
            List<SocketAddress> addresses = new ArrayList<>();
            for (InetAddress address : InetAddress.getAllByName(host)) {
                addresses.add(new InetSocketAddress(address, port));
            }
            return addresses;
        } catch (UnknownHostException e) {
            throw new IOException("the host name " + host + " of the control plane does not resolve", e);
        }
    }

    @Override
    public Channel channel() {
        return new NioSocketChannel();
    }

    @Override
    public String authority() {
        return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
    }

    @Override
    public String toString() {
        return authority();
    }
}
