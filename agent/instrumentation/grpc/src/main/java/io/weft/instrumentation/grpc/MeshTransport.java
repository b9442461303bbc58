package io.weft.instrumentation.grpc;

import com.google.common.util.concurrent.ListenableFuture;
import io.grpc.CallOptions;
import io.grpc.ClientStreamTracer;
import io.grpc.InternalChannelz.SocketStats;
import io.grpc.InternalLogId;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.internal.ClientStream;
import io.grpc.internal.ClientTransport;
import io.grpc.internal.FailingClientStream;
import io.weft.instrumentation.Unsent;
import java.net.ConnectException;
import java.util.concurrent.Executor;

/** Where the library picks a transport and then makes a stream: the transport of one stream, which it asks for nothing else. */
final class MeshTransport implements ClientTransport {
    private final MeshChannel channel;
    private final OutgoingCall call;

    /** Null: none. */
    private final Status failure;

    /** @param failure of the stream, from its beginning, and then the others may be null; null: none */
    MeshTransport(MeshChannel channel, OutgoingCall call, Status failure) {
        this.channel = channel;
        this.call = call;
        this.failure = failure;
    }

    @Override
    public ClientStream newStream(
            MethodDescriptor<?, ?> method, Metadata headers, CallOptions options, ClientStreamTracer[] tracers) {
        if (failure != null) {
            return new FailingClientStream(failure, tracers);
        }
        try {
            return new MeshStream(channel, call, method, headers, options, tracers);
        } catch (RuntimeException | LinkageError fault) {
            return new FailingClientStream(unsent(fault), tracers);
        }
    }

    /** What a call is told that the mesh cannot make. */
    static Status unsent(Throwable fault) {
        ConnectException failure = Unsent.because(fault);
        return Status.UNAVAILABLE.withDescription(failure.getMessage()).withCause(failure);
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
