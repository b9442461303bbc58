package io.weft.instrumentation.grpc;

import io.grpc.Attributes;
import io.grpc.CallOptions;
import io.grpc.ChannelLogger;
import io.grpc.ClientStreamTracer;
import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.NameResolver;
import io.grpc.SynchronizationContext;
import io.grpc.internal.ClientTransportFactory;
import io.grpc.internal.GrpcUtil;
import io.weft.instrumentation.AdapterContext;
import java.io.IOException;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;

/** What the library's channels keep to themselves, and what differs between its versions. Thread-safe. */
final class Internals {
    private static final String INTERNAL = "io.grpc.internal.";
    private static final String CHANNEL = INTERNAL + "ManagedChannelImpl";
    private static final String DNS_RESOLVER = INTERNAL + "DnsNameResolver";

    private final boolean picksInDelayedTransport;
    private final MethodHandle channelOfProvider;
    private final MethodHandle delayedListener;
    private final MethodHandle channelOfListener;
    private final Class<?> delayedListenerType;

    private final MethodHandle transportFactory;
    private final MethodHandle nameResolver;
    private final MethodHandle nameResolverArgs;
    private final MethodHandle turns;
    private final MethodHandle logger;
    private final MethodHandle userAgent;
    private final MethodHandle idleMillis;
    private final MethodHandle loadBalancer;
    private final MethodHandle shutdownNow;
    private final MethodHandle maybeTerminate;

    private final MethodHandle realChannel;
    private final MethodHandle configSelector;
    private final Object pendingSelector;
    private final MethodHandle useSelector;
    private final MethodHandle defaultConfig;
    private final MethodHandle selectorOfConfig;
    private final MethodHandle states;
    private final MethodHandle gotoState;

    /** Null, as are the next two: there are no such filters before 1.62. */
    private final MethodHandle filters;
    private final MethodHandle filterReady;
    private final MethodHandle filterTerminated;

    private final MethodHandle tracers;

    /** From 1.77 on they are told of hedges, too. */
    private final boolean tracersKnowHedges;

    Internals(AdapterContext context) throws ReflectiveOperationException {
        MethodHandles.Lookup channel = context.lookup(CHANNEL);
        Class<?> channelType = channel.lookupClass();
        MethodHandles.Lookup provider = context.lookup(CHANNEL + "$ChannelStreamProvider");
        picksInDelayedTransport = !declares(provider.lookupClass(), "getTransport");
        channelOfProvider = outer(provider, channelType);
        delayedListener = getter(context.lookup(INTERNAL + "DelayedClientTransport"), "listener");
        MethodHandles.Lookup listener = context.lookup(CHANNEL + "$DelayedTransportListener");
        channelOfListener = outer(listener, channelType);
        delayedListenerType = listener.lookupClass();

        transportFactory = getter(channel, "transportFactory");
        nameResolver = getter(channel, "nameResolver");
        nameResolverArgs = getter(channel, "nameResolverArgs");
        turns = getter(channel, "syncContext");
        logger = getter(channel, "channelLogger");
        userAgent = getter(channel, "userAgent");
        idleMillis = getter(channel, "idleTimeoutMillis");
        loadBalancer = getter(channel, "lbHelper");
        shutdownNow = getter(channel, "shutdownNowed");
        maybeTerminate = method(channel, "maybeTerminateChannel");

        realChannel = getter(channel, "realChannel");
        MethodHandles.Lookup calls = context.lookup(CHANNEL + "$RealChannel");
        configSelector = getter(calls, "configSelector");
        Field pending = channelType.getDeclaredField("INITIAL_PENDING_SELECTOR");
        pending.setAccessible(true);
        pendingSelector = pending.get(null);
        useSelector = method(calls, "updateConfigSelector");
        defaultConfig = getter(channel, "defaultServiceConfig");
        selectorOfConfig = method(context.lookup(INTERNAL + "ManagedChannelServiceConfig"), "getDefaultConfigSelector");
        states = getter(channel, "channelStateManager");
        gotoState = method(context.lookup(INTERNAL + "ConnectivityStateManager"), "gotoState");

        if (declaresField(channelType, "transportFilters")) {
            filters = getter(channel, "transportFilters");
            MethodHandles.Lookup filter = context.lookup("io.grpc.ClientTransportFilter");
            filterReady = method(filter, "transportReady");
            filterTerminated = method(filter, "transportTerminated");
        } else {
            filters = filterReady = filterTerminated = null;
        }

        Method newTracers = named(GrpcUtil.class, "getClientStreamTracers");
        tracers = generic(MethodHandles.publicLookup().unreflect(newTracers));
        tracersKnowHedges = newTracers.getParameterCount() > 4;
    }

