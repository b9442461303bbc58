package io.weft.instrumentation.grpc;

import io.weft.instrumentation.Hook;
import io.weft.instrumentation.InstrumentationModule;
import io.weft.instrumentation.Releases;
import java.util.List;

/** gRPC-Java's channels. Those that were made before the agent came are covered, too. */
public final class GrpcModule {
    private static final String INTERNAL = "io.grpc.internal.";
    private static final String CHANNEL = INTERNAL + "ManagedChannelImpl";

    private GrpcModule() {}

    public static InstrumentationModule module() {
        return new InstrumentationModule(
                "grpc",
                "1.50 and later, as a client",
                "io.weft.instrumentation.grpc.GrpcAdapter",
                List.of(),
                List.of(
                        // up to 1.64
                        Hook.around(
                                        "transport",
                                        CHANNEL + "$ChannelStreamProvider",
                                        "getTransport",
                                        "(Lio/grpc/LoadBalancer$PickSubchannelArgs;)Lio/grpc/internal/ClientTransport;")
                                .whenPresent(),
                        // from 1.65 on; before, only what the hook above has left alone comes here
                        Hook.around(
                                "delayed",
                                INTERNAL + "DelayedClientTransport",
                                "newStream",
                                "(Lio/grpc/MethodDescriptor;Lio/grpc/Metadata;Lio/grpc/CallOptions;[Lio/grpc/ClientStreamTracer;)"
                                        + "Lio/grpc/internal/ClientStream;"),
                        Hook.around("exit-idle", CHANNEL, "exitIdleMode", "()V"),
                        Hook.result("state", CHANNEL, "getState", "(Z)Lio/grpc/ConnectivityState;"),
                        Hook.around("terminate", CHANNEL, "maybeTerminateChannel", "()V"),
                        Hook.around("shutdown-now", CHANNEL, "maybeShutdownNowSubchannels", "()V"),
                        connect("io.grpc.netty."),
                        connect("io.grpc.netty.shaded.io.grpc.netty.")))
                .released(Releases.of(
                        List.of("io.grpc:grpc-core", "io.grpc:grpc-netty", "io.grpc:grpc-netty-shaded", "io.grpc:grpc-okhttp"), "1.50 and later"));
    }

    /** Its descriptor names Netty, which is elsewhere in the shaded copy. */
    private static Hook connect(String prefix) {
        return Hook.around("connect", prefix + "WriteBufferingAndExceptionHandler", "connect", "").whenPresent();
    }
}
