package io.weft.controlplane.token;

import static org.assertj.core.api.Assertions.assertThat;

import io.envoyproxy.envoy.service.load_stats.v3.LoadReportingServiceGrpc;
import io.envoyproxy.envoy.service.load_stats.v3.LoadReportingServiceGrpc.LoadReportingServiceImplBase;
import io.envoyproxy.envoy.service.load_stats.v3.LoadStatsRequest;
import io.envoyproxy.envoy.service.load_stats.v3.LoadStatsResponse;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Calls of which it is only known later who makes them. */
class BearerTest {

    private final CompletableFuture<Bearer> known = new CompletableFuture<>();
    private final CompletableFuture<String> asked = new CompletableFuture<>();
    private final CompletableFuture<Void> waits = new CompletableFuture<>();

    @Test
    void aCallIsServedOnceItIsKnownWhoseItIs() throws Exception {
        assertThat(end(false)).isEqualTo(Status.Code.UNAUTHENTICATED);
        assertThat(asked.join()).as("the caller's address").isEqualTo("127.0.0.1");
    }

    @Test
    void aCallThatCannotBeServedThenIsEndedAndDoesNotHang() throws Exception {
        assertThat(end(true)).isEqualTo(Status.Code.INTERNAL);
    }

    /** With what a call ends of which it is known late that nobody makes it. */
    private Status.Code end(boolean serviceFails) throws Exception {
        Server server = server(serviceFails);
        ManagedChannel channel =
                NettyChannelBuilder.forAddress("127.0.0.1", server.getPort()).usePlaintext().build();
        try {
            CompletableFuture<Status> ended = new CompletableFuture<>();
            LoadReportingServiceGrpc.newStub(channel).streamLoadStats(new StreamObserver<>() {
                @Override
                public void onNext(LoadStatsResponse response) {}

                @Override
                public void onError(Throwable failure) {
                    ended.complete(Status.fromThrowable(failure));
                }

                @Override
                public void onCompleted() {
                    ended.complete(Status.OK);
                }
            });
            waits.get(60, TimeUnit.SECONDS);
            assertThat(ended).as("nobody knows yet").isNotDone();
            known.complete(Bearer.nobody("no token came"));
            return ended.get(60, TimeUnit.SECONDS).getCode();
        } finally {
            channel.shutdownNow();
            server.shutdownNow();
        }
    }

    private Server server(boolean fails) throws IOException {
        LoadReportingServiceImplBase service = new LoadReportingServiceImplBase() {
            @Override
            public StreamObserver<LoadStatsRequest> streamLoadStats(StreamObserver<LoadStatsResponse> responses) {
                if (fails) {
                    throw new IllegalStateException("on purpose");
                }
                responses.onError(Status.UNAUTHENTICATED.withDescription(Bearer.current().complaint()).asRuntimeException());
                return new IgnoredRequests();
            }
        };
        return NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", 0))
                .addService(service)
                .intercept(new Bearer.Reader((token, host) -> {
                    asked.complete(host);
                    return known;
                }))
                .intercept(new Waiting())
                .build()
                .start();
    }

    /** Says that a call waits, which it does not yet when it is asked for its bearer. */
    private final class Waiting implements ServerInterceptor {
        @Override
        public <Q, A> ServerCall.Listener<Q> interceptCall(ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
            ServerCall.Listener<Q> listener = next.startCall(call, headers);
            waits.complete(null);
            return listener;
        }
    }

    private static final class IgnoredRequests implements StreamObserver<LoadStatsRequest> {
        @Override
        public void onNext(LoadStatsRequest request) {}

        @Override
        public void onError(Throwable failure) {}

        @Override
        public void onCompleted() {}
    }
}
