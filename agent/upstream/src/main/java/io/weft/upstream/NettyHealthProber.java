package io.weft.upstream;

import io.weft.dataplane.ClientTls;
import io.weft.dataplane.health.HealthProber;
import io.weft.policy.model.HealthCheck;
import io.weft.policy.model.HttpVersion;
import java.net.InetSocketAddress;
import java.util.function.Supplier;

/** Active health checks over TCP, HTTP/1.1, HTTP/2 by prior knowledge, and gRPC, each in plaintext or over mesh TLS. */
public final class NettyHealthProber implements HealthProber {
    private final UpstreamThread thread;

    public NettyHealthProber(UpstreamThread thread) {
        this.thread = thread;
    }

    @Override
    public Probe open(InetSocketAddress address, Supplier<ClientTls> tls, HealthCheck policy, String authority) {
        Target target = new Target(thread.loop(), address, tls, policy);
        if (policy.protocol() instanceof HealthCheck.Tcp tcp) {
            return new TcpProbe(target, tcp);
        }
        if (policy.protocol() instanceof HealthCheck.Grpc grpc) {
            return new Http2Probe(target, new GrpcCheck(grpc, policy.timeout(), authority));
        }
        HealthCheck.Http http = (HealthCheck.Http) policy.protocol();
        HttpCheck check = new HttpCheck(http, authority);
        return http.version() == HttpVersion.HTTP_2 ? new Http2Probe(target, check) : new Http1Probe(target, check);
    }
}
