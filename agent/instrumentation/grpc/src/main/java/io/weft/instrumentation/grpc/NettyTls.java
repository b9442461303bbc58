package io.weft.instrumentation.grpc;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import javax.net.ssl.SSLEngine;

/** Puts TLS into pipelines of a copy of Netty's, wherever that has been moved to: no class of it is named here. Thread-safe. */
final class NettyTls {
    private static final String HANDLER = "weft-mesh-tls";

    private final MethodHandle newHandler;
    private final MethodHandle pipeline;
    private final MethodHandle addFirst;

    /** @param prefix of that copy, as in {@code io.grpc.netty.shaded.}; empty: it is where it comes from */
    NettyTls(String prefix, ClassLoader loader) throws ReflectiveOperationException {
        MethodHandles.Lookup lookup = MethodHandles.publicLookup();
        Class<?> tls = type(prefix, "io.netty.handler.ssl.SslHandler", loader);
        Class<?> handler = type(prefix, "io.netty.channel.ChannelHandler", loader);
        Class<?> pipelineType = type(prefix, "io.netty.channel.ChannelPipeline", loader);
        Class<?> contextType = type(prefix, "io.netty.channel.ChannelHandlerContext", loader);
        newHandler = generic(lookup.findConstructor(tls, MethodType.methodType(void.class, SSLEngine.class)));
        pipeline = generic(lookup.findVirtual(contextType, "pipeline", MethodType.methodType(pipelineType)));
        addFirst = generic(
                lookup.findVirtual(pipelineType, "addFirst", MethodType.methodType(pipelineType, String.class, handler)));
    }

    private static Class<?> type(String prefix, String name, ClassLoader loader) throws ClassNotFoundException {
        return Class.forName(prefix + name, false, loader);
    }

    private static MethodHandle generic(MethodHandle handle) {
        return handle.asType(handle.type().generic());
    }

    /** Its handshake begins when the channel is active, and ends within the time that the mesh gives it. */
    Object handler(SSLEngine engine) throws Throwable {
        return (Object) newHandler.invokeExact((Object) engine);
    }

    void secure(Object channelContext, Object handler) throws Throwable {
        Object channelPipeline = (Object) pipeline.invokeExact(channelContext);
        Object ignored = (Object) addFirst.invokeExact(channelPipeline, (Object) HANDLER, handler);
    }
}