    private static boolean declaresField(Class<?> type, String name) {
        for (Field declared : type.getDeclaredFields()) {
            if (declared.getName().equals(name)) {
                return true;
            }
        }
        return false;
    }

    private static boolean declares(Class<?> type, String method) {
        for (Method declared : type.getDeclaredMethods()) {
            if (declared.getName().equals(method)) {
                return true;
            }
        }
        return false;
    }

    private static Method named(Class<?> type, String name) throws NoSuchMethodException {
        for (Method declared : type.getDeclaredMethods()) {
            if (declared.getName().equals(name)) {
                return declared;
            }
        }
        throw new NoSuchMethodException(type.getName() + "." + name);
    }

    private static MethodHandle method(MethodHandles.Lookup lookup, String name) throws ReflectiveOperationException {
        return generic(lookup.unreflect(named(lookup.lookupClass(), name)));
    }

    private static MethodHandle getter(MethodHandles.Lookup lookup, String field) throws ReflectiveOperationException {
        return generic(lookup.unreflectGetter(lookup.lookupClass().getDeclaredField(field)));
    }

    /** Of the object that an inner class belongs to, whatever the compiler calls it. */
    private static MethodHandle outer(MethodHandles.Lookup lookup, Class<?> type) throws ReflectiveOperationException {
        for (Field field : lookup.lookupClass().getDeclaredFields()) {
            if (field.getType() == type && field.isSynthetic()) {
                return generic(lookup.unreflectGetter(field));
            }
        }
        throw new NoSuchFieldException(lookup.lookupClass().getName() + " belongs to no channel");
    }

    private static MethodHandle generic(MethodHandle handle) {
        return handle.asType(handle.type().generic());
    }

    /** Whether a delayed transport sees every stream of its channel, and not only those that have to wait. */
    boolean picksInDelayedTransport() {
        return picksInDelayedTransport;
    }

    /** @return null: it belongs to no channel of the app's */
    ManagedChannel channelOf(Object asking) throws Throwable {
        if (!picksInDelayedTransport) {
            return (ManagedChannel) (Object) channelOfProvider.invokeExact(asking);
        }
        Object listener = (Object) delayedListener.invokeExact(asking);
        return delayedListenerType.isInstance(listener) ? (ManagedChannel) (Object) channelOfListener.invokeExact(listener) : null;
    }

    ClientTransportFactory transportFactory(ManagedChannel channel) throws Throwable {
        return (ClientTransportFactory) (Object) transportFactory.invokeExact((Object) channel);
    }

    /** Also by one of a further load balancer's, which looks for more than addresses. */
    boolean resolvesByDns(ManagedChannel channel) throws Throwable {
        Object resolver = (Object) nameResolver.invokeExact((Object) channel);
        while (resolver != null) {
            for (Class<?> type = resolver.getClass(); type != null; type = type.getSuperclass()) {
                if (type.getName().equals(DNS_RESOLVER)) {
                    return true;
                }
            }
            resolver = Wrapped.by(resolver, NameResolver.class);
        }
        return false;
    }

