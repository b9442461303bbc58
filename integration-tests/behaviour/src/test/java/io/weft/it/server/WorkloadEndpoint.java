package io.weft.it.server;

import com.google.protobuf.ByteString;
import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerDomainSocketChannel;
import io.spiffe.workloadapi.grpc.SpiffeWorkloadAPIGrpc;
import io.spiffe.workloadapi.grpc.Workload.X509SVID;
import io.spiffe.workloadapi.grpc.Workload.X509SVIDRequest;
import io.spiffe.workloadapi.grpc.Workload.X509SVIDResponse;
import io.weft.it.harness.Authority;
import io.weft.it.harness.Certified;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A SPIFFE Workload API on a Unix socket, with the stubs of SPIFFE's own Java library. */
final class WorkloadEndpoint extends SpiffeWorkloadAPIGrpc.SpiffeWorkloadAPIImplBase implements AutoCloseable {
    private final MultiThreadIoEventLoopGroup loops = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private final Server server;

    /** Guarded by this. */
    private final List<StreamObserver<X509SVIDResponse>> callers = new ArrayList<>();
    private X509SVIDResponse answer;

    WorkloadEndpoint(Path socket, X509SVIDResponse answer) throws IOException {
        this.answer = answer;
        server = NettyServerBuilder.forAddress(UnixDomainSocketAddress.of(socket))
                .channelType(NioServerDomainSocketChannel.class)
                .bossEventLoopGroup(loops)
                .workerEventLoopGroup(loops)
                .addService(this)
                .build()
                .start();
    }

    /** @param federated whom the workload believes of another trust domain */
    static X509SVIDResponse svid(String spiffeId, Certified own, Authority authority, String otherDomain, Authority federated) {
        return X509SVIDResponse.newBuilder()
                .addSvids(X509SVID.newBuilder()
                        .setSpiffeId(spiffeId)
                        .setX509Svid(der(own.certificate()))
                        .setX509SvidKey(ByteString.copyFrom(own.key().getEncoded()))
                        .setBundle(der(authority.certificate())))
                .putFederatedBundles(otherDomain, der(federated.certificate()))
                .build();
    }

    private static ByteString der(X509Certificate certificate) {
        try {
            return ByteString.copyFrom(certificate.getEncoded());
        } catch (CertificateEncodingException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public synchronized void fetchX509SVID(X509SVIDRequest request, StreamObserver<X509SVIDResponse> caller) {
        caller.onNext(answer);
        callers.add(caller);
    }

    synchronized void push(X509SVIDResponse fresh) {
        answer = fresh;
        callers.forEach(caller -> caller.onNext(fresh));
    }

    @Override
    public void close() throws InterruptedException {
        server.shutdownNow().awaitTermination(10, TimeUnit.SECONDS);
        loops.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    }
}
