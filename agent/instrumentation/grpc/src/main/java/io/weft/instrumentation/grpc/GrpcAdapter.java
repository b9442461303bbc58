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
import io.weft.instrumentation.Outside;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.URI;

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
                } else if (address instanceof InetSocketAddress to) {
                    return outside(to);
                }
                return Handler.PROCEED;
            };
            default -> throw new IllegalArgumentException("no hook of grpc: " + hook);
        };
    }

    private Object transport(Object provider, PickSubchannelArgs args) throws Throwable {
        MeshChannel channel = channels.ofStreams(provider);
        if (channel == null) {
            Status refusal = channels.refusal(provider);
            return refusal == null ? Handler.PROCEED : new MeshTransport(null, null, refusal);
        }
        if (channel.isShutdown()) {
            return Handler.PROCEED;
        }
        OutgoingCall call = new OutgoingCall(channel, args.getMethodDescriptor(), args.getHeaders(), args.getCallOptions());
        try {
            if (context.outbound().claims(call)) {
                return new MeshTransport(channel, call, null);
            }
            Status refusal = refusal(channel);
            return refusal == null ? leave(channel) : new MeshTransport(channel, call, refusal);
        } catch (Throwable fault) {
            return new MeshTransport(channel, call, unsent(channel, call, fault));
        }
    }

    private Object stream(
            Object delayed, MethodDescriptor<?, ?> method, Metadata headers, CallOptions options, ClientStreamTracer[] tracers)
            throws Throwable {
        MeshChannel channel = channels.ofStreams(delayed);
        if (channel == null) {
            Status refusal = channels.refusal(delayed);
            return refusal == null ? Handler.PROCEED : new FailingClientStream(refusal, tracers);
        }
        if (channel.isShutdown()) {
            return Handler.PROCEED;
        }
        OutgoingCall call = new OutgoingCall(channel, method, headers, options);
        try {
            if (context.outbound().claims(call)) {
                return new MeshStream(channel, call, method, headers, options, tracers);
            }
            Status refusal = refusal(channel);
            return refusal == null ? leave(channel) : new FailingClientStream(refusal, tracers);
        } catch (Throwable fault) {
            return new FailingClientStream(unsent(channel, call, fault), tracers);
        }
    }

    /** Of a connection that is the library's own, with TLS or without: its calls may be neither. */
    private Object outside(InetSocketAddress to) {
        ConnectException refusal = Outside.refusal(context.outbound(), false, to.getHostString(), to.getPort());
        if (refusal != null) {
            refusal = Outside.refusal(context.outbound(), true, to.getHostString(), to.getPort());
        }
        return refusal == null ? Handler.PROCEED : new Handler.Thrown(refusal);
    }

    /** Null: the channel may be used. It speaks plaintext. */
    private Status refusal(MeshChannel channel) {
        URI target = channel.target();
        ConnectException refusal = Outside.refusal(context.outbound(), false, target.getHost(), target.getPort());
        return refusal == null ? null : Status.UNAVAILABLE.withDescription(refusal.getMessage()).withCause(refusal);
    }

    private static Object leave(MeshChannel channel) {
        channel.leaveToLibrary();
        return Handler.PROCEED;
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