    /** Whether the app's own proxy is in charge. */
    boolean hasProxy(ManagedChannel channel) throws Throwable {
        NameResolver.Args args = (NameResolver.Args) (Object) nameResolverArgs.invokeExact((Object) channel);
        URI target = GrpcUtil.authorityToUri(channel.authority());
        int port = target.getPort() == -1 ? args.getDefaultPort() : target.getPort();
        if (target.getHost() == null) {
            return false;
        }
        try {
            return args.getProxyDetector().proxyFor(InetSocketAddress.createUnresolved(target.getHost(), port)) != null;
        } catch (IOException appsDetectorFailed) {
            // It will again where the app sees it.
            return true;
        }
    }

    /** In which the library changes a channel's state. */
    SynchronizationContext turns(ManagedChannel channel) throws Throwable {
        return (SynchronizationContext) (Object) turns.invokeExact((Object) channel);
    }

    ChannelLogger logger(ManagedChannel channel) throws Throwable {
        return (ChannelLogger) (Object) logger.invokeExact((Object) channel);
    }

    /** The app's own part of it; null: there is none. */
    String userAgent(ManagedChannel channel) throws Throwable {
        return (String) (Object) userAgent.invokeExact((Object) channel);
    }

    /** Below 0: never. */
    long idleMillis(ManagedChannel channel) throws Throwable {
        return (Long) (Object) idleMillis.invokeExact((Object) channel);
    }

    /** In the channel's turns; else it may not be true any more. */
    boolean hasLoadBalancer(ManagedChannel channel) throws Throwable {
        return (Object) loadBalancer.invokeExact((Object) channel) != null;
    }

    /** In the channel's turns. */
    boolean isShutdownNow(ManagedChannel channel) throws Throwable {
        return (Boolean) (Object) shutdownNow.invokeExact((Object) channel);
    }

    /** In the channel's turns. */
    void maybeTerminate(ManagedChannel channel) throws Throwable {
        Object ignored = (Object) maybeTerminate.invokeExact((Object) channel);
    }

    /** What the library does when nobody has told it a service config: the app's own counts. In the channel's turns. */
    void useDefaultServiceConfig(ManagedChannel channel) throws Throwable {
        Object calls = (Object) realChannel.invokeExact((Object) channel);
        AtomicReference<?> selector = (AtomicReference<?>) (Object) configSelector.invokeExact(calls);
        if (selector.get() == pendingSelector) {
            Object config = (Object) defaultConfig.invokeExact((Object) channel);
            Object own = config == null ? null : (Object) selectorOfConfig.invokeExact(config);
            Object ignored = (Object) useSelector.invokeExact(calls, own);
        }
    }

    /** In the channel's turns. */
    void show(ManagedChannel channel, ConnectivityState state) throws Throwable {
        Object ignored = (Object) gotoState.invokeExact((Object) states.invokeExact((Object) channel), (Object) state);
    }

    /** What the app's own filters of transports make of the attributes of one that is ready. */
    Attributes filterReady(ManagedChannel channel, Attributes attributes) throws Throwable {
        Attributes filtered = attributes;
        for (Object filter : filters(channel)) {
            filtered = (Attributes) (Object) filterReady.invokeExact(filter, (Object) filtered);
        }
        return filtered;
    }

    void filterTerminated(ManagedChannel channel, Attributes attributes) throws Throwable {
        for (Object filter : filters(channel)) {
            Object ignored = (Object) filterTerminated.invokeExact(filter, (Object) attributes);
        }
    }

    private List<?> filters(ManagedChannel channel) throws Throwable {
        return filters == null ? List.of() : (List<?>) (Object) filters.invokeExact((Object) channel);
    }

    /** @param previousAttempts of the same call */
    ClientStreamTracer[] tracers(CallOptions options, Metadata headers, int previousAttempts) throws Throwable {
        Object made = tracersKnowHedges
                ? (Object) tracers.invokeExact(
                        (Object) options, (Object) headers, (Object) previousAttempts, (Object) Boolean.FALSE, (Object) Boolean.FALSE)
                : (Object) tracers.invokeExact((Object) options, (Object) headers, (Object) previousAttempts, (Object) Boolean.FALSE);
        return (ClientStreamTracer[]) made;
    }
}
