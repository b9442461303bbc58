package io.weft.instrumentation.grpc;

import com.google.common.util.concurrent.ListenableFuture;
import io.grpc.CallOptions;
import io.grpc.ClientStreamTracer;
import io.grpc.InternalChannelz.SocketStats;
import io.grpc.InternalLogId;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.internal.ClientStream;
import io.grpc.internal.ClientTransport;
import java.util.concurrent.Executor;

/** Where the library picks a transport and then makes a stream: the transport of one stream, which it asks for nothing else. */
final class MeshTransport implements ClientTransport {
    private final MeshChannel channel;
    private final OutgoingCall call;

    MeshTransport(MeshChannel channel, OutgoingCall call) {
        this.channel = channel;
        this.call = call;
    }

    @Override
    public ClientStream newStream(
            MethodDescriptor<?, ?> method, Metadata headers, CallOptions options, ClientStreamTracer[] tracers) {
        return new MeshStream(channel, call, method, headers, options, tracers);
    }

    @Override
    public void ping(PingCallback callback, Executor executor) {
        throw new UnsupportedOperationException("for one stream");
    }

    @Override
    public ListenableFuture<SocketStats> getStats() {
        throw new UnsupportedOperationException("for one stream");
    }

    @Override
    public InternalLogId getLogId() {
        throw new UnsupportedOperationException("for one stream");
    }
}
