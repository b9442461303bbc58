package io.weft.instrumentation.grpc;

import io.grpc.CallOptions;
import io.grpc.ClientStreamTracer;
import io.grpc.LoadBalancer.PickSubchannelArgs;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.internal.FailingClientStream;
import io.weft.instrumentation.Adapter;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Handler;

/** The handlers of {@link GrpcModule}. Thread-safe. */
public final class GrpcAdapter implements Adapter {
    private final AdapterContext context;
    private final Internals internals;
    private final MeshChannels channels;

    public GrpcAdapter(AdapterContext context) throws ReflectiveOperationException {
        this.context = context;
        this.internals = new Internals(context);
        this.channels = new MeshChannels(context, internals);
    }

    @Override
    public Handler handler(String hook) {
        return switch (hook) {
            case "transport" -> (Handler.Around) (provider, args, a1, a2, a3) -> transport(provider, (PickSubchannelArgs) args);
            case "delayed" -> internals.picksInDelayedTransport()
                    ? (Handler.Around) (transport, method, headers, options, tracers) -> stream(
                            transport,
                            (MethodDescriptor<?, ?>) method,
                            (Metadata) headers,
                            (CallOptions) options,
                            (ClientStreamTracer[]) tracers)
                    : (Handler.Around) (transport, method, headers, options, tracers) -> Handler.PROCEED;
            case "exit-idle" -> (Handler.Around) (channel, a0, a1, a2, a3) -> exitIdle((ManagedChannel) channel);
            case "state" -> (Handler.Result) (channel, state, connect, a1, a2) -> {
                if (Boolean.TRUE.equals(connect)) {
                    connect((ManagedChannel) channel);
                }
                return state;
            };
            case "terminate" -> (Handler.Around) (channel, a0, a1, a2, a3) -> terminate((ManagedChannel) channel);
            case "shutdown-now" -> (Handler.Around) (channel, a0, a1, a2, a3) -> {
                MeshChannel mesh = channels.known((ManagedChannel) channel);
                if (mesh != null && internals.isShutdownNow((ManagedChannel) channel)) {
                    mesh.shutdownNow();
                }
                return Handler.PROCEED;
            };
            case "connect" -> (Handler.Around) (handler, channelContext, address, a2, a3) -> {
                if (address instanceof EndpointAddress endpoint) {
                    endpoint.connecting(channelContext);
                }
                return Handler.PROCEED;
            };
            default -> throw new IllegalArgumentException("no hook of grpc: " + hook);
        };
    }

    private Object transport(Object provider, PickSubchannelArgs args) throws Throwable {
        MeshChannel channel = channels.ofStreams(provider);
        if (channel == null || channel.isShutdown()) {
            return Handler.PROCEED;
        }
        OutgoingCall call = new OutgoingCall(channel, args.getMethodDescriptor(), args.getHeaders(), args.getCallOptions());
        try {
            return claims(channel, call) ? new MeshTransport(channel, call, null) : Handler.PROCEED;
        } catch (Throwable fault) {
            return new MeshTransport(channel, call, unsent(channel, call, fault));
        }
    }

    private Object stream(
            Object delayed, MethodDescriptor<?, ?> method, Metadata headers, CallOptions options, ClientStreamTracer[] tracers)
            throws Throwable {
        MeshChannel channel = channels.ofStreams(delayed);
        if (channel == null || channel.isShutdown()) {
            return Handler.PROCEED;
        }
        OutgoingCall call = new OutgoingCall(channel, method, headers, options);
        try {
            return claims(channel, call) ? new MeshStream(channel, call, method, headers, options, tracers) : Handler.PROCEED;
        } catch (Throwable fault) {
            return new FailingClientStream(unsent(channel, call, fault), tracers);
        }
    }

    private boolean claims(MeshChannel channel, OutgoingCall call) {
        if (context.outbound().claims(call)) {
            return true;
        }
        channel.leaveToLibrary();
        return false;
    }

    private static Status unsent(MeshChannel channel, OutgoingCall call, Throwable fault) throws Throwable {
        if (call.mayFailOpen()) {
            channel.leaveToLibrary();
            throw fault;
        }
        return MeshTransport.unsent(fault);
    }

    private Object exitIdle(ManagedChannel channel) throws Throwable {
        if (!isMeshed(channel)) {
            return Handler.PROCEED;
        }
        internals.useDefaultServiceConfig(channel);
        return null;
    }

    private void connect(ManagedChannel channel) throws Throwable {
        if (isMeshed(channel)) {
            channels.of(channel).connect();
        }
    }

    /** Whether the mesh is in charge of all of its calls. */
    private boolean isMeshed(ManagedChannel channel) throws Throwable {
        if (channel.isShutdown() || internals.hasLoadBalancer(channel)) {
            return false;
        }
        MeshChannel mesh = channels.of(channel);
        return mesh != null && !mesh.isLeftToLibrary() && context.outbound().names(mesh.authority());
    }

    private Object terminate(ManagedChannel channel) {
        MeshChannel mesh = channels.known(channel);
        return mesh == null || !channel.isShutdown() || mesh.mayTerminate() ? Handler.PROCEED : null;
    }
}
