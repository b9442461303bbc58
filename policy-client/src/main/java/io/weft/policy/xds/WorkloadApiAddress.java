package io.weft.policy.xds;

import io.netty.channel.Channel;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.weft.policy.identity.WorkloadApi;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.util.List;
import java.util.Map;

/** The SPIFFE Workload API on this machine: nothing is encrypted, who calls is told by the kernel. */
record WorkloadApiAddress(SocketAddress address) implements GrpcServer {

    @Override
    public String role() {
        return "the SPIFFE Workload API";
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
        return WorkloadApi.HEADERS;
    }

    @Override
    public List<SocketAddress> resolve() {
        return List.of(address);
    }

    @Override
    public Channel channel() {
        return address instanceof UnixDomainSocketAddress ? new NioDomainSocketChannel() : new NioSocketChannel();
    }

    @Override
    public String toString() {
        return address.toString();
    }
}
